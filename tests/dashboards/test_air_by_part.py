# SPDX-License-Identifier: EUPL-1.2
"""The dashboard: its committed JSON, and every query of it against a real InfluxDB filled by the hub's own sink."""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from dashboards import build
from dashboards._influxql import states
from hub.core.indicators import IndicatorValue, Status
from hub.core.places import Place, PlaceKind
from hub.core.ports import ValueQuery
from hub.core.readings import Origin
from hub.core.windows import HOUR, parse_instant
from hub.devices.city import load_city
from hub.storage import InfluxSettings
from hub.storage.indicators_influx import InfluxIndicatorSink
from hub.storage.ledger import Ledger, sqlite_url
from tests.dashboards.grafana import as_regex, interpolate
from tests.influx_servers import DatabaseServer, influxd

JSON = build.FOLDER / "air-by-part.json"
BOARD: Mapping[str, Any] = json.loads(JSON.read_text("utf-8"))
PANELS: Mapping[str, Any] = {panel["title"]: panel for panel in BOARD["panels"]}
FROM = parse_instant("2026-11-22T00:00:00Z")
TO = FROM + 72 * HOUR
CITY = load_city()
PARTS = [place for place in CITY.places if place.kind is PlaceKind.PART]
SITES = [f"{part.id}/station" for part in PARTS]


def test_committed_json_is_what_the_code_makes() -> None:
    assert build.main(["--check"]) == 0, "run python -m dashboards.build"


