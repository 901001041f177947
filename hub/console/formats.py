# SPDX-License-Identifier: EUPL-1.2
"""Numbers, times and windows as people of a language write them, in the city's time zone.

What belongs together does not break over lines: blanks inside a date or before a unit are no-break spaces, and a word
joiner follows the dash of a span. An hour that the clocks repeat in autumn says which of the two it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from hub.console.language import Language
from hub.core.windows import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HARD = "\N{NO-BREAK SPACE}"
_TO = "–\N{WORD JOINER}"
_DAYS: Mapping[Language, tuple[str, str, str, str]] = {  # one, two to four, more, fractions
    "cs": ("den", "dny", "dní", "dne"),
    "en": ("day", "days", "days", "days"),
}


class Formats(NamedTuple):
    """One reader's habits; `symbols` has units as people write them, by UCUM code."""

    language: Language
    zone: tzinfo
    symbols: Mapping[str, str] = {}

    def number(self, value: float | None, digits: int = 1) -> str:
        """Rounded, without a trailing zero fraction; an en dash for nothing."""
        if value is None:
            return "–"
        text = f"{value:.{digits}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        text = "0" if text in {"-0", ""} else text.replace("-", "−")
        return text.replace(".", ",") if self.language == "cs" else text

    def quantity(self, value: float | None, unit: str, digits: int = 1) -> str:
        """Number and unit."""
        if value is None:
            return "–"
        number = self.number(value, digits)
        symbol = _days(number, self.language) if unit == "d" else self.unit(unit)
        return f"{number}{_HARD}{symbol}" if symbol else number

    def unit(self, unit: str) -> str:
        """A UCUM unit as people write it; a bare number has none."""
        return "" if unit == "1" else self.symbols.get(unit, unit)

    def percent(self, share: float | None) -> str:
        """A share of 0 to 1, rounded down: 99.6 % is not all."""
        unknown = "neznámé" if self.language == "cs" else "unknown"
        return unknown if share is None else f"{int(share * 100 + 1e-9)}{_HARD}%"

    def of(self, valid: int, expected: int | None) -> str:
        """How many there are of how many there should be."""
        return f"{valid} {'z' if self.language == 'cs' else 'of'}{_HARD}{'?' if expected is None else expected}"

    def moment(self, t: int, seconds: bool = False) -> str:
        """Date and time of day."""
        return f"{self.date(t)} {self.clock(t, seconds)}"

    def clock(self, t: int, seconds: bool = False) -> str:
        """Time of day; with its offset from UTC where the clocks show this time twice."""
        local = self._local(t)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{local:{'%H:%M:%S' if seconds else '%H:%M'}}" + (f"{_HARD}({self.offset(t)})" if twice else "")

    def date(self, t: int) -> str:
        """Date."""
        local = self._local(t)
        if self.language == "cs":
            return f"{local.day}.{_HARD}{local.month}.{_HARD}{local.year}"
        return f"{local.day}{_HARD}{_MONTHS[local.month - 1]}{_HARD}{local.year}"

    def window(self, start: int, end: int, period: str) -> str:
        """A window by its period: hour, day, month or year."""
        local = self._local(start)
        if period == Period.DAY:
            return self.date(start)
        if period == Period.MONTH:
            return (
                f"{local.month}/{local.year}"
                if self.language == "cs"
                else f"{_MONTHS[local.month - 1]}{_HARD}{local.year}"
            )
        if period == Period.YEAR:
            return str(local.year)
        return f"{self.moment(start)}{_TO}{self.clock(end)}"

    def offset(self, t: int) -> str:
        """What the clocks of the zone add to UTC at `t`: UTC+1, UTC+5:30, UTC."""
        minutes = int((self._local(t).utcoffset() or timedelta(0)).total_seconds()) // 60
        if not minutes:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02d}" if rest else "")

    def zone_at(self, t: int) -> str:
        """Name of the zone with its offset at `t`."""
        name, offset = str(self.zone), self.offset(t)
        return name if name == offset else f"{name}, {offset}"

    def _local(self, t: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=t // 1000)).astimezone(self.zone)


def _days(number: str, language: Language) -> str:
    """The word for days that goes with a number as written."""
    one, few, many, fraction = _DAYS[language]
    if not number.isdigit():
        return fraction
    return {"1": one, "2": few, "3": few, "4": few}.get(number, many)
