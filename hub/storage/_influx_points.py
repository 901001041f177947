# SPDX-License-Identifier: EUPL-1.2
"""From rows to points and back to outcomes, around the one write that does I/O. Pure.

`Home` is one device in one domain (one series of InfluxDB); a `Point` is one instant of it. Rows of a batch are grouped
into points, each point is decided row by row against what it holds (`decide_point`), and what changes becomes a
`Patch`. A patch computes its line when it is written, from what its point holds at that moment: after a refusal the
parts of a divided patch see which of their neighbours were stored, so that `qc` is the worst of what really stands.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hub.core.readings import Outcome, Reading
from hub.storage._influx_lines import point_line
from hub.storage._reading_key import conflict_words, decide

_FIELD = re.compile(r'input field \\?"(?P<field>[^"\\]+)\\?" on measurement \\?"(?P<measurement>[^"\\]+)\\?"')
_DROPPED = re.compile(r"dropped=(\d+)")
_SUFFIX = re.compile(r"_(qc|rev|origin|time_source)$")


class Home:
    """One device in one domain. `last`: the newest instant that may be stored, None while nobody has asked."""

    __slots__ = ("device", "domain", "head", "head_bytes", "last")

    def __init__(self, device: str, domain: str, head: str) -> None:
        self.device = device
        self.domain = domain
        self.head = head
        self.head_bytes = head.encode()
        self.last: int | None = None


def grouped(homes: Iterable[Home]) -> Mapping[str, Sequence[Home]]:
    """Homes by domain, in order of their devices."""
    found: dict[str, list[Home]] = defaultdict(list)
    for home in sorted(homes, key=lambda home: home.device):
        found[home.domain].append(home)
    return found


class Point:
    """One instant of a home. `held`: what is stored, by quantity. `rows`: indices of the batch's rows, by quantity.

    `outside`: it stands in the default retention policy though its domain has one of its own by now.
    """

    __slots__ = ("held", "home", "outside", "rows", "time")

    def __init__(self, home: Home, time: int) -> None:
        self.home = home
        self.time = time
        self.held: dict[str, Reading] = {}
        self.rows: dict[str, list[int]] = {}
        self.outside = False


class Patch:
    """What has to be written of one point: the final row of each quantity that changes."""

    __slots__ = ("changed", "point")

    def __init__(self, point: Point, changed: Mapping[str, Reading]) -> None:
        self.point = point
        self.changed = changed

    def line(self) -> str:
        """The line as of now."""
        return point_line(self.point.home.head, self.point.time, self.changed, self.point.held)

    def only(self, quantities: Iterable[str]) -> "Patch":
        """The part of it that concerns `quantities`."""
        return Patch(self.point, {quantity: self.changed[quantity] for quantity in quantities})


class Owed(NamedTuple):
    """What a row of this value and revision has to be told: it was decided before, but its `put` failed."""

    value: float
    revision: int
    outcome: Outcome
    words: str | None


class Attempt(NamedTuple):
    """Rows that a write was tried for, and its patches; None: each row is all of its key."""

    rows: Iterable[int]
    patches: "Sequence[Patch] | None" = None


class Verdicts:
    """Outcomes of one batch, by index of its rows. `told`: those that were owed to a row from before."""

    def __init__(self, count: int) -> None:
        self.outcomes = [Outcome.STORED] * count
        self.errors: dict[int, str] = {}
        self.attempts: list[Attempt] = []
        self.told: dict[int, Owed] = {}

    def reject(self, row: int, words: str) -> None:
        """The store refuses this very row."""
        self.outcomes[row] = Outcome.REJECTED
        self.errors[row] = words

    def tell(self, row: int, owed: Owed) -> None:
        """The row was decided before."""
        self.told[row] = owed
        self.outcomes[row] = owed.outcome
        if owed.words is not None:
            self.errors[row] = owed.words


def decide_point(point: Point, rows: Sequence[Reading], verdicts: Verdicts) -> Patch | None:
    """Set the outcomes of the point's rows; returns what has to be written.

    `point.rows` keeps only the rows that depend on that write, for the case that the server refuses it.
    """
    changed: dict[str, Reading] = {}
    for quantity, indices in point.rows.items():
        depend: list[int] = []
        for i in indices:
            row = rows[i]
            held = changed.get(quantity) or point.held.get(quantity)
            verdicts.outcomes[i], replaces = decide(held, row)
            if replaces:
                changed[quantity] = row
            elif held is not None and verdicts.outcomes[i] is Outcome.CONFLICT:
                verdicts.errors[i] = conflict_words(held)
            if quantity in changed:
                depend.append(i)
        point.rows[quantity] = depend
    return Patch(point, changed) if changed else None


def by_policy(patches: Iterable[Patch]) -> Mapping[str | None, Sequence[Patch]]:
    """What stands in the default policy is changed there ("" names it); all else goes its own way (None)."""
    found: dict[str | None, list[Patch]] = defaultdict(list)
    for patch in patches:
        found["" if patch.point.outside else None].append(patch)
    return found


def accept(patch: Patch) -> None:
    """The server has stored it."""
    patch.point.held.update(patch.changed)


def refuse(patch: Patch, words: str, verdicts: Verdicts) -> None:
    """The server will never store it: neither the rows that it writes nor those that were decided against them."""
    for quantity in patch.changed:
        for i in patch.point.rows[quantity]:
            verdicts.reject(i, words)


def divide(patches: Sequence[Patch], words: str) -> Sequence[Sequence[Patch]]:
    """Parts of a refused write to try one after the other; none when every patch in it is known to be guilty.

    Halving finds the guilty in any case. Where the server names a field, the patches are cut along that field first,
    and where it says that it dropped as many points as were sent, all are guilty: a faulty field that comes with every
    message costs three requests then, not two for each of its rows.
    """
    single = all(len(patch.changed) == 1 for patch in patches)
    if single and (len(patches) == 1 or _dropped(words) == len(patches)):
        return ()
    return _cut_along_field(patches, words) or _halves(patches)


def _dropped(words: str) -> int:
    found = _DROPPED.search(words)
    return int(found[1]) if found else 0


def _cut_along_field(patches: Sequence[Patch], words: str) -> Sequence[Sequence[Patch]]:
    named = _FIELD.search(words)
    if named is None:
        return ()
    domain, quantity = named["measurement"], _SUFFIX.sub("", named["field"])
    hit = [patch for patch in patches if patch.point.home.domain == domain and quantity in patch.changed]
    rest = [patch for patch in patches if patch not in hit]
    for patch in hit:
        others = [other for other in patch.changed if other != quantity]
        if others:
            rest.append(patch.only(others))
    return (rest, [patch.only([quantity]) for patch in hit]) if hit and rest else ()


def _halves(patches: Sequence[Patch]) -> Sequence[Sequence[Patch]]:
    if len(patches) == 1:
        return [[patches[0].only([quantity])] for quantity in patches[0].changed]
    middle = len(patches) // 2
    return patches[:middle], patches[middle:]