def test_check_names_every_file_that_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "air-by-part.json").write_text("{}")
    (tmp_path / "left-over.json").write_text("{}")
    assert build.main(["--check", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "air-by-part.json" in said
    assert "left-over.json" in said


def test_built_files_pass_their_own_check(tmp_path: Path) -> None:
    assert build.main(["--out", str(tmp_path / "new")]) == 0
    assert build.main(["--check", "--out", str(tmp_path / "new")]) == 0


def test_no_file_mentions_a_data_source_that_is_not_provisioned() -> None:
    provisioned = (build.FOLDER.parent / "provisioning" / "datasources" / "influxdb.yaml").read_text("utf-8")
    used = set(re.findall(r'"uid": "([^"]+)"', JSON.read_text("utf-8"))) - {BOARD["uid"]}
    assert used
    assert all(f"uid: {uid}" in provisioned for uid in used)


@pytest.mark.parametrize("title", PANELS)
def test_panels_have_a_czech_title_and_an_english_description(title: str) -> None:
    assert PANELS[title]["description"].isascii()
    assert re.search(r"[áčďéěíňóřšťúůýž]", title.lower()), title


def test_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in PANELS.values():
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.mark.parametrize("title", PANELS)
def test_values_are_read_from_valid_windows_only_and_never_grouped_by_time(title: str) -> None:
    for target in PANELS[title]["targets"]:
        columns = target["query"].split(" FROM ")[0]
        assert not re.search(r"GROUP BY time", target["query"])
        assert re.search(r'"(value|band|score)"', columns) is None or '"valid" = true' in target["query"]


def test_a_query_of_states_refuses_values() -> None:
    with pytest.raises(ValueError, match="value"):
        states(["status", "value"], "pm10_day_mean", "P1D", "site")


def test_a_regex_variable_is_escaped_as_grafana_does() -> None:
    assert as_regex(["havirov/mesto"]) == r"havirov\/mesto"
    assert as_regex(["a/b", "a.c"]) == r"(a\/b|a\.c)"


class Filled(NamedTuple):
    """A server that holds what the ledger holds."""

    server: DatabaseServer
    database: str
    ledger: Ledger

    def ask(self, query: str, **chosen: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a query as Grafana would send it."""
        variables = {"part": [part.id for part in PARTS], "site": SITES} | chosen
        return self.server.query(self.database, interpolate(query, variables, FROM, TO))

    def panel(self, title: str, **chosen: Sequence[str]) -> list[dict[str, Any]]:
        """Rows of a panel."""
        (target,) = PANELS[title]["targets"]
        return self.ask(target["query"], **chosen)

    def truth(self, indicator: str) -> Sequence[IndicatorValue]:
        """What the API returns for the dashboard's time."""
        return self.ledger.values.values(ValueQuery(indicator=indicator, start=FROM, end=TO))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    """One influxd for the module."""
    with influxd(tmp_path_factory.mktemp("influxd")) as running:
        yield running


@pytest.fixture
async def filled(server: DatabaseServer, tmp_path: Path) -> AsyncIterator[Filled]:
    """Two days of eight parts: every change goes to the ledger first, then through the sink, as in the hub."""
    ledger = Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade()
    sites = [Place(id=site, kind=PlaceKind.SITE, title={"cs": "Stanice", "en": "Station"}) for site in SITES]
    ledger.devices.put_places([*CITY.places, *sites])
    database = f"d{tmp_path.name[-12:]}"
    sink = InfluxIndicatorSink(_settings(server, database))
    for values in _history():
        stored = ledger.values.commit([(value, value.end + 2 * HOUR) for value in values], {})
        await sink.write(stored, ledger.devices.snapshot())
    yield Filled(server, database, ledger)
    await sink.close()
    ledger.close()


def _settings(server: DatabaseServer, database: str) -> InfluxSettings:
    return InfluxSettings(url=server.url, version="1", database=database)


def _history() -> Iterator[Sequence[IndicatorValue]]:
    """Provisional, then final; one hour becomes insufficient, one loses its coverage, one day is revised."""
    hours = [_hour(part, number) for part in PARTS for number in range(72)]
    yield hours
    final = [structs.replace(v, status=Status.FINAL, revision=1, closed=True) for v in hours if v.start < TO - 3 * HOUR]
    yield final
    gone = {"value": None, "band": None, "status": Status.INSUFFICIENT, "reason": "no valid reading", "revision": 2}
    yield [structs.replace(final[0], coverage=0.0, **gone), structs.replace(final[50], coverage=None, revision=2)]
    days = [_day(site, number) for site in SITES for number in range(2)]
    yield days
    yield [structs.replace(days[0], value=61.7, revision=2, cause="late readings"), structs.replace(days[1], **gone)]


def _hour(part: Place, number: int) -> IndicatorValue:
    band = 1 + (number + PARTS.index(part)) % 6
    return IndicatorValue(
        indicator="eaqi_2024_district",
        place=part.id,
        start=FROM + number * HOUR,
        end=FROM + (number + 1) * HOUR,
        period="PT1H",
        value=float(band),
        band=band,
        unit="1",
        status=Status.PROVISIONAL,
        definition_version=1,
        coverage=0.5 + number / 200,
        lower_bound=number % 2 == 1,
        origin=Origin.SIMULATED if part.id == "havirov/sumbark" else Origin.MEASURED,
    )


def _day(site: str, number: int) -> IndicatorValue:
    start = parse_instant("2026-11-22T23:00:00Z") + number * 24 * HOUR
    return IndicatorValue(
        indicator="pm10_day_mean",
        place=site,
        start=start,
        end=start + 24 * HOUR,
        period="P1D",
        value=20.5 + number + SITES.index(site),
        unit="ug/m3",
        status=Status.FINAL,
        definition_version=1,
        coverage=1.0,
        revision=1,
        closed=True,
    )


def _pairs(rows: Sequence[Mapping[str, Any]], field: str) -> set[tuple[str, int, Any]]:
    return {(row["place"], int(row["time"]), row[field]) for row in rows}


@pytest.mark.server
async def test_index_timeline_shows_the_ledgers_valid_bands_and_no_others(filled: Filled) -> None:
    truth = {(v.place, v.start, v.band) for v in filled.truth("eaqi_2024_district") if v.value is not None}
    assert len(truth) == 8 * 72 - 1
    assert _pairs(filled.panel("Evropský index kvality ovzduší po hodinách (EAQI 2024)"), "band") == truth


@pytest.mark.server
async def test_status_timeline_shows_every_window_also_the_one_without_value(filled: Filled) -> None:
    truth = {(v.place, v.start, v.status.value) for v in filled.truth("eaqi_2024_district")}
    assert {status for _, _, status in truth} == {"provisional", "final", "insufficient_data"}
    assert _pairs(filled.panel("Stav hodnot po hodinách"), "status") == truth


@pytest.mark.server
async def test_daily_dust_shows_the_revised_value_and_not_the_withdrawn_one(filled: Filled) -> None:
    truth = {(v.place, v.start, v.value) for v in filled.truth("pm10_day_mean") if v.value is not None}
    assert 61.7 in {value for _, _, value in truth}
    assert _pairs(filled.panel("PM10: denní průměr podle stanovišť"), "value") == truth


@pytest.mark.server
@pytest.mark.parametrize(
    ("title", "indicator"),
    [("Pokrytí indexu podle částí", "eaqi_2024_district"), ("Pokrytí denního průměru PM10", "pm10_day_mean")],
)
async def test_coverage_is_the_ledgers_and_missing_where_it_is_unknown(
    filled: Filled, title: str, indicator: str
) -> None:
    truth = {(v.place, v.start, v.coverage) for v in filled.truth(indicator) if v.coverage is not None}
    assert _pairs(filled.panel(title), "coverage") == truth


@pytest.mark.server
async def test_table_has_the_newest_valid_hour_of_each_part_with_all_that_belongs_to_it(filled: Filled) -> None:
    rows = filled.panel("Poslední platná hodnota každé části")
    newest = {v.place: v for v in filled.truth("eaqi_2024_district") if v.value is not None}
    assert len(rows) == len(newest) == 8
    for row in rows:
        v, title = newest[row["place"]], next(p.title["cs"] for p in PARTS if p.id == row["place"])
        shown = (row["time"], row["value"], row["band"], row["coverage"], row["status"], row["revision"], row["origin"])
        assert shown == (v.start, v.value, v.band, v.coverage, v.status.value, v.revision, v.origin.word)
        assert row["place_name"] == title


@pytest.mark.server
async def test_table_says_which_values_are_lower_bounds(filled: Filled) -> None:
    rows = filled.panel("Poslední platná hodnota každé části")
    newest = {v.place: v for v in filled.truth("eaqi_2024_district") if v.value is not None}
    assert {row["place"]: row["lower_bound"] for row in rows} == {p: v.lower_bound for p, v in newest.items()}


@pytest.mark.server
async def test_simulated_values_are_counted_where_a_simulated_part_is_shown(filled: Filled) -> None:
    (title,) = [title for title in PANELS if title.startswith("SIMULACE")]
    (row,) = filled.panel(title)
    assert row["count"] == sum(v.origin is Origin.SIMULATED for v in filled.truth("eaqi_2024_district"))
    assert filled.panel(title, part=["havirov/podlesi"]) == []


@pytest.mark.server
async def test_a_chosen_part_filters_every_panel_of_parts(filled: Filled) -> None:
    for title, panel in PANELS.items():
        if "${part" in panel["targets"][0]["query"] and not title.startswith("SIMULACE"):
            assert {row["place"] for row in filled.panel(title, part=["havirov/podlesi"])} == {"havirov/podlesi"}


@pytest.mark.server
async def test_the_variable_site_offers_the_sites_of_the_chosen_parts(filled: Filled) -> None:
    (site,) = [v for v in BOARD["templating"]["list"] if v["name"] == "site"]
    every = {row["value"] for row in filled.ask(site["query"])}
    one = {row["value"] for row in filled.ask(site["query"], part=["havirov/podlesi"])}
    assert (every, one) == (set(SITES), {"havirov/podlesi/station"})


def test_the_variable_part_offers_every_part_by_name() -> None:
    (part,) = [v for v in BOARD["templating"]["list"] if v["name"] == "part"]
    offered = dict(entry.split(" : ") for entry in part["query"].split(", "))
    assert offered == {place.title["cs"]: place.id for place in PARTS}


def test_every_query_of_the_dashboard_is_among_those_tried_above() -> None:
    """A new panel needs a test against InfluxDB: the number here is that of the panels tested."""
    assert len(PANELS) == 7
