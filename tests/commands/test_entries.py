# SPDX-License-Identifier: EUPL-1.2
"""`cityhub entries ...` on a real ledger with the packaged definitions."""

import getpass
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.core.errors import Invalid
from hub.devices.city import load_city
from hub.storage.ledger import Ledger, sqlite_url

FIGURE = ("--indicator", "life_expectancy", "--place", "havirov", "--period", "2024", "--source", "ČSÚ, table 4")
TABLE = "ukazatel;místo;období;hodnota;zdroj\nlife_expectancy;Havířov;2023;78,9;ČSÚ\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with the city's places."""
    with Ledger(sqlite_url(tmp_path / "ledger.db")) as ledger:
        ledger.upgrade().devices.put_places(load_city(None).places)
    return tmp_path


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["entries", *arguments, "--data", str(data)])


def said(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def test_a_figure_goes_its_way_and_the_audit_keeps_the_account(data: Path) -> None:
    said(run(data, "add", *FIGURE, "--value", "78.9", "--by", "Dana"))
    own = run(data, "approve", "1", "--by", "dana")
    assert isinstance(own.exception, Invalid)
    assert "is approved: the value follows" in said(run(data, "approve", "1", "--by", "Petr"))
    bare = run(data, "add", *FIGURE, "--value", "79", "--by", "Dana")
    assert str(bare.exception).startswith("--reason: 79 differs from the approved 78.9 (entry 1)")
    rows = json.loads(said(run(data, "list", "--state", "all", "--json")))
    assert [(row["id"], row["period"], row["state"], row["decided_by"]) for row in rows] == [
        (1, "2024", "approved", "Petr")
    ]
    with Ledger(sqlite_url(data / "ledger.db")) as ledger:
        note = ledger.audit.entries("approved", limit=1)[0]
    assert (note.actor, note.detail) == ("Petr", {"entries": [1], "account": getpass.getuser()})


def test_a_table_is_previewed_then_taken_in_all_or_nothing(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "figures.csv"
    file.write_text(TABLE + "life_expectancy;Havířov;2022;many;ČSÚ\n", encoding="utf-8")
    wrong = run(data, "import", str(file), "--by", "dana")
    assert str(wrong.exception).endswith("1 rows are refused; nothing is stored")
    assert "row 3, value: 'many' is no number: write it like 1234,5" in wrong.output
    file.write_text(TABLE, encoding="utf-8-sig")
    assert "a dry run: nothing is stored" in said(run(data, "import", str(file), "--by", "dana", "--dry-run"))
    stored = json.loads(said(run(data, "import", str(file), "--by", "dana", "--json")))
    assert (stored["stored"], stored["rows"][0]["outcome"], stored["rows"][0]["entry"]) == (True, "new", 1)
    assert "withdrawn" in said(run(data, "withdraw", "1", "--by", "dana", "--reason", "too early"))


def test_a_template_is_written_for_those_who_fill_it_in(data: Path, tmp_path: Path) -> None:
    to = tmp_path / "template.csv"
    said(run(data, "template", "life_expectancy", "--to", str(to), "--czech"))
    head, row = to.read_text(encoding="utf-8-sig").splitlines()
    assert head == "ukazatel;místo;období;hodnota;jednotka;zdroj;důvod;poznámka"
    assert row.startswith("Naděje dožití při narození;Havířov;20")


WRONG = {
    "no such state": (("list", "--state", "done"), "--state: 'done' is none of waiting, approved, rejected"),
    "no such file": (("import", "nowhere.csv", "--by", "x"), "file: nowhere.csv: No such file"),
    "no such entry": (("approve", "7", "--by", "x"), "id: no entry 7"),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_says_why(data: Path, arguments: tuple[str, ...], message: str) -> None:
    assert str(run(data, *arguments).exception).startswith(message)
