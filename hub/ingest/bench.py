# SPDX-License-Identifier: EUPL-1.2
"""The test bench: the way of a real message by an interpreter of its own, with nothing stored at its end.

Devices are not asked of the registry: whatever device a message names counts as registered under the connector's name
for it, so what waits in quarantine can be read before anybody decides what it is.
"""

from collections.abc import Mapping

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.places import Device
from hub.core.ports import Tried
from hub.ingest.interpret import Interpretation, Interpreter
from hub.ingest.model_fields import Fields
from hub.ingest.normalise import Conversions

_UNKNOWN = "unknown_device"
_ROUNDS = 4  # each names devices that the one before did not get to


class DryRun:
    """`Bench` over the routes and conversions of ingest. Calls do not share anything that changes."""

    def __init__(
        self,
        router: sdk.Router,
        conversions: Conversions,
        *,
        max_payload: int,
        models: Mapping[str, Fields] | None = None,
    ) -> None:
        self._router = router
        self._conversions = conversions
        self._max_payload = max_payload
        self._models = models or {}

    def decode(self, topic: str, payload: bytes, received: int, model: str = "") -> Tried:
        """What ingest would make of a message that arrived at `received` (ns), were its devices of this model."""
        delivery = Delivery(topic, payload, received, 1, False, False, 0)
        interpreter = Interpreter(self._router, self._conversions, max_payload=self._max_payload, models=self._models)
        meaning, names = interpreter.interpret(delivery, {}), dict[str, None]()
        for _ in range(_ROUNDS):
            fresh = [name for name in _strangers(meaning) if name not in names]
            if not fresh:
                break
            names |= dict.fromkeys(fresh)
            interpreter.register(
                Device(id=name, connector=meaning.connector, external_id=name, model=model) for name in names
            )
            meaning = interpreter.interpret(delivery, {})
        return _tried(meaning, list(names))


def _strangers(meaning: Interpretation) -> list[str]:
    named = [(fault.external_id, *fault.others) for fault in meaning.faults if fault.reason == _UNKNOWN]
    return [name for names in named for name in names if name]


def _tried(meaning: Interpretation, names: list[str]) -> Tried:
    return Tried(
        meaning.connector,
        names,
        meaning.verdict.value,
        meaning.rows,
        [(fault.reason, fault.detail) for fault in meaning.faults],
        list(dict.fromkeys(meaning.doubts)),
        meaning.events,
        meaning.uplinks,
    )
