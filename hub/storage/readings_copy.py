# SPDX-License-Identifier: EUPL-1.2
"""Readings in InfluxDB written to a file as line protocol, and such a file written into another InfluxDB.

The file is gzipped text: a comment `# policy NAME DURATION` (ns, 0 for ever; NAME empty for the default one) says where
the lines below it belong. Points come as stored, with all their fields, tags and types, so a restored store decides
about late, repeated and revised readings as the old one would have. Everything is read month by month and written in
portions: memory stays bounded. InfluxDB has no state of one moment; what comes in while the file is written may be in
it without being in the journal of the same backup, and then counts as a duplicate when it comes again.
"""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from hub.core.errors import Invalid
from hub.core.quantities import Domain
from hub.storage._influx_http import Cell, Frame, Influx
from hub.storage._influx_query import source
from hub.storage._influx_retention import PREFIX
from hub.storage._influx_settings import InfluxSettings

_SPAN = 31 * 86_400 * 1_000_000_000
_PORTION = 5_000  # lines of a request
_MARK = "# policy"


async def export_readings(settings: InfluxSettings, target: Path) -> int:
    """Write all readings to `target`; returns how many points. Raise Retry or Stop."""
    influx, points = Influx(settings), 0
    try:
        with gzip.open(target, "wt", encoding="utf-8", compresslevel=3, newline="\n") as file:
            for policy, duration in (await _policies(influx, settings)).items():
                file.write(f"{_MARK} {policy} {duration}\n")
                for domain in Domain:
                    points += await _export(influx, source(str(domain), policy), file)
    finally:
        await influx.close()
    return points


async def import_readings(settings: InfluxSettings, file: Path) -> int:
    """Write the points of a file; returns how many. Harmless when repeated. Raise Retry, Stop or Invalid."""
    influx, points, policy = Influx(settings), 0, ""
    try:
        known = await influx.policies()
        with gzip.open(file, "rt", encoding="utf-8") as content:
            for portion in _portions(content):
                if portion[0].startswith(_MARK):
                    policy = await _policy(influx, known, portion[0])
                    continue
                await influx.write("\n".join(portion).encode(), policy)
                points += len(portion)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}", "file") from error
    finally:
        await influx.close()
    return points


async def _policies(influx: Influx, settings: InfluxSettings) -> Mapping[str, int]:
    """The default policy, and those that the hub has made for single domains."""
    found = await influx.policies()
    return {settings.retention_policy: 0} | {name: keep for name, keep in found.items() if name.startswith(PREFIX)}


async def _policy(influx: Influx, known: Mapping[str, int], line: str) -> str:
    name, duration = line.removeprefix(_MARK).rsplit(" ", 1)
    name = name.strip()
    if name.startswith(PREFIX) and name not in known:
        await influx.keep(name, int(duration))
    return name if name in known or name.startswith(PREFIX) else ""


async def _export(influx: Influx, measurement: str, file: TextIO) -> int:
    types = {
        str(row[0]): str(row[1])
        async for frame in influx.query(f"SHOW FIELD KEYS FROM {measurement}")
        for row in frame.values
    }
    points = 0
    for start, end in await _spans(influx, measurement) if types else ():
        asked = f"SELECT * FROM {measurement} WHERE time >= {start} AND time < {end} GROUP BY *"  # noqa: S608 quoted
        async for frame in influx.query(asked):
            for line in _lines(frame, types):
                file.write(line + "\n")
                points += 1
    return points


async def _spans(influx: Influx, measurement: str) -> Sequence[tuple[int, int]]:
    """Months from the oldest point to the newest, ns; none without points."""
    first, last = [await _edge(influx, measurement, order) for order in ("ASC", "DESC")]
    if first is None or last is None:
        return ()
    return [(start, min(start + _SPAN, last + 1)) for start in range(first, last + 1, _SPAN)]


async def _edge(influx: Influx, measurement: str, order: str) -> int | None:
    asked = f"SELECT * FROM {measurement} ORDER BY time {order} LIMIT 1"  # noqa: S608 quoted
    times = [int(row[0]) async for frame in influx.query(asked) for row in frame.values if row[0] is not None]
    return times[0] if times else None


def _lines(frame: Frame, types: Mapping[str, str]) -> Iterator[str]:
    tags = "".join(f",{_escaped(name)}={_escaped(value)}" for name, value in sorted(frame.tags.items()) if value)
    head = _escaped(frame.name, "\\, ") + tags
    for time, *cells in frame.values:
        fields = [
            f"{_escaped(name)}={_field(cell, types[name])}"
            for name, cell in zip(frame.columns[1:], cells, strict=True)
            if cell is not None
        ]
        yield f"{head} {','.join(fields)} {time}"


def _field(cell: Cell, kind: str) -> str:
    if kind == "integer":
        return f"{cell}i"
    if kind == "string":
        escaped = str(cell).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if kind == "boolean":
        return "true" if cell else "false"
    return repr(float(str(cell)))


def _escaped(name: str, special: str = "\\,= ") -> str:
    return "".join(f"\\{sign}" if sign in special else sign for sign in name)


def _portions(lines: TextIO) -> Iterator[list[str]]:
    """Lines in portions; a mark is a portion of its own."""
    portion: list[str] = []
    for line in map(str.rstrip, lines):
        if line.startswith(_MARK) or len(portion) == _PORTION:
            if portion:
                yield portion
            portion = []
        if line.startswith(_MARK):
            yield [line]
        elif line:
            portion.append(line)
    if portion:
        yield portion
