# SPDX-License-Identifier: EUPL-1.2
"""When a disk will be full, by made-up samples; and what real files and a real InfluxDB take."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.core.quantities import Quantities
from hub.core.readings import Reading
from hub.storage import InfluxSettings
from hub.storage.disk import MOST, Sample, due, health, measured, outlook, same_disk, with_sample
from hub.storage.influx_disk import influx_disk
from hub.storage.readings_influx import InfluxReadingStore
from tests.influx_servers import ORG, TOKEN, DatabaseServer, front

HOUR, DAY, GB = 3600, 86_400, 10**9
T = 1_790_000_000
Figure = Callable[[int], float]


def hourly(hours: int, free: Figure, **sizes: Figure) -> list[Sample]:
    return [
        Sample(T + h * HOUR, int(free(h)), {name.replace("_", "."): int(size(h)) for name, size in sizes.items()})
        for h in range(hours + 1)
    ]


def gb(start: float, a_day: float) -> Figure:
    return lambda hour: (start + a_day * hour / 24) * GB


# name, samples, days until full (None: not), whether it is ok, words that are said
OUTLOOKS = [
    ("files that grow take the disk with them", hourly(48, gb(100, -1), readings_db=gb(5, 1)), 98, True, "full in 98"),
    ("a warning below 30 days", hourly(48, gb(22, -1), readings_db=gb(5, 1)), 20, True, "WARNING: 20.0 GB free"),
    ("not ok below 7", hourly(48, gb(8, -1), readings_db=gb(5, 1)), 6, False, "WARNING"),
    ("others fill the disk", hourly(48, gb(22, -1), readings_db=gb(5, 0)), 20, True, "grows by 1.0 GB a day, by 48 h"),
    ("others make room, the hub grows", hourly(48, gb(21, 5), readings_db=gb(5, 1)), 31, True, "by 1.0 GB"),
    ("a file that shrinks does not make up", hourly(48, gb(20, 0), a=gb(5, 1), b=gb(50, -3)), 20, True, "(a 1.0 GB)"),
    ("nothing grows", hourly(48, gb(20, 0), readings_db=gb(5, 0)), None, True, "not full for years"),
    ("too short to tell", hourly(1, gb(20, -24)), None, True, "not known yet"),
    ("one sample", hourly(0, gb(20, 0)), None, True, "not known yet"),
    ("calm for a week, then a flood", hourly(192, lambda h: 40 * GB - max(0, h - 172) * GB), 20 / 24, False, "WARNING"),
    ("one large file that came once", hourly(192, lambda h: (200 if h < 150 else 100) * GB), None, True, "for years"),
    ("a disk that is full", hourly(48, gb(2, -1)), 0, False, "full in 0 days"),
]  # fmt: skip


@pytest.mark.parametrize(("samples", "days", "ok", "words"), [c[1:] for c in OUTLOOKS], ids=[c[0] for c in OUTLOOKS])
def test_days_until_the_disk_is_full(samples: list[Sample], days: float | None, ok: bool, words: str) -> None:
    seen = outlook(samples)
    assert seen is not None
    assert seen.days is None if days is None else seen.days == pytest.approx(days, rel=1e-6, abs=1e-6)
    told = health("disk", seen)
    assert (told.ok, bool(told.hint)) == (ok, days is not None and days < 30)
    assert words in told.detail


def test_noise_of_logs_and_checkpoints_hardly_moves_the_days() -> None:
    chance = random.Random(1)
    noisy = hourly(72, lambda h: gb(103, -1)(h) + chance.uniform(-0.05, 0.05) * GB)
    seen = outlook(noisy)
    assert seen is not None
    assert seen.days == pytest.approx(100, rel=0.1)


def test_nothing_is_said_without_samples() -> None:
    assert outlook([]) is None
    assert "not known yet" in health("disk", None).detail


def test_a_sample_an_hour_and_the_oldest_go() -> None:
    history: list[Sample] = []
    for minute in range(0, 60 * (MOST + 5), 20):
        if due(history, T + minute * 60):
            history = list(with_sample(history, Sample(T + minute * 60, GB)))
    assert [s.time for s in history] == [T + h * HOUR for h in range(5, MOST + 5)]


def test_samples_of_a_clock_that_was_ahead_are_forgotten() -> None:
    history = hourly(3, gb(10, 0))
    earlier = T + HOUR + 60
    assert due(history, earlier)
    assert [s.time for s in with_sample(history, Sample(earlier, GB))] == [T, T + HOUR, earlier]


def test_files_are_measured_by_name_with_their_logs_and_folders_as_a_whole(tmp_path: Path) -> None:
    for name, size in {
        "readings.db": 50_000,
        "readings.db-wal": 30_000,
        "broker/a/1": 40_000,
        "broker/2": 8_192,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(random.Random(size).randbytes(size))
    sample = measured(tmp_path, T, {"InfluxDB": 7})
    assert set(sample.sizes) == {"readings.db", "broker", "InfluxDB"}
    assert 80_000 <= sample.sizes["readings.db"] < 100_000
    assert 48_192 <= sample.sizes["broker"] < 65_000
    assert sample.sizes["InfluxDB"] == 7
    assert sample.free > 0
    assert same_disk(tmp_path, tmp_path / "broker")


async def test_influxdb_1_tells_the_size_of_our_database_and_where_it_is(
    influx_server: DatabaseServer, database: str, quantities: Quantities
) -> None:
    settings = InfluxSettings(url=influx_server.url, database=database)
    store = InfluxReadingStore(settings, quantities)
    await store.put([Reading("a", "pm10", i / 7, 10**9 * (T + i)) for i in range(5000)])
    await store.close()
    found = await influx_disk(settings)
    assert found is not None
    assert found.bytes > 10_000
    assert found.directory is not None
    assert found.directory.name == "data"
    other = await influx_disk(InfluxSettings(url=influx_server.url, database="nobodys"))
    assert other is not None
    assert other.bytes == 0


async def test_what_does_not_tell_or_does_not_answer_is_not_known(influx_server: DatabaseServer, database: str) -> None:
    with front(influx_server.url, database) as answers:
        assert await influx_disk(InfluxSettings(url=answers.url, database=database, org=ORG, token=TOKEN)) is None
    assert await influx_disk(InfluxSettings(url="http://127.0.0.1:9", database=database)) is None
