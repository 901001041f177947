# SPDX-License-Identifier: EUPL-1.2
"""Rules of corrections: what each action takes, which are in effect, and what they are called in words. Pure.

Corrections are never changed or deleted. `withdraw` is itself a row that names an earlier one and covers the same
stretch; from then on the earlier one counts as if it had never been made. So the id of the newest row says which
corrections a reader has seen, and whoever looks at the stretches of new rows has looked at all that changed.
"""

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from hub.core.errors import Invalid
from hub.core.indicators import Correction
from hub.core.readings import Flag

OVERRIDE, EXCLUDE, MAINTENANCE = "override_flag", "exclude", "maintenance"
CALIBRATE, WITHDRAW = "calibrate", "withdraw"
MADE = (OVERRIDE, EXCLUDE, MAINTENANCE, CALIBRATE)  # actions that are made; `withdraw` has a way of its own
REMOVING = frozenset({EXCLUDE, MAINTENANCE})  # readings are as if they had never come

_FIGURES: Mapping[str, frozenset[str]] = {OVERRIDE: frozenset({"flag"}), CALIBRATE: frozenset({"scale", "shift"})}
_MOST_SCALE, _MOST_SHIFT = 1e6, 1e9
_LONGEST = {"by": 200, "reason": 1000}
_REASON_SHOWN = 200


def check_correction(c: Correction) -> None:
    """Raise Invalid that names the first field at fault."""
    for field, problem in _problems(c):
        raise Invalid(problem, field)


def _problems(c: Correction) -> Iterator[tuple[str, str]]:
    if c.action not in MADE:
        yield "action", f"{c.action!r} is none of {', '.join(MADE)}"
    takes = _FIGURES.get(c.action, frozenset())
    for field in ("flag", "scale", "shift"):
        if getattr(c, field) is not None and field not in takes:
            yield field, f"{c.action} takes no {field}"
    yield from _figures(c)
    if c.end <= c.start:
        yield "to", "must be after `from`: a correction covers readings with from <= time < to"
    yield from statement_problems(c.by, c.reason)


def _figures(c: Correction) -> Iterator[tuple[str, str]]:
    flags = sorted(int(flag) for flag in Flag)
    if c.action == OVERRIDE and c.flag not in flags:
        yield "flag", f"{c.flag!r} is none of {', '.join(map(str, flags))}"
    if c.action != CALIBRATE:
        return
    scale, shift = (1.0 if c.scale is None else c.scale), (0.0 if c.shift is None else c.shift)
    if c.quantity is None:
        yield "quantity", "calibrate needs one: name the quantity whose values are scaled and shifted"
    if not 0 < abs(scale) <= _MOST_SCALE:  # NaN fails too
        yield "scale", f"{scale} is no factor: not 0, and at most {_MOST_SCALE:g}"
    if not (math.isfinite(shift) and abs(shift) <= _MOST_SHIFT):
        yield "shift", f"{shift} is too much: at most {_MOST_SHIFT:g}, in the quantity's canonical unit"
    if (scale, shift) == (1.0, 0.0):
        yield "scale", "calibrate needs a scale other than 1 or a shift other than 0: this would change nothing"


def statement_problems(by: str, reason: str) -> Iterator[tuple[str, str]]:
    """(field, problem) where it is not said in one line who made a correction and why."""
    for field, text in (("by", by), ("reason", reason)):
        if not text.strip():
            yield field, "must not be empty: a correction says who made it and why"
        if len(text) > _LONGEST[field]:
            yield field, f"has {len(text)} characters; at most {_LONGEST[field]}"
        if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
            yield field, "must be one line of plain text"


def same_effect(one: Correction, two: Correction) -> bool:
    """Whether both do the same to the same readings."""
    return _effect(one) == _effect(two)


def _effect(c: Correction) -> tuple[object, ...]:
    return (c.device, c.quantity, c.start, c.end, c.action, c.flag, c.scale, c.shift)


def in_effect(corrections: Sequence[Correction]) -> Sequence[Correction]:
    """Those that are not withdrawn, in order of their ids."""
    gone = {c.withdraws for c in corrections if c.action == WITHDRAW}
    return sorted((c for c in corrections if c.action in MADE and c.id not in gone), key=lambda c: c.id)


def what(c: Correction) -> str:
    """What a correction does, in words: "calibrate pm10 of d1 (x 1.1 + 0.5)"."""
    figures = {
        OVERRIDE: f" to flag {c.flag}",
        CALIBRATE: f" (x {_number(c.scale, 1.0)} + {_number(c.shift, 0.0)})",
        WITHDRAW: f" (correction {c.withdraws})",
    }
    return f"{c.action} {c.quantity or 'all quantities'} of {c.device}{figures.get(c.action, '')}"


def cause(c: Correction) -> str:
    """Why a figure was revised: "correction 12: exclude pm10 of d1 by Jana: sensor was in a bag"."""
    reason = c.reason if len(c.reason) <= _REASON_SHOWN else f"{c.reason[: _REASON_SHOWN - 1]}…"
    return f"correction {c.id}: {what(c)} by {c.by}: {reason}"


def _number(given: float | None, default: float) -> str:
    return f"{default if given is None else given:.15g}"
