# SPDX-License-Identifier: EUPL-1.2
"""Results as IndicatorValues: words and names for what the arrays say.

Only windows that are asked for are made into objects. The status is final or insufficient_data here; whether a window
is still open is decided by `hub.indicators.revision`, so that a result stays a pure function of what went in.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from hub.core.indicators import Component, IndicatorValue, Status
from hub.core.readings import Grade, Origin
from hub.indicators.cells import Bools, Cells
from hub.indicators.combine import Results, Values
from hub.indicators.definition import Input

_STEP_WORDS = {"PT1H": "hours", "P1D": "days", "P1M": "months", "P1Y": "years"}


def materialise(r: Results, wanted: Bools, units: Mapping[str, str]) -> Iterator[IndicatorValue]:
    """Values of the wanted (place, window) pairs; `units` has the unit of each input."""
    sites = _sites_below(r)
    for p, w in zip(*(index.tolist() for index in np.nonzero(wanted)), strict=True):
        yield _one(r, p, w, units, sites)


def _one(
    r: Results, p: int, w: int, units: Mapping[str, str], sites: Mapping[tuple[str, int], Mapping[str, float]]
) -> IndicatorValue:
    d, place, start = r.definition, r.places[p], int(r.windows[w])
    value = _number(r.value[p, w])
    below = sites.get((place, start), {})
    missing = [n for n in r.inputs if r.used[n][p, w] and not r.inputs[n].available[p, w]] if not below else []
    missing += [site for site, figure in below.items() if math.isnan(figure)]
    return IndicatorValue(
        indicator=d.id,
        place=place,
        start=start,
        end=int(r.windows[w + 1]),
        period=d.window.value,
        value=value,
        unit=d.unit,
        status=Status.INSUFFICIENT if value is None else Status.FINAL,
        definition_version=d.version,
        reason=_reason(r, p, w) if value is None else None,
        band=int(r.band[p, w]) or None,
        score=_number(r.score[p, w]),
        coverage=_share(r.coverage[p, w]),
        n_valid=int(r.n_valid[p, w]),
        n_expected=_count(r.n_expected[p, w]),
        missing=tuple(missing),
        lower_bound=bool(r.lower_bound[p, w]),
        components=_components(r, p, w, units, below),
        origin=Origin(int(r.origin[p, w])),
        grade=Grade(int(r.grade[p, w])),
    )


def _components(
    r: Results, p: int, w: int, units: Mapping[str, str], below: Mapping[str, float]
) -> dict[str, Component]:
    if below:
        return {site: Component(value=_number(figure), unit=r.definition.unit) for site, figure in below.items()}
    if len(r.inputs) == 1:
        return {}
    return {n: _component(c, r, n, p, w, units[n]) for n, c in r.inputs.items() if r.used[n][p, w] and c.seen[p, w]}


def _component(c: Cells, r: Results, name: str, p: int, w: int, unit: str) -> Component:
    available = bool(c.available[p, w])
    has_bands = available and bool(r.definition.inputs[name].bands)
    return Component(
        value=_number(c.value[p, w]) if available else None,
        unit=unit,
        band=int(r.input_bands[name][p, w]) if has_bands else None,
        coverage=_share(c.coverage[p, w]),
        n_valid=int(c.n_valid[p, w]),
        n_expected=_count(c.n_expected[p, w]),
    )


def _reason(r: Results, p: int, w: int) -> str:
    """Why there is no value, in words."""
    d = r.definition
    lacking = [
        f"{name}: {_lack(item, r, r.inputs[name], p, w)}"
        for name, item in d.inputs.items()
        if r.used[name][p, w] and not r.inputs[name].available[p, w]
    ]
    return "; ".join(lacking) or f"{d.formula} has no result for these inputs"


def _lack(item: Input, r: Results, c: Cells, p: int, w: int) -> str:
    d = r.definition
    n, expected = int(c.n_valid[p, w]), _count(c.n_expected[p, w])
    if item.indicator:
        word = _STEP_WORDS[r.definition.window] if item.reduce is None else f"{item.indicator} windows"
        word = "places" if d.spatial else word
        return (
            f"no value of {item.indicator}"
            if n == 0
            else f"{n} of {expected} {word}, {_share_text(item.capture)} needed"
        )
    word = _STEP_WORDS[d.step] if d.step else "readings"
    capture = d.capture if d.step else item.capture
    if not c.seen[p, w]:
        return "no valid reading"
    if expected is None:
        return f"{n} {word}, not enough of the window"
    return f"{n} of {expected} {word}, {math.ceil(capture * expected - 1e-9)} needed"


def _share_text(share: float) -> str:
    return f"{share * 100:g} %"


def _sites_below(r: Results) -> Mapping[tuple[str, int], Mapping[str, float]]:
    """Value of each place below, by (place, start of window)."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for values in r.below.values():
        for place, start, value in _rows(values):
            above = place
            while above:
                found.setdefault((above, start), {})[place] = value
                above = above.rpartition("/")[0]
    return {key: dict(sorted(sites.items())) for key, sites in found.items()}


def _rows(values: Values) -> Sequence[tuple[str, int, float]]:
    return [
        (values.places[p], s, v)
        for p, s, v in zip(values.place.tolist(), values.start.tolist(), values.value.tolist(), strict=True)
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _share(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)


def _count(value: float) -> int | None:
    return None if math.isnan(value) else int(value)
