# SPDX-License-Identifier: EUPL-1.2
"""Windows in which somebody should have spoken and nobody did (see TRAIL in `hub.indicators.plan`).

The memory is the newest window with readings of each indicator and place. It is not stored: the newest readings in
the store say the same after a restart.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from hub.core.places import Device, RegistrySnapshot
from hub.core.windows import HOUR, Calendar
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.plan import Key, Marks, trailing, watched

_EVERY = HOUR // 4  # windows of all zones begin on quarters of an hour


class Silence:
    """Finds windows to mark; `learn` is called once what was marked is committed."""

    def __init__(self, catalogue: Catalogue, city: Calendar) -> None:
        self._catalogue = catalogue
        self._city = city
        self._last: dict[Key, int] = {}
        self._checked: int | None = None

    def candidates(self, touched: Marks, registry: RegistrySnapshot, now: int) -> Mapping[Key, Ints]:
        """Windows behind those touched now, and behind the newest of each place when time has gone on."""
        starts = {key: touched.of(key) for key in touched.starts}
        if self._checked is None or now // _EVERY > self._checked // _EVERY:
            starts = {key: np.array([last], dtype=np.int64) for key, last in self._last.items()} | starts
        devices = list(registry.known.values())
        found = {key: self._behind(key, self._with_last(key, own), devices, now) for key, own in starts.items()}
        return {key: windows for key, windows in found.items() if len(windows)}

    def learn(self, touched: Marks, now: int | None = None) -> None:
        """Remember the newest windows with readings, and that silence was looked for up to `now`."""
        for key in touched.starts:
            self._last[key] = max(self._last.get(key, 0), int(touched.of(key)[-1]))
        self._checked = now if now is not None else self._checked

    def _with_last(self, key: Key, starts: Ints) -> Ints:
        return np.union1d(starts, [self._last[key]]).astype(np.int64) if key in self._last else starts

    def _behind(self, key: Key, starts: Ints, devices: Sequence[Device], now: int) -> Ints:
        d = self._catalogue.get(key[0])
        over = max(now, int(starts[-1]))  # what came before the newest reading is over, whatever the clock says
        return watched(trailing(starts, d, self._city, over), d, self._city, devices, key[1])
