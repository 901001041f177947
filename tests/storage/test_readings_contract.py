# SPDX-License-Identifier: EUPL-1.2
"""What every reading store promises, on each: SQLite, influxd 1.x (with a policy of its own; shared), a 2.x front."""

import asyncio
import math
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from hub.core.ports import ReadingStore
from hub.core.quantities import Quantities
from hub.core.readings import Columns, Flag, Origin, Outcome, Reading, ReadingBatch, ReadingGroup, Series, TimeSource
from hub.storage import InfluxSettings
from hub.storage.readings_influx import InfluxReadingStore
from hub.storage.readings_sqlite import SqliteReadingStore
from tests.influx_servers import ORG, TOKEN, front

NEW, DUPLICATE, CONFLICT, REJECTED = Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED
REPLACED = Outcome.REPLACED
T = 1_700_000_000_123_456_789
ALL = (-(2**63) + 2, 2**63 - 1)
PM10 = Series("a", "pm10")
Open = Callable[[], ReadingStore]


@contextmanager
def sqlite(request: pytest.FixtureRequest, quantities: Quantities) -> Iterator[Open]:
    path = request.getfixturevalue("readings_file")
    yield lambda: SqliteReadingStore(path, quantities)


@contextmanager
def influx_1(request: pytest.FixtureRequest, quantities: Quantities) -> Iterator[Open]:
    server, database = request.getfixturevalue("influx_server"), request.getfixturevalue("database")
    yield lambda: InfluxReadingStore(InfluxSettings(url=server.url, database=database), quantities)


@contextmanager
def influx_1_shared(request: pytest.FixtureRequest, quantities: Quantities) -> Iterator[Open]:
    """A store that is told that others write too."""
    server, database = request.getfixturevalue("influx_server"), request.getfixturevalue("database")
    yield lambda: InfluxReadingStore(InfluxSettings(url=server.url, database=database), quantities, alone=False)


@contextmanager
def influx_2_front(request: pytest.FixtureRequest, quantities: Quantities) -> Iterator[Open]:
    server, database = request.getfixturevalue("influx_server"), request.getfixturevalue("database")
    server.post("/query", q=f'CREATE DATABASE "{database}"')
    with front(server.url, database) as answers:
        settings = InfluxSettings(url=answers.url, database=database, org=ORG, token=TOKEN)
        yield lambda: InfluxReadingStore(settings, quantities)


@contextmanager
def influx_1_policy(request: pytest.FixtureRequest, quantities: Quantities) -> Iterator[Open]:
    """A domain that was once limited has a policy of its own for good: one without end, for times of any age."""
    server, database = request.getfixturevalue("influx_server"), request.getfixturevalue("database")
    server.post("/query", q=f'CREATE DATABASE "{database}"')
    server.post("/query", q=f'CREATE RETENTION POLICY "keep_air" ON "{database}" DURATION 10d REPLICATION 1')
    yield lambda: InfluxReadingStore(InfluxSettings(url=server.url, database=database), quantities)


BACKENDS = {
    "sqlite": sqlite,
    "influx-1.x": influx_1,
    "influx-1.x-policy": influx_1_policy,
    "influx-1.x-shared": influx_1_shared,
    "influx-2.x-front": influx_2_front,
}


@pytest.fixture(params=BACKENDS)
async def opened(request: pytest.FixtureRequest, quantities: Quantities) -> AsyncIterator[Open]:
    """Opens the same store anew, as a restarted hub would; all are closed in the end."""
    stores: list[ReadingStore] = []
    with BACKENDS[request.param](request, quantities) as make:

        def open_store() -> ReadingStore:
            stores.append(make())
            return stores[-1]

        yield open_store
        for store in stores:
            await store.close()


@pytest.fixture
def store(opened: Open) -> ReadingStore:
    return opened()


def row(
    value: float = 20.3,
    at: int = 0,
    *,
    device: str = "a",
    quantity: str = "pm10",
    flag: int = 1,
    revision: int = 0,
    origin: int = 0,
    time_source: TimeSource = TimeSource.DEVICE,
) -> Reading:
    return Reading(device, quantity, value, T + at, flag, time_source, revision, origin)


async def put(store: ReadingStore, *rows: Reading) -> Sequence[Outcome]:
    return list((await store.put(rows)).outcomes)


