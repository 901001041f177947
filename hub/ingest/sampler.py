# SPDX-License-Identifier: EUPL-1.2
"""Picks the raw messages that are kept of registered devices, for the test bench: the last few, not all.

Of each batch the newest message of a device is a candidate; it is taken when the device's last one was taken at least
`every` ago. So a device that reports every quarter of an hour has all of its last messages kept, and one that sends
each second costs one row in `every`. What of a batch is beyond `_MOST` has to wait for a later one: a burst of very
many devices must not make ingest slower. Who is not registered is not sampled: its messages wait in quarantine, raw.
"""

from collections.abc import Sequence

from hub.core.journal import RawSample
from hub.core.readings import NS
from hub.ingest.interpret import Interpretation

PAYLOAD_KEPT = 4096
_MOST = 0.02  # of a batch's messages
_AT_LEAST = 20  # in any batch, however small
_REMEMBERED = 200_000


class Sampler:
    """Remembers when each device was sampled last; `keep` messages of each stay (0: none is taken)."""

    def __init__(self, keep: int = 0, every_s: float = 60.0) -> None:
        self.keep = keep
        self._every = int(every_s * NS)
        self._last: dict[str, int] = {}

    def take(self, meanings: Sequence[Interpretation]) -> Sequence[RawSample]:
        """Samples of one batch."""
        if not self.keep:
            return ()
        last, every = self._last, self._every
        newest = {meaning.device: meaning for meaning in meanings}
        newest.pop("", None)
        due = [
            meaning
            for device, meaning in newest.items()
            if (before := last.get(device)) is None or not 0 <= meaning.delivery.received - before < every
        ]
        most = max(_AT_LEAST, int(len(meanings) * _MOST))
        if len(due) > most:  # those that have waited longest first
            due = sorted(due, key=lambda meaning: last.get(meaning.device, 0))[:most]
        if len(last) > _REMEMBERED:
            last.clear()
        for meaning in due:
            last[meaning.device] = meaning.delivery.received
        return [sample_of(meaning) for meaning in due]


def sample_of(meaning: Interpretation) -> RawSample:
    """A delivery with what became of it."""
    delivery, faults = meaning.delivery, meaning.faults
    return RawSample(
        device=meaning.device,
        received=delivery.received,
        connector=meaning.connector,
        topic=delivery.topic,
        payload=delivery.payload[:PAYLOAD_KEPT],
        size=len(delivery.payload),
        verdict=meaning.verdict,
        readings=len(meaning.readings) if meaning.group is None else len(meaning.group.values),
        reason=faults[0].reason if faults else "",
        detail="; ".join(fault.detail for fault in faults[:5]),
    )
