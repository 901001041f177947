# SPDX-License-Identifier: EUPL-1.2
"""Writes whose answer got lost, and the outcomes that their rows are still owed. Pure.

After a write without an answer nobody knows whether the server has it. Of each key in it is remembered which row the
write would have left there, and the outcomes of the rows that were decided for it. The next look-up of the key tells,
whoever's batch asks: where that row is held (value and revision), the write has happened, and its outcomes are owed;
else it has not, and its rows are decided anew when they come again.

A row that is owed an outcome gets that one instead of a new decision, however often its key has changed in between:
its effect is in the store already, or was replaced there. Equal rows (value and revision) are served in the order in
which they were decided, so that each outcome is told once. A `put` that fails gives back what it was told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.core.readings import Outcome, Reading
from hub.storage._influx_points import Home, Owed, Patch, Point, Verdicts

_Key = tuple[Home, int, str]


class _Doubt(NamedTuple):
    """Of one key: what a write may have left there with the outcomes that depend on it, and those owed for certain."""

    written: Reading | None = None
    waiting: tuple[Owed, ...] = ()
    owed: tuple[Owed, ...] = ()

    def settled(self, held: Reading | None) -> tuple[Owed, ...]:
        """What is owed, now that `held` is known to be stored."""
        written = self.written
        if written is None or held is None or (written.value, written.revision) != (held.value, held.revision):
            return self.owed
        return self.owed + self.waiting


_NONE = _Doubt()


class Doubts:
    """At most `most` keys in doubt; beyond it the oldest are given up."""

    def __init__(self, home_of: Callable[[Reading], Home], most: int) -> None:
        self._home_of = home_of
        self._most = most
        self._doubts: dict[_Key, _Doubt] = {}

    def settle(self, points: Iterable[Point], rows: Sequence[Reading], verdicts: Verdicts) -> None:
        """Tell rows of `points`, which have just been looked up, what they are owed; the others stay to be decided."""
        for point in points if self._doubts else ():
            for quantity, indices in point.rows.items():
                key = (point.home, point.time, quantity)
                doubt = self._doubts.pop(key, None)
                if doubt is not None:
                    owed = list(doubt.settled(point.held.get(quantity)))
                    point.rows[quantity] = [i for i in indices if not _told(owed, i, rows[i], verdicts)]
                    if owed:
                        self._doubts[key] = _Doubt(owed=tuple(owed))

    def remember(self, rows: Sequence[Reading], verdicts: Verdicts) -> None:
        """A `put` has failed: its writes are in doubt, and what it told nobody has heard."""
        for attempt in verdicts.attempts:
            written = _written(attempt.patches or ())
            for i in attempt.rows:
                row, outcome = rows[i], verdicts.outcomes[i]
                if outcome is Outcome.REJECTED or i in verdicts.told:
                    continue
                key = self._key(row)
                left = row if attempt.patches is None else written.get(key)
                if left is not None:
                    doubt = self._doubts.get(key, _NONE)
                    waiting = (*doubt.waiting, Owed(row.value, row.revision, outcome, verdicts.errors.get(i)))
                    self._doubts[key] = _Doubt(left, waiting, doubt.owed)
        for i, owed in reversed(verdicts.told.items()):
            key = self._key(rows[i])
            doubt = self._doubts.get(key, _NONE)
            self._doubts[key] = doubt._replace(owed=(owed, *doubt.owed))
        for oldest in list(self._doubts)[: max(0, len(self._doubts) - self._most)]:
            del self._doubts[oldest]

    def _key(self, row: Reading) -> _Key:
        return self._home_of(row), row.time, row.quantity


def _written(patches: Iterable[Patch]) -> Mapping[_Key, Reading]:
    return {(p.point.home, p.point.time, quantity): row for p in patches for quantity, row in p.changed.items()}


def _told(owed: list[Owed], index: int, row: Reading, verdicts: Verdicts) -> bool:
    for place, one in enumerate(owed):
        if (one.value, one.revision) == (row.value, row.revision):
            verdicts.tell(index, owed.pop(place))
            return True
    return False
