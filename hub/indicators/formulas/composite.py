# SPDX-License-Identifier: EUPL-1.2
"""Composite indices after the OECD/JRC Handbook on Constructing Composite Indicators (2008). Pure.

    figure --goalposts--> score (0 worst, 1 best) --weights--> pillar --weighted geometric or arithmetic mean--> index

Goalposts are fixed: a score depends neither on other places nor on other years, so an index can be compared over both.
A geometric mean lets no pillar be bought off by another; a pillar at zero would make the index zero, so scores enter
it no lower than the stated `floor`. What is missing is handled by rule: the weights of the inputs that are there are
raised in proportion as long as these carry `least` of the weight, in a pillar and among pillars; else there is no
value. The Human Development Index is the same with other figures (UNDP, Human Development Report 2021/22, Technical
note 1).
"""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from msgspec import Struct

from hub.indicators.formulas.base import ANY, Context, Floats, Formula, Ints, Outcome

Mean = Literal["geometric", "arithmetic"]


class Goalposts(Struct, frozen=True, forbid_unknown_fields=True):
    """The figures that score 0 and 1; beyond them the score stays. `log`: the logarithm of the figure counts."""

    worst: float
    best: float
    scale: Literal["linear", "log"] = "linear"
    source: str = ""

    def score(self, figure: Floats) -> Floats:
        """Score of each figure, NaN where it is missing."""
        if self.scale == "log":
            with np.errstate(divide="ignore", invalid="ignore"):
                above = np.log(figure) - math.log(self.worst)
            share = above / (math.log(self.best) - math.log(self.worst))
        else:
            share = (figure - self.worst) / (self.best - self.worst)
        return np.clip(share, 0.0, 1.0)


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """An input of a pillar."""

    goalposts: Goalposts
    weight: float = 1.0


class Pillar(Struct, frozen=True, forbid_unknown_fields=True):
    """Inputs that stand for one thing; among them `mean` counts."""

    inputs: dict[str, Part]
    weight: float = 1.0
    mean: Mean = "arithmetic"


class Composite(Struct, frozen=True, forbid_unknown_fields=True):
    """An index. `scale`: what the best possible index is. `floor`: lowest score in a geometric mean (0 to 1)."""

    pillars: dict[str, Pillar]
    mean: Mean = "geometric"
    scale: float = 100.0
    floor: float = 0.01
    least: float = 0.5

    def problems(self, inputs: Sequence[str]) -> list[tuple[str, str]]:
        """(field, problem) of what is wrong in itself, or does not fit the definition's inputs."""
        found = [(f"pillars.{n}.weight", "weights are above 0") for n, p in self.pillars.items() if p.weight <= 0]
        parts = [(n, i, part) for n, pillar in self.pillars.items() for i, part in pillar.inputs.items()]
        for name, i, part in parts:
            field, posts = f"pillars.{name}.inputs.{i}", part.goalposts
            if i not in inputs:
                found.append((field, f"the definition has no input {i!r}; there are {', '.join(inputs)}"))
            if part.weight <= 0:
                found.append((f"{field}.weight", "weights are above 0"))
            if posts.worst == posts.best or (posts.scale == "log" and min(posts.worst, posts.best) <= 0):
                found.append((f"{field}.goalposts", "two different figures are needed, above 0 for a logarithm"))
        used = [i for _, i, _ in parts]
        found += [(f"inputs.{i}", "is in no pillar, or in two of them") for i in inputs if used.count(i) != 1]
        if not self.pillars or not 0 <= self.floor < 1 or not 0 <= self.least <= 1 or self.scale <= 0:
            found.append(("", "pillars are needed, a floor from 0 to below 1, least from 0 to 1, a scale above 0"))
        return found


