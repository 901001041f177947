# SPDX-License-Identifier: EUPL-1.2
"""`cityhub quarantine ...` on real journals and a real ledger; orders are carried out as ingest does it."""

import asyncio
import json
import threading
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.commands.quarantine import redrive, selection
from hub.core.journal import JournalBatch, Quarantined
from hub.core.ports import PartHealth
from hub.datadir import DataDir, Endpoints
from hub.ingest.journal import SqliteJournal
from hub.ingest.orders import order_of, purge
from hub.ingest.shards import joined
from hub.settings import load_settings
from hub.status import last_word
from hub.storage.ledger import Ledger, sqlite_url
from tests.ingest.conftest import NOW
from tests.ingest.test_quota import row

MINUTE = 60_000_000_000


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with five messages set aside in two journals."""
    rows = [
        row("new-1", payload=b'{"readings": {"pm10": 1}}', topic="devices/new-1/readings"),
        row("new-1", "malformed", payload=b"\xff\x00 binary", topic="devices/new-1/readings"),
        row("new-2", payload=b"\x1b[31mred", topic="other/topic"),
        row("", "conflict", device="air-1", scope="reading", conflicts=2, payload=b"{}"),
    ]
    with Ledger(sqlite_url(tmp_path / "ledger.db")) as ledger:
        ledger.upgrade()
    write(tmp_path, 0, [replace(found, received=NOW + i * MINUTE) for i, found in enumerate(rows)])
    write(tmp_path, 1, [row("new-9", payload=b"of shard 1", received=NOW + 9 * MINUTE)])
    return tmp_path


def write(data: Path, shard: int, rows: list[Quarantined]) -> None:
    async def work() -> None:
        journal = SqliteJournal(data / f"ingest-{shard}.db")
        await journal.commit(JournalBatch(quarantined=rows))
        await journal.close()

    asyncio.run(work())


def run(data: Path, *arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, ["quarantine", *arguments, "--data", str(data)], input=answer)


def said(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def pending(data: Path) -> list[tuple[str, dict[str, object]]]:
    with Ledger(sqlite_url(data / "ledger.db")) as ledger:
        return [(order.kind, dict(order.arguments)) for order in ledger.commands.pending()]


def obey(data: Path) -> list[object]:
    """What ingest's workers do with the purges that wait."""

    async def work(shard: int, arguments: dict[str, object]) -> object:
        journal = SqliteJournal(data / f"ingest-{shard}.db")
        result = await purge(journal, order_of(arguments, lambda _, name: name), NOW)
        await journal.close()
        return result["purged"]

    return [asyncio.run(work(int(str(order["shard"])), order)) for _, order in pending(data)]


SHARD_1 = "1-1"
LISTS = [
    ([], [SHARD_1, "0-4", "0-3", "0-2", "0-1"]),
    (["--reason", "malformed"], ["0-2"]),
    (["--external-id", "new-1"], ["0-2", "0-1"]),
    (["--device", "air-1"], ["0-4"]),
    (["--topic", "devices/#"], ["0-2", "0-1"]),
    (["--since", "2026-11-23T12:02:00Z", "--until", "2026-11-23T12:09:00Z"], ["0-4", "0-3"]),
    (["--connector", "native", "--limit", "1"], [SHARD_1]),
    (["--state", "purged"], []),
    (["--state", "all"], [SHARD_1, "0-4", "0-3", "0-2", "0-1"]),
]


