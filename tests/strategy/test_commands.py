# SPDX-License-Identifier: EUPL-1.2
"""`cityhub strategies ...` on a real ledger."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.core.errors import Invalid
from hub.devices.city import load_city
from hub.storage.ledger import Ledger, sqlite_url
from hub.strategy.documents import write_yaml
from tests.strategy.town import strategy, target

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command on a hub that has only its places; errors of the hub go through."""
    with Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade() as ledger:
        ledger.devices.put_places(load_city(None).places)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(
            app, ["strategies", *arguments, "--data", str(tmp_path)], catch_exceptions=False, env={"COLUMNS": "200"}
        )

    return command


def test_a_plan_goes_in_after_a_look_and_comes_out_as_it_went_in(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(write_yaml(strategy(target(indicator="pm10_year_mean_city"))))
    assert "plan: would be revision 1" in run("import", str(file), "--dry-run").output
    assert json.loads(run("list", "--json").output) == []
    assert "plan: is now revision 1" in run("import", str(file), "--by", "dana", "--reason", "adopted").output
    assert "plan: unchanged, revision 1" in run("import", str(file)).output
    assert run("export", "plan").output == file.read_text()
    shown = json.loads(run("show", "plan", "--json").output)
    assert (shown["made_by"], shown["reason"], len(shown["revisions"])) == ("dana", "adopted", 1)


def test_one_wrong_file_keeps_all_out_and_is_named(run: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(write_yaml(strategy(target(indicator="pm10_year_mean_city"))))
    bad.write_text(write_yaml(strategy(target(indicator="pm10_year_means"), id="other")))
    with pytest.raises(Invalid, match=r"bad\.yaml: areas\[0\]\.goals\[0\]\.targets\[0\]\.indicator: no indicator"):
        run("import", str(good), str(bad))
    assert json.loads(run("list", "--json").output) == []


def test_the_catalogue_has_no_official_target_and_so_no_percentage(run: Run) -> None:
    run("load-catalogue")
    words = run("fulfilment", "vize-2020-plus").output
    assert words.startswith("Vize města 2020+ (running): no official targets\n")
    assert "%," not in words.splitlines()[0]
    body = json.loads(run("fulfilment", "--json", "--as-of", "2026-01-01").output)
    assert {item["rollup"]["answer"] for item in body["items"]} == {"no official targets"}
    assert all(f["illustrative"] for item in body["items"] for f in item["targets"])
    ended = {item["strategy"] for item in body["items"] if item["phase"] == "ended"}
    assert ended == {"rozvoj-2012-2020", "socialni-sluzby-2020-2024", "sport-2018-2025"}
    assert json.loads(run("coverage", "--json").output)["all"]["measured"] == 0
