# SPDX-License-Identifier: EUPL-1.2
"""What only the InfluxDB store has: points with `qc`, a server that goes away, refuses, or signs nobody in."""

import json
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from hub.core.errors import Retry, SettingsError, Stop
from hub.core.quantities import Quantities
from hub.core.readings import Outcome, Reading, ReadingBatch, ReadingGroup, Series, TimeSource
from hub.storage import InfluxSettings
from hub.storage._influx_errors import reaction
from hub.storage._influx_http import Influx
from hub.storage._influx_lane import Homes, fast_lane
from hub.storage._influx_lines import head, line, point_line
from hub.storage._influx_points import Home
from hub.storage._influx_query import identifier, ranges, text
from hub.storage.readings_influx import InfluxReadingStore
from tests.influx_servers import ORG, TOKEN, Canned, DatabaseServer, Front, front, influxd, victoria

T = 1_700_000_000_000_000_000
NEW, DUPLICATE, CONFLICT, REJECTED = Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED
REPLACED = Outcome.REPLACED


def row(value: float = 20.3, at: int = 0, quantity: str = "pm10", device: str = "a", **more: object) -> Reading:
    return Reading(device, quantity, value, T + at, **more)  # type: ignore[arg-type]  # a table's extra columns


class Database(NamedTuple):
    """A store and the database behind it."""

    server: DatabaseServer
    name: str
    settings: InfluxSettings
    store: InfluxReadingStore

    def points(self, measurement: str = "air") -> list[dict[str, object]]:
        """All points as the server has them, absent fields left out."""
        rows = self.server.query(self.name, f'SELECT * FROM "{measurement}"')
        return [{k: v for k, v in r.items() if v is not None} for r in rows]

    def write(self, *lines: str) -> None:
        """Write past the hub, before it."""
        self.server.post("/query", q=f'CREATE DATABASE "{self.name}"')
        self.server.post("/write", "\n".join(lines).encode(), db=self.name, precision="ns")


@pytest.fixture
async def influx(influx_server: DatabaseServer, database: str, quantities: Quantities) -> AsyncIterator[Database]:
    settings = InfluxSettings(url=influx_server.url, database=database)
    store = InfluxReadingStore(settings, quantities)
    yield Database(influx_server, database, settings, store)
    await store.close()


async def outcomes(store: InfluxReadingStore, *rows: Reading) -> list[Outcome]:
    return list((await store.put(rows)).outcomes)


# name, batches put one after the other, fields of the one point in the end (time and device left out)
FIELDS = [
    ("a plain reading", [[row(20.0)]], {"pm10": 20, "qc": 1}),
    ("all sparse fields", [[row(1.5, flag=3, revision=2, origin=3, time_source=TimeSource.SERVER)]],
     {"pm10": 1.5, "qc": 3, "pm10_qc": 3, "pm10_rev": 2, "pm10_origin": 3, "pm10_time_source": "server"}),
    ("the worst flag of one batch", [[row(1.5, flag=3), row(2.5, quantity="no2", flag=4), row(3.5, quantity="o3")]],
     {"pm10": 1.5, "pm10_qc": 3, "no2": 2.5, "no2_qc": 4, "o3": 3.5, "qc": 4}),
    ("a good quantity joins a bad one", [[row(1.5, flag=3)], [row(2.5, quantity="no2")]],
     {"pm10": 1.5, "pm10_qc": 3, "no2": 2.5, "qc": 3}),
    ("a bad quantity joins a good one", [[row(1.5)], [row(2.5, quantity="no2", flag=4)]],
     {"pm10": 1.5, "no2": 2.5, "no2_qc": 4, "qc": 4}),
    ("bad becomes good, and qc with it", [[row(1.5, flag=4)], [row(2.5, revision=1)]],
     {"pm10": 2.5, "pm10_qc": 1, "pm10_rev": 1, "qc": 1}),
    ("one of two bad ones becomes good",
     [[row(1.5, flag=4), row(9.5, quantity="no2", flag=3)], [row(2.5, revision=1)]],
     {"pm10": 2.5, "pm10_qc": 1, "pm10_rev": 1, "no2": 9.5, "no2_qc": 3, "qc": 3}),
    ("origin and clock go back to usual",
     [[row(1.5, origin=2, time_source=TimeSource.ARRIVAL)], [row(2.5, revision=1)]],
     {"pm10": 2.5, "qc": 1, "pm10_rev": 1, "pm10_origin": 0, "pm10_time_source": "device"}),
    ("a duplicate only raises the revision", [[row(1.5)], [row(1.5, revision=7)]],
     {"pm10": 1.5, "qc": 1, "pm10_rev": 7}),
]  # fmt: skip