def index(spec: Composite, figures: Mapping[str, Floats]) -> Outcome:
    """The index, and as details the score of each input and pillar (on the index's scale)."""
    scores = {i: part.goalposts.score(figures[i]) for p in spec.pillars.values() for i, part in p.inputs.items()}
    pillars = {name: _pillar(pillar, scores, spec) for name, pillar in spec.pillars.items()}
    weights = np.array([pillar.weight for pillar in spec.pillars.values()])
    value = _mean(np.vstack(list(pillars.values())), weights, spec.mean, spec)
    details = {f"score_{i}": spec.scale * s for i, s in scores.items()}
    details |= {f"pillar_{name}": spec.scale * s for name, s in pillars.items()}
    return Outcome(spec.scale * value, details)


def _pillar(pillar: Pillar, scores: Mapping[str, Floats], spec: Composite) -> Floats:
    weights = np.array([part.weight for part in pillar.inputs.values()])
    return _mean(np.vstack([scores[i] for i in pillar.inputs]), weights, pillar.mean, spec)


def _mean(scores: Floats, weights: Floats, mean: Mean, spec: Composite) -> Floats:
    """Weighted mean over the first axis of what is there; NaN where that carries too little of the weight."""
    share = _shares(scores, weights)
    there = ~np.isnan(scores)
    carried = (there * weights[:, None]).sum(axis=0) / weights.sum()
    if mean == "geometric":
        with np.errstate(divide="ignore"):
            logs = np.log(np.maximum(np.where(there, scores, 1.0), spec.floor))
        found = np.exp((share * logs).sum(axis=0))
    else:
        found = (share * np.where(there, scores, 0.0)).sum(axis=0)
    enough = there.any(axis=0) & (carried >= spec.least - 1e-9)
    return np.where(enough, found, np.nan)


def _shares(scores: Floats, weights: Floats) -> Floats:
    """Share of the weight of each that is there, in columns that add up to 1."""
    there = (~np.isnan(scores)) * weights[:, None]
    total = there.sum(axis=0)
    return np.asarray(np.divide(there, total, out=np.zeros(there.shape), where=total > 0), dtype=np.float64)


# --- what moved it, and how firm the ranks are ------------------------------------------------------------------


def decompose(spec: Composite, before: Mapping[str, float], after: Mapping[str, float]) -> Mapping[str, float]:
    """How much each input moved the index, on its scale; `before` and `after` are details of two values.

    For a geometric mean the change of a pillar's logarithm is shared out by the logarithmic mean of the two indices
    (LMDI: Ang, Energy Policy 32 (2004) 1131), for an arithmetic one the change itself; within a pillar likewise. The
    parts add up to the change exactly. Inputs that are there only once change the weights of the others: what remains
    of the change then stands under `changed_inputs`.
    """
    one, two = _levels(spec, before), _levels(spec, after)
    common = [i for i in one.scores if i in two.scores]
    moved = {i: two.contribution(i, one) for i in common}
    rest = (two.index - one.index) - math.fsum(moved.values())
    return moved | ({} if len(common) == len(one.scores) == len(two.scores) else {"changed_inputs": rest})


class _Levels(Struct):
    """Scores, pillars and index of one value, as shares of the scale, and the shares of the weight that counted."""

    spec: Composite
    scores: dict[str, float]
    pillars: dict[str, float]
    index: float

    def contribution(self, name: str, before: "_Levels") -> float:
        """Of an input to the change since `before`."""
        pillar = next(p for p, spec in self.spec.pillars.items() if name in spec.inputs)
        spec = self.spec.pillars[pillar]
        low, high = before.pillars[pillar], self.pillars[pillar]
        if low == high:
            return 0.0
        within = self._step(spec.mean, before.scores[name], self.scores[name], (low, high))
        means = before.index / self.spec.scale, self.index / self.spec.scale
        whole = self._outer(pillar) * self._step(self.spec.mean, low, high, means)
        return self.spec.scale * whole * self._share(spec, name) * within / (high - low)

    def _step(self, mean: Mean, low: float, high: float, means: tuple[float, float]) -> float:
        if mean == "arithmetic":
            return high - low
        low, high = max(low, self.spec.floor), max(high, self.spec.floor)
        return 0.0 if low == high else math.log(high / low) * _logarithmic_mean(*means)

    def _share(self, pillar: Pillar, name: str) -> float:
        there = {i: part.weight for i, part in pillar.inputs.items() if i in self.scores}
        return there[name] / math.fsum(there.values())

    def _outer(self, pillar: str) -> float:
        there = {name: p.weight for name, p in self.spec.pillars.items() if name in self.pillars}
        return there[pillar] / math.fsum(there.values())


