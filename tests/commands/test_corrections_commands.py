# SPDX-License-Identifier: EUPL-1.2
"""`cityhub corrections ...` and `cityhub indicators explain` on a real ledger and a real store."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.quantities import Quantities
from hub.core.readings import Grade, Reading
from hub.core.windows import HOUR, parse_instant
from hub.storage.ledger import Ledger, sqlite_url
from hub.storage.readings_sqlite import SqliteReadingStore

T0 = parse_instant("2026-11-20T10:00:00Z")
SITE = "havirov/mesto/thara"
BAG = ["--action", "exclude", "--from", "2026-11-20T10:00:00Z", "--to", "2026-11-20T11:00:00Z", "--quantity", "pm10"]
SIGNED = ["--reason", "sensor was in a bag", "--by", "Jana"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a device, four readings of it, and a figure with a revision."""
    ids = ("havirov", "havirov/mesto", SITE)
    kinds = (PlaceKind.MUNICIPALITY, PlaceKind.PART, PlaceKind.SITE)
    places = [Place(id=i, kind=k, title={"cs": i, "en": i}) for i, k in zip(ids, kinds, strict=True)]
    with Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade() as ledger:
        ledger.devices.put_places(places)
        stood = (Mounting(SITE, 0),)
        ledger.devices.add_device(
            Device(id="d1", connector="native", external_id="d1", interval=900, grade=Grade.REFERENCE, mountings=stood)
        )
        for revision, number in ((1, 2.0), (2, 3.0)):
            ledger.values.commit([(figure(number, revision), T0)], {})
    asyncio.run(_store(tmp_path))
    return tmp_path


def figure(number: float, revision: int) -> IndicatorValue:
    return IndicatorValue(
        indicator="eaqi_2024", place=SITE, start=T0, end=T0 + HOUR, period="PT1H", value=number, unit="1",
        status=Status.FINAL, definition_version=1, n_valid=4, n_expected=4, coverage=1.0, revision=revision,
        closed=True, computed_at=T0 + revision * 3 * HOUR, cause=f"late readings {revision}" if revision > 1 else None,
    )  # fmt: skip


async def _store(folder: Path) -> None:
    store = SqliteReadingStore(folder / "readings.db", Quantities.load())
    await store.put([Reading("d1", "pm10", 30.0 + i, T0 + i * HOUR // 4) for i in range(4)])
    await store.close()


def run(data: Path, *arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [*arguments, "--data", str(data)])


def said(data: Path, *arguments: str) -> Any:
    """What a command prints; JSON where it was asked for."""
    result = run(data, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout) if "--json" in arguments else result.stdout


def test_a_correction_is_looked_at_made_listed_and_withdrawn(data: Path) -> None:
    seen = said(data, "corrections", "preview", "d1", *BAG, "--json")
    assert (seen["what"], seen["readings"]) == ("exclude pm10 of d1", 4)
    assert {"eaqi_2024", "pm10_day_mean"} <= {row["indicator"] for row in seen["touched"]}
    assert said(data, "corrections", "list", "--json") == []
    assert "correction 1: exclude pm10 of d1" in said(data, "corrections", "add", "d1", *BAG, *SIGNED)
    assert "as if it had never been made" in said(data, "corrections", "withdraw", "1", *SIGNED)
    rows = said(data, "corrections", "list", "--device", "d1", "--json")
    assert [(row["id"], row["action"], row["by"], row["state"]) for row in rows] == [
        (1, "exclude", "Jana", "withdrawn by 2"),
        (2, "withdraw", "Jana", "withdrawal"),
    ]
    assert "exclude pm10 of d1" in said(data, "corrections", "list")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add", "d9", *BAG, *SIGNED], "no device 'd9' is registered"),
        (["add", "d1", *BAG[:-1], "pm100", *SIGNED], "unknown quantity 'pm100'"),
        (["add", "d1", *BAG, "--flag", "4", *SIGNED], "flag: exclude takes no flag"),
        (["add", "d1", *BAG, "--reason", " ", "--by", "Jana"], "reason: must not be empty"),
        (["withdraw", "7", *SIGNED], "there is no correction 7"),
        (["list", "--device", "d9"], "no device 'd9' is registered"),
        (["preview", "d9", *BAG], "no device 'd9' is registered"),
        (["preview", "d1", *BAG[:4], "--to", "2026-11-19"], "to: must be after `from`"),
    ],
)
def test_what_makes_no_sense_names_the_culprit(data: Path, arguments: list[str], words: str) -> None:
    assert words in str(run(data, "corrections", *arguments).exception)
    assert said(data, "corrections", "list", "--json") == []


def test_explain_leads_from_the_figure_to_its_readings(data: Path) -> None:
    said(data, "corrections", "add", "d1", *BAG, *SIGNED)
    shown = said(data, "indicators", "explain", "eaqi_2024", SITE, "2026-11-20T10:00:00Z")
    for words in ("late readings 2", "reference", "exclude pm10 of d1", "after: "):
        assert words in shown


def test_explain_as_of_a_moment_tells_what_was_published_then(data: Path) -> None:
    then = said(data, "indicators", "explain", "eaqi_2024", SITE, "--as-of", "2026-11-20T14:00:00Z", "--json")
    assert (then["value"]["value"], then["value"]["revision"]) == (2.0, 1)
    assert [(r["device"], r["n_stored"], r["n_removed"]) for r in then["readings"]] == [("d1", 4, 0)]