@pytest.mark.parametrize("restart", [False, True], ids=["same object", "after a restart"])
@pytest.mark.parametrize(("batches", "fields"), [case[1:] for case in FIELDS], ids=[case[0] for case in FIELDS])
async def test_one_point_an_instant_with_these_fields(
    influx: Database, quantities: Quantities, batches: list[list[Reading]], fields: dict[str, object], restart: bool
) -> None:
    for batch in batches:
        store = InfluxReadingStore(influx.settings, quantities) if restart else influx.store
        await store.put(batch)
        if restart:
            await store.close()
    assert influx.points() == [{"time": T, "device": "a", **fields}]


async def test_each_domain_is_a_measurement(influx: Database) -> None:
    await influx.store.put([row(quantity="pm10"), row(quantity="sound_level"), row(quantity="battery_voltage")])
    names = {r["name"] for r in influx.server.query(influx.name, "SHOW MEASUREMENTS")}
    assert names == {"air", "noise", "device"}


async def test_server_down_asks_to_try_again_and_then_all_is_stored_once(
    influx: Database,
) -> None:
    await outcomes(influx.store, row(1.0))
    later = [row(float(i), at=i) for i in range(1, 50)]
    influx.server.stop()
    try:
        with pytest.raises(Retry, match="does not answer"):
            await influx.store.put(later)
        assert not (await influx.store.check()).ok
        with pytest.raises(Retry, match="does not answer"):
            await influx.store.scan([Series("a", "pm10")], 0, 2**62)
    finally:
        influx.server.start()
    assert set(await outcomes(influx.store, *later)) == {NEW}
    assert set(await outcomes(influx.store, *later)) == {DUPLICATE}
    assert len(influx.points()) == 50


async def test_what_was_answered_survives_a_kill_of_the_server(influx: Database) -> None:
    assert set(await outcomes(influx.store, *(row(float(i), at=i) for i in range(100)))) == {NEW}
    influx.server.kill()
    influx.server.start()
    assert len(await influx.store.scan([Series("a", "pm10")], 0, 2**62)) == 100


@pytest.mark.parametrize("warm", [False, True], ids=["slow lane", "fast lane"])
async def test_a_type_conflict_rejects_exactly_the_guilty_rows(influx: Database, warm: bool) -> None:
    """no2 of this shard is an integer already: every no2 is refused, all that came with it is stored."""
    influx.write(f"air,device=z no2=1i {T}")
    if warm:
        await influx.store.put([row(1.5, at=-(10**15), quantity=q) for q in ("pm10", "no2", "o3")])
    rows = [
        row(1.5 + i, at=i, quantity=q, flag=3 if q == "no2" else 1) for i in range(300) for q in ("pm10", "no2", "o3")
    ]
    result = await influx.store.put(rows)
    assert [o for r, o in zip(rows, result.outcomes, strict=True) if r.quantity == "no2"] == [REJECTED] * 300
    assert {o for r, o in zip(rows, result.outcomes, strict=True) if r.quantity != "no2"} == {NEW}
    assert all("already exists as type integer" in words for words in result.errors.values())
    assert {r.quantity for r in (rows[i] for i in result.errors)} == {"no2"}
    own = [p for p in influx.points() if p["device"] == "a" and p["time"] >= T]  # type: ignore[operator]  # an int
    assert len(own) == 300
    assert all(set(p) == {"time", "device", "pm10", "o3", "qc"} and p["qc"] == 1 for p in own)


async def test_rows_older_than_the_retention_are_rejected_alone(influx: Database) -> None:
    influx.server.post("/query", q=f'CREATE DATABASE "{influx.name}" WITH DURATION 1000w NAME "short"')
    old = -(10**18)
    result = await influx.store.put([row(1.0), row(2.0, at=old - T), row(3.0, at=1), row(4.0, at=old - T + 1)])
    assert list(result.outcomes) == [NEW, REJECTED, NEW, REJECTED]
    assert "retention policy" in result.errors[1]


