# SPDX-License-Identifier: EUPL-1.2
"""Composite indices from the command line: ranks and what moved an index."""

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import NotFound
from hub.core.ports import ValueQuery
from hub.core.windows import Calendar, parse_label
from hub.indicators.composites import change, composite_of, ranking
from hub.settings import Settings


def show_ranking(settings: Settings, indicator: str, start: str | None, *, draws: int, seed: int, json: bool) -> None:
    """Print places in order, with the ranks that other weights would give."""
    parts = Parts(settings)
    d = parts.catalogue().get(indicator)
    composite_of(d)
    with parts.ledger().open() as ledger:
        if start is None:
            newest = ledger.values.values(ValueQuery(indicator, latest=True))
            values = [v for v in newest if v.start == max(n.start for n in newest)]
        else:
            at = parse_label(start, Calendar(parts.city().zone))
            values = list(ledger.values.values(ValueQuery(indicator, start=at, end=at + 1)))
    told = ranking(d, values, draws=draws, spread=0.25, seed=seed)
    if json:
        print_json(told)
        return
    columns = ["rank", "place", "value", "status", "missing", "rank_median", "rank_5", "rank_95", "rank_kept"]
    print_table(d.title.en, columns, [[_cell(row[c]) for c in columns] for row in told["places"]])  # type: ignore[attr-defined]  # rows of `ranking`
    for place, why in told["left_out"].items():  # type: ignore[attr-defined]  # a dict, see `ranking`
        print(f"left out: {place}: {why}")


def show_change(settings: Settings, indicator: str, place: str, before: str, after: str, *, json: bool) -> None:
    """Print what moved an index between two windows."""
    parts = Parts(settings)
    d, calendar = parts.catalogue().get(indicator), Calendar(parts.city().zone)
    composite_of(d)
    starts = [parse_label(text, calendar) for text in (before, after)]
    with parts.ledger().open() as ledger:
        found = ledger.values.current([(indicator, place, at) for at in starts])
    for text, at in zip((before, after), starts, strict=True):
        if (indicator, place, at) not in found:
            raise NotFound(f"no value of {indicator} at {place} from {text}", "value")
    told = change(d, *(found[indicator, place, at] for at in starts))
    if json:
        print_json(told)
        return
    rows = told["contributions"]
    print(f"{d.title.en} at {place}: {told['change']:+.3f} points")
    print_table("by input", ["input", "pillar", "points"], [list(row.values()) for row in rows])  # type: ignore[attr-defined]  # rows of `change`


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
