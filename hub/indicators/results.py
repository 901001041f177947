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
from hub.indicators.aggregation import Ints
from hub.indicators.cells import Bools
from hub.indicators.combine import Results
from hub.indicators.definition import Definition
from hub.indicators.inputs import Values

_ORIGINS = {o.value: o for o in Origin}
_GRADES = {g.value: g for g in Grade}
_STEP_WORDS = {
    "PT1M": "minutes",
    "PT15M": "quarters of an hour",
    "PT1H": "hours",
    "P1D": "days",
    "P1M": "months",
    "P1Y": "years",
}


def materialise(
    r: Results, wanted: Bools, units: Mapping[str, str], digest: Ints | None = None
) -> Iterator[IndicatorValue]:
    """Values of the wanted (place, window) pairs; `units` has the unit of each input, `digest` that of each result."""
    p, w = np.nonzero(wanted)
    sites = _sites_below(r, np.unique(w)) if len(w) else {}
    told = [None] * len(p) if digest is None else digest[p, w].tolist()
    inputs = [_Column(r, name, units[name], p, w) for name in r.inputs]
    numbers = zip(
        p.tolist(), r.windows[w].tolist(), r.windows[w + 1].tolist(),
        *(column[p, w].tolist() for column in (r.value, r.band, r.score, r.n_valid, r.n_expected, r.coverage,
                                               r.lower_bound, r.origin, r.grade)),
        strict=True,
    )  # fmt: skip
    details = {name: figure[p, w].tolist() for name, figure in r.details.items()}
    for i, (place, start, end, value, band, score, n_valid, n_expected, coverage, low, origin, grade) in enumerate(
        numbers
    ):
        below = sites.get((r.places[place], start), {})
        sufficient = not math.isnan(value)
        yield IndicatorValue(
            indicator=r.definition.id,
            place=r.places[place],
            start=start,
            end=end,
            period=r.definition.window.value,
            value=value if sufficient else None,
            unit=r.definition.unit,
            status=Status.FINAL if sufficient else Status.INSUFFICIENT,
            definition_version=r.definition.version,
            reason=None if sufficient else _reason(r.definition, inputs, i),
            band=band or None,
            score=_number(score),
            coverage=_share(coverage),
            n_valid=int(n_valid),
            n_expected=_count(n_expected),
            missing=_missing(inputs, i, below),
            lower_bound=low,
            components=_components(r.definition.unit, inputs, i, below),
            details={name: figure[i] for name, figure in details.items() if not math.isnan(figure[i])},
            origin=_ORIGINS[origin],
            grade=_GRADES[grade],
            digest=told[i],
        )


class _Column:
    """One input's cells of the wanted windows, as lists."""

    def __init__(self, r: Results, name: str, unit: str, p: Ints, w: Ints) -> None:
        cells = r.inputs[name]
        self.name, self.unit, self.item = name, unit, r.definition.inputs[name]
        self.used: list[bool] = r.used[name][p, w].tolist()
        self.available: list[bool] = cells.available[p, w].tolist()
        self.seen: list[bool] = cells.seen[p, w].tolist()
        self.value: list[float] = cells.value[p, w].tolist()
        self.band: list[int] = r.input_bands[name][p, w].tolist()
        self.n_valid: list[float] = cells.n_valid[p, w].tolist()
        self.n_expected: list[float] = cells.n_expected[p, w].tolist()
        self.coverage: list[float] = cells.coverage[p, w].tolist()

    def component(self, i: int) -> Component:
        """What this input gave."""
        available = self.available[i]
        return Component(
            value=self.value[i] if available else None,
            unit=self.unit,
            band=self.band[i] if available and self.item.bands else None,
            coverage=_share(self.coverage[i]),
            n_valid=int(self.n_valid[i]),
            n_expected=_count(self.n_expected[i]),
        )


def _missing(inputs: Sequence[_Column], i: int, below: Mapping[str, float]) -> tuple[str, ...]:
    """Inputs, or places below, that should have given something and did not."""
    if below:
        return tuple(site for site, figure in below.items() if math.isnan(figure))
    return tuple(c.name for c in inputs if c.used[i] and not c.available[i])


def _components(unit: str, inputs: Sequence[_Column], i: int, below: Mapping[str, float]) -> dict[str, Component]:
    if below:
        return {site: Component(value=_number(figure), unit=unit) for site, figure in below.items()}
    if len(inputs) == 1:
        return {}
    return {c.name: c.component(i) for c in inputs if c.used[i] and c.seen[i]}


def _reason(d: Definition, inputs: Sequence[_Column], i: int) -> str:
    """Why there is no value, in words."""
    enough = any(c.available[i] for c in inputs) and all(
        c.available[i] or not c.used[i] for c in inputs if c.item.required
    )
    lacking = [f"{c.name}: {_lack(d, c, i)}" for c in inputs if c.used[i] and not c.available[i] and not enough]
    return "; ".join(lacking) or d.rule.undefined or f"{d.formula} has no result for these inputs"


def _lack(d: Definition, c: _Column, i: int) -> str:
    n, expected = int(c.n_valid[i]), _count(c.n_expected[i])
    if c.item.indicator:
        piece = "steps" if c.item.reduce == "weighted_mean" else "windows"
        word = "places" if d.spatial else f"{piece} of {c.item.indicator}"
        none = f"no value of {c.item.indicator}"
        return none if n == 0 else f"{n} of {expected} {word}, {_share_text(c.item.capture)} needed"
    if not c.seen[i]:
        return "no valid reading"
    word, capture = (_STEP_WORDS[d.step], d.capture) if d.step else ("readings", c.item.capture)
    if expected is None:
        return f"{n} {word}, {_share_text(capture)} of the window needed"
    return f"{n} of {expected} {word}, {math.ceil(capture * expected - 1e-9)} needed"


def _share_text(share: float) -> str:
    return f"{share * 100:g} %"


def _sites_below(r: Results, windows: Ints) -> Mapping[tuple[str, int], Mapping[str, float]]:
    """Value of each place below, by (place, start of window), in these windows."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for values in r.below.values():
        for place, start, value in _rows(values, r.windows[windows]):
            above = place
            while above:
                found.setdefault((above, start), {})[place] = value
                above = above.rpartition("/")[0]
    return {key: dict(sorted(sites.items())) for key, sites in found.items()}


def _rows(values: Values, starts: Ints) -> Iterator[tuple[str, int, float]]:
    here = np.isin(values.start, starts)
    for p, s, v in zip(*(c[here].tolist() for c in (values.place, values.start, values.value)), strict=True):
        yield values.places[p], s, v


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _share(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)


def _count(value: float) -> int | None:
    return None if math.isnan(value) else int(value)