async def test_a_rejected_value_takes_its_followers_in_the_batch_with_it(influx: Database) -> None:
    """A duplicate of a row that could not be stored is no duplicate of anything."""
    influx.write(f"air,device=z no2=1i {T}")
    rows = [row(1.5, quantity="no2"), row(1.5, quantity="no2"), row(9.5, quantity="no2"), row(2.5)]
    assert await outcomes(influx.store, *rows) == [REJECTED, REJECTED, REJECTED, NEW]


async def test_a_foreign_type_of_qc_rejects_with_the_servers_words(influx: Database) -> None:
    influx.write(f'air,device=z qc="fine" {T}')
    result = await influx.store.put([row(1.5), row(2.5, quantity="no2"), row(3.5, quantity="sound_level")])
    assert list(result.outcomes) == [REJECTED, REJECTED, NEW]
    assert "already exists as type string" in result.errors[0]


async def test_several_thousand_late_rows_are_looked_up_in_batches(influx: Database) -> None:
    """A shuffled history of one reading every three hours: every row is late, none is overwritten."""
    step = 3 * 3600 * 10**9
    rows = [row(float(i), at=-i * step) for i in range(2000)]
    assert set(await outcomes(influx.store, *rows[::2], *rows[1::2])) == {NEW}
    assert set(await outcomes(influx.store, *reversed(rows))) == {DUPLICATE}


@pytest.fixture
async def behind_front(
    influx_server: DatabaseServer, database: str, quantities: Quantities
) -> AsyncIterator[tuple[Front, InfluxReadingStore]]:
    influx_server.post("/query", q=f'CREATE DATABASE "{database}"')
    with front(influx_server.url, database) as answers:
        settings = InfluxSettings(url=answers.url, database=database, org=ORG, token=TOKEN, timeout_s=5)
        store = InfluxReadingStore(settings, quantities)
        yield answers, store
        await store.close()


