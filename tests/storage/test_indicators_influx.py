# SPDX-License-Identifier: EUPL-1.2
"""The projection of indicator values: one point a window, and no value served that is not valid."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.core.errors import Retry, Stop
from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot
from hub.core.readings import Grade, Origin
from hub.storage import InfluxSettings
from hub.storage.indicators_influx import InfluxIndicatorSink
from tests.influx_servers import ORG, TOKEN, DatabaseServer, front, victoria

HOUR = 3600 * 10**9
T = 472_222 * HOUR
FINAL = Status.FINAL
PLACES = {
    p.id: p
    for p in (
        Place(id="havirov", kind=PlaceKind.MUNICIPALITY, title={"cs": "Havířov", "en": "Havirov"}),
        Place(id="havirov/mesto", kind=PlaceKind.PART, title={"cs": "Havířov-Město", "en": "Havirov-Mesto"}),
        Place(id="havirov/mesto/hala", kind=PlaceKind.FACILITY, title={"cs": 'Hala "Slavie", velká\\malá'}),
        Place(id="havirov/mesto/hala/vchod", kind=PlaceKind.SITE, title={"cs": "Vchod"}),
        Place(id="havirov/mesto/thara", kind=PlaceKind.SITE, title={"cs": "THARA"}),
    )
}
REGISTRY = RegistrySnapshot(1, {}, PLACES)
VALID_QUERY = 'SELECT * FROM "indicator" WHERE "valid" = true'


def value(number: float | None = 41.5, **changes: Any) -> IndicatorValue:
    usual = IndicatorValue(
        indicator="eaqi_2024",
        place="havirov/mesto",
        start=T,
        end=T + HOUR,
        period="PT1H",
        value=number,
        unit="1",
        status=Status.PROVISIONAL,
        definition_version=1,
        band=2,
        score=60.0,
        coverage=0.75,
    )
    return msgspec.structs.replace(usual, **changes)


def insufficient(**changes: Any) -> IndicatorValue:
    return value(None, status=Status.INSUFFICIENT, reason="no pm10", band=None, score=None, coverage=0.1, **changes)


class Sink:
    """A sink, and eyes on the database behind it."""

    def __init__(self, server: DatabaseServer, database: str, settings: InfluxSettings) -> None:
        self.server = server
        self.database = database
        self.port = InfluxIndicatorSink(settings)

    async def write(self, *values: IndicatorValue) -> None:
        await self.port.write(values, REGISTRY)

    def rows(self, influxql: str = 'SELECT * FROM "indicator"') -> list[dict[str, Any]]:
        return [{k: v for k, v in row.items() if v is not None} for row in self.server.query(self.database, influxql)]


@pytest.fixture(params=["1.x", "2.x-front"])
async def sink(request: pytest.FixtureRequest, influx_server: DatabaseServer, database: str) -> AsyncIterator[Sink]:
    influx_server.post("/query", q=f'CREATE DATABASE "{database}"')
    with front(influx_server.url, database) as answers:
        url = influx_server.url if request.param == "1.x" else answers.url
        token = "" if request.param == "1.x" else TOKEN
        opened = Sink(influx_server, database, InfluxSettings(url=url, database=database, org=ORG, token=token))
        yield opened
        await opened.port.close()


async def test_a_value_is_one_point_with_all_that_the_schema_says(sink: Sink) -> None:
    await sink.write(value(origin=Origin.SIMULATED, grade=Grade.INDICATIVE, lower_bound=True))
    assert sink.rows() == [
        {
            "time": T,
            "indicator": "eaqi_2024",
            "place": "havirov/mesto",
            "window": "PT1H",
            "value": 41.5,
            "score": 60,
            "band": 2,
            "coverage": 0.75,
            "revision": 0,
            "status": "provisional",
            "valid": True,
            "lower_bound": True,
            "reason": "",
            "place_name": "Havířov-Město",
            "origin": "simulated",
            "grade": "indicative",
            "absent": "",
        }
    ]


async def test_fields_have_the_types_of_the_schema(sink: Sink) -> None:
    """A value that happens to be integral is a float all the same."""
    await sink.write(value(41.0, score=60, coverage=1))
    types = {row["fieldKey"]: row["fieldType"] for row in sink.rows('SHOW FIELD KEYS FROM "indicator"')}
    assert {types[name] for name in ("value", "score", "coverage")} == {"float"}
    assert {types[name] for name in ("band", "revision")} == {"integer"}
    assert types["valid"] == types["lower_bound"] == "boolean"
    assert {types[n] for n in ("status", "place_name", "origin", "grade", "reason", "absent")} == {"string"}


async def test_provisional_then_final_then_insufficient_is_one_point_that_serves_no_old_value(sink: Sink) -> None:
    await sink.write(value(41.5))
    assert [r["value"] for r in sink.rows(VALID_QUERY)] == [41.5]
    await sink.write(value(43.0, status=FINAL, revision=1, band=3))
    assert [(r["value"], r["band"], r["status"], r["revision"]) for r in sink.rows(VALID_QUERY)] == [
        (43, 3, "final", 1)
    ]
    await sink.write(insufficient(revision=2, closed=True))
    assert sink.rows(VALID_QUERY) == []
    (point,) = sink.rows()
    assert (point["valid"], point["status"], point["reason"]) == (False, "insufficient_data", "no pm10")
    assert (point["revision"], point["coverage"]) == (2, 0.1)
    await sink.write(value(44.0, status=FINAL, revision=3))
    assert [(r["value"], r["reason"]) for r in sink.rows(VALID_QUERY)] == [(44, "")]
    assert len(sink.rows()) == 1


async def test_a_window_that_never_had_a_value_has_no_number(sink: Sink) -> None:
    await sink.write(insufficient())
    (point,) = sink.rows()
    assert not {"value", "score", "band"} & set(point)
    assert (point["valid"], point["absent"]) == (False, "score,band")


async def test_what_a_later_revision_does_not_have_is_named(sink: Sink) -> None:
    """The old band still stands in the database, since nothing is deleted; `absent` disowns it."""
    await sink.write(value(1.0))
    await sink.write(value(1.0, band=None, coverage=None, revision=1))
    assert [r["absent"] for r in sink.rows(VALID_QUERY)] == ["band,coverage"]


async def test_windows_places_and_periods_are_points_of_their_own(sink: Sink) -> None:
    values = [value(start=T + i * HOUR, place=p, period=w) for i in range(3) for p in PLACES for w in ("PT1H", "P1D")]
    await sink.write(*values)
    await sink.write(*reversed(values))
    assert len(sink.rows(VALID_QUERY)) == len(values)


async def test_names_are_kept_as_they_are(sink: Sink) -> None:
    await sink.write(value(place="havirov/mesto/hala"), value(place="havirov/unknown"))
    names = {r["place"]: r["place_name"] for r in sink.rows()}
    assert names == {"havirov/mesto/hala": 'Hala "Slavie", velká\\malá', "havirov/unknown": "havirov/unknown"}


async def test_a_server_that_is_away_asks_to_try_again(sink: Sink) -> None:
    settings = InfluxSettings(url="http://127.0.0.1:9", timeout_s=0.5)
    away = InfluxIndicatorSink(settings)
    with pytest.raises(Retry, match="does not answer"):
        await away.write([value()], REGISTRY)
    await away.close()


async def test_a_foreign_type_stops_and_names_the_point(sink: Sink) -> None:
    sink.server.post("/write", f'indicator,indicator=other band="x" {T}'.encode(), db=sink.database)
    with pytest.raises(
        Stop, match=r"indicator=eaqi_2024,place=havirov/mesto,window=PT1H.*already exists as type string"
    ):
        await sink.write(value())


async def test_windows_past_the_retention_are_let_go_and_the_rest_is_written(sink: Sink) -> None:
    sink.server.post("/query", q=f'ALTER RETENTION POLICY "autogen" ON "{sink.database}" DURATION 1000w')
    await sink.write(value(1.0), value(2.0, start=T - 400_000 * HOUR), value(3.0, start=T + HOUR))
    assert [r["value"] for r in sink.rows()] == [1, 3]


async def test_devices_are_where_they_are_and_no_more_where_they_were(sink: Sink) -> None:
    devices = (
        Device(id="gate", connector="native", external_id="gate", title="Vchod, čidlo 1",
               mountings=[Mounting("havirov/mesto/thara", 0, 5), Mounting("havirov/mesto/hala/vchod", 5)]),
        Device(id="spare", connector="native", external_id="spare"),
    )  # fmt: skip
    registry = RegistrySnapshot(2, {d.id: d for d in devices}, PLACES)
    await sink.port.write_devices(registry, T)
    await sink.port.write_devices(registry, T + HOUR)
    rows = sink.rows('SELECT * FROM "device_info"')
    found = {(r["device"], r.get("place", ""), r.get("facility", ""), r["title"]): r["valid"] for r in rows}
    assert found == {
        ("gate", "havirov/mesto/hala/vchod", "havirov/mesto/hala", "Vchod, čidlo 1"): True,
        ("gate", "havirov/mesto/thara", "", "Vchod, čidlo 1"): False,
        ("spare", "", "", "spare"): True,
    }
    assert len(rows) == 3


async def test_values_written_through_the_client_are_in_victoriametrics(tmp_path: Path) -> None:
    with victoria(tmp_path) as server:
        settings = InfluxSettings(url=server.url, version="2", org=ORG, token=TOKEN, prepare=False)
        sink = InfluxIndicatorSink(settings)
        await sink.write([value(41.5), value(43.25, start=T + HOUR), insufficient(start=T + 2 * HOUR)], REGISTRY)
        await sink.close()
        server.get("/internal/force_flush")
        exported = server.get("/api/v1/export", **{"match[]": '{__name__=~"indicator_.*"}', "start": "0"}).decode()
    found = {e["metric"]["__name__"]: e["values"] for e in map(json.loads, exported.splitlines())}
    assert found["indicator_value"] == [41.5, 43.25]
    assert found["indicator_valid"] == [1, 1, 0]
    assert found["indicator_coverage"] == [0.75, 0.75, 0.1]
