# SPDX-License-Identifier: EUPL-1.2
"""Whatever happens on the way, the same readings end in the same values.

Streams are random: hourly and irregular devices, with and without a declared interval, a device that moves, counters
that are reset, states, both nights in which clocks change. On their way they are delayed, shuffled, doubled and cut
into batches; the engine is restarted between any two steps, put off by its own pace, and loses store or ledger just
before it commits. The values must be those of a run that saw everything in order, and those that recompute makes from
the readings alone.
"""

import asyncio
from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import Retry
from hub.core.indicators import Correction
from hub.core.places import Device, Mounting
from hub.core.quantities import Quantities
from hub.core.readings import NS, Reading
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import Catalogue, build_catalogue, load_catalogue
from hub.indicators.checks import parse_definition
from hub.indicators.engine import Engine
from tests.indicators.fakes import AIR, SITE, FakeJournal, FakeLedger, FakeRegistry, FakeStore, device, few, reading

DAY = 24 * HOUR
PRAGUE = Calendar.of("Europe/Prague")
SECOND = "havirov/mesto/druha"
NIGHTS = ("2026-03-28T10:00:00Z", "2026-10-24T10:00:00Z")  # of 23 and of 25 hours
SPELL = 54  # hours of a stream

OWN = """
id: {id}
version: 1
title: {{en: Test, cs: Test}}
description: {{en: Test, cs: Test}}
domain: {domain}
formula: value
inputs: {{x: {{{x}}}}}
unit: {unit}
window: {window}
{more}
direction: neutral
standing: illustrative
reference: [{{citation: none}}]
examples: [{{given: {{x: {given}}}, value: 1}}]
"""
DEFINITIONS = (
    {"id": "use_hour", "domain": "water", "x": "quantity: water_volume", "unit": "m3", "window": "PT1H", "more": "",
     "given": "1"},
    {"id": "use_day", "domain": "water", "x": "indicator: use_hour, reduce: total, capture: 0.5", "unit": "m3",
     "window": "P1D", "more": "", "given": "[1]"},
    {"id": "taken_day", "domain": "parking", "x": "quantity: parking_free, capture: 0", "unit": '"1"',
     "window": "P1D", "more": "step: PT1H\ncapture: 0.1\nprecision: 3", "given": "1"},
)  # fmt: skip


def catalogue() -> Catalogue:
    quantities = Quantities.load()
    air = few(load_catalogue(quantities), *AIR)
    texts = [OWN.format(**fields).encode() for fields in DEFINITIONS]
    named = [(d.id, d) for d in air if not d.id.endswith(("_part", "_city"))]
    return build_catalogue([*named, *((f"{n}.yaml", parse_definition(t, f"{n}.yaml")) for n, t in enumerate(texts))],
                           quantities)  # fmt: skip


CATALOGUE = catalogue()


def devices(start: int) -> Sequence[Device]:
    """`b` moves to the second site after a day; `d` declares no interval."""
    moved = (Mounting(SITE, 0, start + DAY), Mounting(SECOND, start + DAY))
    return (
        device("a"),
        device("b", mountings=moved),
        device("c", SECOND, interval=1800),
        device("d", SECOND, interval=None),
    )


class Hub:
    """An engine on ports in memory; `shaky` is what goes wrong on the way."""

    def __init__(self, start: int, every: int = 0, limit: int = 5_000) -> None:
        self.registry, self.store = FakeRegistry(*devices(start)), FakeStore()
        self.journal, self.ledger = FakeJournal(), FakeLedger()
        self.now, self._every, self._limit = start, every, limit
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(
            CATALOGUE, PRAGUE, self.store, self.ledger, self.registry, [self.journal], lambda: self.now,  # type: ignore[arg-type, list-item] # fakes have what is used
            self._limit, every=self._every,
        )  # fmt: skip

    async def take(self, rows: Sequence[Reading]) -> None:
        await self.store.put(rows)
        self.journal.commit(rows)

    async def settle(self, now: int) -> None:
        """Until nothing is left, also of what waits for its pace."""
        self.now = max(now, self.now)
        self.ledger.crash = self.store.away = 0
        await self.engine.settle()
        self.now += self._every
        await self.engine.settle()

    def results(self) -> dict[tuple[str, str, int], tuple[object, ...]]:
        return {key: (value.closed, *value.result()) for key, value in self.ledger.rows.items()}


