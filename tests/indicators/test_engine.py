# SPDX-License-Identifier: EUPL-1.2
"""Same readings, same values: whatever the order, the batches, the crashes, or the way of computing."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from hub.core.errors import Retry
from hub.core.indicators import Correction, IndicatorValue, Status
from hub.core.places import Mounting, PlaceKind
from hub.core.quantities import Quantities
from hub.core.readings import NS, Columns, Origin, Reading, Series
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import Catalogue, load_catalogue
from hub.indicators.engine import LATE, Engine
from tests.indicators.fakes import (
    AIR,
    PART,
    SITE,
    FakeJournal,
    FakeLedger,
    FakeRegistry,
    FakeStore,
    device,
    few,
    reading,
)

CATALOGUE = few(load_catalogue(Quantities.load()), *AIR)
PRAGUE = Calendar.of("Europe/Prague")
T0 = parse_instant("2026-03-27T00:00:00Z")  # the night of 29 March has 23 hours
DAY = 24 * HOUR
SECOND = "havirov/mesto/druha"


class Hub:
    """An engine on fakes with a clock that stands still until it is moved."""

    def __init__(self, *devices: object, catalogue: Catalogue = CATALOGUE, limit: int = 50, every: int = 0) -> None:
        self.registry = FakeRegistry(*(devices or (device("a"), device("b"), device("c", SECOND))))  # type: ignore[arg-type] # devices
        self.store, self.journal, self.ledger = FakeStore(), FakeJournal(), FakeLedger()
        self.now = T0
        self.catalogue, self.limit, self.every = catalogue, limit, every
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(
            self.catalogue, PRAGUE, self.store, self.ledger, self.registry, [self.journal], lambda: self.now,  # type: ignore[arg-type, list-item] # fakes have what is used
            self.limit, every=self.every,
        )  # fmt: skip

    async def take(self, rows: Sequence[Reading]) -> None:
        """Store first, then the touch log: as ingest does."""
        await self.store.put(rows)
        self.journal.commit(rows)

    async def settle(self, now: int | None = None) -> None:
        self.now = now or self.now
        while True:
            try:
                await self.engine.settle()
                return
            except Retry:
                continue

    def value(self, indicator: str, start: int, place: str = SITE) -> IndicatorValue:
        return self.ledger.rows[indicator, place, start]

    def results(self) -> dict[tuple[str, str, int], tuple[object, ...]]:
        return {key: (value.status, *value.result()) for key, value in self.ledger.rows.items()}


def stream(seed: int, hours: int) -> list[Reading]:
    """Hourly readings with gaps of three devices at two sites."""
    random = Random(seed)
    return [
        reading(d, q, T0 + h * HOUR, round(random.uniform(0, 140), 1), flag=random.choice([1, 1, 1, 1, 2, 3, 4]))
        for h in range(hours)
        for d in "abc"
        for q in ("pm10", "pm2_5", "no2")
        if random.random() < 0.85
    ]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), chaos=st.integers(0, 10**6), limit=st.sampled_from([20, 5000]))
def test_any_order_duplication_split_and_restart_gives_the_values_of_an_orderly_run(
    seed: int, chaos: int, limit: int
) -> None:
    rows = stream(seed, 30)
    end = T0 + 4 * DAY

    async def orderly() -> Hub:
        hub = Hub()
        await hub.take(rows)
        await hub.settle(end)
        return hub

    async def wild() -> Hub:
        hub = Hub(limit=limit)
        random = Random(chaos)
        shuffled = rows + random.sample(rows, len(rows) // 20)
        random.shuffle(shuffled)
        while shuffled:
            n = random.randint(1, 200)
            batch, shuffled = shuffled[:n], shuffled[n:]
            await hub.take(batch)
            hub.now += random.randint(0, 6) * HOUR
            hub.ledger.crash = random.randint(0, 1)
            hub.store.away = random.randint(0, 1)
            if random.random() < 0.5:
                try:
                    await hub.engine.step()
                except Retry:
                    hub.restart()
        await hub.settle(max(end, hub.now))
        return hub

    one, two = asyncio.run(orderly()), asyncio.run(wild())
    late = two.now > end
    expected, found = one.results(), two.results()
    if late:  # time went on further, so silence was noticed further: the rows of the shorter run must be there
        found = {key: found[key] for key in expected}
    assert found == expected


async def test_recompute_into_an_empty_ledger_equals_the_live_values() -> None:
    rows = stream(3, 100)
    live, bulk = Hub(), Hub()
    for i in range(0, len(rows), 37):
        await live.take(rows[i : i + 37])
        await live.settle(live.now + HOUR)
    await live.settle(T0 + 8 * DAY)
    await bulk.store.put(rows)
    bulk.now = live.now
    seen: list[tuple[int, int]] = []
    await bulk.engine.recompute(progress=lambda done, total: seen.append((done, total)))
    assert bulk.results() == live.results()
    assert seen[-1] == (len(seen), len(seen))


async def test_recompute_of_what_is_right_writes_nothing() -> None:
    hub = Hub()
    await hub.take(stream(4, 50))
    await hub.settle(T0 + 8 * DAY)
    done = await hub.engine.recompute(start=T0 - DAY)
    assert done.written == 0
    assert done.windows > 100


async def test_an_excluded_reading_gives_what_would_have_been_without_it() -> None:
    rows = stream(5, 48)
    bad = [r for r in rows if r.device == "a" and r.quantity == "pm10" and T0 + 5 * HOUR <= r.time < T0 + 9 * HOUR]
    assert bad
    one, two = Hub(), Hub()
    await one.take(rows)
    await one.settle(T0 + 4 * DAY)
    one.ledger.fixes.append(
        Correction(id=12, device="a", quantity="pm10", start=T0 + 5 * HOUR, end=T0 + 9 * HOUR, action="exclude",
                   flag=None, by="test", reason="spider")
    )  # fmt: skip
    await one.settle()
    await two.take([r for r in rows if r not in bad])
    await two.settle(T0 + 4 * DAY)
    assert {k: v for k, v in one.results().items() if k in two.results()} == two.results()
    changed = [v for v in one.ledger.rows.values() if v.revision > 1]
    assert changed
    assert {v.cause for v in changed} == {"correction 12: exclude pm10 of a by test: spider"}


@pytest.mark.parametrize("start", [T0 + 30 * DAY, -DAY])
async def test_a_correction_of_what_is_yet_to_come_asks_for_no_work(start: int) -> None:
    """Planned maintenance, say: there is nothing to compute yet, and the engine goes on."""
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 20)])
    await hub.settle(T0)
    planned = Correction(id=1, device="a", quantity=None, start=start, end=start + DAY, action="maintenance", flag=None,
                         by="eva", reason="calibration")  # fmt: skip
    hub.ledger.fixes = [planned]
    await hub.settle()
    assert hub.ledger.cursor("corrections") == 1
    hub.restart()
    await hub.settle(T0 + HOUR)
    assert hub.value("eaqi_2024", T0).value == 2


async def test_an_overridden_flag_changes_what_counts() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 2 * HOUR)
    assert hub.value("eaqi_2024", T0).value == 2
    hub.ledger.fixes.append(
        Correction(
            id=1, device="a", quantity=None, start=T0, end=T0 + 1, action="override_flag", flag=4, by="t", reason=""
        )
    )
    await hub.settle()
    assert hub.value("eaqi_2024", T0).status is Status.INSUFFICIENT


async def test_a_window_is_provisional_then_final_then_revised() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + HOUR // 2)
    first = hub.value("eaqi_2024", T0)
    assert (first.status, first.revision, first.closed, first.value) == (Status.PROVISIONAL, 0, False, 2)
    await hub.settle(T0 + 3 * HOUR)  # end and two hours of grace
    final = hub.value("eaqi_2024", T0)
    assert (final.status, final.revision, final.closed, final.cause) == (Status.FINAL, 1, True, None)
    await hub.take([reading("a", "no2", T0, 130)])
    await hub.settle(T0 + 4 * HOUR)
    revised = hub.value("eaqi_2024", T0)
    assert (revised.status, revised.revision, revised.value, revised.cause) == (Status.FINAL, 2, 5, f"{LATE} of a")
    assert [v.value for v in hub.ledger.revisions("eaqi_2024", SITE, T0)] == [2, 2, 5]


async def test_a_value_is_not_known_before_it_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work may take minutes; whoever asked meanwhile `as_of` then must get the same answer later."""
    hub = Hub(device("a"))
    await hub.settle(T0)
    await hub.take([reading("a", "pm10", T0, 20)])
    hub.now, scan = T0 + 3 * DAY, hub.store.scan

    async def slow(series: Sequence[Series], start: int, end: int) -> Columns:
        hub.now += 60 * NS
        return await scan(series, start, end)

    monkeypatch.setattr(hub.store, "scan", slow)
    await hub.engine.step()
    assert hub.value("eaqi_2024", T0).computed_at == hub.now


