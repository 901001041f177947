# SPDX-License-Identifier: EUPL-1.2
"""Monitoring of strategies over the ports: takes documents in, and judges them by the ledger's values.

Decisions are in the pure modules beside this one; here documents and values are fetched. With `as_of` everything is as
it was known then: the document's revision, the values' revisions, and the day on which is judged.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from itertools import chain

from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.indicators import IndicatorValue
from hub.core.ports import Registry, StrategyBook, ValueLedger, ValueQuery
from hub.core.strategies import IndicatorFacts, Strategy, StrategyRevision, targets_of
from hub.strategy.changes import Change, changes
from hub.strategy.coverage import Covered, cover
from hub.strategy.documents import Known, check
from hub.strategy.fulfilment import Fulfilment, Moment, Phase, fulfil, phase_of
from hub.strategy.rollup import AreaRollUp, RollUp, by_area, roll_up


class Judged(Struct, frozen=True, kw_only=True):
    """A strategy at a moment: its document in force, its targets judged, and their roll-ups."""

    document: StrategyRevision
    phase: Phase
    targets: Sequence[Fulfilment]
    rollup: RollUp
    areas: Sequence[AreaRollUp]


class Preview(Struct, frozen=True, kw_only=True):
    """What an import does or would do to one document. `revision` is the newest afterwards."""

    id: str
    revision: int
    changed: bool
    changes: Sequence[Change]
    warnings: Sequence[str]


class Monitoring:
    """Joins the book of strategies, the registry of places, the ledger of values and what is known of indicators."""

    def __init__(
        self,
        book: StrategyBook,
        values: ValueLedger,
        registry: Registry,
        indicators: Mapping[str, IndicatorFacts],
        zone: tzinfo,
    ) -> None:
        self.book = book
        self.zone = zone
        self._values = values
        self._registry = registry
        self._indicators = indicators

    def moment(self, now: int, as_of: int | None = None, *, provisional: bool = False) -> Moment:
        """The moment to judge at; `as_of` must not be in the future."""
        if as_of is not None and as_of > now:
            raise Invalid("lies in the future: nothing is known yet", "as_of")
        return Moment(now if as_of is None else as_of, self.zone, provisional, as_of is not None)

    def take(
        self,
        documents: Mapping[str, Strategy],
        *,
        by: str,
        reason: str,
        dry_run: bool = False,
        expected: Mapping[str, int] | None = None,
    ) -> Sequence[Preview]:
        """Import documents by file name, all or none; `dry_run` only says what would change. Raise Invalid, Exists."""
        _refuse_twice(documents)
        before = {r.document.id: r for r in self.book.all()}
        known = Known(
            self._indicators,
            self._registry.snapshot().places,
            frozenset([*before, *(d.id for d in documents.values())]),
        )
        warnings = {d.id: check(d, known, file) for file, d in documents.items()}
        found = {d.id: changes(before[d.id].document if d.id in before else None, d) for d in documents.values()}
        if dry_run:
            after = {
                id_: (before[id_].revision if id_ in before else 0) + bool(changed) for id_, changed in found.items()
            }
        else:
            stored = self.book.put(list(documents.values()), by=by, reason=reason, expected=expected)
            after = {r.document.id: r.revision for r in stored}
        return [
            Preview(id=id_, revision=after[id_], changed=bool(found[id_]), changes=found[id_], warnings=warnings[id_])
            for id_ in found
        ]

    def judge(self, moment: Moment, strategy: str | None = None, place: str | None = None) -> Sequence[Judged]:
        """Fulfilment of one strategy or of all, of all targets or those at `place` and below."""
        if place is not None and place not in self._registry.snapshot().places:
            raise Invalid(f"no place {place!r}; GET /api/v1/places lists them", "place")
        reader = _Reader(self._values, moment.known_at)
        return [self._judged(d, moment, place, reader) for d in self._documents(moment, strategy)]

    def cover(self, moment: Moment) -> Sequence[Covered]:
        """Where the figures of all targets come from."""
        reader = _Reader(self._values, moment.known_at)
        return [
            cover(
                d.document,
                placed,
                reader.values(placed.target.indicator, placed.target.place),
                facts.domain if (facts := self._indicators.get(placed.target.indicator)) else "",
                moment,
            )
            for d in self._documents(moment, None)
            for placed in targets_of(d.document)
        ]

    def _documents(self, moment: Moment, strategy: str | None) -> Sequence[StrategyRevision]:
        if strategy is None:
            return self.book.all(moment.known_at)
        return [self.book.get(strategy, moment.known_at)]

    def _judged(self, found: StrategyRevision, moment: Moment, place: str | None, reader: "_Reader") -> Judged:
        document = found.document
        targets = [
            fulfil(document, p, reader.values(p.target.indicator, p.target.place), facts, moment)
            for p in targets_of(document)
            if place is None or f"{p.target.place}/".startswith(f"{place}/")
            for facts in [self._indicators.get(p.target.indicator)]
        ]
        return Judged(
            document=found,
            phase=phase_of(document, moment.day),
            targets=targets,
            rollup=roll_up(targets),
            areas=by_area(document, targets),
        )


class _Reader:
    """Values of a series, fetched once; many targets look at the same one."""

    def __init__(self, values: ValueLedger, as_of: int | None) -> None:
        self._ledger = values
        self._as_of = as_of
        self._known: dict[tuple[str, str], Sequence[IndicatorValue]] = {}

    def values(self, indicator: str, place: str) -> Sequence[IndicatorValue]:
        """All windows of an indicator at a place."""
        key = indicator, place
        if key not in self._known:
            self._known[key] = self._ledger.values(ValueQuery(indicator, place, as_of=self._as_of))
        return self._known[key]


def all_targets(judged: Sequence[Judged]) -> Sequence[Fulfilment]:
    """Targets of several strategies in one row."""
    return list(chain.from_iterable(j.targets for j in judged))


def _refuse_twice(documents: Mapping[str, Strategy]) -> None:
    seen: dict[str, str] = {}
    for file, document in documents.items():
        if (first := seen.setdefault(document.id, file)) != file:
            raise Invalid(f"{document.id!r} is the id of {first} already", f"{file}: id")
