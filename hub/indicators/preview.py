# SPDX-License-Identifier: EUPL-1.2
"""What a correction would touch, before it is made: readings, and windows of which indicators at which places.

The same rules say so that the engine follows afterwards (`hub.indicators.plan`): hours that hold readings of the
stretch mark the windows of the definitions that take them, where the device stood, and these mark what depends on
them. "Touched" means looked at again: whether a figure changes is known only once it is computed.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from hub.core.corrections import REMOVING
from hub.core.indicators import Correction
from hub.core.journal import HOUR_NS
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import ReadingStore
from hub.core.readings import EARLIEST, Columns
from hub.core.windows import Calendar
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.corrections import hits
from hub.indicators.kernel import reach
from hub.indicators.plan import place_at, windows_of

_PIECE = 32 * 24 * HOUR_NS  # read at once
_OPEN = int(np.iinfo(np.int64).max)


class Concerned(NamedTuple):
    """Stored readings of one quantity in the stretch, and how many of them other corrections remove already."""

    quantity: str
    readings: int
    removed_already: int
    first: int
    last: int


class TouchedWindows(NamedTuple):
    """Windows of one indicator at one place that would be computed again; they begin in [first, last]."""

    indicator: str
    place: str
    windows: int
    first: int
    last: int


class Preview(NamedTuple):
    """What a correction would concern and touch; nothing where no reading lies in its stretch yet."""

    concerned: Sequence[Concerned]
    touched: Sequence[TouchedWindows]

    @property
    def readings(self) -> int:
        """Stored readings that it would concern."""
        return sum(c.readings for c in self.concerned)


async def preview(
    draft: Correction,
    corrections: Sequence[Correction],
    registry: RegistrySnapshot,
    catalogue: Catalogue,
    city: Calendar,
    store: ReadingStore,
) -> Preview:
    """Look at what is stored in the draft's stretch; `corrections` are those made so far."""
    found: dict[str, Concerned] = {}
    hours: dict[str, set[int]] = {}
    removing = [c for c in corrections if c.device == draft.device]
    async for columns in _pieces(draft, store):
        for more in _concerned(columns, removing):
            found[more.quantity] = _joined(found.get(more.quantity), more)
        for number, series in enumerate(columns.series):
            mine = np.unique(columns.time[columns.index == number] // HOUR_NS) * HOUR_NS
            hours.setdefault(series.quantity, set()).update(mine.tolist())
    device = registry.known.get(draft.device)
    touched = _touched(device, hours, registry, catalogue, city) if device else {}
    return Preview([found[q] for q in sorted(found)], list(_summary(touched)))


async def _pieces(draft: Correction, store: ReadingStore) -> AsyncIterator[Columns]:
    """Stored readings of the stretch, some weeks at a time."""
    series = [s for s in await store.series([draft.device]) if draft.quantity in (None, s.quantity)]
    newest = await store.latest(series)
    last = min(draft.end, max((row.time for row in newest.values()), default=draft.start) + 1)
    for begin in range(max(draft.start, EARLIEST), last, _PIECE):
        yield await store.scan(series, begin, min(begin + _PIECE, last))


def _concerned(columns: Columns, corrections: Sequence[Correction]) -> Iterator[Concerned]:
    gone = np.zeros(len(columns), dtype=np.bool_)
    for hit in hits(columns, corrections):
        if hit.correction.action in REMOVING:
            gone[hit.rows] = True
    for number, series in enumerate(columns.series):
        rows = np.flatnonzero(columns.index == number)
        if len(rows):
            first, last = int(columns.time[rows[0]]), int(columns.time[rows[-1]])
            yield Concerned(series.quantity, len(rows), int(gone[rows].sum()), first, last)


def _joined(before: Concerned | None, more: Concerned) -> Concerned:
    if before is None:
        return more
    return more._replace(
        readings=before.readings + more.readings,
        removed_already=before.removed_already + more.removed_already,
        first=before.first,
    )


Touched = dict[tuple[str, str], Ints]


def _touched(
    device: Device, hours: Mapping[str, set[int]], registry: RegistrySnapshot, catalogue: Catalogue, city: Calendar
) -> Touched:
    """Windows by (indicator, place), those made of readings first, then what depends on them."""
    touched: Touched = {}
    for quantity in sorted(set(hours) & set(catalogue.kinds)):
        all_hours = np.array(sorted(hours[quantity]), dtype=np.int64)
        for m in device.mountings:
            end = _OPEN if m.end is None else m.end
            here = all_hours[(all_hours + HOUR_NS > m.start) & (all_hours < end)]
            for d in catalogue.using(quantity) if len(here) else ():
                _add(touched, (d.id, m.place), windows_of(here, d, city, reach(catalogue, quantity, d)))
    for d in catalogue:  # sources come before what is made of them
        for (source, below), starts in list(touched.items()):
            place = place_at(below, d.level, registry) if source in d.sources else None
            if place is not None:
                _add(touched, (d.id, place), windows_of(starts, d, city))
    return touched


def _add(touched: Touched, key: tuple[str, str], starts: Ints) -> None:
    touched[key] = np.union1d(touched[key], starts) if key in touched else starts


def _summary(touched: Touched) -> Iterator[TouchedWindows]:
    for (indicator, place), starts in sorted(touched.items()):
        yield TouchedWindows(indicator, place, len(starts), int(starts[0]), int(starts[-1]))