async def test_each_revision_has_its_own_causes() -> None:
    """A late reading of one hour and a correction of another, in one step: neither hour is blamed on the other."""
    hub = Hub(device("a"), device("b"))
    await hub.take([reading(d, "pm10", T0 + h * HOUR, 20) for d in "ab" for h in range(24)])
    await hub.settle(T0 + 4 * DAY)
    hub.ledger.fixes.append(
        Correction(id=3, device="b", quantity="pm10", start=T0 + 9 * HOUR, end=T0 + 10 * HOUR, action="calibrate",
                   flag=None, by="test", reason="span", scale=20.0)
    )  # fmt: skip
    await hub.take([reading("a", "pm10", T0 + 2 * HOUR + NS, 400), reading("b", "pm10", T0 + 2 * HOUR + NS, 400)])
    await hub.settle()
    correction = "correction 3: calibrate pm10 of b (x 20 + 0) by test: span"
    assert hub.value("eaqi_2024", T0 + 2 * HOUR).cause == f"{LATE} of a, b"
    assert hub.value("eaqi_2024", T0 + 9 * HOUR).cause == correction
    day = hub.ledger.revisions("pm10_day_mean", SITE, parse_instant("2026-03-26T23:00:00Z"))
    assert [value.cause for value in day][-1:] == [f"{correction}; {LATE} of a, b"]
    part = [hub.value("eaqi_2024_district", T0 + h * HOUR, PART).cause for h in (2, 9)]
    assert part == [f"{LATE} of a, b", correction]


