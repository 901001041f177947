# SPDX-License-Identifier: EUPL-1.2
"""Repairs: what is put down to which batch, and that any crash, redelivery and repair ends in exact books."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import connectors
from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import Invalid
from hub.core.journal import HOUR_NS, AccountKey, Counts, JournalBatch, OpenBatch, Repair
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.core.quantities import Quantities
from hub.core.readings import PutResult, Reading
from hub.ingest.books import BooksReader, Causes
from hub.ingest.fail_points import FailPoints
from hub.ingest.interpret import Interpreter
from hub.ingest.journal import SqliteJournal
from hub.ingest.normalise import Conversions
from hub.ingest.open_batches import OpenBatches, recover
from hub.ingest.pipeline import Pipeline
from hub.ingest.repair import (
    RepairOrder,
    accounted,
    arguments_of,
    compare,
    numbered,
    plan,
    repair,
)
from tests.ingest.conftest import NOW, delivery
from tests.ingest.fakes import Clock, ListSource, MemoryRegistry, MemoryStore

HOUR = NOW - NOW % HOUR_NS
FIRST = OpenBatch(number=7, started=NOW, messages=2, readings=10)
SECOND = OpenBatch(number=9, started=NOW + HOUR_NS, messages=2, readings=4)


def duplicates(*counts: tuple[int, int], device: str = "a") -> Mapping[str, Sequence[tuple[AccountKey, int]]]:
    """(hour from HOUR, duplicates) of a device."""
    return {device: [(AccountKey(HOUR + h * HOUR_NS, "native", device), n) for h, n in counts]}


def causes(*batches: OpenBatch, name: str = "0", again: Mapping[str, Sequence[tuple[AccountKey, int]]]) -> Causes:
    """A journal with these batches, all of them of device a."""
    return Causes(name, {"a": batches}, {(batch.number, "a"): batch.readings for batch in batches}, again)


# name, surplus of a, causes, (journal, kind, batch, hour from HOUR or None, readings)
PLANS = [
    ("nothing is wanted", 0, [causes(FIRST, again=duplicates((0, 5)))], []),
    ("no batch explains it", 3, [causes(again=duplicates((0, 5)))], []),
    ("as many as are too many", 3, [causes(FIRST, again=duplicates((0, 5)))], [("0", "duplicate", 7, 0, 3)]),
    (
        "over two hours",
        6,
        [causes(FIRST, again=duplicates((0, 5), (1, 5)))],
        [("0", "duplicate", 7, 0, 5), ("0", "duplicate", 7, 1, 1)],
    ),
    (
        "what did not come again",
        6,
        [causes(FIRST, again=duplicates((0, 5)))],
        [("0", "duplicate", 7, 0, 5), ("0", "unaccounted", 7, None, 1)],
    ),
    (
        "duplicates long before it are others",
        2,
        [causes(FIRST, again=duplicates((-5, 5)))],
        [("0", "unaccounted", 7, None, 2)],
    ),
    ("never more than the batch had", 50, [causes(FIRST, again=duplicates((0, 99)))], [("0", "duplicate", 7, 0, 10)]),
    (
        "two batches, one duplicate counts once",
        14,
        [causes(FIRST, SECOND, again=duplicates((1, 12)))],
        [("0", "duplicate", 7, 1, 10), ("0", "duplicate", 9, 1, 2), ("0", "unaccounted", 9, None, 2)],
    ),
    (
        "duplicates of any journal come before what never came",
        8,
        [causes(FIRST, again={}), causes(SECOND, name="1", again=duplicates((1, 4)))],
        [("1", "duplicate", 9, 1, 4), ("0", "unaccounted", 7, None, 4)],
    ),
]


@pytest.mark.parametrize(("surplus", "found", "steps"), [row[1:] for row in PLANS], ids=[row[0] for row in PLANS])
def test_plan(surplus: int, found: list[Causes], steps: list[tuple[str, str, int, int | None, int]]) -> None:
    planned = plan({"a": surplus}, found, NOW)
    assert sorted(
        (name, r.kind, r.batch, (r.hour - HOUR) // HOUR_NS if r.kind == "duplicate" else None, r.readings)
        for name, some in planned.items()
        for r in some
    ) == sorted(steps)


def test_a_look_at_a_hub_at_work_gives_a_range() -> None:
    touching = OpenBatch(number=1, started=NOW, messages=1, readings=6, devices={"c": 5, "x": 1})
    gaps = compare(
        {"a": 3, "b": 3, "c": 3, "d": 2}, {"a": 3, "b": 5, "c": 9, "e": 1}, {"a": 3, "b": 4, "c": 3}, [touching]
    )
    assert [(gap.device, gap.least, gap.most, gap.exact, gap.surplus) for gap in gaps] == [
        ("a", 3, 3, True, 0),
        ("b", 3, 4, False, 1),
        ("c", 3, 8, False, 1),
        ("d", 2, 0, False, -2),
        ("e", 0, 0, True, 1),
    ]


def test_batches_that_share_devices_each_explain_their_own() -> None:
    """What one device could put down to either batch must not use up what only one of them explains of another."""
    early, late = OpenBatch(number=1, started=NOW, messages=2, readings=10), replace(FIRST, number=2)
    again = {device: duplicates((0, 10), device=device)[device] for device in "ab"}
    left = {(1, "a"): 5, (1, "b"): 5, (2, "a"): 5}
    found = Causes("0", {"a": [early, late], "b": [early]}, left, again)
    planned = plan({"a": 10, "b": 5}, [found], NOW)["0"]
    assert {(r.device, r.batch, r.readings) for r in planned} == {("a", 1, 5), ("a", 2, 5), ("b", 1, 5)}


async def test_a_repair_is_recorded_once_however_often_it_is_ordered(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    key = AccountKey(HOUR, "native", "a")
    await journal.commit(JournalBatch(accounts={key: Counts(received=1, decoded=1, readings=5, duplicate=5)}))
    rows = [Repair(id=0, kind="duplicate", device="a", readings=3, at=NOW, batch=7, connector="native", hour=HOUR)]
    order = arguments_of(RepairOrder(0, numbered(rows, 0)))
    assert await repair(journal, order) == {"repaired": 3}
    for _ in range(2):
        with pytest.raises(Invalid, match="another repair came first"):
            await repair(journal, order)
    books = BooksReader(tmp_path / "ingest-0.db").read()
    counts = books.accounts["native", "a"]
    assert (counts.stored, counts.duplicate, counts.readings, books.last_repair) == (3, 2, 5, 1)
    assert books.unbalanced == []
    await journal.close()


@pytest.mark.parametrize("order", [{}, {"shard": 0, "repairs": "all"}, {"shard": 0, "repairs": [{"id": 1}]}])
async def test_an_order_that_makes_no_sense_is_invalid(tmp_path: Path, order: Mapping[str, object]) -> None:
    journal = SqliteJournal(tmp_path / "ingest-0.db")
    with pytest.raises(Invalid, match="repair"):
        await repair(journal, order)
    await journal.close()


class Crash(Exception):
    """What stands for a kill here."""


class CrashStore(MemoryStore):
    """Keeps what it has over crashes; can crash after a part of a put."""

    def __init__(self) -> None:
        super().__init__()
        self.crash_after: int | None = None

    async def put(self, rows: Sequence[Reading]) -> PutResult:
        if self.crash_after is not None:
            part, self.crash_after = list(rows)[: self.crash_after], None
            await super().put(part)
            raise Crash
        return await super().put(rows)

    def held(self) -> Counter[str]:
        """Readings by device."""
        return Counter(device for device, _, _ in self.rows)


class City:
    """A store, a journal and a broker that outlive every crash of the hub between them."""

    def __init__(self, folder: Path, interpreter: Interpreter) -> None:
        self.path = folder / "ingest-0.db"
        self.store = CrashStore()
        self.clock = Clock(NOW)
        self.queue: list[Delivery] = []  # what the broker has not been confirmed
        self.registry = MemoryRegistry()
        self.register("a")
        self.register("b")
        self._interpreter = interpreter
        self.journal: SqliteJournal | None = None

    async def start(self, fail: str = "") -> None:
        """A new process: what a kill left is found on disk alone."""
        if self.journal is not None:
            await self.journal.close()
        self.journal = SqliteJournal(self.path)
        self.notes = OpenBatches.beside(self.path)
        await recover(self.notes, self.journal)
        self.pipeline = Pipeline(
            ListSource(),
            self.store,
            self.journal,
            self.registry,
            self.registry,
            self._interpreter,
            clock=self.clock,
            note=self.notes.note,
            fail=FailPoints({fail: 1} if fail else {}, self._crash),
        )
        await self.pipeline.prepare()

    def register(self, device: str) -> None:
        """Somebody registers a device."""
        self.registry.devices[device] = Device(id=device, connector="native", external_id=device, interval=600)
        self.registry.number += 1

    def _crash(self) -> None:
        raise Crash

    async def take(self) -> None:
        """All that the broker holds, as one batch; what was journalled and not confirmed comes again."""
        self.clock.now += 600_000_000_000
        batch = [replace_received(message, self.clock.now) for message in self.queue]
        if batch:
            await self.pipeline.take(batch)
            self.queue.clear()

    async def reconcile(self) -> list[Repair]:
        """One look and what it repairs."""
        assert self.journal is not None
        reader = BooksReader(self.path)
        books = reader.read()
        gaps = compare(accounted([books]), self.store.held(), accounted([books]), [])
        surplus = {gap.device: gap.surplus for gap in gaps if gap.surplus}
        assert all(n > 0 for n in surplus.values()), gaps
        found = numbered(plan(surplus, [reader.causes(surplus)], NOW).get("0", []), books.last_repair)
        if found:
            await repair(self.journal, arguments_of(RepairOrder(0, found)))
        return found

    def assert_exact(self) -> None:
        """Every equation holds, for each device."""
        books = BooksReader(self.path).read()
        assert books.unbalanced == []
        assert all(min(getattr(n, f) for f in n.__struct_fields__) >= 0 for n in books.accounts.values())
        total = {device: n for device, n in accounted([books]).items() if n}
        assert total == dict(self.store.held())
        for key, n in books.accounts.items():
            assert n.quarantined == books.set_aside.get(key, 0)


def replace_received(message: Delivery, received: int) -> Delivery:
    """The same message, as it arrives now."""
    return delivery(message.payload, message.topic, received=received)


MESSAGES = st.builds(
    lambda device, minute, value, revision: delivery(
        f'[{{"time": "2026-11-23T11:{minute:02}:00Z", "revision": {revision}, '
        f'"readings": {{"pm10": {value}, "no2": {value}}}}}]',
        f"devices/{device}/readings",
    ),
    st.sampled_from("abx"),  # x is not registered at first
    st.integers(0, 5),
    st.integers(1, 2),
    st.integers(0, 1),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.lists(MESSAGES, min_size=1, max_size=4)),
        st.tuples(st.sampled_from(["take", "take", "repair", "lose", "register", "redrive", "start"]), st.none()),
        st.tuples(st.just("fail"), st.sampled_from(["noted", "stored", "journalled"])),
        st.tuples(st.just("cut"), st.integers(0, 6)),
    ),
    max_size=25,
)


async def play(city: City, steps: Sequence[tuple[str, object]]) -> None:
    """Carry the steps out, coming up again after each crash; then redeliver, repair and prove."""
    await city.start()
    for what, given_ in steps:
        try:
            if what == "send":
                city.queue += given_  # type: ignore[operator]
            elif what == "fail":
                await city.start(str(given_))
            elif what == "cut":
                city.store.crash_after = int(str(given_))
            elif what == "take":
                await city.take()
            elif what == "lose":
                city.queue.clear()
            elif what == "redrive":
                await city.pipeline.clerk.redrive(QuarantineFilter())
            elif what == "start":
                await city.start()
            elif what == "register":
                city.register("x")
            else:
                await city.reconcile()
        except Crash:
            await city.start()
    city.store.crash_after = None
    await city.start()
    await city.take()
    await city.reconcile()
    city.assert_exact()
    assert await city.reconcile() == []
    city.assert_exact()
    assert city.journal is not None
    await city.journal.close()


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return Interpreter(sdk.Router(sdk.discover(connectors)), Conversions(Quantities.load()), max_payload=65536)


@given(steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_crash_redelivery_and_repair_ends_in_exact_books(
    interpreter: Interpreter, steps: list[tuple[str, object]]
) -> None:
    """And repairing once more changes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(City(Path(folder), interpreter), steps))


