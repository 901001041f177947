# SPDX-License-Identifier: EUPL-1.2
"""Dashboard "Ovzduší podle částí města": index, status, coverage and dust of every part of the city.

Titles are Czech, descriptions English. A series carries its place's id as tag, and overrides made from the city's
configuration show the name instead. A window without a value leaves a gap: nothing is carried over it.
"""

from collections.abc import Mapping, Sequence

from dashboards._influxql import DATASOURCE, Query, known, newest, states, values
from dashboards._sdk import (
    CustomVariable,
    Dashboard,
    FieldColor,
    QueryVariable,
    ThresholdsConfig,
    common,
    stat,
    statetimeline,
    table,
    timeseries,
    widgets,
)
from dashboards._sdk import dashboard as models
from dashboards._words import ABSENT, LOWER_BOUND, ORIGIN, STATUS, bands, mapping, title_of
from hub.core.places import Place, PlaceKind
from hub.indicators.definition import Definition

UID = "cityhub-air-by-part"
INDEX = "eaqi_2024_district"
DUST = "pm10_day_mean"
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS

Panel = statetimeline.Panel | table.Panel | timeseries.Panel | stat.Panel


def build(places: Sequence[Place], definitions: Mapping[str, Definition], time_zone: str) -> Dashboard:
    """The dashboard for a city's places, in the city's time; the index's bands are those of its definition."""
    board = (
        Dashboard("Ovzduší podle částí města")
        .uid(UID)
        .description(
            "Air by part of the city: European Air Quality Index 2024 (worst site of each part), daily PM10 of the "
            "sites, with coverage and status. Values come from the hub's ledger; windows are the ledger's own."
        )
        .tags(["cityhub", "air"])
        .timezone(time_zone)
        .time("now-7d", "now")
        .refresh("5m")
        .readonly()
        .with_variable(_parts(places))
        .with_variable(_sites())
    )
    for panel, position in _panels(bands(definitions[INDEX])):
        board.with_panel(_named(panel, places).datasource(DATASOURCE).grid_pos(position))
    return board