async def test_an_open_row_is_rewritten_at_most_every_ten_seconds_and_its_last_state_follows() -> None:
    hub = Hub(device("a", interval=None), every=10 * NS)
    numbers = []
    for second in range(31):
        await hub.take([reading("a", "pm10", T0 + second * NS, 20 + second)])
        await hub.settle(T0 + second * NS)
        numbers.append(hub.value("eaqi_2024", T0).seq)
    assert len(set(numbers)) == 4, "at 0, 10, 20 and 30 s"
    await hub.settle(T0 + 40 * NS)
    components = hub.value("eaqi_2024", T0).components["pm10"]
    assert (components.value, components.n_valid) == (35.0, 31)


async def test_what_waits_for_its_pace_is_not_lost_by_a_restart() -> None:
    hub = Hub(device("a"), every=10 * NS)
    await hub.take([reading("a", "pm10", T0, 20)])
    await hub.settle(T0 + NS)
    await hub.take([reading("a", "pm10", T0 + NS, 200)])
    await hub.settle(T0 + 2 * NS)
    assert hub.value("eaqi_2024", T0).value == 2, "it waits"
    assert hub.ledger.cursor("touch:0") == 2
    hub.restart()
    await hub.settle(T0 + 3 * DAY)  # its grace is long over
    assert (hub.value("eaqi_2024", T0).value, hub.value("eaqi_2024", T0).revision) == (3, 1)


async def test_what_was_not_committed_holds_nothing_back() -> None:
    """Else the cursor would move on while the window has no row, and a restart would never see it."""
    hub = Hub(device("a"), every=10 * NS)
    await hub.settle(T0)
    await hub.take([reading("a", "pm10", T0, 20)])
    hub.ledger.crash = 1
    with pytest.raises(Retry):
        await hub.engine.step()
    hub.now = T0 + NS
    await hub.engine.step()
    assert hub.value("eaqi_2024", T0).value == 2
    hub.restart()
    await hub.settle(T0 + 3 * DAY)
    assert hub.value("eaqi_2024", T0).closed


async def test_recompute_of_a_stretch_leaves_the_rest_alone() -> None:
    """What was changed behind the engine's back is put right in the stretch, and only there."""
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0 + h * HOUR, 20) for h in range(48)])
    await hub.settle(T0 + 6 * DAY)
    await hub.store.put([reading("a", "pm10", T0 + h * HOUR, 200, revision=1) for h in range(48)])
    await hub.engine.recompute(start=T0 + 10 * HOUR, end=T0 + 20 * HOUR)
    found = [hub.value("eaqi_2024", T0 + h * HOUR) for h in range(48)]
    assert [h for h, value in enumerate(found) if value.value == 5] == list(range(10, 20))
    assert {value.cause for value in found} == {None, "recompute"}
    whole = Hub(device("a"))
    whole.now = hub.now
    await whole.store.put(list(hub.store.rows.values()))
    await hub.engine.recompute()
    await whole.engine.recompute()
    assert hub.results() == whole.results()


async def test_a_job_over_many_sites_gives_what_one_wave_gives() -> None:
    """More sites than a piece takes: parts of the city and the city come last, and once."""
    sites = [f"havirov/mesto/site{n:02d}" for n in range(20)]
    many = [device(f"s{n:02d}", site) for n, site in enumerate(sites)]
    rows = [reading(d.id, "pm10", T0 + h * HOUR, 10.0 * n + h) for n, d in enumerate(many) for h in range(30)]
    live, bulk = Hub(*many), Hub(*many)
    await live.take(rows)
    await live.settle(T0 + 6 * DAY)
    await bulk.store.put(rows)
    bulk.now = live.now
    seen: list[tuple[int, int]] = []
    done = await bulk.engine.recompute(start=T0 - DAY, progress=lambda n, total: seen.append((n, total)))
    assert bulk.results() == live.results()
    assert {v.revision for v in bulk.ledger.rows.values() if v.closed} == {1}
    assert (len(seen) > 3, done.written) == (True, len(bulk.ledger.rows))
    assert (await bulk.engine.recompute()).written == 0


