# SPDX-License-Identifier: EUPL-1.2
"""Retention in InfluxDB: policies that the settings make and alter, and readings in two places that look like one."""

import random
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from time import time_ns
from typing import NamedTuple

import pytest

from hub.core.errors import SettingsError
from hub.core.quantities import Quantities
from hub.core.readings import Columns, Outcome, Reading, Series
from hub.storage import InfluxSettings
from hub.storage._influx_durations import duration_ns, literal, shard_duration
from hub.storage._influx_http import divided
from hub.storage._influx_retention import wanted_policies
from hub.storage.readings_influx import InfluxReadingStore
from hub.storage.readings_sqlite import SqliteReadingStore
from hub.storage.retention import DAY_NS
from tests.influx_servers import ORG, TOKEN, DatabaseServer, Front, front, victoria

NEW, DUPLICATE, CONFLICT, REPLACED = Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REPLACED
REJECTED = Outcome.REJECTED
HOUR = 3600 * 10**9
NOW = time_ns() // HOUR * HOUR  # the server empties policies by the real clock
KEEP = {"air": 10 * DAY_NS}
ALL = (0, 2**63 - 1)
PM10 = Series("a", "pm10")


class Base:
    """A database; `open` gives a store on it, as a restarted hub would, with other settings if need be."""

    def __init__(self, server: DatabaseServer, settings: InfluxSettings, quantities: Quantities) -> None:
        self.server = server
        self.settings = settings
        self.quantities = quantities
        self.stores: list[InfluxReadingStore] = []

    def open(
        self, keep: Mapping[str, int] | None = None, *, writer: bool = True, now: int | None = None
    ) -> InfluxReadingStore:
        clock = time_ns if now is None else lambda: now
        store = InfluxReadingStore(self.settings, self.quantities, keep=keep, writer=writer, clock=clock)
        self.stores.append(store)
        return store

    def policies(self) -> dict[object, object]:
        rows = self.server.query("", f'SHOW RETENTION POLICIES ON "{self.settings.database}"')
        return {row["name"]: row["duration"] for row in rows}

    def points(self, policy: str, measurement: str = "air") -> list[dict[str, object]]:
        rows = self.server.query(self.settings.database, f'SELECT * FROM "{policy}"."{measurement}"')
        return [{k: v for k, v in row.items() if v is not None and k != "device"} for row in rows]


class Behind(NamedTuple):
    """How a server is reached."""

    base: Base
    front: Front | None


@pytest.fixture(params=["1.x", "2.x-front"])
async def behind(
    request: pytest.FixtureRequest, influx_server: DatabaseServer, database: str, quantities: Quantities
) -> AsyncIterator[Behind]:
    if request.param == "1.x":
        base = Base(influx_server, InfluxSettings(url=influx_server.url, database=database), quantities)
        yield Behind(base, None)
    else:
        influx_server.post("/query", q=f'CREATE DATABASE "{database}"')
        with front(influx_server.url, database) as answers:
            settings = InfluxSettings(url=answers.url, database=database, org=ORG, token=TOKEN)
            base = Base(influx_server, settings, quantities)
            yield Behind(base, answers)
    for store in base.stores:
        await store.close()


@pytest.fixture
def base(behind: Behind) -> Base:
    return behind.base


@pytest.fixture
async def one(influx_server: DatabaseServer, database: str, quantities: Quantities) -> AsyncIterator[Base]:
    """InfluxDB 1.x alone."""
    base = Base(influx_server, InfluxSettings(url=influx_server.url, database=database), quantities)
    yield base
    for store in base.stores:
        await store.close()


def row(value: float, ago: int, quantity: str = "pm10", device: str = "a", revision: int = 0, flag: int = 1) -> Reading:
    return Reading(device, quantity, value, NOW - ago, flag=flag, revision=revision)


async def put(store: InfluxReadingStore, *rows: Reading) -> list[Outcome]:
    return list((await store.put(rows)).outcomes)