async def stored(store: ReadingStore, *series: Series) -> list[tuple[str, str, int, float, int, int]]:
    """(device, quantity, time, value, flag, origin) of everything."""
    return flat(await store.scan(series or [PM10], *ALL))


def flat(c: Columns) -> list[tuple[str, str, int, float, int, int]]:
    fields = zip(c.index, c.time, c.value, c.flag, c.origin, strict=True)
    return [(*c.series[i], int(t), float(v), int(f), int(o)) for i, t, v, f, o in fields]


# name, rows that are stored first, rows put then, their outcomes, (value, flag, origin) stored in the end
KEY_RULE = [
    ("new", [], [row(1.5)], [NEW], (1.5, 1, 0)),
    ("same value again", [row(1.5)], [row(1.5)], [DUPLICATE], (1.5, 1, 0)),
    ("another value at equal revision", [row(1.5)], [row(2.5)], [CONFLICT], (1.5, 1, 0)),
    ("another value at lower revision", [row(1.5, revision=2)], [row(2.5, revision=1)], [CONFLICT], (1.5, 1, 0)),
    ("another value at higher revision", [row(1.5)], [row(2.5, revision=1)], [REPLACED], (2.5, 1, 0)),
    ("same value at lower revision", [row(1.5, revision=2)], [row(1.5, revision=1)], [DUPLICATE], (1.5, 1, 0)),
    ("same value at higher revision", [row(1.5)], [row(1.5, revision=3)], [DUPLICATE], (1.5, 1, 0)),
    (
        "same value at higher revision guards against a revision between",
        [row(1.5), row(1.5, revision=3)],
        [row(2.5, revision=2), row(2.5, revision=4)],
        [CONFLICT, REPLACED],
        (2.5, 1, 0),
    ),
    ("a bad flag becomes good", [row(1.5, flag=4)], [row(2.5, revision=1)], [REPLACED], (2.5, 1, 0)),
    ("a good flag becomes bad", [row(1.5)], [row(2.5, flag=3, revision=1)], [REPLACED], (2.5, 3, 0)),
    ("same value, flag bettered by a revision", [row(1.5, flag=4)], [row(1.5, revision=1)], [REPLACED], (1.5, 1, 0)),
    ("same value, other flag, no revision", [row(1.5, flag=4)], [row(1.5)], [DUPLICATE], (1.5, 4, 0)),
    ("origin follows the revision", [row(1.5, origin=3)], [row(2.5, revision=1)], [REPLACED], (2.5, 1, 0)),
    ("zero and minus zero are one value", [row(0.0)], [row(-0.0)], [DUPLICATE], (0.0, 1, 0)),
    ("twice in one batch", [], [row(1.5), row(1.5)], [NEW, DUPLICATE], (1.5, 1, 0)),
    ("two values in one batch", [], [row(1.5), row(2.5)], [NEW, CONFLICT], (1.5, 1, 0)),
    ("revisions in one batch", [], [row(1.5), row(2.5, revision=1), row(1.5)], [NEW, REPLACED, CONFLICT], (2.5, 1, 0)),
    (
        "revision in one batch over a stored one",
        [row(1.5)],
        [row(1.5), row(2.5, revision=1), row(2.5, revision=1)],
        [DUPLICATE, REPLACED, DUPLICATE],
        (2.5, 1, 0),
    ),
]


@pytest.mark.parametrize("restart", [False, True], ids=["same object", "after a restart"])
@pytest.mark.parametrize(("first", "then", "outcomes", "end"), [c[1:] for c in KEY_RULE], ids=[c[0] for c in KEY_RULE])
async def test_key_rule(
    opened: Open,
    restart: bool,
    first: list[Reading],
    then: list[Reading],
    outcomes: list[Outcome],
    end: tuple[float, int, int],
) -> None:
    store = opened()
    for reading in first:
        await put(store, reading)
    if restart:
        store = opened()
    assert await put(store, *then) == outcomes
    assert [r[3:] for r in await stored(store)] == [end]


async def test_a_conflict_names_the_stored_value(store: ReadingStore) -> None:
    await put(store, row(20.3))
    assert (await store.put([row(99.0), row(1.0, at=1)])).errors == {0: "stored 20.3"}


async def test_an_older_time_is_new_and_does_not_disturb_a_newer_one(opened: Open) -> None:
    assert await put(opened(), row(2.0, at=10)) == [NEW]
    assert await put(opened(), row(1.0, at=5), row(3.0, at=15)) == [NEW, NEW]
    assert [r[3] for r in await stored(opened())] == [1.0, 2.0, 3.0]