@pytest.mark.parametrize("sites", [3, 20])
async def test_a_new_version_reaches_the_city_however_many_sites_there_are(sites: int) -> None:
    """The job is about one definition, and is cut into pieces of a few sites: parts and city go by it all the same."""
    many = [device(f"s{n:02d}", f"havirov/mesto/site{n:02d}") for n in range(sites)]
    rows = [reading(d.id, "pm10", T0 + h * HOUR, 10.0 * n + h) for n, d in enumerate(many) for h in range(30)]
    hub = Hub(*many, catalogue=with_city(CATALOGUE))
    await hub.take(rows)
    await hub.settle(T0 + 6 * DAY)
    old = hub.catalogue.get("eaqi_2024")
    halved = {name: replace(item, bands=[b / 2 for b in item.bands]) for name, item in old.inputs.items()}
    new = replace(old, version=old.version + 1, inputs=halved)
    hub.catalogue = replace(hub.catalogue, definitions={**hub.catalogue.definitions, old.id: new})
    hub.restart()
    await hub.settle()
    whole = Hub(*many, catalogue=hub.catalogue)
    await whole.take(rows)
    await whole.settle(T0 + 6 * DAY)
    assert hub.results() == whole.results()


@pytest.mark.parametrize("sites", [3, 20])
@pytest.mark.parametrize("stretch", [{"indicator": "eaqi_2024"}, {"place": PART}])
async def test_recompute_of_a_part_of_it_all_reaches_the_city(sites: int, stretch: dict[str, str]) -> None:
    many = [device(f"s{n:02d}", f"havirov/mesto/site{n:02d}") for n in range(sites)]
    hub = Hub(*many, catalogue=with_city(few(CATALOGUE, "eaqi_2024_district")))
    rows = [reading(d.id, "pm10", T0 + h * HOUR, 10.0 * n + h) for n, d in enumerate(many) for h in range(30)]
    await hub.take(rows)
    await hub.settle(T0 + 6 * DAY)
    await hub.store.put([replace(row, value=row.value + 50, revision=1) for row in rows])
    await hub.engine.recompute(**stretch)
    whole = Hub(*many, catalogue=hub.catalogue)
    await whole.take(list(hub.store.rows.values()))
    await whole.settle(T0 + 6 * DAY)
    assert hub.results() == whole.results()


def with_city(catalogue: Catalogue) -> Catalogue:
    """With the worst of its parts for the whole city."""
    part = catalogue.get("eaqi_2024_district")
    of_parts = {"x": replace(next(iter(part.inputs.values())), indicator=part.id)}
    city = replace(part, id="eaqi_city", level="municipality", inputs=of_parts)
    return replace(catalogue, definitions={**catalogue.definitions, city.id: city})


async def test_recompute_closes_nothing_that_waits_for_readings_unread() -> None:
    """A part of the city, say, of whose sites one is computed and the others' readings are in the touch log still."""
    hub = Hub(device("a"), device("c", SECOND))
    await hub.settle(T0)
    await hub.take([reading("a", "pm10", T0, 20), reading("c", "pm10", T0, 200)])
    hub.now = T0 + 3 * DAY
    await hub.engine.recompute(place=SITE)
    await hub.settle()
    found = hub.value("eaqi_2024_district", T0, PART)
    assert (found.value, found.revision, found.closed) == (5, 1, True)


async def test_what_is_late_but_changes_nothing_writes_nothing() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 5 * HOUR)
    before = hub.ledger.seq
    hub.journal.commit([reading("a", "pm10", T0, 30)])
    await hub.settle()
    assert hub.ledger.seq == before


async def test_a_running_import_holds_values_open() -> None:
    hub = Hub(device("a"))
    hub.ledger.imports = ["replay"]
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 3 * DAY)
    assert hub.value("eaqi_2024", T0).status is Status.PROVISIONAL
    hub.ledger.imports = []
    await hub.settle()
    assert hub.value("eaqi_2024", T0).status is Status.FINAL


