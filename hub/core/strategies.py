# SPDX-License-Identifier: EUPL-1.2
"""Strategies of a city as they are stored, imported and exported: strategy > area > goal > action > project.

A document is one frozen tree; a change makes a new revision of the whole. Ids of nodes and targets are unique within
their document. `standing` has no default anywhere: whoever writes a goal or a target says whether it stands in the
document (`official`) or was made up to show how it would work (`illustrative`), and every export repeats it. What is
not known is null, and `uncertain` says what is missing. Money is CZK.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

Id = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Words = Annotated[str, Meta(min_length=1, max_length=4000)]
Money = Annotated[float, Meta(ge=0)]


class Standing(StrEnum):
    """Whether a goal or a target stands in an adopted document, or only shows how it would work."""

    OFFICIAL = "official"
    ILLUSTRATIVE = "illustrative"


class State(StrEnum):
    """How far the work on something is, as its owner says."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class Aim(StrEnum):
    """Where a target wants its indicator to go."""

    INCREASE = "increase"
    DECREASE = "decrease"
    REACH_BAND = "reach_band"


class Statistic(StrEnum):
    """Which figure of the indicator counts: its newest window, or the mean of a calendar year's windows."""

    NEWEST = "newest"
    YEAR_MEAN = "year_mean"


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all parts of a document: a misspelt field is refused; an export leaves out what says nothing."""


class Bilingual(_Part, frozen=True, kw_only=True):
    """Words in both languages of the hub."""

    cs: Words
    en: Words


class Source(_Part, frozen=True, kw_only=True):
    """Where something stands; `uncertain` says what could not be verified."""

    citation: Words
    url: Words | None = None
    uncertain: Words | None = None


class Milestone(_Part, frozen=True, kw_only=True):
    """A step with the day on which it is due and the one on which it was done."""

    title: Bilingual
    due: date | None = None
    done: date | None = None


class Budget(_Part, frozen=True, kw_only=True):
    """Planned and spent money in CZK, with where the figures stand."""

    planned: Money | None = None
    spent: Money | None = None
    source: Words


class Baseline(_Part, frozen=True, kw_only=True):
    """Where the indicator stood: the end of the period that `value` is about, and where the figure comes from.

    A figure of a whole year has the year's last day. `origin` says how it came about: a count, an estimate, a survey.
    """

    value: float
    date: date
    source: Words
    origin: Words | None = None


class Target(_Part, frozen=True, kw_only=True):
    """An indicator at a place that shall reach `value` (or the band [lo, hi]) by `date`."""

    id: Id
    title: Bilingual
    standing: Standing
    indicator: Words
    place: Words
    aim: Aim
    date: date
    statistic: Statistic = Statistic.NEWEST
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    baseline: Baseline | None = None
    source: Source | None = None
    uncertain: Words | None = None


class Node(_Part, frozen=True, kw_only=True):
    """What every level has: `owner` is the garant."""

    id: Id
    title: Bilingual
    standing: Standing
    description: Bilingual | None = None
    owner: Words | None = None
    state: State = State.UNKNOWN
    valid_from: date | None = None
    valid_to: date | None = None
    milestones: Sequence[Milestone] = ()
    budget: Budget | None = None
    uncertain: Words | None = None


class Project(Node, frozen=True, kw_only=True):
    """The smallest piece of work."""


class Action(Node, frozen=True, kw_only=True):
    """A measure (opatření)."""

    targets: Sequence[Target] = ()
    projects: Sequence[Project] = ()


class Goal(Node, frozen=True, kw_only=True):
    """What shall be better afterwards (cíl)."""

    targets: Sequence[Target] = ()
    actions: Sequence[Action] = ()


class Area(Node, frozen=True, kw_only=True):
    """A field of the strategy (oblast)."""

    targets: Sequence[Target] = ()
    goals: Sequence[Goal] = ()


class Strategy(Node, frozen=True, kw_only=True):
    """A whole document. `valid_to` is its last day; null with `uncertain` where the period is not known."""

    scope: Bilingual
    source: Source
    predecessor: Id | None = None
    successor: Id | None = None
    areas: Sequence[Area] = ()


class StrategyRevision(Struct, frozen=True, kw_only=True):
    """One revision of a document, 1 the first, with who made it, why and when (ns since 1970)."""

    revision: int
    document: Strategy
    by: str
    reason: str
    at: int


class Placed(Struct, frozen=True):
    """A target with where it hangs: ids of area, goal and action (None above the level at which it hangs)."""

    target: Target
    field: str
    area: str
    goal: str | None = None
    action: str | None = None


def targets_of(strategy: Strategy) -> Iterator[Placed]:
    """All targets of a document in its order, each with its field such as areas[0].goals[1].targets[0]."""
    for i, area in enumerate(strategy.areas):
        at = f"areas[{i}]"
        yield from (Placed(t, f"{at}.targets[{n}]", area.id) for n, t in enumerate(area.targets))
        for j, goal in enumerate(area.goals):
            at = f"areas[{i}].goals[{j}]"
            yield from (Placed(t, f"{at}.targets[{n}]", area.id, goal.id) for n, t in enumerate(goal.targets))
            for k, action in enumerate(goal.actions):
                at = f"areas[{i}].goals[{j}].actions[{k}]"
                yield from (
                    Placed(t, f"{at}.targets[{n}]", area.id, goal.id, action.id) for n, t in enumerate(action.targets)
                )


def nodes_of(strategy: Strategy) -> Iterator[tuple[str, Node]]:
    """(field, node) of the document itself (field "") and of everything in it, targets apart."""
    yield "", strategy
    for i, area in enumerate(strategy.areas):
        yield f"areas[{i}]", area
        for j, goal in enumerate(area.goals):
            yield f"areas[{i}].goals[{j}]", goal
            for k, action in enumerate(goal.actions):
                at = f"areas[{i}].goals[{j}].actions[{k}]"
                yield at, action
                yield from ((f"{at}.projects[{n}]", project) for n, project in enumerate(action.projects))


class IndicatorFacts(Struct, frozen=True):
    """What strategies have to know of an indicator: unit, window, domain, level of its places, and its direction."""

    unit: str
    window: str
    domain: str
    level: str
    direction: str
    title: Mapping[str, str]
