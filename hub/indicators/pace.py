# SPDX-License-Identifier: EUPL-1.2
"""How often the row of an open window is rewritten: at most once in `every` ns, and the last state always follows.

A window is computed as soon as it is first touched. Touches soon after that wait, so a window that a thousand messages
touch in a second costs as much as one that a single message touches. Windows whose grace is over wait no longer, since
they are about to be closed, and closed ones never wait.

The memory is lost with the process, and what waits with it. Whatever waits has an open row, so an engine that starts
computes all open rows again.
"""

from collections.abc import Iterable

import numpy as np

from hub.indicators.aggregation import Ints
from hub.indicators.plan import Key, Marks


class Pace:
    """Which marks wait. `every` 0: none ever does."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._recent: dict[Key, dict[int, tuple[int, int]]] = {}  # start: (computed at, closes at)

    def split(self, marks: Marks, keys: Iterable[Key], now: int) -> tuple[Marks, Marks]:
        """What of `keys` is due, and what waits."""
        due, waiting = Marks(), Marks()
        if not self._every:
            due.stretches = {key: marks.stretches[key] for key in keys}
            return due, waiting
        for key in keys:
            held = self._held(key, now)
            for starts, cause in marks.stretches[key].values():
                if not held:
                    due.add(key, starts, cause)
                    continue
                waits = np.isin(starts, held)
                due.add(key, starts[~waits], cause)
                waiting.add(key, starts[waits], cause)
        return due, waiting

    def note(self, key: Key, starts: Ints, closes: Ints, now: int) -> None:
        """Remember that windows were computed now."""
        if self._every and (closes > now).any():
            recent = self._recent.setdefault(key, {})
            for start, close in zip(starts.tolist(), closes.tolist(), strict=True):
                if close > now:
                    recent[start] = (now, close)

    def forget(self, now: int) -> None:
        """Drop what holds nothing back any more."""
        for key in list(self._recent):
            kept = {s: (at, close) for s, (at, close) in self._recent[key].items() if at > now - self._every}
            if kept:
                self._recent[key] = kept
            else:
                del self._recent[key]

    def _held(self, key: Key, now: int) -> list[int]:
        recent = self._recent.get(key)
        if not recent:
            return []
        return [start for start, (at, close) in recent.items() if at > now - self._every and close > now]