async def test_too_little_data_is_closed_with_its_reason() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0 + h * HOUR, 30) for h in range(5)])
    await hub.settle(T0 + 5 * DAY)
    day = hub.value("pm10_day_mean", T0 - HOUR)
    assert (day.status, day.value, day.closed, day.coverage) == (Status.INSUFFICIENT, None, True, round(5 / 24, 6))
    assert day.reason == "pm10: 5 of 24 hours, 18 needed"


async def test_without_an_interval_coverage_is_unknown() -> None:
    hub = Hub(device("a", interval=None))
    await hub.take([reading("a", "pm10", T0 - HOUR + h * HOUR, 30) for h in range(24)])
    await hub.settle(T0 + 5 * DAY)
    hour, day = hub.value("eaqi_2024", T0), hub.value("pm10_day_mean", T0 - HOUR)
    assert (hour.value, hour.coverage, hour.n_expected) == (2, None, None)
    assert (day.value, day.coverage, day.n_expected, day.n_valid) == (30, None, None, 24)


async def test_silence_shows_as_insufficient_data_for_a_while() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + HOUR)
    assert ("eaqi_2024", SITE, T0 + HOUR) not in hub.ledger.rows
    hub.restart()
    await hub.settle(T0 + 2 * HOUR)
    silent = hub.value("eaqi_2024", T0 + HOUR)
    assert (silent.status, silent.n_valid, silent.coverage) == (Status.INSUFFICIENT, 0, 0)
    await hub.settle(T0 + 40 * DAY)
    hours = [key for key in hub.ledger.rows if key[0] == "eaqi_2024"]
    assert len(hours) == 49


@pytest.mark.parametrize("fresh", [[5], [5, 6, 7], [0, 5], [5, -20]])
async def test_silence_while_the_engine_was_down_shows_too(fresh: list[int]) -> None:
    """What came meanwhile is newer than the silence, which began before it."""

    async def run(*, down: bool) -> Hub:
        hub = Hub(device("a"), device("c", SECOND))
        await hub.take([reading(d, "pm10", T0 - h * HOUR, 20) for d in "ac" for h in range(2)])
        await hub.settle(T0 + HOUR // 2)
        await hub.take([reading("c", "pm10", T0 + h * HOUR, 20) for h in range(1, 6)])
        await hub.take([reading("a", "pm10", T0 + h * HOUR + 60 * NS, 30) for h in fresh])
        if down:
            hub.restart()
        await hub.settle(T0 + 8 * HOUR)
        await hub.settle(T0 + 20 * DAY)
        return hub

    without, restarted = await run(down=False), await run(down=True)
    assert restarted.results() == without.results()
    assert without.value("eaqi_2024", T0 + 3 * HOUR).status is Status.INSUFFICIENT
    assert without.value("eaqi_2024_district", T0 + 3 * HOUR, PART).missing == (SITE,)


async def test_nobody_is_missed_where_no_device_stands() -> None:
    hub = Hub(device("a", mountings=(Mounting(SITE, 0, T0 + HOUR),)))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 5 * HOUR)
    assert [key for key in hub.ledger.rows if key[0] == "eaqi_2024"] == [("eaqi_2024", SITE, T0)]


async def test_readings_belong_to_the_place_where_the_device_stood() -> None:
    moved = device("a", mountings=(Mounting(SITE, 0, T0 + HOUR), Mounting(SECOND, T0 + HOUR)))
    hub = Hub(moved)
    await hub.take([reading("a", "pm10", T0, 30), reading("a", "pm10", T0 + HOUR, 130)])
    await hub.settle(T0 + 2 * HOUR)
    assert hub.value("eaqi_2024", T0).value == 2
    assert hub.value("eaqi_2024", T0 + HOUR, SECOND).value == 4


async def test_a_change_of_mounting_moves_the_values() -> None:
    hub = Hub(device("a"), device("c", SECOND))
    await hub.take([reading("a", "pm10", T0 + h * HOUR, 30) for h in range(3)])
    await hub.settle(T0 + 9 * HOUR)
    hub.registry.change(device("a", mountings=(Mounting(SITE, 0, T0 + HOUR), Mounting(SECOND, T0 + HOUR))))
    await hub.settle()
    assert hub.value("eaqi_2024", T0).value == 2
    assert hub.value("eaqi_2024", T0 + HOUR).status is Status.INSUFFICIENT
    assert hub.value("eaqi_2024", T0 + HOUR).cause == "registry: change of a"
    assert hub.value("eaqi_2024", T0 + HOUR, SECOND).value == 2


