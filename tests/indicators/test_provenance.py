# SPDX-License-Identifier: EUPL-1.2
"""What is told of a value is what the engine made it of: counts, corrections, places below, figures carried on."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from hub.core.indicators import Correction, IndicatorValue, Status
from hub.core.places import Mounting
from hub.core.ports import FlagStretch, QualityFinding
from hub.core.readings import Origin, Series
from hub.core.windows import HOUR
from hub.indicators.catalogue import Catalogue
from hub.indicators.provenance import (
    MOST,
    Trace,
    public_provenance,
    reading_inputs,
    source_text,
    value_inputs,
)
from tests.indicators.fakes import PART, SITE, FakeLedger, device, reading
from tests.indicators.test_engine import CATALOGUE, DAY, PRAGUE, SECOND, T0, Hub


class Found:
    """A store of findings that has some."""

    def __init__(self, findings: Mapping[tuple[Series, int], QualityFinding]) -> None:
        self.all = findings

    async def findings(
        self, series: Sequence[Series], start: int, end: int
    ) -> Mapping[tuple[Series, int], QualityFinding]:
        return {k: f for k, f in self.all.items() if k[0] in series and start <= k[1] < end}

    async def replace(self, stretches: Sequence[FlagStretch]) -> None:
        raise AssertionError("provenance writes nothing")

    async def close(self) -> None:
        pass


async def told(hub: Hub, value: IndicatorValue, flags: Found | None = None) -> dict[str, object]:
    """The public dict, with everything looked up as API and command line do."""
    registry = hub.registry.snapshot()
    readings = await reading_inputs(hub.catalogue, registry, hub.ledger.fixes, hub.store, value, flags)  # type: ignore[arg-type] # the fake store has what is asked for
    inputs = value_inputs(hub.catalogue, hub.ledger, value)
    revisions = hub.ledger.revisions(value.indicator, value.place, value.start)
    return public_provenance(Trace(value, revisions, inputs, readings), hub.catalogue, registry, PRAGUE)


def rows_of(found: dict[str, object], name: str) -> list[dict[str, object]]:
    rows = found[name]
    assert isinstance(rows, list)
    return rows


async def test_counts_are_those_that_the_figure_rests_on() -> None:
    hub = Hub(device("a"), device("b"))
    rows = [reading("a", "pm10", T0 + m * 60 * 10**9, 30.0, flag=4 if m == 50 else 1) for m in range(0, 60, 10)]
    await hub.take([*rows, reading("a", "no2", T0, 5.0), reading("a", "pm10", T0 + HOUR, 99.0)])
    hub.ledger.fixes.append(
        Correction(id=3, device="a", quantity="pm10", start=T0, end=T0 + 1, action="exclude", flag=None, by="Jana",
                   reason="bag")
    )  # fmt: skip
    await hub.settle(T0 + 5 * HOUR)
    found = await told(hub, hub.value("eaqi_2024", T0))
    shown = {
        (r["device"], r["quantity"]): (r["n_stored"], r["n_removed"], r["n_counting"], r["flags_reported"], r["flags"])
        for r in rows_of(found, "readings")
    }
    assert shown == {
        ("a", "pm10"): (6, 1, 4, {"1": 5, "4": 1}, {"1": 4, "4": 1}),
        ("a", "no2"): (1, 0, 1, {"1": 1}, {"1": 1}),
        ("b", None): (0, 0, 0, {}, {}),
    }
    (used,) = rows_of(found, "corrections")
    assert {k: used[k] for k in ("id", "what", "by", "reason", "readings")} == {
        "id": 3, "what": "exclude pm10 of a", "by": "Jana", "reason": "bag", "readings": 1,
    }  # fmt: skip


async def test_only_what_a_device_measured_at_the_place_is_told() -> None:
    moved = device("a", mountings=(Mounting(SITE, 0, T0 + HOUR // 2), Mounting(SECOND, T0 + HOUR // 2)))
    hub = Hub(moved)
    await hub.take([reading("a", "pm10", T0 + m * HOUR // 4, 30.0) for m in range(4)])
    await hub.settle(T0 + 5 * HOUR)
    (row,) = rows_of(await told(hub, hub.value("eaqi_2024", T0)), "readings")
    assert (row["n_stored"], row["mountings"]) == (
        2, [{"place": SITE, "from": "1970-01-01T00:00:00Z", "to": "2026-03-27T00:30:00Z"}],
    )  # fmt: skip


async def test_quality_control_is_told_by_test() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0 + m * HOUR // 4, 30.0, flag=3 if m == 1 else 1) for m in range(4)])
    await hub.settle(T0 + 5 * HOUR)
    pm10 = Series("a", "pm10")
    found = {
        (pm10, T0): QualityFinding(4, "spike"),
        (pm10, T0 + HOUR // 4): QualityFinding(1, "roll_over"),
        (pm10, T0 + HOUR): QualityFinding(4, "spike"),
    }
    (row,) = rows_of(await told(hub, hub.value("eaqi_2024", T0), Found(found)), "readings")
    assert row["flags_reported"] == {"1": 3, "3": 1}
    assert (row["flags"], row["n_counting"]) == ({"1": 2, "3": 1, "4": 1}, 2)
    assert row["quality_control"] == {"roll_over": 1, "spike": 1}


async def test_an_overridden_flag_overrules_quality_control_as_in_the_engine() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30.0)])
    await hub.settle(T0 + 5 * HOUR)
    hub.ledger.fixes.append(
        Correction(id=1, device="a", quantity=None, start=T0, end=T0 + 1, action="override_flag", flag=1, by="Jana",
                   reason="it was a festival")
    )  # fmt: skip
    spike = {(Series("a", "pm10"), T0): QualityFinding(4, "spike")}
    (row,) = rows_of(await told(hub, hub.value("eaqi_2024", T0), Found(spike)), "readings")
    assert (row["flags"], row["n_counting"], row["quality_control"]) == ({"1": 1}, 1, {"spike": 1})


async def test_a_place_above_lists_the_values_of_its_sites() -> None:
    hub = Hub()
    await hub.take([reading("a", "pm10", T0, 30), reading("c", "pm10", T0, 130)])
    await hub.settle(T0 + 5 * HOUR)
    found = await told(hub, hub.value("eaqi_2024_district", T0, PART))
    (row,) = rows_of(found, "values")
    items = row["items"]
    assert isinstance(items, list)
    assert (row["indicator"], row["how"], row["n"]) == ("eaqi_2024", "worst", 2)
    assert [(v["place"], v["value"], v["status"], v["changed_since"]) for v in items] == [
        (SECOND, 4.0, "final", False), (SITE, 2.0, "final", False),
    ]  # fmt: skip
    assert found["readings"] == []


async def test_an_input_that_changed_after_the_value_says_so() -> None:
    hub = Hub()
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 5 * HOUR)
    above, below = ("eaqi_2024_district", PART, T0), ("eaqi_2024", SITE, T0)
    hub.ledger.rows[below] = replace(hub.ledger.rows[below], computed_at=hub.ledger.rows[above].computed_at + 1)
    (row,) = rows_of(await told(hub, hub.ledger.rows[above]), "values")
    items = row["items"]
    assert isinstance(items, list)
    assert [v["changed_since"] for v in items] == [True]


async def test_revisions_come_with_their_causes_and_the_definition_with_its_text() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 5 * HOUR)
    await hub.take([reading("a", "no2", T0, 130)])
    await hub.settle(T0 + 6 * HOUR)
    found = await told(hub, hub.value("eaqi_2024", T0))
    revisions = rows_of(found, "revisions")
    assert [r["revision"] for r in revisions] == [1, 2]
    assert "late readings" in str(revisions[-1]["cause"])
    about = found["definition"]
    assert isinstance(about, dict)
    assert about["text"] == CATALOGUE.texts["eaqi_2024"]
    assert about["reference"]
    assert (about["version"], about["note"]) == (CATALOGUE.get("eaqi_2024").version, None)


def entered(start: int, number: float, place: str) -> IndicatorValue:
    return IndicatorValue(
        indicator="sport_capacity", place=place, start=start, end=start + DAY, period="P1D", value=number, unit="1",
        status=Status.FINAL, definition_version=1, origin=Origin.ENTERED, revision=1, closed=True,
    )  # fmt: skip


def test_a_figure_carried_on_is_the_newest_of_the_nearest_place(catalogue: Catalogue) -> None:
    d = catalogue.get("travel_time_index")
    (source,) = (i.indicator for i in d.inputs.values() if i.carry)
    ledger = FakeLedger()
    made = ((9, SITE, 9.0), (3, PART, 3.0), (2, PART, 2.0), (-400, PART, 7.0), (1, "havirov", 1.0))
    values = [replace(entered(T0 - n * DAY, number, place), indicator=source) for n, place, number in made]
    value = replace(entered(T0, 1.0, SECOND), indicator=d.id)
    ledger.commit([(v, v.end) for v in [*values, value]], {})
    carried = next(row for row in value_inputs(catalogue, ledger, value) if row.indicator == source)
    assert (carried.how, [(v.place, v.value) for v in carried.values]) == ("carried", [(PART, 2.0)])


def test_long_lists_are_cut_and_say_so() -> None:
    ledger = FakeLedger()
    sites = [replace(entered(T0, 1.0, f"{PART}/s{n}"), indicator="eaqi_2024") for n in range(MOST + 5)]
    value = replace(entered(T0, 1.0, PART), indicator="eaqi_2024_district")
    ledger.commit([(v, v.end) for v in [*sites, value]], {})
    (row,) = value_inputs(CATALOGUE, ledger, value)
    assert (len(row.values), row.omitted) == (MOST, 5)


def test_every_definition_has_a_text_rolled_up_ones_that_of_their_base(catalogue: Catalogue) -> None:
    assert [d.id for d in catalogue if source_text(catalogue, d.id) is None] == []
