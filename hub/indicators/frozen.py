# SPDX-License-Identifier: EUPL-1.2
"""Which windows are frozen: those that need readings from before the retention of their domain. Pure.

A window of readings is computed as long as everything that it is made of must still be there: its own stretch, and for
counters and states the reach before it. After that its value stays as it is, whatever arrives late, is corrected,
registered, defined anew or recomputed; a window that has no value by then never gets one. Windows made of other
indicators' values are not frozen: the ledger keeps those for ever, frozen ones included.

Retention must be long enough that no window freezes before its grace is over: `check_keep` sees to it at start.
"""

from collections.abc import Iterator, Mapping

from hub.core.errors import SettingsError
from hub.core.windows import HOUR, Period
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.kernel import reach
from hub.indicators.plan import Marks
from hub.indicators.quality.rules import NO_RULES, Rules

DAY = 24 * HOUR
LONGEST: Mapping[Period, int] = {  # a day may have 25 hours, and each longer window may hold that day
    Period.HOUR: HOUR,
    Period.DAY: DAY + HOUR,
    Period.MONTH: 31 * DAY + HOUR,
    Period.YEAR: 366 * DAY + HOUR,
}


def horizons(catalogue: Catalogue, keep: Mapping[str, int], now: int, rules: Rules = NO_RULES) -> Mapping[str, int]:
    """The first start (ns) that is not frozen, by indicator; `keep` in ns by domain. Indicators not in it never freeze.

    A window that begins before any of its inputs' limit is frozen, so the latest limit counts. What bears on the
    quality of its readings has to be there too, as far as that lets it close first.
    """
    if not keep:
        return {}
    found = {}
    for d in catalogue:
        limits = [
            now - kept + behind + min(rules.margin(quantity)[0], max(kept - _needed(d, behind), 0))
            for quantity, kept, behind in _limited(d, catalogue, keep)
        ]
        if limits:
            found[d.id] = max(limits)
    return found


def thawed(marks: Marks, horizons: Mapping[str, int]) -> tuple[Marks, int]:
    """The marks without frozen windows, and how many of those there were."""
    left, frozen = Marks(), 0
    for key, stretches in marks.stretches.items():
        if key[0] not in horizons:
            left.stretches[key] = dict(stretches)
            continue
        frozen += int((marks.of(key) < horizons[key[0]]).sum())
        for starts, cause in stretches.values():
            left.add(key, starts[starts >= horizons[key[0]]], cause)
    return left, frozen


def check_keep(catalogue: Catalogue, keep: Mapping[str, int]) -> None:
    """SettingsError where a domain is kept for less time than a definition needs until its windows are closed."""
    for d in catalogue:
        for quantity, kept, behind in _limited(d, catalogue, keep):
            needed = _needed(d, behind)
            if kept < needed:
                raise SettingsError(
                    f"retention.{catalogue.domains[quantity]}",
                    f"{kept // DAY} days are too few: {d.id} needs at least {-(-needed // DAY)} "
                    f"(its window {d.window}, its grace {d.grace}"
                    + (", and what goes in from before it)" if behind else ")"),
                )


def _needed(d: Definition, behind: int) -> int:
    """How long readings are needed until the window that they go into is closed."""
    return LONGEST[d.window] + d.grace_ns + behind


def _limited(d: Definition, catalogue: Catalogue, keep: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """(quantity, kept, reach) of each quantity that is not kept for ever."""
    for quantity in catalogue.kinds:
        domain = catalogue.domains.get(quantity, "")
        if domain in keep and d.takes(quantity):
            yield quantity, keep[domain], reach(catalogue, quantity, d)