async def test_other_numbers_of_people_change_what_is_weighed_by_them() -> None:
    other = f"havirov/sumbark/{SECOND.rpartition('/')[2]}"
    catalogue = few(load_catalogue(Quantities.load()), "pm10_day_mean_city")
    hub = Hub(device("a"), device("c", other), catalogue=catalogue)

    def people(**parts: int) -> None:
        for place, number in parts.items():
            hub.registry.places[f"havirov/{place}"] = replace(
                hub.registry.places[f"havirov/{place}"], population=number
            )
        hub.registry.change()

    people(mesto=1000, sumbark=1000)
    await hub.take([reading(d, "pm10", T0 - HOUR + h * HOUR, v) for d, v in (("a", 20), ("c", 40)) for h in range(24)])
    await hub.settle(T0 + 4 * DAY)
    assert hub.value("pm10_day_mean_city", T0 - HOUR, "havirov").value == 30
    people(sumbark=3000)
    await hub.settle()
    value = hub.value("pm10_day_mean_city", T0 - HOUR, "havirov")
    assert (value.value, value.cause) == (35, "registry: other numbers of people")


async def test_a_place_that_becomes_a_part_of_the_city_gets_its_figures() -> None:
    hub = Hub(device("a"), device("c", SECOND))
    part = hub.registry.places[PART]
    hub.registry.places[PART] = replace(part, kind=PlaceKind.SITE)
    await hub.take([reading("a", "pm10", T0, 20), reading("c", "pm10", T0, 200)])
    await hub.settle(T0 + 3 * DAY)
    assert ("eaqi_2024_district", PART, T0) not in hub.ledger.rows
    hub.registry.places[PART] = part
    hub.registry.number += 1
    await hub.settle()
    assert hub.value("eaqi_2024_district", T0, PART).value == 5


async def test_a_change_while_the_engine_was_down_is_seen_at_its_start() -> None:
    hub = Hub(device("a", interval=3600))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + 9 * HOUR)
    hub.registry.change(device("a", interval=600))
    hub.restart()
    await hub.settle()
    assert hub.value("eaqi_2024", T0).reason is not None
    assert hub.value("eaqi_2024", T0).revision == 2


async def test_what_a_removed_device_measured_stays_and_recompute_agrees() -> None:
    """Closed values of its site, of the day and of the district are untouched, to the revision."""
    hub = Hub()
    await hub.take([reading(d, "pm10", T0 + h * HOUR, 20 + h) for h in range(-1, 23) for d in "abc"])
    await hub.settle(T0 + 5 * DAY)
    before = dict(hub.ledger.rows)
    assert hub.value("eaqi_2024", T0, SECOND).value is not None
    hub.registry.remove("c", hub.now)
    hub.registry.remove("b", hub.now)
    await hub.settle()
    hub.restart()
    await hub.settle()
    await hub.engine.recompute()
    assert {key: hub.ledger.rows[key] for key in before} == before
    expected, hub.ledger = hub.results(), FakeLedger()
    hub.restart()
    await hub.engine.recompute()
    assert hub.results() == expected


async def test_late_readings_of_a_removed_device_count_where_it_stood() -> None:
    hub = Hub()
    await hub.take([reading("c", "pm10", T0, 20)])
    await hub.settle(T0 + DAY)
    hub.registry.remove("c", T0 + 3 * HOUR + HOUR // 2)
    await hub.settle()
    await hub.take([reading("c", "pm10", T0 + h * HOUR, 20) for h in range(1, 6)])
    await hub.settle()
    found = [hub.ledger.rows.get(("eaqi_2024", SECOND, T0 + h * HOUR)) for h in range(6)]
    assert [v.value if v else None for v in found] == [2, 2, 2, 2, None, None]


async def test_a_device_that_is_removed_falls_silent_for_nobody() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + HOUR)
    hub.registry.remove("a", T0 + 2 * HOUR)
    await hub.settle()
    hub.restart()
    await hub.settle(T0 + 3 * DAY)
    hours = sorted(key[2] for key in hub.ledger.rows if key[0] == "eaqi_2024")
    assert hours == [T0, T0 + HOUR]


async def test_a_device_that_comes_back_goes_on() -> None:
    """Away for three hours in its registration only: the values are those of a device that was never away."""
    rows = [reading("a", "pm10", T0 + h * HOUR, 20) for h in range(12)]
    one, two = Hub(device("a")), Hub(device("a"))
    for hub in (one, two):
        await hub.take(rows[:5])
        await hub.settle(T0 + 5 * HOUR)
    one.registry.remove("a", one.now)
    await one.settle(T0 + 8 * HOUR)
    one.registry.former.clear()
    one.registry.change(device("a"))
    for hub in (one, two):
        await hub.take(rows[5:])
        await hub.settle(T0 + 5 * DAY)
    assert one.results() == two.results()


