# SPDX-License-Identifier: EUPL-1.2
"""The projection of indicator values into InfluxDB, for dashboards. The ledger is the truth; this can be rebuilt.

Measurement `indicator`: tags indicator, place, window (the period: PT1H, P1D, ...), time = start of the window.

    value, score, coverage   float          absent where the value has none
    band, revision           integer
    status, reason           string         reason "" unless insufficient_data
    valid                    boolean        false: there is no value here. EVERY QUERY FILTERS ON IT
    lower_bound              boolean        missing inputs could only make the value worse
    place_name               string         in the language of the sink
    origin, grade            string         words of `Origin` and `Grade`
    absent                   string         which of score, band, coverage this value does not have ("band,coverage")

Nothing is ever deleted, and a field once written stays until it is overwritten. So a window that had a value and
becomes insufficient_data gets `valid=false`, which hides the old number; and where a later revision has no band any
more, the old one still stands and `absent` says so.

Measurement `device_info`: tags device, place, facility; fields title (string) and valid (boolean, false where the
device was mounted once and is no more), one point a day.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence

from hub.core.errors import Stop
from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Device, PlaceKind, RegistrySnapshot
from hub.core.readings import NS, Grade, Origin
from hub.storage._influx_errors import Refused
from hub.storage._influx_http import Influx
from hub.storage._influx_lines import Scalar, head, line
from hub.storage._influx_query import batches
from hub.storage._influx_settings import InfluxSettings

_LINES_A_REQUEST = 5_000
_OPTIONAL = ("score", "band", "coverage")
_TOO_OLD = "beyond retention policy"
_DAY_NS = 86_400 * NS
_log = logging.getLogger(__name__)


class InfluxIndicatorSink:
    """An `IndicatorSink` in InfluxDB; connects at its first use. `language` chooses the places' names."""

    def __init__(self, settings: InfluxSettings, *, language: str = "cs") -> None:
        self._influx = Influx(settings)
        self._language = language

    async def write(self, values: Sequence[IndicatorValue], registry: RegistrySnapshot) -> None:
        """Write or overwrite, one point a window. Raise Retry, or Stop naming the line that InfluxDB refuses."""
        await self._write([indicator_line(value, registry, self._language) for value in values])

    async def write_devices(self, registry: RegistrySnapshot, now: int) -> None:
        """Say where each device is and was, in the day of `now` (ns). Raise Retry or Stop."""
        await self._write(list(device_lines(registry, now)))

    async def close(self) -> None:
        """Release connections."""
        await self._influx.close()

    async def _write(self, lines: Sequence[str]) -> None:
        for some in batches(lines, _LINES_A_REQUEST):
            try:
                await self._influx.write("\n".join(some).encode())
            except Refused as refused:
                await self._write_halves(some, refused)

    async def _write_halves(self, lines: Sequence[str], refused: Refused) -> None:
        """Store what can be stored; a window past the database's retention is let go, any other refusal stops."""
        if len(lines) > 1:
            middle = len(lines) // 2
            await self._write(lines[:middle])
            await self._write(lines[middle:])
        elif _TOO_OLD in refused.detail:
            _log.warning("InfluxDB keeps no values this old: %s", lines[0].partition(" ")[0])
        else:
            raise Stop(f"InfluxDB refuses {lines[0].partition(' ')[0]!r}: {refused.detail}") from refused


def indicator_line(value: IndicatorValue, registry: RegistrySnapshot, language: str) -> str:
    """The point of one value."""
    tags = {"indicator": value.indicator, "place": value.place, "window": value.period}
    return line(head("indicator", tags), _fields(value, registry, language), value.start)


def _fields(value: IndicatorValue, registry: RegistrySnapshot, language: str) -> Mapping[str, Scalar]:
    valid = value.status is not Status.INSUFFICIENT and value.value is not None
    numbers: dict[str, float | None] = {
        "value": value.value if valid else None,
        "score": value.score if valid else None,
        "coverage": value.coverage,
    }
    fields: dict[str, Scalar] = {name: float(number) for name, number in numbers.items() if number is not None}
    if valid and value.band is not None:
        fields["band"] = int(value.band)
    return fields | {
        "revision": value.revision,
        "status": str(value.status),
        "valid": valid,
        "lower_bound": value.lower_bound,
        "reason": value.reason or "",
        "place_name": place_name(value.place, registry, language),
        "origin": Origin(value.origin).word,
        "grade": Grade(value.grade).word,
        "absent": ",".join(name for name in _OPTIONAL if name not in fields),
    }


def place_name(place: str, registry: RegistrySnapshot, language: str) -> str:
    """The place's title in this language, in any it has, or its id."""
    known = registry.places.get(place)
    titles = known.title if known else {}
    return titles.get(language) or next(iter(titles.values()), place)


def device_lines(registry: RegistrySnapshot, now: int) -> Iterator[str]:
    """One point for each place where each device is or was."""
    day = now - now % _DAY_NS
    for device in registry.devices.values():
        title = device.title or device.id
        for place in _places(device):
            tags = {"device": device.id, "place": place, "facility": _facility(place, registry)}
            yield line(head("device_info", tags), {"title": title, "valid": place == (device.place or "")}, day)


def _places(device: Device) -> Sequence[str]:
    """Where it was and is, each once; "" for a device that is mounted nowhere."""
    found = dict.fromkeys(mounting.place for mounting in device.mountings)
    return list(found) if device.place else [*found, ""]


def _facility(place: str, registry: RegistrySnapshot) -> str:
    """The nearest facility at or above the place, "" where there is none."""
    at: str | None = place
    while at:
        known = registry.places.get(at)
        if known is not None and known.kind is PlaceKind.FACILITY:
            return at
        at = at.rpartition("/")[0] or None
    return ""
