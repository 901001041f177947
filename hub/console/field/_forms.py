# SPDX-License-Identifier: EUPL-1.2
"""What people type into forms, and what is wrong with it. Pure.

Numbers may have a decimal comma. A problem names its field and is told in the reader's language; what only the ledger
can know comes back as `Invalid` from there, and is put at its field by `faults_of`.
"""

import math
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import NamedTuple

from hub.console.field.texts import PROBLEMS
from hub.console.language import Language
from hub.core.errors import Conflict, Exists, Invalid, NotFound

_LONGEST_ID = 64


class Fault(NamedTuple):
    """One problem of a form: the field at which it is shown ("" for the form as a whole)."""

    field: str
    text: str


class Wrong(Exception):
    """A form that its author has to change."""

    def __init__(self, field: str, code: str, **figures: object) -> None:
        super().__init__(code)
        self.field, self.code, self.figures = field, code, figures

    def fault(self, language: Language) -> Fault:
        """The problem in words."""
        return Fault(self.field, PROBLEMS[self.code][language].format(**self.figures))


def number(text: str, field: str, low: float, high: float) -> float | None:
    """A number with point or comma in [low, high], None for nothing typed."""
    text = text.strip().replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".").replace("−", "-")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise Wrong(field, "no_number", given=text[:40]) from error
    if not (math.isfinite(value) and low <= value <= high):
        raise Wrong(field, "out_of_range", low=f"{low:g}", high=f"{high:g}")
    return value


def whole(text: str, field: str, low: int, high: int) -> int | None:
    """A whole number in [low, high], None for nothing typed."""
    value = number(text, field, low, high)
    if value is None:
        return None
    if value != int(value):
        raise Wrong(field, "not_whole", given=text.strip()[:40])
    return int(value)


def line(text: str, field: str, most: int, *, needed: bool = False) -> str:
    """One line of plain text."""
    text = text.strip()
    if any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in text):
        raise Wrong(field, "no_plain_text")
    if len(text) > most:
        raise Wrong(field, "too_long", most=most, length=len(text))
    if needed and not text:
        raise Wrong(field, "needed")
    return text


def slug(text: str, taken: Collection[str] = (), most: int = _LONGEST_ID) -> str:
    """An id made of a name: plain lower-case letters, digits and hyphens; with a number where it is taken."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:most].strip("-") or "x"
    if stem not in taken:
        return stem
    for count in range(2, len(taken) + 3):
        ending = f"-{count}"
        if (candidate := stem[: most - len(ending)] + ending) not in taken:
            return candidate
    raise AssertionError("one of n + 1 names is free among n")


_KINDS: Mapping[type[Invalid], str] = {Exists: "exists", Conflict: "conflict", NotFound: "gone"}


def fault_of(error: Invalid, fields: Mapping[str, str], language: Language) -> Fault:
    """What the ledger refused, at the form's field (`fields`: the ledger's names to the form's)."""
    field = fields.get((error.where or "").partition("[")[0], "")
    code = _KINDS.get(type(error))
    words = f"{PROBLEMS[code][language]} " if code else ""
    return Fault(field, f"{words}({error.detail})" if words else error.detail)