@pytest.mark.parametrize(
    ("canned", "after"),
    [
        (Canned(503, {"Retry-After": "7"}), 7.0),
        (Canned(429, {"Retry-After": "11"}), 11.0),
        (Canned(429), 5.0),
        (Canned(500), 1.0),
        (Canned(503, {"Retry-After": "99999"}), 300.0),
        (Canned(503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 5.0),
    ],
)
async def test_a_busy_server_says_when_to_come_again(
    behind_front: tuple[Front, InfluxReadingStore], canned: Canned, after: float
) -> None:
    answers, store = behind_front
    answers.script.append(canned)
    with pytest.raises(Retry, match="canned") as raised:
        await store.put([row()])
    assert raised.value.after == after
    assert len(answers.writes) == 1  # the client has not tried again by itself
    assert await outcomes(store, row()) == [NEW]


async def test_a_duplicate_stays_one_though_a_look_up_failed(influx: Database) -> None:
    """Only rows whose own write went unanswered may count as stored later."""
    await influx.store.put([row(1.0)])
    influx.server.stop()
    try:
        with pytest.raises(Retry):
            await influx.store.put([row(1.0)])
    finally:
        influx.server.start()
    assert await outcomes(influx.store, row(1.0)) == [DUPLICATE]


DOMAINS = {"pm10": "air", "no2": "air", "air_temperature": "weather"}


def homes_with(last: int) -> Homes:
    """Homes of device a, at which `last` is the newest instant."""
    made: dict[tuple[str, str], Home] = {}

    def home(device: str, domain: str) -> Home:
        if (device, domain) not in made:
            made[device, domain] = Home(device, domain, f"{domain},device={device}")
            made[device, domain].last = T + last if device == "a" else None
        return made[device, domain]

    return Homes(DOMAINS.__getitem__, home)


def group(at: int, device: str = "a", origin: int = 0, **values: float) -> ReadingGroup:
    return ReadingGroup(device, T + at, tuple(values), tuple(values.values()), origin)


MIXED = [row(1.0), row(2.0, quantity="air_temperature"), row(3.0, quantity="no2", flag=4)]


@pytest.mark.parametrize(
    ("parts", "last", "lines", "slow"),
    [
        (
            MIXED,
            -1,
            ["air,device=a pm10=1.0,no2=3.0,no2_qc=4i,qc=4i", "weather,device=a air_temperature=2.0,qc=1i"],
            [],
        ),
        (MIXED, 0, [], [0, 1, 2]),
        ([row(1.0), row(2.0, at=1)], 0, ["air,device=a pm10=2.0,qc=1i"], [0]),
        ([], 0, [], []),
        (
            [group(0, no2=3.0, air_temperature=-2.5, pm10=1.0), group(1, pm10=1.5), group(-1, pm10=9.0, no2=9.0)],
            -1,
            ["air,device=a no2=3.0,pm10=1.0,qc=1i", "weather,device=a air_temperature=-2.5,qc=1i",
             "air,device=a pm10=1.5,qc=1i"],
            [4, 5],
        ),
        ([group(0, pm10=1e16, origin=3)], -1, ["air,device=a pm10=1e+16,pm10_origin=3i,qc=1i"], []),
        ([row(1.0), group(1, pm10=2.0)], -1, ["air,device=a pm10=1.0,qc=1i", "air,device=a pm10=2.0,qc=1i"], []),
    ],
)  # fmt: skip
def test_plainly_new_rows_take_the_fast_lane(
    parts: list[Reading | ReadingGroup], last: int, lines: list[str], slow: list[int]
) -> None:
    lane = fast_lane(ReadingBatch(parts), homes_with(last))
    assert lane is not None
    assert [line.rpartition(" ")[0] for text in lane.lines for line in text.decode().split("\n")] == lines
    assert list(lane.slow) == slow


@pytest.mark.parametrize(
    "parts",
    [
        [row(1.0), row(1.0)],
        [row(1.0, at=1), row(1.0)],
        [row(1.0), row(2.0, at=1), row(3.0, quantity="no2")],
        [row(float("nan"))],
        [row(revision=-1)],
        [row(at=2**63)],
        [group(0, pm10=1.0), group(0, no2=1.0)],
        [row(1.0), group(0, pm10=1.0)],
        [group(0, pm10=1.0), row(1.0)],
        [group(2**63, pm10=1.0)],
    ],
)
def test_a_batch_whose_rows_might_meet_or_are_faulty_goes_the_slow_way(parts: list[Reading | ReadingGroup]) -> None:
    assert fast_lane(ReadingBatch(parts), homes_with(-1)) is None


@pytest.mark.parametrize("parts", [[row(device="b")], [group(0, device="b", pm10=1.0)]])
def test_homes_whose_newest_instant_nobody_knows_are_named(parts: list[Reading | ReadingGroup]) -> None:
    lane = fast_lane(ReadingBatch([row(1.0), *parts]), homes_with(-1))
    assert lane is not None
    assert [home.device for home in lane.unmet] == ["b"]
    assert (lane.lines, lane.newest) == ((), {})


@pytest.mark.parametrize("warm", [False, True], ids=["slow lane", "fast lane"])
async def test_late_and_new_rows_of_one_batch_are_each_decided(influx: Database, warm: bool) -> None:
    """Plainly new rows take a shorter way than the others; together they end as one by one."""
    if warm:
        await influx.store.put([row(0.5, at=-1, device=d, quantity=q) for d in "ab" for q in ("pm10", "no2")])
    await influx.store.put([row(1.0, at=10), row(1.0, at=10, device="b")])
    batch = [
        row(2.0, at=20), row(2.5, at=20, quantity="no2", flag=3),  # new, one point
        row(9.0, at=10), row(1.5, at=10, quantity="no2", flag=4),  # conflict; joins a stored point
        row(3.0, at=30, device="b"), row(1.0, at=10, device="b"), row(4.0, at=40, device="b"),
    ]  # fmt: skip
    assert await outcomes(influx.store, *batch) == [NEW, NEW, CONFLICT, NEW, NEW, DUPLICATE, NEW]
    found = {(p["device"], p["time"]): (p.get("pm10"), p.get("no2"), p["qc"]) for p in influx.points()}
    assert {key: value for key, value in found.items() if key[1] >= T} == {  # type: ignore[operator]  # an int
        ("a", T + 10): (1, 1.5, 4),
        ("a", T + 20): (2, 2.5, 3),
        ("b", T + 10): (1, None, 1),
        ("b", T + 30): (3, None, 1),
        ("b", T + 40): (4, None, 1),
    }


@pytest.mark.parametrize("warm", [False, True], ids=["slow lane", "fast lane"])
async def test_a_row_stored_without_an_answer_counts_as_stored_once(
    behind_front: tuple[Front, InfluxReadingStore], warm: bool
) -> None:
    """The server stored the batch but its answer got lost: put again, the rows are stored, then duplicates."""
    answers, store = behind_front
    if warm:
        await store.put([row(0.5, at=-1)])
    answers.script.append(Canned(503, after=True))
    with pytest.raises(Retry):
        await store.put([row(1.0), row(2.0, at=1)])
    again = [row(1.0), row(1.0), row(2.0, at=1), row(3.0, at=1)]
    assert await outcomes(store, *again) == [NEW, DUPLICATE, NEW, CONFLICT]
    assert await outcomes(store, *again) == [DUPLICATE, DUPLICATE, DUPLICATE, CONFLICT]


LOST = Canned(503, after=True)  # stored, but the answer got lost
DOWN = Canned(503)  # not stored
A, AGAIN, CORRECTED, OTHER = row(5.0, at=10), row(5.0, at=10), row(6.0, at=10, revision=1), row(7.0, at=10)
LATER = row(1.0, at=20)

# name, (what becomes of the batch's write, batch, outcomes) one after the other, value held in the end
UNANSWERED: list[tuple[str, list[tuple[Canned | None, list[Reading], list[Outcome]]], float]] = [
    ("another value in between", [(LOST, [A], []), (None, [OTHER], [CONFLICT]), (None, [A], [NEW])], 5.0),
    ("another value, nothing was stored", [(DOWN, [A], []), (None, [OTHER], [NEW]), (None, [A], [CONFLICT])], 7.0),
    ("a correction in between",
     [(LOST, [A], []), (None, [CORRECTED], [REPLACED]), (None, [A], [NEW]), (None, [A], [CONFLICT])], 6.0),
    ("a correction, nothing was stored", [(DOWN, [A], []), (None, [CORRECTED], [NEW]), (None, [A], [CONFLICT])], 6.0),
    ("a correction that is unanswered too",
     [(LOST, [A], []), (LOST, [CORRECTED], []), (None, [A], [NEW]), (None, [CORRECTED], [REPLACED]),
      (None, [CORRECTED, A], [DUPLICATE, CONFLICT])], 6.0),
    ("a correction that was not stored",
     [(LOST, [A], []), (DOWN, [CORRECTED], []), (None, [CORRECTED], [REPLACED]), (None, [A], [NEW])], 6.0),
    ("a reading and its correction in one batch",
     [(LOST, [A, CORRECTED], []), (None, [A, CORRECTED], [NEW, REPLACED]), (None, [A], [CONFLICT])], 6.0),
    ("all that was decided with a correction",
     [(None, [A], [NEW]), (LOST, [AGAIN, OTHER, CORRECTED, OTHER], []),
      (None, [AGAIN, OTHER, CORRECTED, OTHER], [DUPLICATE, CONFLICT, REPLACED, CONFLICT])], 6.0),
    ("the correction comes first in the next batch",
     [(LOST, [A], []), (None, [CORRECTED, A, A], [REPLACED, NEW, CONFLICT])], 6.0),
    ("an equal reading of another message", [(LOST, [A], []), (None, [AGAIN], [NEW]), (None, [A], [DUPLICATE])], 5.0),
    ("what a failed put was told is told again",
     [(LOST, [A], []), (DOWN, [A, LATER], []), (LOST, [A, LATER], []), (None, [A, LATER], [NEW, NEW]),
      (None, [A, LATER], [DUPLICATE, DUPLICATE])], 5.0),
    ("told in a put that corrects the key and is lost",
     [(LOST, [A], []), (LOST, [A, CORRECTED], []), (None, [A, CORRECTED], [NEW, REPLACED])], 6.0),
]  # fmt: skip


@pytest.mark.parametrize("warm", [False, True], ids=["slow lane", "fast lane"])
@pytest.mark.parametrize(("puts", "held"), [case[1:] for case in UNANSWERED], ids=[case[0] for case in UNANSWERED])
async def test_outcomes_after_a_lost_answer_are_those_of_an_answer_that_came(
    behind_front: tuple[Front, InfluxReadingStore],
    puts: list[tuple[Canned | None, list[Reading], list[Outcome]]],
    held: float,
    warm: bool,
) -> None:
    """Whatever comes for the key before the batch is put again: nothing is counted twice, nothing is left out."""
    answers, store = behind_front
    if warm:
        await store.put([row(0.5)])
    for canned, batch, expected in puts:
        if canned is None:
            assert await outcomes(store, *batch) == expected
            continue
        answers.script.append(canned)
        with pytest.raises(Retry):
            await store.put(batch)
    assert list((await store.scan([Series("a", "pm10")], T + 10, T + 11)).value) == [held]


@pytest.mark.parametrize("seed", range(4))
async def test_any_history_of_lost_answers_and_corrections_adds_up(
    behind_front: tuple[Front, InfluxReadingStore], seed: int
) -> None:
    """Batches tried again in any order, each until it is answered: held are as many as were told STORED."""
    answers, store = behind_front
    chance = random.Random(seed)
    told: Counter[Outcome] = Counter()
    values = [1.0, 2.0, 3.0]

    def reading(newest: int) -> Reading:
        at = newest if chance.random() < 0.6 else chance.randrange(newest + 1)
        return row(chance.choice(values), at, chance.choice(["pm10", "no2"]), revision=chance.choice([0, 0, 1, 2]))

    waiting: list[list[Reading]] = []
    for newest in range(60):
        waiting.append([reading(newest) for _ in range(chance.randint(1, 4))])
        while len(waiting) > (0 if newest == 59 else 3):
            batch = waiting.pop(chance.randrange(len(waiting)))
            answers.script[:] = [chance.choice([LOST, DOWN])] if chance.random() < 0.5 else []
            try:
                told.update(await outcomes(store, *batch))
            except Retry:
                waiting.append(batch)
    answers.script.clear()
    assert sum((await store.counts()).values()) == told[NEW]
    assert min(told[NEW], told[REPLACED], told[DUPLICATE], told[CONFLICT]) > 0


async def test_a_store_that_is_not_alone_looks_up_what_others_wrote_before(
    influx: Database, quantities: Quantities
) -> None:
    """Both have met the device, so each would take what is newer for new."""
    stores = [InfluxReadingStore(influx.settings, quantities, alone=False) for _ in range(2)]
    one, two = stores
    assert [await outcomes(store, row(1.0)) for store in stores] == [[NEW], [DUPLICATE]]
    batch = ReadingBatch([group(10, pm10=5.0, no2=2.0), row(7.0, at=20, flag=4)])
    assert list((await one.put(batch)).outcomes) == [NEW] * 3
    assert list((await two.put(batch)).outcomes) == [DUPLICATE] * 3
    assert await outcomes(two, row(6.0, at=10), row(6.0, at=10, quantity="o3"), row(8.0, at=20, revision=1)) == [
        CONFLICT, NEW, REPLACED,
    ]  # fmt: skip
    assert await one.counts() == {"a": 5}
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("status", "setting"), [(401, "influx.token"), (403, "influx.token"), (404, "influx.bucket"), (418, "influx.url")]
)
async def test_what_only_the_operator_can_mend_stops(
    behind_front: tuple[Front, InfluxReadingStore], status: int, setting: str
) -> None:
    answers, store = behind_front
    answers.script.append(Canned(status))
    with pytest.raises(Stop, match=setting):
        await store.put([row()])


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_is_divided_down_to_the_row(
    behind_front: tuple[Front, InfluxReadingStore], status: int
) -> None:
    """Refusals are believed only of single rows: 8 rows refused as a whole are stored by halves."""
    answers, store = behind_front
    answers.script += [Canned(status)] * 2
    assert await outcomes(store, *(row(float(i), at=i) for i in range(8))) == [NEW] * 8
    sizes = [body.count(b"\n") + 1 for body in answers.writes]
    assert sizes == [8, 4, 2, 2, 4]