async def test_a_change_without_work_does_not_hide_the_work_before_it_from_a_restart() -> None:
    """Killed in the middle of a job, with a further change seen: the job is done again."""
    long_ago = parse_instant("2024-03-01T00:00:00Z")

    async def changed(*, killed: bool) -> Hub:
        hub = Hub()
        await hub.take([reading("c", "pm10", long_ago + h * HOUR, 20) for h in range(24)])
        await hub.settle(T0)
        hub.registry.change(device("c", SECOND, interval=60))
        if killed:
            await hub.engine.step()
        hub.registry.change(device("z", SECOND, mountings=()))
        if killed:
            await hub.engine.step()
            hub.restart()
        await hub.settle()
        return hub

    one, two = await changed(killed=True), await changed(killed=False)
    assert two.value("eaqi_2024", long_ago, SECOND).status is Status.INSUFFICIENT
    assert one.results() == two.results()
    assert one.ledger.cursors["registry"] == two.ledger.cursors["registry"] == one.registry.number


async def test_a_cursor_of_the_registry_never_goes_back() -> None:
    hub, seen = Hub(), list[int]()
    await hub.take([reading("c", "pm10", T0, 20)])
    await hub.settle(T0 + HOUR)
    for interval in (60, 600, 900):
        hub.registry.change(device("c", SECOND, interval=interval))
        hub.registry.change(device(f"z{interval}", SECOND, mountings=()))
        for _ in range(3):
            await hub.engine.step()
            seen.append(hub.ledger.cursors["registry"])
    await hub.settle()
    assert seen == sorted(seen)
    assert hub.ledger.cursors["registry"] == hub.registry.number


def replaced(hub: Hub, number: int, *, kept: int = 0) -> None:
    """Another journal file in place of the one before, with the oldest touches of that one."""
    log = hub.journal.log[:kept]
    hub.journal = FakeJournal(number)
    hub.journal.log += log
    hub.restart()


@pytest.mark.parametrize(("number", "kept"), [(8, 0), (8, 24), (7, 3)], ids=["new", "restored", "older state"])
@pytest.mark.parametrize("crash", range(4))
async def test_a_journal_that_is_not_the_one_before_loses_no_value(number: int, kept: int, crash: int) -> None:
    """Whether it is a new file or a restored one, and whenever the engine is killed while it catches up."""
    hub, orderly = Hub(), Hub()
    first = [reading("c", "pm10", T0 + h * HOUR, 20) for h in range(24)]
    unseen, fresh = [reading("a", "pm10", T0, 70)], [reading("c", "pm10", T0 + 25 * HOUR, 20)]
    await hub.take(first)
    await hub.settle(T0 + DAY)
    replaced(hub, number, kept=kept)
    await hub.store.put(unseen)  # its touch was lost with the journal
    await hub.take(fresh)
    for _ in range(crash):
        await hub.engine.step()
    hub.restart()
    await hub.settle(T0 + 26 * HOUR)
    await orderly.take([*first, *unseen, *fresh])
    await orderly.settle(T0 + 26 * HOUR)
    assert {key: hub.results()[key] for key in orderly.results()} == orderly.results()
    assert hub.ledger.cursors["touch:0"] == len(hub.journal.log)
    assert hub.ledger.cursors["journal:0"] == number


async def test_a_journal_seen_for_the_first_time_asks_for_no_work() -> None:
    hub = Hub()
    await hub.store.put([reading("a", "pm10", T0 - 300 * DAY, 30)])
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + HOUR)
    assert ("eaqi_2024", SITE, T0 - 300 * DAY) not in hub.ledger.rows
    assert hub.ledger.cursors["journal:0"] == hub.journal.number


async def test_a_journal_that_is_not_there_yet_is_waited_for() -> None:
    hub = Hub()
    replaced(hub, 0)
    await hub.settle(T0 + HOUR)
    assert "journal:0" not in hub.ledger.cursors
    replaced(hub, 9)
    await hub.take([reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + HOUR)
    assert hub.value("eaqi_2024", T0).value == 2
    assert hub.ledger.cursors["journal:0"] == 9


async def test_a_district_is_the_worst_of_its_sites_and_names_the_missing() -> None:
    hub = Hub()
    await hub.take([reading("a", "pm10", T0, 30), reading("c", "pm10", T0, 130), reading("a", "pm10", T0 + HOUR, 1)])
    await hub.settle(T0 + 2 * HOUR)
    first, second = (hub.value("eaqi_2024_district", T0 + h * HOUR, PART) for h in (0, 1))
    assert (first.value, first.missing, first.n_valid, first.n_expected) == (4, (), 2, 2)
    assert (second.value, second.missing, second.lower_bound) == (1, (SECOND,), True)


async def test_the_year_follows_its_days() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0 + h * HOUR, 60) for h in range(-1, 71)])
    await hub.settle(T0 + 5 * DAY)
    year = hub.value("pm10_days_over_50", parse_instant("2025-12-31T23:00:00Z"))
    assert (year.value, year.n_valid, year.n_expected, year.status) == (3, 3, 365, Status.PROVISIONAL)
    assert year.lower_bound
    await hub.take([reading("a", "pm10", T0 + 75 * HOUR, 60)])
    hub.store.longest = 0
    await hub.settle()
    assert hub.value("pm10_days_over_50", parse_instant("2025-12-31T23:00:00Z")).n_valid == 3
    assert hub.store.longest <= 4 * DAY, "a year was read for one late reading"


