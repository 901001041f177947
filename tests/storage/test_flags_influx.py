# SPDX-License-Identifier: EUPL-1.2
"""Findings of quality control in InfluxDB: beside the readings, in their points, and never mistaken for them."""

from collections.abc import AsyncIterator

import pytest

from hub.core.ports import FlagStretch, QualityFinding
from hub.core.quantities import Quantities
from hub.core.readings import Reading, Series
from hub.core.windows import HOUR
from hub.storage import InfluxSettings
from hub.storage.flags_influx import InfluxFlagStore
from hub.storage.readings_influx import InfluxReadingStore
from tests.influx_servers import ORG, TOKEN, DatabaseServer, front

T = 472_222 * HOUR
A, B, HEAT = Series("a", "pm10"), Series("b", "pm10"), Series("a", "air_temperature")
SPIKE, FAIL = QualityFinding(3, "spike"), QualityFinding(4, "gross_range")
ROLLED = QualityFinding(1, "roll_over")


@pytest.fixture(params=["1.x", "2.x-front"])
async def settings(
    request: pytest.FixtureRequest, influx_server: DatabaseServer, database: str
) -> AsyncIterator[InfluxSettings]:
    influx_server.post("/query", q=f'CREATE DATABASE "{database}"')
    with front(influx_server.url, database) as answers:
        old = request.param == "1.x"
        url, token = (influx_server.url, "") if old else (answers.url, TOKEN)
        yield InfluxSettings(url=url, database=database, org=ORG, token=token)


async def test_findings_stand_beside_the_readings_and_are_taken_back(
    settings: InfluxSettings, quantities: Quantities, influx_server: DatabaseServer, database: str
) -> None:
    readings = InfluxReadingStore(settings, quantities)
    rows = [Reading(s.device, s.quantity, 20.0 + n, T + n * HOUR) for s in (A, B, HEAT) for n in range(4)]
    await readings.put(rows)
    before = await readings.scan([A, B, HEAT], T, T + 9 * HOUR)
    flags = InfluxFlagStore(settings, quantities)
    assert await flags.findings([A, B], T, T + 9 * HOUR) == {}
    all_of = (T, T + 9 * HOUR)
    await flags.replace(
        [
            FlagStretch(A, *all_of, {T: SPIKE, T + HOUR: FAIL, T + 3 * HOUR: ROLLED}),
            FlagStretch(B, *all_of, {}),
            FlagStretch(HEAT, *all_of, {T: FAIL}),
        ]
    )
    await flags.replace([FlagStretch(A, T + HOUR, T + 3 * HOUR, {T + 2 * HOUR: FAIL})])
    expected = {(A, T): SPIKE, (A, T + 2 * HOUR): FAIL, (A, T + 3 * HOUR): ROLLED, (HEAT, T): FAIL}
    assert await flags.findings([A, B, HEAT], *all_of) == expected
    assert await flags.findings([A], T + HOUR, T + 2 * HOUR) == {}
    after = await readings.scan([A, B, HEAT], T, T + 9 * HOUR)
    for column in ("time", "value", "flag", "origin"):
        assert getattr(after, column).tolist() == getattr(before, column).tolist()
    assert sorted(await readings.series()) == sorted([A, B, HEAT])
    assert (await readings.latest([A]))[A].value == 23.0
    points = influx_server.query(database, 'SELECT "pm10", "pm10_qartod" FROM "air" WHERE "device" = \'a\'')
    assert [(p["pm10"], p["pm10_qartod"]) for p in points] == [(20.0, 3), (21.0, 1), (22.0, 4), (23.0, 1)]
    await flags.close()
    await readings.close()
