# SPDX-License-Identifier: EUPL-1.2
"""Readings written to a file and into another InfluxDB are stored there exactly as here."""

import gzip
from pathlib import Path

import pytest

from hub.core.errors import Invalid
from hub.core.quantities import Quantities
from hub.core.readings import Outcome, Reading, Series, TimeSource
from hub.storage._influx_settings import InfluxSettings
from hub.storage.readings_copy import export_readings, import_readings
from hub.storage.readings_influx import InfluxReadingStore
from tests.influx_servers import DatabaseServer

pytestmark = pytest.mark.server
MONTH = 31 * 86_400 * 10**9
START = 1_700_000_000 * 10**9


def row(value: float, months: int = 0, quantity: str = "pm10", **more: object) -> Reading:
    return Reading("a", quantity, value, START + months * MONTH, **more)  # type: ignore[arg-type] # any field


async def test_what_is_read_back_decides_as_the_original_would(
    influx_server: DatabaseServer, database: str, quantities: Quantities, tmp_path: Path
) -> None:
    """Values to the last bit, flags, revisions; a repeated reading is a duplicate, an older revision a conflict."""
    here, there = (InfluxSettings(url=influx_server.url, database=name) for name in (database, f"{database}_copy"))
    rows = [
        row(20.0),
        row(0.1 + 0.2, months=5, flag=3, revision=2, time_source=TimeSource.SERVER),
        row(-0.0, quantity="air_temperature", months=5),
    ]
    store = InfluxReadingStore(here, quantities)
    await store.put(rows)
    series = sorted({Series(r.device, r.quantity) for r in rows})
    wanted = await store.scan(series, 0, 2**62)
    await store.close()
    file = tmp_path / "readings.lp.gz"
    assert await export_readings(here, file) == 3
    for _ in range(2):  # harmless when repeated
        assert await import_readings(there, file) == 3
    copy = InfluxReadingStore(there, quantities)
    found = await copy.scan(series, 0, 2**62)
    assert (found.time.tolist(), found.value.tolist(), found.flag.tolist()) == (
        wanted.time.tolist(),
        wanted.value.tolist(),
        wanted.flag.tolist(),
    )
    again = await copy.put([*rows, row(1.0, months=5, revision=1)])
    await copy.close()
    assert list(again.outcomes) == [Outcome.DUPLICATE] * 3 + [Outcome.CONFLICT]


async def test_a_file_that_is_cut_off_is_told(influx_server: DatabaseServer, database: str, tmp_path: Path) -> None:
    file = tmp_path / "cut.gz"
    file.write_bytes(gzip.compress(b"# policy  0\n" * 1000)[:-6])
    with pytest.raises(Invalid, match="cannot be read"):
        await import_readings(InfluxSettings(url=influx_server.url, database=database), file)