async def test_simulated_data_stays_marked_up_to_the_district() -> None:
    hub = Hub(device("a"), device("c", SECOND, origin=Origin.SIMULATED))
    await hub.take([reading("a", "pm10", T0, 130), reading("c", "pm10", T0, 30)])
    await hub.settle(T0 + 2 * HOUR)
    assert hub.value("eaqi_2024", T0).origin is Origin.MEASURED
    assert hub.value("eaqi_2024", T0 + HOUR, SECOND).origin is Origin.SIMULATED  # silent, and still simulated
    assert hub.value("eaqi_2024_district", T0, PART).origin is Origin.SIMULATED


async def test_a_single_reading_from_a_wrong_clock_makes_few_rows() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", parse_instant("2001-01-01T00:00:00Z"), 30), reading("a", "pm10", T0, 30)])
    await hub.settle(T0 + HOUR)
    assert len(hub.ledger.rows) < 200


async def test_a_new_definition_is_filled_from_what_is_stored() -> None:
    less = few(CATALOGUE, "eaqi_2024_district", "pm2_5_day_mean")
    hub = Hub(catalogue=less)
    rows = stream(6, 72)
    await hub.take(rows)
    await hub.settle(T0 + 5 * DAY)
    hub.catalogue = CATALOGUE
    hub.restart()
    await hub.settle()
    whole = Hub()
    await whole.take(rows)
    await whole.settle(T0 + 5 * DAY)
    assert hub.results() == whole.results()


async def test_a_device_that_is_not_registered_yet_is_no_error() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("z", "pm10", T0, 30), reading("a", "rssi", T0, -90)])
    await hub.settle(T0 + HOUR)
    assert hub.ledger.rows == {}
    assert hub.ledger.cursors["touch:0"] == 2


async def test_an_engine_may_run_in_a_thread_with_a_loop_of_its_own() -> None:
    """Made here, run there, with steps that wait for each other."""
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 30)])

    async def there() -> None:
        await asyncio.gather(hub.engine.settle(), hub.engine.recompute(start=T0), hub.engine.settle())

    await asyncio.to_thread(lambda: asyncio.run(there()))
    assert hub.value("eaqi_2024", T0).value == 2


async def test_several_devices_count_the_same_however_often_they_report() -> None:
    hub = Hub(device("a"), device("b", interval=600))
    rows = [reading("a", "pm10", T0, 10)] + [reading("b", "pm10", T0 + i * HOUR // 6, 40) for i in range(6)]
    await hub.take(rows)
    await hub.settle(T0 + HOUR)
    found = hub.value("eaqi_2024", T0).components["pm10"]
    assert (found.value, found.coverage) == (25, 1)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5)])
async def test_recompute_refuses_an_empty_stretch(start: int, end: int) -> None:
    with pytest.raises(Exception, match="end"):
        await Hub().engine.recompute(start=start, end=end)


async def test_an_engine_that_was_down_closes_each_window_once() -> None:
    """A backlog is read in many steps; a window whose readings lie in several of them is closed after the last."""
    hub = Hub(device("a"), limit=2)
    for quantity in ("pm10", "pm2_5", "no2"):
        await hub.take([reading("a", quantity, T0 + h * HOUR, 30) for h in range(24)])
    await hub.settle(T0 + 30 * DAY)
    first = hub.value("eaqi_2024", T0)
    assert (first.revision, first.status, first.closed) == (1, Status.FINAL, True)
    assert set(first.components) >= {"pm10", "pm2_5", "no2"}
    assert {value.revision for value in hub.ledger.rows.values() if value.indicator == "pm10_day_mean"} == {1}


async def test_an_engine_says_for_what_it_waits_and_goes_on_by_itself() -> None:
    hub = Hub(device("a"))
    await hub.take([reading("a", "pm10", T0, 20)])
    hub.store.away = 1
    running = asyncio.create_task(hub.engine.run(debounce=0.01))
    said = set[str | None]()
    while not hub.ledger.rows:
        said.add(hub.engine.waits)
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)
    running.cancel()
    assert said == {None, "the store is away"}
    assert hub.engine.waits is None