async def test_2x_makes_the_mapping_for_reading_where_it_is_missing(
    behind_front: tuple[Front, InfluxReadingStore],
) -> None:
    answers, store = behind_front
    assert list(await store.series()) == []
    ((name, bucket),) = answers.buckets.items()
    assert [(m["database"], m["bucketID"], m["default"]) for m in answers.mappings] == [(name, bucket, True)]


@pytest.mark.parametrize(
    ("change", "setting"),
    [({"bucket": "other"}, "influx.bucket"), ({"token": "wrong"}, "influx.token")],
)
async def test_2x_with_a_wrong_setting_stops_and_names_it(
    behind_front: tuple[Front, InfluxReadingStore], quantities: Quantities, change: dict[str, str], setting: str
) -> None:
    answers, _ = behind_front
    given = {"url": answers.url, "database": next(iter(answers.buckets)), "org": ORG, "token": TOKEN} | change
    store = InfluxReadingStore(InfluxSettings(**given), quantities)  # type: ignore[arg-type]  # all strings
    with pytest.raises(SettingsError) as raised:
        await store.put([row()])
    assert raised.value.setting == setting
    assert "wrong" not in str(raised.value)  # a secret is not repeated
    health = await store.check()
    assert not health.ok
    await store.close()


@pytest.fixture(scope="module")
def locked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """An influxd that asks for user and password; admin/secret is its administrator, sensor/pw may do nothing."""
    with influxd(tmp_path_factory.mktemp("influxd-auth"), auth=True) as server:
        server.post("/query", q="CREATE USER admin WITH PASSWORD 'secret' WITH ALL PRIVILEGES")
        server.post("/query", q="CREATE USER sensor WITH PASSWORD 'pw'; CREATE DATABASE hub", u="admin", p="secret")
        yield server


