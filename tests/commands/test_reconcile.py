# SPDX-License-Identifier: EUPL-1.2
"""`cityhub reconcile` after real kills: it proves, names, repairs, and says what it cannot explain."""

import asyncio
import io
import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub.app import Parts
from hub.commands.reconcile import Accept, run_reconcile
from hub.core.delivery import Delivery
from hub.core.errors import Invalid
from hub.core.journal import SpoolPosition
from hub.core.readings import Reading
from hub.ingest.spool import DiskSpool
from hub.settings import load_settings
from tests.commands.taking import taken
from tests.e2e.hub_process import RunningHub, running_hub
from tests.influx_servers import influxd

ROOT = Path(__file__).resolve().parents[2]
MINUTE = 60_000_000_000


def messages(first: int, last: int, devices: Sequence[str] = ("air-1", "air-2")) -> list[tuple[str, str]]:
    """Two readings a message, one message a minute and device."""
    return [
        (
            f"devices/{device}/readings",
            f'{{"time": "2026-03-01T10:{minute:02}:00Z", "readings": {{"pm10": {minute}, "no2": {minute}}}}}',
        )
        for minute in range(first, last)
        for device in devices
    ]


class Site(NamedTuple):
    """A hub's directory with its settings."""

    config: Path

    @property
    def parts(self) -> Parts:
        """Parts of these settings."""
        return Parts(load_settings(self.config))

    def take(self, *batches: Sequence[tuple[str, str]], kill_at: str = "", shard: int = 0) -> None:
        """A worker takes these batches, or is killed."""
        code = taken(self.config, shard, batches, kill_at)
        assert code == (-signal.SIGKILL if kill_at else 0)

    def reconcile(self, *, repair: bool = True, accept: Accept | None = None) -> tuple[int, str]:
        """Exit code and what it tells people."""
        out = io.StringIO()
        with redirect_stdout(out):
            code = run_reconcile(load_settings(self.config), json=False, repair=repair, accept=accept)
        return code, out.getvalue()

    def proved(self, code: int = 0) -> Mapping[str, Any]:
        """What it tells scripts; `code` is the exit code to expect."""
        out = io.StringIO()
        with redirect_stdout(out):
            assert run_reconcile(load_settings(self.config), json=True) == code, out.getvalue()
        found: Mapping[str, Any] = json.loads(out.getvalue())
        return found

    def put(self, *rows: Reading) -> None:
        """Write into the store past ingest."""

        async def work() -> None:
            store = self.parts.store(writer=True)
            await store.put(rows)
            await store.close()

        asyncio.run(work())

    def journal(self, statement: str) -> None:
        """Change the journal past ingest."""
        with closing(sqlite3.connect(self.parts.data.journal())) as connection, connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with influxd(tmp_path_factory.mktemp("influxd")) as server:
        yield server.url


@pytest.fixture
def make_site(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], Site]:
    """A site whose readings are in SQLite or InfluxDB."""

    def make(kind: str) -> Site:
        store = f'[store]\nkind = "{kind}"\n'
        if kind == "influx":
            name = "".join(c for c in tmp_path.name if c.isalnum())
            store += f'[influx]\nurl = "{request.getfixturevalue("influx")}"\ndatabase = "{name}"\n'
        config = tmp_path / "cityhub.toml"
        config.write_text(f'data = "{tmp_path / "data"}"\n{store}', encoding="utf-8")
        site = Site(config)
        site.parts.data.open("hub")
        with site.parts.ledger().upgrade():
            return site

    return make


@pytest.fixture(params=["sqlite", "influx"])
def site(request: pytest.FixtureRequest, make_site: Callable[[str], Site]) -> Site:
    return make_site(request.param)


@pytest.fixture
def small(make_site: Callable[[str], Site]) -> Site:
    """A site on SQLite, where the store makes no difference."""
    return make_site("sqlite")


def test_books_that_balance_are_left_alone(site: Site) -> None:
    site.take(messages(0, 3), [*messages(2, 4), ("devices/stranger/readings", "{}"), ("devices/air-1/readings", "no")])
    found = site.proved()
    assert found["in_store"] == 16
    assert {n: found["totals"][n] for n in ("received", "quarantined", "stored", "duplicate")} == {
        "received": 12,
        "quarantined": 2,
        "stored": 16,
        "duplicate": 4,
    }
    assert (found["repaired"], found["open_batches"], found["devices"]) == ([], [], 3)