def stream(random: Random, start: int) -> list[Reading]:
    rows = []
    for hour in range(SPELL):
        t = start + hour * HOUR
        for name in "abcd":
            rows += [
                reading(name, q, t + random.choice([0, 0, 7 * 60 * NS]), round(random.uniform(0, 140), 1),
                        flag=random.choice([1, 1, 1, 2, 3, 4]))
                for q in ("pm10", "pm2_5") if random.random() < 0.85
            ]  # fmt: skip
        if random.random() < 0.8:
            rows.append(reading("a", "water_volume", t + random.randrange(3600) * NS, random.uniform(0, 50)))
        if random.random() < 0.3:
            rows.append(reading("c", "parking_free", t + random.randrange(3600) * NS, random.randrange(2)))
    higher = [
        reading(r.device, r.quantity, r.time, r.value + 1, revision=1, flag=r.flag)
        for r in random.sample(rows, len(rows) // 25)
    ]
    return rows + higher


def orderly(rows: Sequence[Reading], start: int, end: int) -> Hub:
    async def run() -> Hub:
        hub = Hub(start)
        await hub.take(sorted(rows, key=lambda r: (r.time, r.revision)))
        await hub.settle(end)
        return hub

    return asyncio.run(run())


def wild(rows: Sequence[Reading], start: int, end: int, random: Random, every: int) -> Hub:
    async def run() -> Hub:
        hub = Hub(start, every, random.choice([20, 5_000]))
        left = [*rows, *random.sample(rows, len(rows) // 20)]
        if random.random() < 0.7:
            random.shuffle(left)
        while left:
            n = random.choice([1, 30, 200])
            batch, left = left[:n], left[n:]
            await hub.take(batch)
            if hub.now < end - 2 * HOUR:
                hub.now += random.choice([NS, 5 * NS, HOUR, 2 * HOUR])
            hub.ledger.crash, hub.store.away = random.choice([0, 0, 1]), random.choice([0, 0, 1])
            try:
                await hub.engine.step()
            except Retry:
                hub.restart()
            if random.random() < 0.2:
                hub.restart()
        await hub.settle(end)
        return hub

    return asyncio.run(run())


@settings(max_examples=14, deadline=None)
@given(seed=st.integers(0, 10**9), night=st.sampled_from(NIGHTS), every=st.sampled_from([0, 10 * NS]))
def test_any_way_of_arrival_gives_the_values_of_an_orderly_run(seed: int, night: str, every: int) -> None:
    random, start = Random(seed), parse_instant(night)
    rows, end = stream(random, start), start + 9 * DAY
    expected = orderly(rows, start, end).results()
    assert any(key[0] == "use_day" and row[1] is not None for key, row in expected.items())
    assert any(key[0] == "taken_day" and row[1] is not None for key, row in expected.items())
    assert wild(rows, start, end, random, every).results() == expected


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**9), night=st.sampled_from(NIGHTS))
def test_recompute_from_the_readings_alone_gives_the_live_values(seed: int, night: str) -> None:
    random, start = Random(seed), parse_instant(night)
    rows, end = stream(random, start), start + 9 * DAY
    live = wild(rows, start, end, random, 10 * NS)

    async def from_nothing() -> Hub:
        hub = Hub(start)
        await hub.store.put(rows)
        hub.now = live.now
        await hub.engine.recompute()
        again = await hub.engine.recompute()
        assert (again.written, again.windows > 500) == (0, True)
        return hub

    assert asyncio.run(from_nothing()).results() == live.results()


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**9), every=st.sampled_from([0, 10 * NS]))
def test_excluded_readings_give_what_would_have_been_without_them(seed: int, every: int) -> None:
    random, start = Random(seed), parse_instant(NIGHTS[0])
    rows, end = stream(random, start), start + 9 * DAY
    first = start + random.randrange(SPELL) * HOUR
    last = first + random.choice([HOUR, 5 * HOUR, DAY])
    name, quantity = random.choice(["a", "b", "c"]), random.choice(["pm10", None])
    spared = [
        r for r in rows
        if not (r.device == name and quantity in (None, r.quantity) and first <= r.time < last)
    ]  # fmt: skip
    expected = orderly(spared, start, end).results()

    hub = wild(rows, start, end, random, every)
    hub.ledger.fixes.append(
        Correction(id=1, device=name, quantity=quantity, start=first, end=last, action="exclude", flag=None,
                   by="test", reason="spider")
    )  # fmt: skip
    hub.restart()
    asyncio.run(hub.settle(end))
    found = hub.results()
    for key, row in expected.items():  # silence behind an excluded reading has rows, which a part names as missing
        shown = len(row) if key[1] in (SITE, SECOND) or row[1] is not None else 3
        assert found[key][:shown] == row[:shown], key
    assert {row[1] for key, row in found.items() if key not in expected} <= {None}, "a value of nothing"
