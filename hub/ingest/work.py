# SPDX-License-Identifier: EUPL-1.2
"""A batch on its way through the pipeline: interpreted, not stored yet."""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from hub.core.delivery import Delivery
from hub.core.journal import OpenBatch, SpoolPosition
from hub.core.readings import ReadingBatch
from hub.ingest.accounting import Touches
from hub.ingest.interpret import Interpretation


class Work(Struct):
    """A batch that was interpreted; `stamps` go into the journal first. `spool` is the position behind it, if there.

    `noted` is what was written down before the store was asked, None while it was not.
    """

    number: int
    deliveries: Sequence[Delivery]
    meanings: Sequence[Interpretation]
    stamps: Mapping[bytes, int]
    rows: ReadingBatch
    touches: Touches
    spool: SpoolPosition | None = None
    noted: OpenBatch | None = None

    @property
    def counted(self) -> int:
        """Its number for the journal. What comes out of the spool has none: live batches below it may be open."""
        return 0 if self.spool is not None else self.number

    def opening(self) -> OpenBatch:
        """What is written down before the store is asked."""
        return OpenBatch(
            number=self.number,
            started=min([delivery.received for delivery in self.deliveries]),
            messages=len(self.deliveries),
            readings=len(self.rows),
            touches=self.touches,
            devices=self.rows.by_device(),
            spool=self.spool,
        )

    def for_spool(self) -> Sequence[Delivery]:
        """Deliveries that need the store; one without time carries its stamp, for whenever it comes out."""
        return [_stamped(meaning) for meaning in self.meanings if len(meaning.rows)]


def _stamped(meaning: Interpretation) -> Delivery:
    if meaning.arrival is None:
        return meaning.delivery
    return replace(meaning.delivery, received=meaning.arrival[1], dup=False)