async def test_ten_thousand_rows_at_once(opened: Open) -> None:
    """10,000 rows of 100 devices are stored once, in any order, and again only as duplicates."""
    rows = [
        row(i + d / 7, at=i * 60 * 10**9, device=f"d{d:02}", quantity=q)
        for i in range(50)
        for d in range(100)
        for q in ("pm10", "no2")
    ]
    random.Random(7).shuffle(rows)
    store = opened()
    assert set(await put(store, *rows[:5000])) == {NEW}
    assert set(await put(store, *rows[5000:])) == {NEW}
    assert set(await put(opened(), *rows)) == {DUPLICATE}
    series = [Series(f"d{d:02}", q) for d in range(100) for q in ("pm10", "no2")]
    expected = sorted((r.device, r.quantity, r.time, r.value, 1, 0) for r in rows)
    assert sorted(await stored(store, *series)) == expected


async def test_quantities_of_one_instant_may_come_in_different_puts(opened: Open) -> None:
    store = opened()
    await put(store, row(1.0, quantity="pm10", flag=3), row(7.0, quantity="air_temperature"))
    await put(store, row(2.0, quantity="pm2_5"))
    await put(opened(), row(3.0, quantity="no2", origin=2))
    quantities = ["pm10", "pm2_5", "no2", "air_temperature"]
    found = await stored(store, *(Series("a", q) for q in quantities))
    assert {q: rest for _, q, _, *rest in found} == {
        "pm10": [1.0, 3, 0],
        "pm2_5": [2.0, 1, 0],
        "no2": [3.0, 1, 2],
        "air_temperature": [7.0, 1, 0],
    }


@pytest.mark.parametrize(
    ("start", "end", "values"),
    [(0, 0, []), (0, 1, [0.0]), (0, 2, [0.0, 1.0]), (1, 3, [1.0, 2.0]), (-9, 0, []), (3, 99, []), (2, 99, [2.0])],
)
async def test_scan_takes_start_and_leaves_end(store: ReadingStore, start: int, end: int, values: list[float]) -> None:
    await put(store, *(row(float(i), at=i) for i in range(3)))
    assert list((await store.scan([PM10], T + start, T + end)).value) == values


async def test_scan_of_all_time_and_of_no_time(store: ReadingStore) -> None:
    await put(store, row(1.0))
    assert len(await store.scan([PM10], -(2**63), 2**63 - 1)) == 1
    assert len(await store.scan([PM10], T + 5, T - 5)) == 0


async def test_scan_sorts_by_time_device_quantity(store: ReadingStore) -> None:
    rows = [row(0.5, at=t, device=d, quantity=q) for t in (2, 0, 1) for d in "bac" for q in ("pm2_5", "no2", "pm10")]
    await put(store, *rows)
    asked = [Series(d, q) for d in "cab" for q in ("pm2_5", "pm10", "no2")]
    c = await store.scan([*asked, asked[0], Series("nobody", "pm10"), Series("a", "no_such_quantity")], *ALL)
    assert [r[:3] for r in flat(c)] == [
        (d, q, T + t) for t in range(3) for d in "abc" for q in ("no2", "pm10", "pm2_5")
    ]
    columns = (c.index, c.time, c.value, c.flag, c.origin)
    assert [column.dtype.str for column in columns] == ["<i4", "<i8", "<f8", "|u1", "|u1"]


async def test_an_empty_store_answers_with_nothing(store: ReadingStore) -> None:
    assert len(await store.scan([PM10], *ALL)) == 0
    assert len(await store.scan([], *ALL)) == 0
    assert await store.latest([PM10]) == {}
    assert list(await store.series()) == []
    assert await put(store) == []
    assert (await store.check()).ok


async def test_latest_is_the_whole_newest_reading(opened: Open) -> None:
    newest = row(3.0, at=9, flag=4, revision=5, origin=Origin.IMPORTED, time_source=TimeSource.ARRIVAL)
    await put(opened(), row(1.0, at=1), newest, row(2.0, at=5))
    await put(opened(), row(8.0, at=4, quantity="no2"), row(8.5, at=20, quantity="pm2_5"))
    asked = [PM10, Series("a", "no2"), Series("b", "pm10"), Series("a", "sound_level")]
    found = await opened().latest(asked)
    assert found == {PM10: newest, Series("a", "no2"): row(8.0, at=4, quantity="no2")}


