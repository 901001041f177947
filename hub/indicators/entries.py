# SPDX-License-Identifier: EUPL-1.2
"""The values that approved entries give. Pure.

An entered value is final at once: its source is a document, and no reading can arrive for it later. A further approval
for the same window, or a new version of the definition, gives a further revision with its cause. The grade is
`reference` because grades are of devices (docs/decisions/entered-values.md); the origin says that people entered the
figure, and goes on to everything that is made of it.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from hub.core.entries import Entry
from hub.core.indicators import IndicatorValue, Status
from hub.core.readings import Grade, Origin
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.rounding import half_up


def entries_to_values(
    entries: Sequence[Entry],
    catalogue: Catalogue,
    city: Calendar,
    stored: Mapping[tuple[str, str, int], IndicatorValue],
    now: int,
    cause: Callable[[Entry], str | None] = lambda _: None,
) -> list[IndicatorValue]:
    """Values to write for entries that count (one a window), given the newest stored revisions of their windows.

    Nothing for an entry whose value is stored already, and nothing for one that `unusable` names. `cause` says why a
    value is written, where it is not the entry itself.
    """
    found = []
    for entry in entries:
        d = catalogue.definitions.get(entry.indicator)
        if d is None or unusable(entry, d, city):
            continue
        value = revised(value_of(entry, d), stored.get(entry.window), now, cause(entry) or cause_of(entry))
        if value is not None:
            found.append(value)
    return found


def unusable(entry: Entry, d: Definition | None, city: Calendar) -> str | None:
    """Why an approved entry gives no value under the present definition; None when it does."""
    if d is None:
        return f"there is no indicator {entry.indicator} any more"
    if not d.entered:
        return f"{d.id} is computed now, not entered"
    if d.on(city).window(entry.start, d.window) != (entry.start, entry.end):
        return f"its period is no window {d.window} of {d.id} any more"
    return None


def value_of(entry: Entry, d: Definition) -> IndicatorValue:
    """The value that an entry gives: one figure of one expected."""
    value = float(half_up(np.array([entry.value]), d.precision)[0])
    band = next((i for i, b in enumerate(d.bands, 1) if b.max is None or value <= b.max), None)
    return IndicatorValue(
        indicator=d.id,
        place=entry.place,
        start=entry.start,
        end=entry.end,
        period=d.window.value,
        value=value,
        unit=d.unit,
        status=Status.FINAL,
        definition_version=d.version,
        band=band,
        score=None if band is None else d.bands[band - 1].score,
        coverage=1.0,
        n_valid=1,
        n_expected=1,
        origin=Origin.ENTERED,
        grade=Grade.REFERENCE,
        closed=True,
    )


def revised(value: IndicatorValue, stored: IndicatorValue | None, now: int, cause: str) -> IndicatorValue | None:
    """The revision to write, None when the stored one says the same."""
    fresh = replace(value, revision=1 if stored is None else stored.revision + 1, computed_at=now, cause=cause)
    return None if stored is not None and stored.closed and stored.same_result(fresh) else fresh


def cause_of(entry: Entry) -> str:
    """Why the value is what it is, in words: who entered it from which document, and who approved it."""
    why = f": {entry.reason}" if entry.reason else ""
    return f"entered{why} ({entry.source}) by {entry.author}, approved by {entry.decided_by}"


def batch_of(approved: Sequence[Entry]) -> Sequence[Entry]:
    """The approvals that can be taken together: up to the first that is of a window which stands there already.

    So two approvals of one window between two steps of the engine become two revisions, each with its cause.
    """
    seen = set[tuple[str, str, int]]()
    for i, entry in enumerate(approved):
        if entry.window in seen:
            return approved[:i]
        seen.add(entry.window)
    return approved
