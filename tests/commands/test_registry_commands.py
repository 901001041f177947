# SPDX-License-Identifier: EUPL-1.2
"""`cityhub device|place|model ...` on a real ledger."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.core.places import Place, PlaceKind
from hub.devices.models import load_models
from hub.storage.ledger import Ledger, sqlite_url

CITY = "havirov"
TITLE = {"cs": "Havířov", "en": "Havířov"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A city with a part and nothing registered."""
    with Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade() as ledger:
        ledger.devices.put_places(
            [
                Place(id=CITY, kind=PlaceKind.MUNICIPALITY, title=TITLE, latitude=49.78, longitude=18.43),
                Place(id=f"{CITY}/mesto", kind=PlaceKind.PART, title=TITLE),
            ]
        )  # fmt: skip
    return tmp_path


def run(data: Path, *arguments: str, answer: str = "") -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "--data", str(data)], input=answer)


def done(data: Path, *arguments: str, answer: str = "") -> str:
    result = run(data, *arguments, answer=answer)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def shown(data: Path, device: str) -> Any:
    return json.loads(done(data, "device", "show", device, "--json"))


def test_a_device_is_added_changed_moved_replaced_and_retired(data: Path) -> None:
    model = next(m for m in load_models().values() if m.connector == "chirpstack" and m.interval)
    one = ("device", "add", "w1", "--place", f"{CITY}/mesto/cellar", "--model", model.id, "--external-id", "aa01")
    done(data, *one, "--tag", "roof", "--tag", "north", "--by", "Jana")
    listed = json.loads(done(data, "device", "list", "--json"))
    assert [(d["id"], d["connector"], d["interval"]) for d in listed] == [("w1", "chirpstack", model.interval)]
    done(data, "device", "change", "w1", "--title", "Cellar", "--tag", "")
    done(data, "device", "move", "w1", f"{CITY}/mesto", "--from", "2026-11-01T00:00:00Z", "--height", "2")
    swap = ("--reason", "broken", "--serial", "S2", "--at", "2026-11-02T00:00:00Z")
    done(data, "device", "replace", "w1", *swap, "--total", "water_volume=1523.4:0.4")
    done(data, "device", "note", "w1", "key at the porter's", "--by", "Jana")
    found = shown(data, "w1")
    assert (found["title"], found["tags"], found["place"], found["serial"]) == ("Cellar", [], f"{CITY}/mesto", "S2")
    assert found["hardware"][-1]["continued"] == {"water_volume": 1523.0}
    assert [(row["text"], row["by"]) for row in found["notes"]] == [("key at the porter's", "Jana")]
    assert run(data, "device", "retire", "w1", answer="n\n").exit_code == 1
    assert shown(data, "w1")["revision"] == found["revision"]
    done(data, "device", "retire", "w1", "--yes", "--why", "stolen")
    with Ledger(sqlite_url(data / "ledger.db")).open() as ledger:
        newest = ledger.audit.read(subject="w1", action="device.remove")[0]
    assert json.loads(done(data, "device", "list", "--json")) == []
    assert newest.detail["why"] == "stolen"


def test_places_come_change_and_go(data: Path) -> None:
    school = f"{CITY}/mesto/school"
    done(data, "place", "add", school, "--title", "Škola", "--latitude", "49.79", "--longitude", "18.43")
    done(data, "place", "change", school, "--title-en", "School")
    listed = json.loads(done(data, "place", "list", "--kind", "site", "--json"))
    assert [(row["id"], row["title"]) for row in listed] == [(school, "Škola")]
    done(data, "place", "remove", school, answer="y\n")
    assert json.loads(done(data, "place", "list", "--kind", "site", "--json")) == []


def test_models_are_listed_and_told_with_their_sources() -> None:
    runner = CliRunner(env={"COLUMNS": "200"})
    listed = json.loads(runner.invoke(app, ["model", "list", "--json"]).stdout)
    facts = json.loads(runner.invoke(app, ["model", "show", listed[0]["id"], "--json"]).stdout)
    assert {row["id"] for row in listed} == set(load_models())
    assert facts["id"] == listed[0]["id"]
    assert "no model" in str(runner.invoke(app, ["model", "show", "none"]).exception)


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (["device", "add", "a/b"], "no device id"),
        (["device", "add", "a\x07"], "no device id"),
        (["device", "add", "d1", "--connector", "none"], "there are"),
        (["device", "add", "d1", "--model", "none"], "cityhub model list"),
        (["device", "add", "d1", "--height", "2"], "give --place too"),
        (["device", "add", "d1", "--grade", "best"], "--grade"),
        (["device", "change", "none", "--title", "x"], "cityhub device list"),
        (["place", "add", f"{CITY}/mesto/x", "--latitude", "18.43", "--longitude", "49.78"], "swapped"),
        (["place", "add", f"{CITY}/mesto/x", "--latitude", "49.78"], "go together"),
        (["place", "add", f"{CITY}/mesto/x", "--kind", "planet"], "municipality"),
        (["place", "add", f"{CITY}/mesto"], "exists already"),
        (["place", "remove", CITY, "--yes"], "other places lie in it"),
    ],
)
def test_what_is_wrong_is_named_with_its_cure_and_nothing_is_written(data: Path, call: list[str], cure: str) -> None:
    result = run(data, *call)
    with Ledger(sqlite_url(data / "ledger.db")).open() as ledger:
        assert (dict(ledger.devices.snapshot().devices), len(ledger.devices.snapshot().places)) == ({}, 2)
    assert (result.exit_code, cure in str(result.exception)) == (1, True), result.exception