@pytest.mark.parametrize(("options", "ids"), LISTS, ids=[" ".join(options) or "all" for options, _ in LISTS])
def test_filters_of_the_list_over_all_journals(data: Path, options: list[str], ids: list[str]) -> None:
    assert [found["id"] for found in json.loads(said(run(data, "list", "--json", *options)))] == ids


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("1", ["unknown_device: New device", "Register the device", '{"readings": {"pm10": 1}}', "quarantined"]),
        ("0-2", ["payload, 9 bytes, in hexadecimal", "ff0020"]),
        ("0-3", ["in hexadecimal", "1b5b3331"]),
        ("4", ["decoded, with 2 readings in conflict and 0 rejected", "air-1"]),
        (SHARD_1, ["of shard 1", "new-9"]),
        (str(joined(1, 1)), ["1-1", "new-9"]),
    ],
)
def test_a_message_is_shown_with_everything_that_is_known(data: Path, message: str, words: list[str]) -> None:
    shown = said(run(data, "show", message))
    assert [word for word in words if word not in shown.replace(" ", "") and word not in shown] == []
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["show", "77"], "no message 0-77; see"),
        (["show", "5-1"], "there is no journal 5"),
        (["show", str(joined(5, 1))], "there is no journal 5"),
        (["show", "0-1234567890123"], "no message such as 0-17"),
        (["redrive", "--id", "one"], "'one' is no message such as 0-17"),
        (["list", "--reason", "bored"], "no reason 'bored'; there are unknown_device"),
        (["list", "--state", "gone"], "no state 'gone'; there are waiting"),
        (["list", "--since", "yesterday"], "'yesterday' is no time such as"),
        (["purge", "--why", "x", "--yes"], "name at least one filter or --id"),
        (["purge", "--why", " ", "--reason", "malformed", "--yes"], "say why"),
        (["purge", "--why", "x", "--external-id", "nobody", "--yes"], "no message matches"),
        (["ignore", "pigeon", "x", "--why", "y"], "no connector 'pigeon'; there are"),
        (["unignore", "native", "x"], "no device 'x' of native is ignored"),
    ],
)
def test_what_cannot_be_meant_is_named_and_leaves_no_order(data: Path, arguments: list[str], error: str) -> None:
    result = run(data, *arguments)
    assert result.exit_code != 0
    assert error in f"{result.output}{result.exception}"
    assert pending(data) == []


def test_a_purge_asks_first_and_then_erases_in_every_journal(data: Path) -> None:
    options = ["purge", "--connector", "native", "--reason", "unknown_device", "--why", "test devices"]
    assert "Erase the payloads of 3 messages for good?" in said(run(data, *options, answer="n\n"))
    assert pending(data) == []
    said(run(data, *options, answer="y\n"))
    assert obey(data) == [2, 1]
    purged = json.loads(said(run(data, "list", "--state", "purged", "--json")))
    assert [(found["id"], found["payload"], found["why"]) for found in purged] == [
        (number, "", "test devices") for number in (SHARD_1, "0-3", "0-1")
    ]
    assert all(found["by"] for found in purged)
    assert "payload: erased, 25 bytes" in said(run(data, "show", "1"))


def test_orders_by_id_go_to_the_journals_that_have_them(data: Path) -> None:
    told = said(run(data, "redrive", "--id", "2", "--id", SHARD_1))
    assert "order 1 waits: the hub does not run" in told
    assert pending(data) == [
        ("redrive", {"shard": 0, "state": "waiting", "ids": [2]}),
        ("redrive", {"shard": 1, "state": "waiting", "ids": [1]}),
    ]


