# SPDX-License-Identifier: EUPL-1.2
"""The login that the demo prints."""

from pathlib import Path

from hub.app import Parts
from hub.commands.people import FIRST, demo_administrator
from hub.commands.run import prepare
from hub.settings import load_settings


def test_it_works_at_every_start_until_another_password_is_chosen(tmp_path: Path) -> None:
    """The same password is told again; its file is for its owner alone; a password of one's own is never told."""
    parts = Parts(load_settings(data=tmp_path / "demo"))
    parts.data.open("demo")
    prepare(parts)
    file = parts.data.root / "admin.password"
    with parts.ledger().open() as ledger:
        told = demo_administrator(parts, ledger)
        assert demo_administrator(parts, ledger) == told
        person = ledger.people.verify(FIRST, told.rpartition(" ")[2])
        assert person is not None
        assert not person.must_change
        assert file.stat().st_mode & 0o077 == 0
        ledger.people.set_password(FIRST, "modrá lavička u řeky", by=FIRST)
        assert "chosen" in demo_administrator(parts, ledger)