async def test_series_are_those_that_hold_readings(store: ReadingStore) -> None:
    await put(store, row(), row(device="b", quantity="sound_level"), row(device="b"), row(math.nan, quantity="o3"))
    assert list(await store.series()) == [PM10, Series("b", "pm10"), Series("b", "sound_level")]
    assert list(await store.series(["b", "nobody"])) == [Series("b", "pm10"), Series("b", "sound_level")]
    assert list(await store.series([])) == []


async def test_counts_are_of_readings_by_device(opened: Open) -> None:
    """Each (quantity, time) counts once, whatever its flag, revision, origin or time source says."""
    store = opened()
    marked = row(2.0, at=1, flag=4, revision=3, origin=Origin.IMPORTED, time_source=TimeSource.ARRIVAL)
    await put(store, row(1.0), marked, row(7.0, quantity="no2"), row(8.0, quantity="air_temperature"))
    await put(store, row(2.5, at=1, revision=4), row(1.0), row(9.0), row(1.0, device="b"), row(math.nan, device="c"))
    assert dict(await opened().counts()) == {"a": 4, "b": 1}
    assert dict(await opened().counts(["b", "c", "nobody"])) == {"b": 1}
    assert dict(await opened().counts([])) == {}


async def test_counts_of_more_devices_than_one_question_takes(store: ReadingStore) -> None:
    rows = [row(1.5, at=i, device=f"d{d}", quantity=q) for d in range(120) for i in range(3) for q in ("pm10", "no2")]
    await put(store, *rows)
    assert dict(await store.counts()) == {f"d{d}": 6 for d in range(120)}


@pytest.mark.parametrize(
    "device", ["-", "_", "--", "0", "time", "null", "NaN", "true", "select", "A" * 64, "a-b_c", "-1", "1e5"]
)
async def test_every_legal_device_id_works(opened: Open, device: str) -> None:
    await put(opened(), row(1.5, device=device), row(2.5, device=device[::-1] + "x"[: 64 - len(device)]))
    series = Series(device, "pm10")
    assert [r[:4] for r in await stored(opened(), series)] == [(*series, T, 1.5)]
    assert (await opened().latest([series]))[series].value == 1.5
    assert await put(opened(), row(9.5, device=device)) == [CONFLICT]


EXTREMES = [5e-324, -5e-324, 1.7976931348623157e308, -1e308, 0.0, -0.0, 0.1 + 0.2, 1 / 3, 1e15, 123456789012345678.0]
EXTREMES += [-9.223372036854775e18, 1e21, 1e22, 2.0**53 + 2, 1e-7]


async def test_floats_come_back_exactly(store: ReadingStore) -> None:
    """Bit for bit, through scan, latest and the look-up of the key rule."""
    rows = [row(value, at=i) for i, value in enumerate(EXTREMES)]
    await put(store, *rows)
    found = (await store.scan([PM10], *ALL)).value
    assert found.tobytes() == np.array(EXTREMES).tobytes()
    assert set(await put(store, *rows)) == {DUPLICATE}
    for i, value in enumerate(EXTREMES):
        await put(store, row(value, device=f"d{i}"))
    newest = await store.latest([Series(f"d{i}", "pm10") for i in range(len(EXTREMES))])
    found = np.array([newest[Series(f"d{i}", "pm10")].value for i in range(len(EXTREMES))])
    assert found.tobytes() == np.array(EXTREMES).tobytes()


async def test_times_keep_every_nanosecond(opened: Open) -> None:
    instants = [T, T + 1, T + 999, 1, 0, -1, -(2**62), 2**62 + 1]
    await put(opened(), *(row(0.5, at=t - T) for t in instants))
    assert [r[2] for r in await stored(opened())] == sorted(instants)
    assert set(await put(opened(), *(row(0.5, at=t - T) for t in instants))) == {DUPLICATE}


BAD_ROWS = [
    (row(math.nan), "value nan is not a finite number"),
    (row(math.inf), "value inf is not a finite number"),
    (row(-math.inf), "value -inf is not a finite number"),
    (row(quantity="no_such_quantity"), "unknown quantity 'no_such_quantity'"),
    (row(device="a,b=c d"), "'a,b=c d' is no device id"),
    (row(device="a\nb"), "is no device id"),
    (row(device=""), "'' is no device id"),
    (row(at=2**63), "ns is outside the years"),
    (row(at=-(2**64)), "ns is outside the years"),
    (row(revision=-1), "revision -1 is outside"),
    (row(revision=2**63), "is outside 0 to 2^63-1"),
    (row(flag=256), "flag 256 is outside"),
    (row(flag=0), "flag 0 is outside"),
]


