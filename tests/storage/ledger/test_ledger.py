# SPDX-License-Identifier: EUPL-1.2
"""The ledger as a whole."""

from pathlib import Path

import pytest

from hub.core.errors import Retry, Stop
from hub.core.ports import CommandQueue, DeviceBook, KeyRing, Registry, ValueLedger
from hub.storage.ledger import Ledger, sqlite_url
from tests.servers import free_port


def test_its_parts_are_what_the_ports_ask_for(ledger: Ledger) -> None:
    """The type checker looks at the signatures, because the parts inherit from the Protocols."""
    book: DeviceBook = ledger.devices
    registry: Registry = ledger.devices
    values: ValueLedger = ledger.values
    keys: KeyRing = ledger.keys
    commands: CommandQueue = ledger.commands
    assert (book.version(), registry.snapshot().version, values.cursor("x")) == (0, 0, 0)
    assert (list(keys.keys()), list(commands.pending())) == ([], [])


def test_making_one_touches_nothing(tmp_path: Path) -> None:
    with Ledger(sqlite_url(tmp_path / "ledger.db")):
        assert list(tmp_path.iterdir()) == []


def test_a_closed_sqlite_ledger_is_one_file(tmp_path: Path) -> None:
    with Ledger(sqlite_url(tmp_path / "ledger.db")) as ledger:
        ledger.upgrade().open()
    assert [path.name for path in tmp_path.iterdir()] == ["ledger.db"]


def test_it_can_be_used_again_after_it_was_closed(ledger: Ledger) -> None:
    ledger.close()
    assert ledger.devices.version() == 0


def test_its_check_says_what_works(ledger: Ledger) -> None:
    health = ledger.check()
    assert health.ok
    assert health.detail == f"{ledger.name}, schema 0004, registry version 0"


def test_its_check_says_what_does_not_work_and_what_to_do(tmp_path: Path) -> None:
    with Ledger(sqlite_url(tmp_path / "none.db")) as ledger:
        health = ledger.check()
    assert not health.ok
    assert "none.db does not exist yet: run `cityhub init`" in health.detail
    assert "ledger.url" in health.hint


def test_its_name_has_no_password() -> None:
    with Ledger("postgresql://hub:secret@db.example/cityhub") as ledger:
        assert ledger.name == "postgresql://hub:***@db.example/cityhub"


def test_only_a_server_has_a_clock_of_its_own(ledger: Ledger, backend: str) -> None:
    first, second = ledger.clock_ns(), ledger.clock_ns()
    if backend == "sqlite":
        assert (first, second) == (None, None)
    else:
        assert first is not None
        assert second is not None
        assert second >= first > 1_700_000_000_000_000_000


@pytest.mark.parametrize("act", ["open", "upgrade"])
def test_a_server_that_is_away_asks_to_try_again(act: str) -> None:
    with Ledger(f"postgresql://hub@127.0.0.1:{free_port()}/x") as ledger, pytest.raises(Retry):
        getattr(ledger, act)()


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    with Ledger(sqlite_url(tmp_path)) as ledger, pytest.raises(Stop, match="cannot be opened"):
        ledger.open()