def _levels(spec: Composite, details: Mapping[str, float]) -> _Levels:
    scores = {k.removeprefix("score_"): v / spec.scale for k, v in details.items() if k.startswith("score_")}
    figures = {i: np.array([scores.get(i, np.nan)]) for p in spec.pillars.values() for i in p.inputs}
    pillars = {name: float(_pillar(pillar, figures, spec)[0]) for name, pillar in spec.pillars.items()}
    weights = np.array([p.weight for p in spec.pillars.values()])
    value = float(_mean(np.array(list(pillars.values()))[:, None], weights, spec.mean, spec)[0])
    known = {name: share for name, share in pillars.items() if not math.isnan(share)}
    counted = {i: s for i, s in scores.items() if any(i in spec.pillars[name].inputs for name in known)}
    return _Levels(spec, counted, known, spec.scale * value)


def _logarithmic_mean(one: float, two: float) -> float:
    return one if math.isclose(one, two, rel_tol=1e-12) else (two - one) / math.log(two / one)


class Rank(Struct, frozen=True):
    """Place in the order of an index, 1 the best, and where it lies under other weights: median and 90 % of draws."""

    place: str
    value: float
    rank: int
    median: float
    low: float
    high: float
    same: float


def sensitivity(
    spec: Composite,
    places: Sequence[str],
    details: Sequence[Mapping[str, float]],
    *,
    draws: int = 1000,
    spread: float = 0.25,
    seed: int = 2021,
) -> Sequence[Rank]:
    """How firm the ranks of places are when each pillar's weight lies anywhere within `spread` of the one chosen.

    Seeded Monte Carlo (OECD/JRC Handbook, step 7: uncertainty analysis): uniform factors from 1-spread to 1+spread.
    `same` is the share of draws with the published rank. The same seed gives the same answer.
    """
    rows = [_levels(spec, one) for one in details]
    scores = np.array([[r.pillars.get(name, np.nan) for r in rows] for name in spec.pillars])
    weights = np.array([p.weight for p in spec.pillars.values()])
    factors = np.random.default_rng(seed).uniform(1 - spread, 1 + spread, (draws, len(weights)))
    published = _mean(scores, weights, spec.mean, spec)
    ranks = _ranks(published)
    drawn = np.array([_ranks(_mean(scores, weights * factor, spec.mean, spec)) for factor in factors])
    return [
        Rank(
            place,
            spec.scale * float(published[i]),
            int(ranks[i]),
            float(np.median(drawn[:, i])),
            float(np.percentile(drawn[:, i], 5)),
            float(np.percentile(drawn[:, i], 95)),
            float((drawn[:, i] == ranks[i]).mean()),
        )
        for i, place in enumerate(places)
        if not math.isnan(published[i])
    ]


def _ranks(values: Floats) -> Ints:
    """1 for the highest; equal values share the better rank; the missing come last."""
    filled = np.where(np.isnan(values), -np.inf, values)
    return np.array([1 + int((filled > value).sum()) for value in filled], dtype=np.int64)


def _composite(inputs: Mapping[str, Floats], context: Context) -> Outcome:
    if context.composite is None:
        raise ValueError("the formula composite needs the field composite")
    return index(context.composite, inputs)


FORMULAS: Mapping[str, Formula] = {
    "composite": Formula(_composite, ANY, undefined="the pillars that are known carry too little of the weight"),
}
