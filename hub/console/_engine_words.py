# SPDX-License-Identifier: EUPL-1.2
"""The engine's own words for a reader: why a value changed, and what it lacks.

The engine writes them in English, with ids, in few fixed forms. A form that is not known here is shown as it is, so
that nothing is hidden; it is then marked as English.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hub.console.language import Language

# causes of a revision, joined by commas: (pattern, Czech, English)
_CAUSES: Sequence[tuple[re.Pattern[str], str, str]] = (
    (
        re.compile(r"late readings or a higher revision"),
        "pozdní měření nebo vyšší revize",
        "late readings or a revision",
    ),
    (re.compile(r"late readings"), "pozdní měření", "late readings"),
    (re.compile(r"correction (\d+)"), r"oprava č. \1", r"correction \1"),
    (re.compile(r"definition version (\d+)"), r"verze definice \1", r"definition version \1"),
    (re.compile(r"registry"), "změna v evidenci zařízení", "change of the device registry"),
    (re.compile(r"recompute"), "přepočet", "recompute"),
)

# what is counted, in the form that follows a number of things
NOUNS: Mapping[str, Mapping[Language, str]] = {
    "readings": {"cs": "měření", "en": "readings"},
    "hours": {"cs": "hodin", "en": "hours"},
    "days": {"cs": "dní", "en": "days"},
    "months": {"cs": "měsíců", "en": "months"},
    "years": {"cs": "let", "en": "years"},
    "places": {"cs": "míst", "en": "places"},
    "windows": {"cs": "hodnot", "en": "values"},
}

# what an input lacks, after its title, which is that of the indicator where it takes one
_LACKS: Sequence[tuple[re.Pattern[str], str, str]] = (
    (re.compile(r"no valid reading"), "žádné platné měření", "no valid reading"),
    (re.compile(r"no value of \w+"), "žádná hodnota", "no value"),
    (
        re.compile(r"(?P<n>\d+) of (?P<all>\d+|None) (?P<noun>[a-z]+)(?: of \w+)?, (?P<need>[\d.]+(?: %)?) needed"),
        "{n} z {all} {noun}, je třeba {need}",
        "{n} of {all} {noun}, {need} needed",
    ),
    (
        re.compile(r"(?P<n>\d+) (?P<noun>[a-z]+), (?P<need>[\d.]+ %) of the window needed"),
        "{n} {noun}, je třeba pokrýt {need} období",
        "{n} {noun}, {need} of the period needed",
    ),
)


class Lack(NamedTuple):
    """What one input lacks; `raw` when these are still the engine's English words."""

    text: str
    raw: bool


def causes(text: str, language: Language) -> str:
    """The engine's causes in words; one that is not known is shown as it is."""
    return ", ".join(_cause(cause, language) for cause in text.split(", ") if cause)


def _cause(cause: str, language: Language) -> str:
    for pattern, czech, english in _CAUSES:
        if match := pattern.fullmatch(cause):
            return match.expand(czech if language == "cs" else english)
    return cause


def lacks(reason: str, language: Language, name: Callable[[str], str]) -> Sequence[Lack]:
    """The engine's reason for no value, one entry an input; `name` gives the title of an input or indicator."""
    return [_lack(part, language, name) for part in reason.split("; ") if part]


def _lack(part: str, language: Language, name: Callable[[str], str]) -> Lack:
    subject, _, text = part.partition(": ")
    for pattern, czech, english in _LACKS:
        if match := pattern.fullmatch(text):
            groups = match.groupdict()
            words = groups | {
                "all": groups.get("all", "").replace("None", "?"),
                "noun": NOUNS.get(groups.get("noun", ""), {}).get(language, groups.get("noun", "")),
            }
            return Lack(f"{name(subject)}: {(czech if language == 'cs' else english).format(**words)}", raw=False)
    return Lack(part, raw=True)