def test_an_export_has_every_byte_and_replaces_no_file(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "export.jsonl"
    assert "5 messages are in" in said(run(data, "export", "--to", str(target)))
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [(found["id"], found["encoding"]) for found in rows] == [
        ("0-1", "text"),
        ("0-2", "base64"),
        ("0-3", "text"),
        ("0-4", "text"),
        (SHARD_1, "text"),
    ]
    assert rows[1]["payload"] == "/wAgYmluYXJ5"
    assert "cannot be made: File exists" in str(run(data, "export", "--to", str(target)).exception)
    assert said(run(data, "export", "--id", "1")).count("\n") == 1


def test_a_device_is_ignored_listed_and_taken_off_again(data: Path) -> None:
    told = said(run(data, *IGNORE))
    assert told.startswith("new-1 of native is ignored from now on\norder 1 waits: the hub does not run")
    assert [kind for kind, _ in pending(data)] == ["redrive", "redrive"]
    [found] = json.loads(said(run(data, "ignored", "--json")))
    assert (found["connector"], found["external_id"], found["why"]) == ("native", "new-1", "the neighbour's")
    said(run(data, "unignore", "native", "new-1"))
    assert json.loads(said(run(data, "ignored", "--json"))) == []


def test_the_list_has_one_line_for_each_message(data: Path) -> None:
    write(data, 0, [row("new-7", payload=b"{}", topic="a/\x1b[31m/" + "long/" * 40, received=NOW + 99 * MINUTE)])
    lines = said(run(data, "list")).splitlines()
    assert lines[0].split() == ["id", "received", "state", "reason", "topic"]
    assert lines[1].startswith("0-5  2026-11-23T13:39:00  waiting  unknown_device  a/?[31m/long/")
    assert [line.split()[0] for line in lines[2:7]] == [SHARD_1, "0-4", "0-3", "0-2", "0-1"]
    assert lines[7:] == ["", "What is wrong and what to do: cityhub quarantine show ID"]
    assert "topic        a/?[31m/" in said(run(data, "show", "0-5"))
    assert said(run(data, "list", "--state", "purged")) == "Quarantine: none\n"


@pytest.mark.parametrize(("reason", "hint"), [("unknown_device", "It is gone"), ("too_large", "Send fewer readings")])
def test_what_was_refused_has_a_hint_of_its_own_and_stays_listed_so(data: Path, reason: str, hint: str) -> None:
    write(data, 0, [row("new-1", reason, state="refused", stands_for=89)])
    [sample] = json.loads(said(run(data, "list", "--state", "refused", "--json")))
    assert sample["hint"].startswith(hint)
    assert f"{reason} ×89" in said(run(data, "list", "--state", "refused"))
    told = said(run(data, "purge", "--state", "refused", "--reason", reason, "--why", "seen", "--yes"))
    assert "order 1 waits: the hub does not run" in told
    assert "what is purged stays listed with --state refused" in told
    assert obey(data) == [1, 0]
    assert [found["id"] for found in json.loads(said(run(data, "list", "--state", "refused", "--json")))] == ["0-5"]


def runs(data: Path) -> None:
    """A hub runs on this directory, as far as commands can tell."""
    endpoints = DataDir(data).run / "endpoints.json"
    endpoints.parent.mkdir(exist_ok=True)
    endpoints.write_bytes(msgspec.json.encode(Endpoints("127.0.0.1", 1, "http://127.0.0.1:1")))


def finish(data: Path, stop: threading.Event, results: list[dict[str, object]]) -> None:
    """Ingest: it answers orders as they come."""
    with Ledger(sqlite_url(data / "ledger.db")) as ledger:
        while results and not stop.wait(0.02):
            for order in ledger.commands.pending():
                ledger.commands.done(order.id, results.pop(0))


PURGE = ["purge", "--connector", "native", "--why", "test devices", "--yes"]
IGNORE = ["ignore", "native", "new-1", "--why", "the neighbour's"]
CAME_OF_IT: list[tuple[list[str], list[dict[str, object]], str]] = [
    (
        ["redrive"],
        [{"tried": 3, "redriven": 2, "waiting": 1, "ignored": 0}, {"tried": 1, "redriven": 0, "waiting": 1}],
        "4 messages tried, 2 taken in, 2 wait on\n",
    ),
    (["redrive"], [{"tried": 2, "redriven": 0, "waiting": 0, "ignored": 2}, {}], "0 wait on, 2 of ignored devices, "),
    (["redrive"], [{"error": "the disk is full"}, {}], "was refused: the disk is full"),
    (PURGE, [{"purged": 3}, {"purged": 1}], "the payloads of 4 messages are erased\n"),
    (PURGE, [{"purged": 3}, {"error": "the disk is full"}], "was refused: the disk is full"),
    (IGNORE, [{"tried": 2, "ignored": 2}, {"tried": 1, "ignored": 1}], "3 messages of it waited: dropped"),
    (IGNORE, [{"tried": 2, "ignored": 1, "waiting": 1}, {}], "1 wait on: they also speak for devices"),
]


@pytest.mark.parametrize(
    ("command", "results", "words"), CAME_OF_IT, ids=[f"{row[0][0]}: {row[2].strip()}" for row in CAME_OF_IT]
)
def test_an_order_tells_what_came_of_it(
    data: Path, command: list[str], results: list[dict[str, object]], words: str
) -> None:
    runs(data)
    stop = threading.Event()
    ingest = threading.Thread(target=finish, args=(data, stop, list(results)))
    ingest.start()
    result = run(data, *command)
    stop.set()
    ingest.join()
    assert words in f"{result.output}{result.exception}"


def test_a_redrive_that_takes_long_says_what_it_waits_for(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs(data)
    store = PartHealth("ingest", False, "waits, nothing is lost: InfluxDB is away")
    last_word(DataDir(data).status("ingest-0"), 1, store)
    redrive(load_settings(None, data=data), selection(ids=["0-1"]), seconds=0.1)
    told = capsys.readouterr().out
    assert told.startswith("order 1 waits: ingest: ")
    assert told.endswith("InfluxDB is away\n")