@pytest.mark.parametrize(
    ("username", "password", "prepare"),
    [("", "", True), ("admin", "wrong", True), ("sensor", "pw", True), ("sensor", "pw", False), ("", "", False)],
)
async def test_wrong_credentials_stop_and_name_the_setting(
    locked_server: DatabaseServer, quantities: Quantities, username: str, password: str, prepare: bool
) -> None:
    settings = InfluxSettings(
        url=locked_server.url, database="hub", username=username, password=password, prepare=prepare
    )
    store = InfluxReadingStore(settings, quantities)
    with pytest.raises(SettingsError, match=r"influx\.username, influx\.password"):
        await store.put([row()])
    await store.close()


async def test_right_credentials_work(locked_server: DatabaseServer, quantities: Quantities) -> None:
    settings = InfluxSettings(url=locked_server.url, database="hub", username="admin", password="secret")
    store = InfluxReadingStore(settings, quantities)
    assert await outcomes(store, row()) == [NEW]
    assert (await store.check()).ok
    await store.close()


async def test_a_database_that_vanishes_stops(influx: Database) -> None:
    await influx.store.put([row()])
    influx.server.post("/query", q=f'DROP DATABASE "{influx.name}"')
    with pytest.raises(SettingsError, match=r"influx\.database"):
        await influx.store.put([row(at=1)])


