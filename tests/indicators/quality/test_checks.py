# SPDX-License-Identifier: EUPL-1.2
"""Flags of stored readings: what the rules find, and that nothing but the readings nearby decides it."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import SettingsError
from hub.core.places import Device, Mounting
from hub.core.quantities import Quantities
from hub.core.readings import NS, Columns, Flag, Reading, Series
from hub.core.windows import HOUR, parse_instant, zone
from hub.indicators.quality import Finding, Rules, checked, flags_of, load_rules

HERE = "havirov/mesto/site"
OWN = """
quantities:
  pm10:
    gross_range: {suspect: [0, 500], fail: [-10, 900], uncertain: test}
    spike: {suspect: 50, fail: 200, within: PT2H, uncertain: test}
    rate_of_change: {suspect: 0.02, within: PT3H, uncertain: test}
    flat_line: {tolerance: 0.5, suspect: PT3H, fail: PT6H, gap: PT2H, least: 3, uncertain: test}
    neighbours: {absolute: 20, step: PT1H, uncertain: test}
devices:
  meter: {energy: {counter: {register: 99999.999, uncertain: test}}}
  calm: {pm10: {spike: null, rate_of_change: null}}
"""


@pytest.fixture(scope="session")
def packaged(quantities: Quantities) -> Rules:
    return load_rules(quantities)


@pytest.fixture(scope="session")
def rules(quantities: Quantities, tmp_path_factory: pytest.TempPathFactory) -> Rules:
    path = tmp_path_factory.mktemp("rules") / "own.yaml"
    path.write_text(OWN)
    return load_rules(quantities, path)


def columns(rows: Iterable[Reading]) -> Columns:
    """As a store gives them, whatever the order in which they came."""
    ordered = sorted(rows, key=lambda r: (r.time, r.device, r.quantity))
    series = sorted({r.series for r in ordered})
    return Columns(
        series,
        np.array([series.index(r.series) for r in ordered], dtype=np.int32),
        np.array([r.time for r in ordered], dtype=np.int64),
        np.array([r.value for r in ordered], dtype=np.float64),
        np.array([r.flag for r in ordered], dtype=np.uint8),
        np.array([r.origin for r in ordered], dtype=np.uint8),
    )


def hourly(device: str, quantity: str, values: Iterable[float], flags: dict[int, int] | None = None) -> list[Reading]:
    return [
        Reading(device, quantity, float(v), n * HOUR, (flags or {}).get(n, Flag.GOOD)) for n, v in enumerate(values)
    ]


def words(rows: Columns, rules: Rules, devices: dict[str, Device] | None = None) -> list[tuple[int, str]]:
    """(flag, test) of each row."""
    found = flags_of(rows, rules, devices)
    return [(int(f), Finding(t).word) for f, t in zip(found.flag, found.test, strict=True)]


GOOD = (1, "none")


@pytest.mark.parametrize(
    ("values", "position", "expected"),
    [
        ([10, 11, 901, 12, 13], 2, (4, "gross_range")),
        ([10, 11, -3, 12, 13], 2, (3, "gross_range")),
        ([10, 11, 72, 12, 13], 2, (3, "spike")),
        ([10, 11, 272, 12, 13], 2, (4, "spike")),
        ([10, 11, 90, 95, 99], 2, (3, "rate_of_change")),
        ([10, 10.1, 10.2, 10.1], 3, (3, "flat_line")),
        ([10, 10.1, 10.2, 10.1, 10.3, 10.2, 10.1], 6, (4, "flat_line")),
    ],
)
def test_each_test_flags_what_it_is_for(
    rules: Rules, values: list[float], position: int, expected: tuple[int, str]
) -> None:
    assert words(columns(hourly("a", "pm10", values)), rules)[position] == expected


def test_a_mad_reading_does_not_take_its_neighbours_with_it(rules: Rules) -> None:
    """Neither as spike nor as jump: what fails its range, or came as fail or missing, is nobody's neighbour."""
    mad = columns(hourly("a", "pm10", [10, 11, 9000, 12, 9001, 13, 8000, 14], {4: 9, 6: 4}))
    assert [flag for flag, _ in words(mad, rules)] == [1, 1, 4, 1, 9, 1, 4, 1]


