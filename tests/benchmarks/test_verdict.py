# SPDX-License-Identifier: EUPL-1.2
"""The torture run's judges see what is wrong, and its plan kills as the issue asks."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from benchmarks import kills, verdict
from benchmarks.load import QUANTITIES, device_id
from benchmarks.numbered import Numbered
from benchmarks.verdict import Books
from benchmarks.victims import SCENES
from hub.core.journal import Touch
from hub.core.readings import Columns, Series
from tests.servers import mosquitto_server, running

LOAD = Numbered.ending(25, 10, 3, 1_700_000_000)
NAMES = [name for name, *_ in QUANTITIES]
ALL = np.ones(25, dtype=np.bool_)
SOUND = Books(received=10, decoded=10, other=0, readings=50, stored=45, duplicate=5, wrong=0)


def _columns(rows: Sequence[tuple[str, int, float]]) -> Columns:
    """Rows of device 4 as the store gives them: quantity, time (ns), value."""
    series = [Series(device_id(4), name) for name in NAMES]
    index = [NAMES.index(name) for name, _, _ in rows]
    ones = np.ones(len(rows), dtype=np.uint8)
    times = np.array([time for _, time, _ in rows], dtype=np.int64)
    values = np.array([value for *_, value in rows])
    return Columns(series, np.array(index, dtype=np.int32), times, values, ones, ones)


def _sent_by(device: int) -> list[tuple[str, int, float]]:
    rows = []
    for number in range(device, LOAD.messages, LOAD.devices):
        time = (LOAD.start + number // LOAD.devices * 60) * 1_000_000_000
        payload = json.loads(LOAD.message(number).payload)
        rows += [(name, time, value) for name, value in payload["readings"].items()]
    return sorted(rows, key=lambda row: row[1])


def test_what_was_sent_is_what_is_expected() -> None:
    """The payloads, taken back, are without fault."""
    assert verdict.compare(LOAD, ALL, 4, _columns(_sent_by(4))) == (0, 0, 0)


def test_lost_wrong_and_foreign_readings_are_counted() -> None:
    """One reading missing, one changed in its last digit, one of a time at which nobody sent."""
    rows = _sent_by(4)
    missing, changed, *others = rows
    assert missing[0] != changed[0]
    found = [(changed[0], changed[1], changed[2] + 0.01), ("pm10", changed[1] + 1, 5.0), *others]
    assert verdict.compare(LOAD, ALL, 4, _columns(found)) == (1, 1, 1)


def test_a_message_that_was_not_confirmed_is_not_lost() -> None:
    """The promise begins with the PUBACK."""
    assert verdict.compare(LOAD, np.zeros(25, dtype=np.bool_), 4, _columns([])) == (0, 0, 0)


def test_ledgers_say_what_was_confirmed(tmp_path: Path) -> None:
    """Numbers of several files; one written twice counts once."""
    for name, numbers in (("a", [3, 1]), ("b", [1, 24])):
        (tmp_path / name).write_bytes(np.array(numbers, dtype="<u4").tobytes())
    found = verdict.confirmed([tmp_path / "a", tmp_path / "b"], 25)
    assert list(np.flatnonzero(found)) == [1, 3, 24]


def test_a_window_without_touch_is_seen() -> None:
    """Every (device, quantity, hour) with readings has to be in the touch log."""
    touches = {
        Touch(device_id(device), name, hour) for device in range(10) for name in NAMES for hour in LOAD.hours(device)
    }
    assert verdict.untouched(LOAD, touches) == 0
    assert verdict.untouched(LOAD, touches - {next(iter(touches))}) == 1


@pytest.mark.parametrize(
    ("found", "off"),
    [
        (SOUND, 0),
        (replace(SOUND, received=12), 2),
        (replace(SOUND, duplicate=4), 1),
        (replace(SOUND, decoded=9, other=1), 1),
        (replace(SOUND, stored=44, wrong=1), 1),
    ],
)
def test_books_that_do_not_balance_are_unaccounted(found: Books, off: int) -> None:
    """Nothing of a torture run may be set aside: all of it was good."""
    assert verdict.imbalance(found) == off


@pytest.mark.parametrize(("code", "out", "off"), [(0, '{"differences": []}', 0), (1, '{"differences": ["a", "b"]}', 2)])
def test_what_reconcile_cannot_explain_counts(code: int, out: str, off: int) -> None:
    """Its differences are taken as they are."""
    assert verdict.reconciled(subprocess.CompletedProcess([], code, out, ""))[0] == off


def test_a_reconcile_that_fails_is_no_proof() -> None:
    """Without an answer the run is not passed."""
    off, said = verdict.reconciled(subprocess.CompletedProcess([], 78, "", "no journal"))
    assert off == 1
    assert "no journal" in said["differences"][0]


@pytest.mark.parametrize("setup", list(SCENES))
def test_of_a_hundred_kills_thirty_are_between_durable_write_and_puback(setup: str) -> None:
    """And hub, server and the whole hub have their turn; the seed decides the order."""
    planned = kills.plan(setup, 1_000_000, 100, 7)
    counts = Counter(planned.kills)
    assert len(planned.kills) == 100
    assert sum(counts[point] for point in kills.DURABLE) >= 30
    assert min(counts["hub"], counts["noted"], counts["whole"], counts["broker"] + counts["database"]) >= 5
    assert planned == kills.plan(setup, 1_000_000, 100, 7)
    assert planned != kills.plan(setup, 1_000_000, 100, 8)


def test_a_result_leaves_the_rest_of_the_document_alone(tmp_path: Path) -> None:
    """Rates stand in the same file."""
    file = tmp_path / "latest.json"
    file.write_text('{"setups": {"embedded": 1}, "kills": {"embedded": 2}}')
    kills.keep(file, "mosquitto+influxdb", {"passed": True})
    assert json.loads(file.read_text()) == {
        "setups": {"embedded": 1},
        "kills": {"embedded": 2, "mosquitto+influxdb": {"passed": True}},
    }


@pytest.mark.server
def test_a_publisher_outlives_its_broker_and_has_every_confirmation_in_its_ledger(tmp_path: Path) -> None:
    """It waits while nobody listens, and sends what was not confirmed again."""
    load, ledger = Numbered.ending(3_000, 10, 1, 1_700_000_000), tmp_path / "ledger"
    with running(mosquitto_server(tmp_path, options={"log_type": "error"})) as broker:
        numbers = [broker.port, ledger, 3_000, 0, 1, 2, *load]
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.tenacious", *map(str, numbers)])
        try:
            while not (ledger.exists() and ledger.stat().st_size > 400):
                assert process.poll() is None
            broker.kill()
            broker.start()
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    assert sorted(np.fromfile(ledger, dtype="<u4")) == list(range(3_000))