async def test_without_preparation_a_missing_database_stops(
    influx_server: DatabaseServer, quantities: Quantities
) -> None:
    store = InfluxReadingStore(InfluxSettings(url=influx_server.url, database="none", prepare=False), quantities)
    with pytest.raises(SettingsError, match=r"influx\.database"):
        await store.put([row()])
    await store.close()


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ({"url": "localhost:8086"}, "influx.url"),
        ({"url": "ftp://x"}, "influx.url"),
        ({"version": "3"}, "influx.version"),
        ({"database": ""}, "influx.database"),
        ({"timeout_s": 0}, "influx.timeout_s"),
        ({"timeout_s": float("nan")}, "influx.timeout_s"),
    ],
)
def test_settings_that_make_no_sense_are_named(wrong: dict[str, object], setting: str) -> None:
    with pytest.raises(SettingsError) as raised:
        InfluxSettings(**wrong)  # type: ignore[arg-type]  # wrong on purpose
    assert raised.value.setting == setting


def test_settings_do_not_show_their_secrets() -> None:
    shown = f"{InfluxSettings(token='s3cret', password='hidden')!r}"
    assert "s3cret" not in shown
    assert "hidden" not in shown
    assert "***" in shown


async def test_lines_written_through_the_client_are_in_victoriametrics(tmp_path: Path) -> None:
    """`/api/v2/write` of another make: what the hub sends as air,device=a pm10=20.3 is read back as 20.3."""
    with victoria(tmp_path) as server:
        influx = Influx(InfluxSettings(url=server.url, version="2", org=ORG, token=TOKEN, prepare=False))
        rows = [row(20.3 + i, at=i * 10**9, flag=3) for i in range(3)]
        tag = head("air", {"device": "a"})
        await influx.write("\n".join(point_line(tag, r.time, {"pm10": r}, {}) for r in rows).encode())
        await influx.close()
        server.get("/internal/force_flush")
        exported = server.get("/api/v1/export", **{"match[]": '{__name__=~"air_.*"}', "start": "0"}).decode()
    found = {e["metric"]["__name__"]: (e["values"], e["timestamps"]) for e in map(json.loads, exported.splitlines())}
    times = [(T + i * 10**9) // 10**6 for i in range(3)]
    assert found["air_pm10"] == ([20.3, 21.3, 22.3], times)
    assert found["air_pm10_qc"] == ([3, 3, 3], times)
    assert found["air_qc"] == ([3, 3, 3], times)


@pytest.mark.parametrize(
    ("tags", "fields", "expected"),
    [
        ({"device": "a b,c=d"}, {"x": 1.0}, r"m,device=a\ b\,c\=d x=1.0 7"),
        ({"device": "end\\"}, {"x": 1.0}, "m,device=end x=1.0 7"),
        ({"device": "a\nb", "place": ""}, {"x": 1.0}, r"m,device=a\ b x=1.0 7".replace(r"\ ", " ")),
        ({}, {"x": True, "y": 3, "z": 'say "hi"\\ \n'}, 'm x=true,y=3i,z="say \\"hi\\"\\\\  " 7'),
        ({}, {"x": 5e-324, "y": -0.0, "z": 1e308}, "m x=5e-324,y=-0.0,z=1e+308 7"),
    ],
)
def test_lines_are_escaped(tags: dict[str, str], fields: dict[str, float | str], expected: str) -> None:
    assert line(head("m", tags), fields, 7) == expected


@pytest.mark.parametrize(
    ("times", "found"),
    [([], []), ([5], [(5, 5)]), ([30, 1, 5, 10], [(1, 10), (30, 30)]), ([1, 11, 21], [(1, 21)])],
)
def test_ranges_split_at_gaps(times: list[int], found: list[tuple[int, int]]) -> None:
    assert list(ranges(times, gap=10)) == found


def test_names_and_strings_are_quoted_for_influxql() -> None:
    assert identifier('a"b\\') == r'"a\"b\\"'
    assert text("a'b\\") == r"'a\'b\\'"


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("listening", [True, False], ids=["never answers", "nobody listens"])
async def test_silence_asks_to_try_again(version: Literal["1", "2"], listening: bool) -> None:
    """A server that takes the request and stays silent is as away as one that is not there."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listening:
            silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        influx = Influx(InfluxSettings(url=url, version=version, token=TOKEN, org=ORG, prepare=False, timeout_s=0.2))
        with pytest.raises(Retry, match=f"{url} does not answer"):
            await influx.write(b"m x=1.0 1")
        with pytest.raises(Retry, match=f"{url} does not answer"):
            _ = [frame async for frame in influx.query("SHOW DATABASES")]
        await influx.close()


def test_every_status_has_a_reaction() -> None:
    """Statuses of 400 and above ask to divide, to try again or to stop; never nothing."""
    settings = InfluxSettings()
    names = {status: type(reaction(status, {}, "words", settings, "1")).__name__ for status in range(400, 600)}
    assert {status for status, name in names.items() if name == "Refused"} == {400, 413, 422}
    assert {status for status, name in names.items() if name == "Retry"} == {408, 429, *range(500, 600)}
    assert {status for status, name in names.items() if name == "SettingsError"} == {401, 403, 404}


async def test_a_database_that_is_dropped_under_the_hub_is_not_well(influx: Database) -> None:
    """InfluxDB answers a question about a missing database with nothing, as if it were empty."""
    await influx.store.put([row(1.0)])
    assert (await influx.store.check()).ok
    influx.server.post("/query", q=f'DROP DATABASE "{influx.name}"')
    health = await influx.store.check()
    assert not health.ok
    assert influx.name in health.detail