def flat(c: Columns) -> list[tuple[str, str, int, float, int]]:
    fields = zip(c.index, c.time, c.value, c.flag, strict=True)
    return [(*c.series[i], int(t), float(v), int(f)) for i, t, v, f in fields]


async def held(store: InfluxReadingStore) -> list[tuple[int, float]]:
    return [(NOW - time, value) for _, _, time, value, _ in flat(await store.scan([PM10], *ALL))]


async def test_lines_of_a_limited_domain_go_to_a_policy_of_their_own(base: Base) -> None:
    """Ten days and the margin of one; the others stay where they are."""
    store = base.open(KEEP)
    rows = [row(1.5, 5), row(2.5, 5, "no2"), row(40.5, 5, "sound_level"), row(20.5, 5, "air_temperature")]
    assert await put(store, *rows) == [NEW] * 4
    assert base.policies()["keep_air"] == "264h0m0s"
    assert base.points("keep_air") == [{"time": NOW - 5, "pm10": 1.5, "no2": 2.5, "qc": 1}]
    assert base.points("autogen") == []
    assert base.points("autogen", "noise") == [{"time": NOW - 5, "sound_level": 40.5, "qc": 1}]
    assert await put(store, *rows) == [DUPLICATE] * 4
    assert await store.counts() == {"a": 4}


@pytest.mark.parametrize(
    ("then", "duration"), [({"air": 3 * DAY_NS}, "96h0m0s"), ({"air": 4000 * DAY_NS}, "96024h0m0s"), ({}, "0s")]
)
async def test_another_setting_alters_the_policy_and_loses_nothing_that_it_keeps(
    base: Base, then: Mapping[str, int], duration: str
) -> None:
    """Shorter, longer, and for ever again: then the policy goes on without end."""
    await put(base.open(KEEP), row(1.5, HOUR))
    store = base.open(then)
    assert await put(store, row(2.5, 0), row(1.5, HOUR)) == [NEW, DUPLICATE]
    assert base.policies() == {"autogen": "0s", "keep_air": duration}
    assert len(base.points("keep_air")) == 2
    assert await held(store) == [(HOUR, 1.5), (0, 2.5)]


async def test_what_was_written_before_is_read_with_what_comes_after(base: Base) -> None:
    """Scans, newest readings, series and counts see one store, whichever policy a reading is in."""
    before = base.open()
    await put(before, row(1.5, 3 * HOUR), row(9.5, 3 * HOUR, "no2"), row(2.5, 2 * HOUR), row(7.5, HOUR, device="b"))
    store = base.open(KEEP)
    assert await put(store, row(3.5, HOUR), row(4.5, HOUR, "o3", "c")) == [NEW] * 2
    assert await held(store) == [(3 * HOUR, 1.5), (2 * HOUR, 2.5), (HOUR, 3.5)]
    everything = [PM10, Series("a", "no2"), Series("b", "pm10"), Series("c", "o3")]
    newest = {series: reading.value for series, reading in (await store.latest(everything)).items()}
    assert newest == dict(zip(everything, [3.5, 9.5, 7.5, 4.5], strict=True))
    assert list(await store.series()) == sorted(everything)
    assert await store.counts() == {"a": 4, "b": 1, "c": 1}


async def test_the_key_rule_holds_across_the_two(base: Base) -> None:
    """A point stands in one of them only: what changes it goes to where it is."""
    await put(base.open(), row(1.5, 2 * HOUR, flag=3), row(5.5, HOUR))
    store = base.open(KEEP)
    await put(store, row(6.5, 0))
    rows = [row(1.5, 2 * HOUR), row(2.5, 2 * HOUR), row(3.5, 2 * HOUR, revision=1), row(8.5, 2 * HOUR, "no2")]
    assert await put(store, *rows, row(9.5, 3 * HOUR)) == [DUPLICATE, CONFLICT, REPLACED, NEW, NEW]
    assert base.points("autogen") == [
        {"time": NOW - 2 * HOUR, "pm10": 3.5, "pm10_qc": 1, "pm10_rev": 1, "no2": 8.5, "qc": 1},
        {"time": NOW - HOUR, "pm10": 5.5, "qc": 1},
    ]
    assert [point["time"] for point in base.points("keep_air")] == [NOW - 3 * HOUR, NOW]
    assert await store.counts() == {"a": 5}