def test_the_worst_of_stored_and_derived_flag_counts(rules: Rules) -> None:
    """Unevaluated becomes good by passing; suspect stays suspect; ends of a series make nothing worse."""
    rows = columns(hourly("a", "pm10", [10, 11, 12, 13, 72, 14], {0: 2, 1: 3, 2: 2, 4: 2}))
    assert [flag for flag, _ in words(rows, rules)] == [1, 3, 1, 1, 3, 1]


def test_a_device_may_have_tests_of_its_own(rules: Rules) -> None:
    rows = hourly("a", "pm10", [10, 11, 72, 12]) + hourly("calm", "pm10", [10, 11, 72, 12])
    found = dict(zip([r.device for r in sorted(rows, key=lambda r: (r.time, r.device))][4:6],
                     words(columns(rows), rules)[4:6], strict=True))  # fmt: skip
    assert found == {"a": (3, "spike"), "calm": GOOD}


def test_quantities_without_thresholds_have_their_plausible_range(packaged: Rules) -> None:
    rows = columns(hourly("a", "fill_level", [10, 10, 111, 10, 10] * 20))
    assert [flag for flag, _ in words(rows, packaged)] == [1, 1, 4, 1, 1] * 20


def test_one_of_three_devices_at_a_site_that_differs_is_suspect(rules: Rules) -> None:
    def device(name: str, end: int | None = None) -> Device:
        return Device(id=name, connector="native", external_id=name, mountings=(Mounting(HERE, 0, end),))

    rows = [
        *hourly("a", "pm10", [10, 30, 12]), *hourly("b", "pm10", [11, 31, 50]), *hourly("calm", "pm10", [12, 52, 14]),
    ]  # fmt: skip
    three = {name: device(name) for name in ("a", "b", "calm")}
    found = words(columns(rows), rules, three)
    assert [n for n, (_, test) in enumerate(found) if test == "neighbours"] == [5, 7]
    gone = three | {"calm": device("calm", 2 * HOUR)}  # then there are two, and two cannot outvote each other
    assert [n for n, (_, test) in enumerate(words(columns(rows), rules, gone)) if test == "neighbours"] == [5]
    assert "neighbours" not in {test for _, test in words(columns(rows), rules, {"a": device("a")})}


def test_a_register_that_falls_was_reset_or_rolled_over(rules: Rules) -> None:
    """Growth goes on across a roll-over; a reset is suspect, and so is a fall that is too large for a roll-over."""
    rows = columns(hourly("meter", "energy", [99998, 99999.5, 0.5, 2, 1, 3]))
    corrected, found = checked(rows, rules)
    assert [Finding(t).word for t in found.test] == ["none", "none", "roll_over", "none", "counter_reset", "none"]
    assert corrected.flag.tolist() == [1, 1, 1, 1, 3, 1]
    assert corrected.value.tolist() == [99998, 99999.5, 100000.5, 100002, 100001, 100003]
    other = words(columns(hourly("plain", "energy", [99998, 99999.5, 0.5, 2])), rules)
    assert other == [GOOD, GOOD, (3, "counter_reset"), GOOD]


@pytest.mark.parametrize(("register", "modulus"), [(99999.999, 100000.0), (4294967295, 4294967296.0), (9.9, 10.0)])
def test_a_register_counts_one_last_figure_more_than_it_shows(
    quantities: Quantities, tmp_path: Path, register: float, modulus: float
) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"devices: {{m: {{energy: {{counter: {{register: {register}, uncertain: test}}}}}}}}")
    checks = load_rules(quantities, path).of(Series("m", "energy"))
    assert checks is not None
    assert checks.counter is not None
    assert checks.counter.modulus == modulus


def test_more_free_spaces_than_there_are_fail(packaged: Rules) -> None:
    """Against the newest capacity of the same device, for a day."""
    rows = [
        Reading("p", "parking_capacity", 100, 0),
        Reading("q", "parking_capacity", 5, 0),
        *(Reading("p", "parking_free", v, t * HOUR) for v, t in ((100, 0), (101, 1), (99, 2), (101, 24), (101, 25))),
    ]
    free = [w for r, w in zip(sorted(rows, key=lambda r: (r.time, r.device, r.quantity)),
                              words(columns(rows), packaged), strict=True) if r.quantity == "parking_free"]  # fmt: skip
    assert free == [GOOD, (4, "exceeds"), GOOD, (4, "exceeds"), GOOD]


# --- what decides a flag -----------------------------------------------------------------------------------------

