# SPDX-License-Identifier: EUPL-1.2
"""Numbers, times and windows as people of a language write them, in the city's time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from hub.console.language import Language
from hub.core.windows import Period

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {
    "ug/m3": "µg/m³",
    "mg/m3": "mg/m³",
    "m3": "m³",
    "Cel": "°C",
    "[ppm]": "ppm",
    "W/m2": "W/m²",
    "deg": "°",
    "1": "",
    "dB[SPL]": "dB",
}


class Formats(NamedTuple):
    """One reader's habits."""

    language: Language
    zone: tzinfo

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
        return f"{self.number(value, digits)} {self.unit(unit)}".strip() if value is not None else "–"

    def unit(self, unit: str) -> str:
        """A UCUM unit as people write it."""
        return _UNITS.get(unit, unit)

    def percent(self, share: float | None) -> str:
        """A share of 0 to 1, rounded down: 99.6 % is not all."""
        unknown = "neznámé" if self.language == "cs" else "unknown"
        return unknown if share is None else f"{int(share * 100 + 1e-9)} %"

    def moment(self, t: int, seconds: bool = False) -> str:
        """Date and time of day."""
        return f"{self.date(t)} {self._local(t):{'%H:%M:%S' if seconds else '%H:%M'}}"

    def date(self, t: int) -> str:
        """Date."""
        local = self._local(t)
        if self.language == "cs":
            return f"{local.day}. {local.month}. {local.year}"
        return f"{local.day} {_MONTHS[local.month - 1]} {local.year}"

    def window(self, start: int, end: int, period: str) -> str:
        """A window by its period: hour, day, month or year."""
        local = self._local(start)
        if period == Period.DAY:
            return self.date(start)
        if period == Period.MONTH:
            return (
                f"{local.month}/{local.year}" if self.language == "cs" else f"{_MONTHS[local.month - 1]} {local.year}"
            )
        if period == Period.YEAR:
            return str(local.year)
        return f"{self.moment(start)}–{self._local(end):%H:%M}"

    def _local(self, t: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=t // 1000)).astimezone(self.zone)