@pytest.mark.parametrize("seed", range(3))
async def test_switching_retention_on_and_off_changes_no_answer(
    one: Base, quantities: Quantities, readings_file: Path, seed: int
) -> None:
    """Random batches with restarts under changing settings: the same outcomes and contents as SQLite's."""
    chance = random.Random(seed)
    model = SqliteReadingStore(readings_file, quantities)
    store, outcomes, expected = one.open(), list[Outcome](), list[Outcome]()
    for _ in range(30):
        if chance.random() < 0.2:
            store = one.open(chance.choice([{}, KEEP, {"air": 30 * DAY_NS, "noise": 10 * DAY_NS}]))
        rows = [
            row(float(chance.randrange(3)), chance.randrange(12) * HOUR, chance.choice(["pm10", "no2", "sound_level"]),
                chance.choice("ab"), chance.randrange(3), chance.choice([1, 1, 3]))
            for _ in range(chance.randrange(1, 12))
        ]  # fmt: skip
        outcomes += await put(store, *rows)
        expected += (await model.put(rows)).outcomes
    everything = await model.series()
    assert outcomes == expected
    assert list(await store.series()) == everything
    assert flat(await store.scan(everything, *ALL)) == flat(await model.scan(everything, *ALL))
    assert await store.latest(everything) == await model.latest(everything)
    assert await store.counts() == await model.counts()
    await model.close()


async def test_what_is_older_than_the_policy_is_rejected_and_nothing_else(base: Base) -> None:
    """The server says only how many points it dropped; the rows are found."""
    store = base.open(KEEP)
    old = [row(1.0, 20 * DAY_NS), row(2.0, 12 * DAY_NS, "no2")]
    good = [row(float(i), i * HOUR, device="b") for i in range(20, 0, -1)]
    rows = [*good[:7], old[0], *good[7:], old[1], row(40.0, 20 * DAY_NS, "sound_level")]
    result = await store.put(rows)
    assert [i for i, outcome in enumerate(result.outcomes) if outcome is not NEW] == [7, 21]
    assert {result.outcomes[i] for i in (7, 21)} == {REJECTED}
    assert all("beyond retention policy" in result.errors[i] for i in (7, 21))
    assert await store.counts() == {"a": 1, "b": 20}


async def test_a_stored_point_of_before_can_still_be_corrected_after_the_limit_passed_it(base: Base) -> None:
    """It stands in the default policy, which has no limit: within the margin nothing is refused."""
    await put(base.open(), row(1.5, 11 * DAY_NS + HOUR), row(1.5, HOUR))
    store = base.open(KEEP)
    assert await put(store, row(2.5, 11 * DAY_NS + HOUR, revision=1)) == [REPLACED]


async def test_the_default_policy_is_read_until_all_of_it_is_past_the_limit(one: Base) -> None:
    await put(one.open(), row(1.5, HOUR))
    assert await held(one.open(KEEP, now=NOW - HOUR + 11 * DAY_NS)) == [(HOUR, 1.5)]
    assert await held(one.open(KEEP, now=NOW - HOUR + 11 * DAY_NS + 1)) == []


async def test_a_reader_that_was_there_first_finds_the_policy_and_makes_none(base: Base) -> None:
    """Engine and API may start before ingest."""
    await put(base.open(), row(1.5, HOUR))
    reader = base.open(KEEP, writer=False)
    assert await held(reader) == [(HOUR, 1.5)]
    assert base.policies() == {"autogen": "0s"}
    await put(base.open(KEEP), row(2.5, 0))
    assert await held(reader) == [(HOUR, 1.5), (0, 2.5)]