SCENARIOS: dict[str, list[tuple[str, object]]] = {
    "killed in the middle of a put": [("cut", 3), ("take", None)],
    "killed before the put": [("fail", "noted"), ("take", None)],
    "killed between store and journal": [("fail", "stored"), ("take", None)],
    "killed before the PUBACK": [("fail", "journalled"), ("take", None)],
    "killed twice with the same messages": [("fail", "stored"), ("take", None), ("fail", "stored"), ("take", None)],
    "killed, and the broker lost the messages": [("fail", "stored"), ("take", None), ("lose", None)],
    "repaired before the messages come again": [("fail", "stored"), ("take", None), ("repair", None)],
    "killed in the middle of a redrive": [("take", None), ("register", None), ("cut", 1), ("redrive", None)],
    "redriven once more after that": [
        ("take", None),
        ("register", None),
        ("cut", 1),
        ("redrive", None),
        ("redrive", None),
    ],
}


@pytest.mark.parametrize("steps", SCENARIOS.values(), ids=SCENARIOS)
async def test_scenario(tmp_path: Path, interpreter: Interpreter, steps: list[tuple[str, object]]) -> None:
    """Each ends in exact books; the kills that matter leave something to repair."""
    messages = [
        delivery(
            f'{{"time": "2026-11-23T11:0{i}:00Z", "readings": {{"pm10": {i}, "no2": {i}}}}}', f"devices/{d}/readings"
        )
        for i in range(3)
        for d in "abx"
    ]
    await play(City(tmp_path, interpreter), [("send", messages), *steps])