STREAM = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "calm"]),
        st.integers(0, 60 * 4),  # quarter hours
        st.sampled_from([10.0, 10.1, 10.3, 12.0, 25.0, 80.0, 300.0, 950.0]),
        st.sampled_from([1, 1, 1, 2, 3, 4, 9]),
    ),
    max_size=120,
    unique_by=lambda row: row[:2],
)


@settings(max_examples=80, deadline=None)
@given(STREAM, st.randoms(use_true_random=False), st.integers(0, 50), st.integers(1, 30))
def test_any_stretch_read_with_its_margins_gives_the_flags_of_the_whole(
    rules: Rules, stream: list[tuple[str, int, float, int]], random: object, start: int, length: int
) -> None:
    """And so does any order of arrival and any set of other series that is read along."""
    devices = {
        name: Device(id=name, connector="native", external_id=name, mountings=(Mounting(HERE, 0),))
        for name in ("a", "b", "calm")
    }
    rows = [Reading(d, "pm10", v, t * HOUR // 4, f) for d, t, v, f in stream]
    whole = columns(rows)
    of = flags_of(whole, rules, devices)
    everything = {
        (whole.series[i], t): (f, n)
        for i, t, f, n in zip(whole.index, whole.time.tolist(), of.flag.tolist(), of.test.tolist(), strict=True)
    }
    begin, end = start * HOUR, (start + length) * HOUR
    before, after = rules.margin("pm10")
    near = [r for r in rows if begin - before <= r.time < end + after]
    random.shuffle(near)  # type: ignore[attr-defined] # hypothesis' random.Random
    part = columns(near + hourly("other", "fill_level", [1, 2, 3]))
    found = flags_of(part, rules, devices)
    for i, t, f, n in zip(part.index, part.time.tolist(), found.flag.tolist(), found.test.tolist(), strict=True):
        if begin <= t < end and part.series[i].quantity == "pm10":
            assert (f, n) == everything[part.series[i], t]


def test_margins_cover_every_device_and_say_nothing_of_quantities_without_tests(rules: Rules) -> None:
    assert rules.margin("pm10") == (8 * HOUR, 2 * HOUR)  # six hours flat and a gap of two; the spike's neighbours
    assert rules.margin("fill_level") == (0, 0)
    assert rules.companions("parking_free") == {"parking_capacity"}
    assert rules.concerned("parking_capacity") == {"parking_capacity", "parking_free"}


def test_nothing_read_gives_nothing(rules: Rules) -> None:
    assert not len(flags_of(columns([]), rules).flag)


# --- thresholds as data ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "culprit"),
    [
        ("quantities: {pm11: {}}", "quantities.pm11"),
        ("quantities: {pm10: {spikes: {}}}", "spikes"),
        ("quantities: {pm10: {spike: {suspect: 3}}}", "quantities.pm10.spike.source"),
        ("quantities: {pm10: {spike: {suspect: high, source: x}}}", "quantities.pm10.spike: "),
        ("quantities: {pm10: {spike: {source: x}}}", "quantities.pm10.spike.suspect"),
        ("quantities: {pm10: {spike: {suspect: 9, fail: 3, source: x}}}", "quantities.pm10.spike.fail"),
        ("quantities: {pm10: {spike: {suspect: 9, within: 3h, source: x}}}", "quantities.pm10.spike.within"),
        ("quantities: {pm10: {gross_range: {suspect: [5, 1], source: x}}}", "quantities.pm10.gross_range.suspect"),
        ("quantities: {pm10: {gross_range: {suspect: [0, 9], fail: [1, 9], source: x}}}", "gross_range.suspect"),
        ("quantities: {pm10: {exceeds: {quantity: pm12, source: x}}}", "quantities.pm10.exceeds.quantity"),
        ("devices: {d: {pm10: {flat_line: {tolerance: 0, suspect: PT1H, source: x}}}}", "devices.d.pm10.flat_line"),
        ("devices: {d: 3}", "devices.d"),
        ("device: {}", "device"),
        ("- 1", "the file"),
        ("a: [", "own.yaml"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(quantities: Quantities, tmp_path: Path, text: str, culprit: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_rules(quantities, path)
    assert error.value.setting == "indicators.quality"
    assert "own.yaml" in error.value.detail
    assert culprit in error.value.detail


def test_any_change_of_a_threshold_shows_in_the_digest(quantities: Quantities, rules: Rules, packaged: Rules) -> None:
    assert load_rules(quantities).digest == packaged.digest != rules.digest
    assert 0 <= packaged.digest < 2**63


# --- real data ---------------------------------------------------------------------------------------------------


def eea(path: Path, quantities: dict[str, str]) -> list[Reading]:
    with path.open() as file:
        return [
            Reading("station", quantity, float(row[column]), parse_instant(row["start"], zone("+01:00")))
            for row in csv.DictReader(file)
            for quantity, column in quantities.items()
            if row[column] and int(row[f"{column}_validity"]) > 0
        ]


def test_years_of_reference_stations_and_days_of_noise_lose_no_reading(packaged: Rules, shared: Path) -> None:
    """A false flag takes a reading out of every figure: none of what real stations reported may be flagged."""
    data = shared / "data"
    with (data / "noise_laeq1m_2025-03-21_04-01.csv").open() as file:
        noise = [
            Reading(
                "n", "sound_level", float(r["LEQ dB -A"]), parse_instant(r["datetime"].replace(" ", "T"), zone("Z"))
            )
            for r in csv.DictReader(file)
        ]
    sources = [
        eea(data / "eea_havirov_THARA_2023.csv", {"pm10": "pm10", "pm2_5": "pm25"}),
        eea(data / "eea_ostrava_fifejdy_TOFFA_2023.csv", {q: q for q in ("no2", "o3", "pm10", "so2")}),
        noise,
    ]
    for rows in sources:
        assert len(rows) > 16_000
        assert not flags_of(columns(rows), packaged).test.any()


def test_dresden_has_car_parks_with_more_free_spaces_than_spaces(packaged: Rules, shared: Path) -> None:
    with (shared / "data/parking_dresden_2026-08-10_12.csv").open() as file:
        table = {(r["place_id"], parse_instant(r["timestamp_utc"])): r for r in csv.DictReader(file)}
    wrong = {key for key, r in table.items() if r["free"] and r["capacity"] and float(r["free"]) > float(r["capacity"])}
    names = {"parking_free": "free", "parking_capacity": "capacity"}
    rows = columns(
        Reading(place, q, float(r[c]), t) for (place, t), r in table.items() for q, c in names.items() if r[c]
    )
    found = flags_of(rows, packaged)
    failed = np.flatnonzero(found.flag == Flag.FAIL)
    flagged = {(rows.series[rows.index[n]].device, int(rows.time[n])) for n in failed}
    assert flagged == wrong
    assert len(wrong) > 700


def test_a_stuck_sensor_is_found_in_a_real_year(packaged: Rules, shared: Path) -> None:
    """Havířov's station with five days of one value in it: suspect after three days."""
    rows = eea(shared / "data/eea_havirov_THARA_2023.csv", {"pm10": "pm10"})
    first = rows[2000].time
    stuck = [
        Reading(r.device, r.quantity, 37.0 if first <= r.time < first + 120 * HOUR else r.value, r.time) for r in rows
    ]
    found = columns(stuck)
    flags = flags_of(found, packaged)
    hours = (found.time[flags.flag > 2] - first) // (3600 * NS)
    assert hours.tolist() == sorted({(r.time - first) // (3600 * NS) for r in rows} & set(range(72, 120)))
    assert set(flags.test[flags.flag > 2].tolist()) == {Finding.FLAT_LINE}


@pytest.mark.parametrize(("interval", "found"), [(3600, True), (300, True), (299, False), (None, False)])
def test_fast_devices_are_not_searched_for_lines_of_days(packaged: Rules, interval: int | None, found: bool) -> None:
    """For every new reading of theirs days of readings would have to be read."""
    rows = columns([Reading("d", "pm10", 37.0, hour * HOUR) for hour in range(100)])
    device = Device(id="d", connector="native", external_id="d", interval=interval)
    assert (flags_of(rows, packaged, {"d": device}).flag > 2).any() == found
    assert (packaged.margin_of(Series("d", "pm10"), float(interval or 0))[0] > 72 * HOUR) == found


def test_neighbours_of_a_spike_are_at_most_ten_intervals_away(packaged: Rules) -> None:
    def reach(interval: float) -> tuple[int, int]:
        return packaged.margin_of(Series("d", "no2"), interval)

    assert [reach(interval)[1] for interval in (0.0, 10.0, 60.0, 3600.0)] == [3 * HOUR, 100 * NS, 600 * NS, 3 * HOUR]
