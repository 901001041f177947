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
    (re.compile(r"late readings that a restart put off"), "pozdní měření", "late readings"),
    (re.compile(r"late readings"), "pozdní měření", "late readings"),
    (re.compile(r"late readings of (.+)"), r"pozdní měření: \1", r"late readings of \1"),
    (re.compile(r"correction (\d+)"), r"oprava č. \1", r"correction \1"),
    (re.compile(r"correction (\d+): (.+)"), r"oprava č. \1: \2", r"correction \1: \2"),
    (re.compile(r"definition version (\d+)"), r"verze definice \1", r"definition version \1"),
    (re.compile(r"definition version (\d+) of (.+)"), r"verze \1 definice \2", r"definition version \1 of \2"),
    (re.compile(r"registry(: change)?"), "změna v evidenci zařízení", "change of the device registry"),
    (re.compile(r"registry: change of (.+)"), r"změna v evidenci zařízení: \1", r"change of the device registry: \1"),
    (re.compile(r"registry: other numbers of people"), "změna počtu obyvatel", "other numbers of people"),
    (re.compile(r"journal restored"), "obnovený deník příjmu", "journal restored"),
    (re.compile(r"quality control: other thresholds"), "jiné meze kontroly kvality", "other limits of quality control"),
    (re.compile(r"change of an entered figure"), "změna zadané hodnoty", "change of an entered figure"),
    (re.compile(r"recompute"), "přepočet", "recompute"),
)
_MORE = re.compile(r" and (\d+) more$")

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
    return "; ".join(_cause(cause, language) for cause in text.split("; ") if cause)


def _cause(cause: str, language: Language) -> str:
    for pattern, czech, english in _CAUSES:
        if match := pattern.fullmatch(cause):
            return _MORE.sub(r" a dalších \1", match.expand(czech)) if language == "cs" else match.expand(english)
    first, comma, others = cause.partition(", ")  # how causes were joined in values of earlier releases
    return f"{_cause(first, language)}, {_cause(others, language)}" if comma else cause


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