def _parts(places: Sequence[Place]) -> CustomVariable:
    """The parts by name; a part without any value is offered too, so that its silence shows."""
    parts = [p for p in places if p.kind is PlaceKind.PART]
    return (
        CustomVariable("part")
        .label("Část města")
        .description("Part of the city")
        .values(", ".join(f"{p.title['cs'].replace(',', chr(92) + ',')} : {p.id}" for p in parts))
        .multi(True)
        .include_all(True)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _sites() -> QueryVariable:
    """Sites of the chosen parts that have daily values; the text is the last level of the id."""
    query = (
        f'SHOW TAG VALUES FROM "indicator" WITH KEY = "place" WHERE "indicator" = \'{DUST}\''
        r' AND "place" =~ /^${part:regex}\//'
    )
    return (
        QueryVariable("site")
        .label("Stanoviště")
        .description("Site")
        .datasource(DATASOURCE)
        .query(query)
        .definition(query)
        .regex(r"/(?<value>.*\/(?<text>[^\/]+))/")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(True)
        .include_all(True)
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _named(panel: Panel, places: Sequence[Place]) -> Panel:
    """Names for the series that carry a place's id."""
    if isinstance(panel, statetimeline.Panel | timeseries.Panel):
        for place in places:
            panel.override_by_name(place.id, title_of(place))
    return panel


def _last_level(panel: timeseries.Panel) -> timeseries.Panel:
    """Sites are not in the city's configuration: show the last level of their id, as the variable does."""
    rename = {"regex": r"^.*/([^/]+)$", "renamePattern": "$1"}
    return panel.with_transformation(models.DataTransformerConfig(id_val="renameByRegex", options=rename))


def _simulated() -> Panel:
    query = (
        'SELECT count("value") FROM "indicator" WHERE "valid" = true AND "origin" = \'simulated\''
        ' AND "place" =~ /^${part:regex}(\\/.*)?$/ AND $timeFilter'
    )
    steps = [models.Threshold(value=None, color="transparent"), models.Threshold(value=1, color="#c4162a")]
    return (
        stat.Panel()
        .title("SIMULACE: hodnoty ze simulovaných měření v zobrazeném období")
        .description(
            "Number of values that rest on simulated readings. Any number above zero: do not use for decisions."
        )
        .with_target(Query(query))
        .no_value("žádné, vše je z měření")
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(widgets.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_scheme(FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .thresholds(ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    )


Words = Sequence[models.ValueMapping]


def _columns(classes: Words) -> Sequence[tuple[str, str, Words]]:
    """Field, Czech title and words of the table's columns."""
    return (
        ("Time", "Začátek hodiny", ()),
        ("place_name", "Část města", ()),
        ("value", "Index", ()),
        ("band", "Třída", classes),
        ("lower_bound", "Úplnost", mapping(LOWER_BOUND)),
        ("coverage", "Pokrytí", ()),
        ("absent", "Pokrytí neznámé", mapping(ABSENT)),
        ("status", "Stav", mapping(STATUS)),
        ("revision", "Revize", ()),
        ("origin", "Původ", mapping(ORIGIN)),
    )


def _latest(classes: Words) -> Panel:
    columns = _columns(classes)
    fields = [name for name, _, _ in columns if name != "Time"]
    panel = (
        table.Panel()
        .title("Poslední platná hodnota každé části")
        .description(
            "Newest valid hour of each part. A lower bound has pollutants missing that could only make it worse. "
            "Origin says SIMULACE where any input was simulated."
        )
        .with_target(Query(newest(values(fields, INDEX, "PT1H", "part"))).table())
        .override_by_name("place", [models.DynamicConfigValue(id_val="custom.hidden", value=True)])
    )
    for name, title, words in columns:
        panel.override_by_name(name, _column(title, words, percent=name == "coverage"))
    return panel


def _column(title: str, words: Words, percent: bool) -> list[models.DynamicConfigValue]:
    properties = [models.DynamicConfigValue(id_val="displayName", value=title)]
    if words:
        properties += [
            models.DynamicConfigValue(id_val="mappings", value=list(words)),
            models.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
        ]
    if percent:
        properties.append(models.DynamicConfigValue(id_val="unit", value="percentunit"))
    return properties


def _timeline(title: str, description: str, query: str, words: Words) -> Panel:
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .with_target(Query(query).alias("$tag_place"))
        .mappings(list(words))
        .color_scheme(FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(True)
        .insert_nulls(_HOUR_MS)
        .row_height(0.85)
    )


def _index(classes: Words) -> Panel:
    return _timeline(
        "Evropský index kvality ovzduší po hodinách (EAQI 2024)",
        "Band of the European Air Quality Index by part, hourly: 1 good to 6 extremely poor. Gap: no valid value. "
        "Bands: ETC HE Report 2024/17, table 5.2.",
        known("band", values(["band"], INDEX, "PT1H", "part")),
        classes,
    )


def _status() -> Panel:
    return _timeline(
        "Stav hodnot po hodinách",
        "Status of each hour: provisional, final or insufficient data. Gap: the hub has computed nothing.",
        states(["status"], INDEX, "PT1H", "part"),
        mapping(STATUS),
    )


def _series(title: str, description: str, query: str, gap: int) -> timeseries.Panel:
    return (
        timeseries.Panel()
        .title(title)
        .description(description)
        .with_target(Query(query).alias("$tag_place"))
        .insert_nulls(gap)
        .show_points(common.VisibilityMode.ALWAYS)
        .legend(
            widgets.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
        )
    )


def _dust() -> timeseries.Panel:
    steps = [
        models.Threshold(value=None, color="green"),
        models.Threshold(value=45, color="yellow"),
        models.Threshold(value=50, color="red"),
    ]
    return (
        _series(
            "PM10: denní průměr podle stanovišť",
            "Daily mean of PM10 by site, ug/m3, local days, at least 75 % of hours. Lines: 50, daily limit value of "
            "Directive 2008/50/EC; 45, that of Directive (EU) 2024/2881, to be met by 2030.",
            values(["value"], DUST, "P1D", "site"),
            _DAY_MS + 2 * _HOUR_MS,
        )
        .unit("conμgm3")
        .min(0)
        .axis_soft_max(60)
        .thresholds(ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
        .thresholds_style(widgets.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED))
    )


def _coverage(title: str, indicator: str, window: str, place: str, gap: int) -> timeseries.Panel:
    return (
        _series(
            title,
            "Share of expected readings that were there and valid, also of windows with insufficient data. "
            "Missing line: unknown, because no interval is declared.",
            known("coverage", states(["coverage"], indicator, window, place)),
            gap,
        )
        .unit("percentunit")
        .min(0)
        .max(1)
    )


def _panels(classes: Words) -> Sequence[tuple[Panel, models.GridPos]]:
    return (
        (_simulated(), models.GridPos(x=0, y=0, w=24, h=3)),
        (_latest(classes), models.GridPos(x=0, y=3, w=24, h=10)),
        (_index(classes), models.GridPos(x=0, y=13, w=24, h=9)),
        (_status(), models.GridPos(x=0, y=22, w=24, h=9)),
        (_last_level(_dust()), models.GridPos(x=0, y=31, w=24, h=9)),
        (
            _coverage("Pokrytí indexu podle částí", INDEX, "PT1H", "part", _HOUR_MS),
            models.GridPos(x=0, y=40, w=12, h=8),
        ),
        (
            _last_level(_coverage("Pokrytí denního průměru PM10", DUST, "P1D", "site", _DAY_MS + 2 * _HOUR_MS)),
            models.GridPos(x=12, y=40, w=12, h=8),
        ),
    )