def test_a_batch_cut_off_between_store_and_journal_is_named_and_repaired(site: Site) -> None:
    """Killed for real; its messages came again and were counted as duplicates."""
    site.take(messages(0, 3), messages(3, 6), kill_at="stored:2")
    site.take(messages(3, 6), messages(5, 8))
    code, told = site.reconcile()
    assert code == 0, told
    assert "batch 2 of 20" in told
    assert "Z, 6 messages, was cut off between store and journal; 12 of its readings came again" in told
    found = site.proved()
    assert found["repaired"] == []
    assert (found["totals"]["stored"], found["totals"]["duplicate"], found["in_store"]) == (32, 4, 32)
    assert [(one["batch"], one["messages"], one["readings"]) for one in found["open_batches"]] == [(2, 6, 12)]


def test_what_the_broker_never_sent_again_is_accounted_for_beside_the_messages(small: Site) -> None:
    small.take(messages(0, 2), messages(2, 4), kill_at="stored:2")
    small.take(messages(4, 5))
    code, told = small.reconcile()
    assert code == 0, told
    assert "stored but never accounted: 8 readings of 2 devices (air-1, air-2" in told
    small.take(messages(2, 4))
    found = small.proved()
    assert (found["repaired"], found["totals"]["duplicate"], found["in_store"]) == ([], 8, 20)


def test_several_crashes_on_the_same_messages(small: Site) -> None:
    for _ in range(3):
        small.take(messages(0, 3), kill_at="stored:1")
    small.take(messages(0, 3))
    found = small.proved()
    assert sum(one["readings"] for one in found["repaired"]) == 12
    assert (found["totals"]["stored"], found["totals"]["duplicate"], len(found["open_batches"])) == (12, 0, 3)


@pytest.mark.parametrize("point", ["noted", "journalled"])
def test_a_kill_elsewhere_leaves_nothing_to_repair(small: Site, point: str) -> None:
    small.take(messages(0, 3), kill_at=f"{point}:1")
    small.take(messages(0, 3))
    found = small.proved()
    assert (found["repaired"], found["in_store"]) == ([], 12)


def test_before_the_hub_has_run_again_it_says_so(small: Site) -> None:
    small.take(messages(0, 3), messages(3, 6), kill_at="stored:2")
    code, told = small.reconcile()
    assert code == 1
    assert "batch 2 of 20" in told
    assert "the hub has not run since: up to 12 of its readings may be stored. Start the hub" in told
    small.take(messages(3, 6))
    assert sum(one["readings"] for one in small.proved()["repaired"]) == 12


def test_no_repair_only_names(small: Site) -> None:
    small.take(messages(0, 3), kill_at="stored:1")
    small.take(messages(0, 3))
    code, told = small.reconcile(repair=False)
    assert code == 1
    assert "device air-1: the store holds 6 readings, the journal accounts for 0" in told
    assert "12 of its readings came again and were counted as duplicates: let reconcile repair that" in told
    assert small.proved()["in_store"] == 12


def test_what_no_crash_explains_is_a_difference_until_it_is_accepted(small: Site) -> None:
    """A batch stands for no more readings than it had, so the foreign ones of its own device come out too."""
    small.take(messages(0, 3), kill_at="stored:1")
    small.take(messages(0, 3))
    small.put(Reading("air-1", "pm10", 1.5, MINUTE), Reading("foreign", "pm10", 1.5, MINUTE))
    found = small.proved(1)
    assert found["differences"] == [
        "device air-1: the store holds 7 readings, the journal accounts for 6",
        "device foreign: the store holds 1 readings, the journal accounts for 0",
    ]
    assert [(one["device"], one["readings"]) for one in found["repaired"]] == [("air-1", 6), ("air-2", 6)]
    code, told = small.reconcile(accept=Accept("a test wrote them"))
    assert code == 0
    assert "accepted as they are: 2 readings of 2 devices (air-1, foreign" in told
    assert small.proved()["repaired"] == []


def test_readings_that_are_gone_are_named_by_device(small: Site) -> None:
    small.take(messages(0, 3))
    with closing(sqlite3.connect(small.parts.data.readings)) as connection, connection:
        connection.execute("DELETE FROM readings WHERE value = 1 AND series = 1")
    code, told = small.reconcile()
    assert code == 1
    assert "device air-1: the store holds 5 readings, the journal accounts for 6" in told
    assert small.reconcile(accept=Accept("a test wrote them"))[0] == 0
    assert small.proved()["in_store"] == 11