async def test_forgetting_is_the_servers_work_and_nothing_of_it_is_counted(base: Base) -> None:
    """It is over at once; the policy is there even before anything is written."""
    store = base.open(KEEP)
    assert await store.forget(NOW) is False
    assert "keep_air" in base.policies()
    assert await store.dropped() == {}


async def test_in_2x_a_policy_is_a_bucket_with_a_rule_and_a_mapping(
    influx_server: DatabaseServer, database: str, quantities: Quantities
) -> None:
    influx_server.post("/query", q=f'CREATE DATABASE "{database}"')
    with front(influx_server.url, database) as answers:
        settings = InfluxSettings(url=answers.url, database=database, org=ORG, token=TOKEN)
        store = InfluxReadingStore(settings, quantities, keep=KEEP)
        await put(store, row(1.5, HOUR))
        bucket = answers.buckets[f"{database}_keep_air"]
        assert answers.rules[bucket] == [
            {"type": "expire", "everySeconds": 11 * 86_400, "shardGroupDurationSeconds": 86_400}
        ]
        [mapping] = [m for m in answers.mappings if m["bucketID"] == bucket]
        assert (mapping["database"], mapping["retention_policy"], mapping["default"]) == (database, "keep_air", False)
        await store.close()


async def test_a_server_without_policies_is_told_of_and_nothing_is_written(
    tmp_path: Path, quantities: Quantities
) -> None:
    """VictoriaMetrics answers that it made the policy, and has none."""
    with victoria(tmp_path) as server:
        store = InfluxReadingStore(InfluxSettings(url=server.url, version="1"), quantities, keep=KEEP)
        with pytest.raises(SettingsError, match="has no retention policies") as caught:
            await store.put([row(1.5, HOUR)])
        assert caught.value.setting == "retention"
        health = await store.check()
        assert not health.ok
        assert "retention" in health.detail
        await store.close()


def test_lines_are_divided_by_measurement_and_keep_their_order() -> None:
    lines = b"air,device=a x=1 1\nnoise,device=a y=1 1\nair,device=b x=2 2"
    assert divided(lines, {b"air": "keep_air"}) == {
        "keep_air": b"air,device=a x=1 1\nair,device=b x=2 2",
        "": b"noise,device=a y=1 1",
    }


@pytest.mark.parametrize(
    ("known", "lives", "wanted"),
    [
        ({}, {}, {}),
        ({}, {"air": 5}, {"keep_air": 5}),
        ({"keep_air": 5}, {"air": 5}, {}),
        ({"keep_air": 5}, {"air": 6}, {"keep_air": 6}),
        ({"keep_air": 5}, {}, {"keep_air": 0}),
        ({"keep_air": 0}, {}, {}),
    ],
)
def test_policies_to_make_or_alter(known: dict[str, int], lives: dict[str, int], wanted: dict[str, int]) -> None:
    assert wanted_policies(known, lives) == wanted


@pytest.mark.parametrize(
    ("text", "duration"), [("0s", 0), ("96h0m0s", 4 * DAY_NS), ("1h30m0s", 90 * 60 * 10**9), ("2w1d", 15 * DAY_NS)]
)
def test_durations_as_the_server_writes_them(text: str, duration: int) -> None:
    assert duration_ns(text) == duration


def test_durations_as_the_server_reads_them() -> None:
    assert [literal(d) for d in (0, 4 * DAY_NS, DAY_NS + 1)] == ["INF", "96h", "25h"]
    assert [shard_duration(d) // DAY_NS for d in (3 * DAY_NS, 180 * DAY_NS, 181 * DAY_NS, 0)] == [1, 1, 7, 7]
