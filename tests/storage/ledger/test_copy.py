# SPDX-License-Identifier: EUPL-1.2
"""A ledger held at one moment, copied into a file, and taken into another database."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.core.errors import Stop
from hub.storage.ledger import HeldLedger, Ledger, sqlite_url, take_in
from tests.storage.ledger.releases import expected_contents, load_release, release_files, write_contents


def test_a_copy_is_the_ledger_of_the_moment_at_which_it_was_held(
    url: str, open_ledger: Callable[..., Ledger], tmp_path: Path
) -> None:
    ledger = open_ledger()
    write_contents(ledger)
    wanted = expected_contents(ledger)
    with HeldLedger(url) as held:
        write_contents(ledger, place="havirov/later", device="later")
        held.copy(tmp_path / "copy.db")
    with Ledger(sqlite_url(tmp_path / "copy.db")).open() as copy:
        assert expected_contents(copy) == wanted


def test_a_copy_fills_an_empty_ledger_that_goes_on_numbering(
    empty_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    """From SQLite to SQLite and to PostgreSQL, whose sequences have to know what was used."""
    file = tmp_path / "source.db"
    file.write_bytes(sqlite_template.read_bytes())
    with Ledger(sqlite_url(file)).open() as source:
        write_contents(source)
        wanted = expected_contents(source)
    take_in(file, empty_url)
    with Ledger(empty_url).open() as restored:
        assert expected_contents(restored) == wanted
        write_contents(restored, place="havirov/later", device="later")
    with pytest.raises(Stop, match="empty database"):
        take_in(file, empty_url)


def test_a_copy_of_an_earlier_release_is_brought_to_this_one(empty_url: str, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    load_release(release_files()[0], file)
    take_in(file, empty_url)
    with Ledger(empty_url).open() as restored:
        assert restored.devices.snapshot().devices
