# SPDX-License-Identifier: EUPL-1.2
"""Windows in which somebody should have spoken and nobody did (see TRAIL in `hub.indicators.plan`).

The memory is the newest window with readings of each indicator and place. It is not stored: the newest readings in
the store say the same after a restart.

Time alone makes a window silent only once, when it is over: a quarter of an hour is looked at when it has passed, for
all places together, and never again. What is behind a reading that arrives is looked at as a whole.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hub.core.places import Device, RegistrySnapshot
from hub.core.windows import HOUR, Calendar
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.plan import Key, Marks, ends_of, standing, trailing, watched

_EVERY = HOUR // 4  # windows of all zones begin on quarters of an hour


class Silence:
    """Finds windows to mark; `learn` is called once what was marked is committed."""

    def __init__(self, catalogue: Catalogue, city: Calendar) -> None:
        self._catalogue = catalogue
        self._city = city
        self._last: dict[Key, int] = {}
        self._checked: int | None = None
        self._at: tuple[int, Mapping[str, Sequence[Device]]] = (-1, {})

    def candidates(
        self, touched: Marks, registry: RegistrySnapshot, now: int, *, alone: bool = False
    ) -> Mapping[Key, Ints]:
        """Windows behind those touched; unless they are `alone`, also what has passed since the last look."""
        at, known = self._standing(registry), dict[tuple[object, ...], Ints]()
        found = {key: self._behind(key, self._with_last(key, touched.of(key)), now, known) for key in touched.stretches}
        if not alone and (self._checked is None or now // _EVERY > self._checked // _EVERY):
            for key, last in self._last.items():
                if key not in found:
                    found[key] = self._behind(key, np.array([last], dtype=np.int64), now, known, self._checked)
        watching = ((key, self._watched(key, starts, at)) for key, starts in found.items() if len(starts))
        return {key: starts for key, starts in watching if len(starts)}

    def learn(self, touched: Marks, now: int | None = None) -> None:
        """Remember the newest windows with readings, and that silence was looked for up to `now`."""
        for key in touched.stretches:
            self._last[key] = max(self._last.get(key, 0), int(touched.of(key)[-1]))
        self._checked = now if now is not None else self._checked

    def _with_last(self, key: Key, starts: Ints) -> Ints:
        return np.union1d(starts, [self._last[key]]).astype(np.int64) if key in self._last else starts

    def _behind(
        self, key: Key, starts: Ints, now: int, known: dict[tuple[object, ...], Ints], since: int | None = None
    ) -> Ints:
        """What trails behind `starts` and is over, since `since`; the same for many keys, hence `known`."""
        d = self._catalogue.get(key[0])
        over = max(now, int(starts[-1]))  # what came before the newest reading is over, whatever the clock says
        alike = (d.window, d.calendar, d.trail, starts.tobytes(), since)
        if alike not in known:
            found = trailing(starts, d, self._city, over)
            if since is not None and len(found):
                found = found[ends_of(found, d, self._city) > since]
            known[alike] = found
        return known[alike]

    def _watched(self, key: Key, starts: Ints, at: Mapping[str, Sequence[Device]]) -> Ints:
        return watched(starts, self._catalogue.get(key[0]), self._city, at.get(key[1], ()), key[1])

    def _standing(self, registry: RegistrySnapshot) -> Mapping[str, Sequence[Device]]:
        """Devices by the places where they ever stood."""
        if self._at[0] != registry.version:
            self._at = (registry.version, standing(registry.known.values()))
        return self._at[1]