@pytest.mark.parametrize(("bad", "words"), BAD_ROWS)
async def test_a_row_that_nobody_can_store_is_rejected_alone(store: ReadingStore, bad: Reading, words: str) -> None:
    result = await store.put([row(1.0, at=1), bad, row(2.0, at=2)])
    assert list(result.outcomes) == [NEW, REJECTED, NEW]
    assert list(result.errors) == [1]
    assert words in result.errors[1]
    assert [r[3] for r in await stored(store)] == [1.0, 2.0]


@pytest.mark.parametrize("flag", list(Flag))
@pytest.mark.parametrize("origin", list(Origin))
async def test_flags_and_origins_come_back(store: ReadingStore, flag: Flag, origin: Origin) -> None:
    await put(store, row(1.0, flag=flag, origin=origin))
    assert [r[4:] for r in await stored(store)] == [(flag, origin)]


async def test_puts_at_the_same_time_follow_one_another(store: ReadingStore) -> None:
    """Of 20 puts of the same key with different values at once, one is stored."""
    results = await asyncio.gather(*(put(store, row(float(i))) for i in range(20)))
    assert sorted(o for outcomes in results for o in outcomes) == [NEW] + [CONFLICT] * 19
    assert len(await stored(store)) == 1


async def test_a_random_history_ends_the_same_on_every_store(opened: Open) -> None:
    """What is stored is, per key, the first value of the highest revision that got through, however it is batched."""
    chance = random.Random(42)
    expected: dict[tuple[str, int], tuple[float, int]] = {}
    store = opened()
    for _ in range(30):
        batch = []
        for _ in range(chance.randrange(40)):
            quantity, at = chance.choice(["pm10", "pm2_5"]), chance.randrange(30)
            value, revision = float(chance.randrange(3)), chance.randrange(3)
            batch.append(row(value, at=at, quantity=quantity, revision=revision))
            held = expected.get((quantity, T + at))
            if held is None or revision > held[1]:
                expected[quantity, T + at] = value, revision
        await put(store, *batch)
        if chance.random() < 0.3:
            store = opened()
    found = await stored(store, PM10, Series("a", "pm2_5"))
    assert {(q, t): v for _, q, t, v, *_ in found} == {key: value for key, (value, _) in expected.items()}
    assert len(found) == len(expected)


async def test_groups_end_as_their_rows_would_one_by_one(opened: Open) -> None:
    """Any mixture of groups and single rows, new, late, equal and conflicting, also in puts at the same time."""
    chance = random.Random(7)
    names = ("pm10", "no2", "air_temperature")
    expected: dict[tuple[str, str, int], float] = {}
    store, newest, count = opened(), 0, 0
    for number in range(40):
        parts: list[Reading | ReadingGroup] = []
        for _ in range(chance.randrange(1, 12)):
            newest += 1
            at = newest if chance.random() < 0.8 or number % 3 else chance.randrange(newest)
            device, some = chance.choice("ab"), tuple(chance.sample(names, chance.randrange(1, 4)))
            group = ReadingGroup(device, T + at, some, tuple(float(chance.randrange(2)) for _ in some))
            parts += group.readings() if chance.random() < 0.2 else [group]
        middle = len(parts) // 2
        puts = (
            [ReadingBatch(parts)]
            if chance.random() < 0.5
            else [ReadingBatch(parts[:middle]), ReadingBatch(parts[middle:])]
        )
        results = await asyncio.gather(*(store.put(one) for one in puts))
        for one, result in zip(puts, results, strict=True):
            for row_, outcome in zip(one, result.outcomes, strict=True):
                key = row_.device, row_.quantity, row_.time
                held = expected.setdefault(key, row_.value)
                count += outcome is NEW
                assert outcome is not CONFLICT or held != row_.value
                assert outcome is not DUPLICATE or held == row_.value
        if chance.random() < 0.2:
            store = opened()
    found = await stored(store, *(Series(device, name) for device in "ab" for name in names))
    assert {(d, q, t): v for d, q, t, v, *_ in found} == expected
    assert count == len(expected) == len(found)