def test_what_is_accepted_needs_a_reason_and_a_yes(small: Site) -> None:
    small.take(messages(0, 3))
    with closing(sqlite3.connect(small.parts.data.readings)) as connection, connection:
        connection.execute("DELETE FROM readings WHERE value = 1 AND series = 1")
    with pytest.raises(Invalid, match="--why: say why"):
        small.reconcile(accept=Accept(" "))
    asked: list[str] = []

    def answer(words: str, *, good: bool) -> bool:
        asked.append(words)
        return good

    assert small.reconcile(accept=Accept("restored", partial(answer, good=False)))[0] == 1
    assert asked == ["Record 1 missing readings of 1 devices (air-1) as accepted? Nothing explains them."]
    assert small.proved(1)["repaired"] == []
    assert small.reconcile(accept=Accept("restored from a backup", partial(answer, good=True)))[0] == 0
    with small.parts.ledger().open() as ledger:
        [entry] = [entry for entry in ledger.audit.entries() if entry.action == "reconcile.accept"]
    assert entry.detail == {"why": "restored from a backup", "readings": {"air-1": -1}}
    assert entry.actor


TAMPERED = {
    "a delivery": ("UPDATE account SET received = received + 1 WHERE device = 'air-2'", "native/air-2, hour 20"),
    "a reading": ("UPDATE account SET readings = readings - 1 WHERE device = 'air-1'", "native/air-1, hour 20"),
    "a quarantined message": (
        "DELETE FROM quarantine",
        "native/?: 1 messages count as quarantined, 0 are in quarantine",
    ),
}


@pytest.mark.parametrize(("statement", "words"), TAMPERED.values(), ids=TAMPERED)
def test_an_equation_that_does_not_come_out_names_its_row(small: Site, statement: str, words: str) -> None:
    small.take([*messages(0, 3), ("devices/stranger/readings", '{"readings": {"pm10": 1}}')])
    assert small.reconcile()[0] == 0
    small.journal(statement)
    code, told = small.reconcile()
    assert code == 1
    assert words in told.replace("native/stranger", "native/?")


def test_several_journals_are_one_account(small: Site) -> None:
    small.take(messages(0, 3, ["air-1"]), shard=0)
    small.take(messages(0, 3, ["air-2"]), kill_at="stored:1", shard=1)
    small.take(messages(0, 3, ["air-2"]), messages(3, 4, ["air-1"]), shard=1)
    found = small.proved()
    assert [(one["shard"], one["device"], one["readings"]) for one in found["repaired"]] == [(1, "air-2", 6)]
    assert (found["totals"]["stored"], found["in_store"]) == (14, 14)


def test_what_waits_in_the_spool_is_named_apart(small: Site) -> None:
    batch = [Delivery(t, p.encode(), time.time_ns(), 1, False, False, 1) for t, p in messages(3, 5)]

    async def fill() -> SpoolPosition:
        """Append 4 messages and 1; how far the first of them reaches."""
        spool = DiskSpool(small.parts.data.spool())
        await spool.open(SpoolPosition())
        await spool.append(batch)
        await spool.append(batch[:1])
        first = await spool.next(SpoolPosition())
        await spool.close()
        assert first is not None
        return first.position

    small.take(messages(0, 3))
    behind = asyncio.run(fill())
    assert small.proved()["spool"]["messages"] == 5
    small.journal(f"UPDATE progress SET segment = {behind.segment}, offset = {behind.offset}")
    assert small.proved()["spool"]["messages"] == 1
    assert "1 messages wait in the spool: acknowledged" in small.reconcile()[1]


def test_a_directory_without_a_journal_is_refused(small: Site) -> None:
    with pytest.raises(Invalid, match="holds no journal"):
        small.reconcile()


def wait_for_accounts(hub: RunningHub, messages: int) -> None:
    """Until the journal has accounted for so many messages."""
    [journal] = Parts(load_settings(hub.config)).journals()
    deadline = time.monotonic() + 60
    while sum(counts["received"] for _, _, counts in journal.accounts(0)) < messages:
        assert time.monotonic() < deadline, hub.tail()
        time.sleep(0.1)
    journal.close()


@pytest.mark.server
def test_a_running_hub_repairs_by_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingest is killed between store and journal under `cityhub run`, starts again, and mends its own books."""
    monkeypatch.setenv("CITYHUB_FAIL_AT", "stored:2")
    with running_hub(tmp_path, "publish = false\n") as hub:  # or what the hub hears of itself counts as a batch
        hub.command("device", "add", "air-1", "--place", "havirov/mesto/air-1")
        for number, (topic, payload) in enumerate(messages(0, 2, ["air-1"]), start=1):
            hub.command("publish", topic, payload)
            wait_for_accounts(hub, number)
        found = json.loads(hub.command("reconcile", "--json").stdout)
        assert [(one["device"], one["kind"], one["readings"]) for one in found["repaired"]] == [
            ("air-1", "duplicate", 2)
        ]
        assert (found["totals"]["stored"], found["totals"]["duplicate"]) == (4, 0)
