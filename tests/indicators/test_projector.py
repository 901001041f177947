# SPDX-License-Identifier: EUPL-1.2
"""Sinks get every value, in order, and can be rebuilt from the ledger."""

import asyncio
import json
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from hub.core.delivery import Publication
from hub.core.errors import Retry
from hub.core.indicators import IndicatorValue
from hub.core.places import RegistrySnapshot
from hub.core.windows import HOUR
from hub.indicators.projector import MqttSink, Projector
from hub.indicators.representation import public_definition
from tests.indicators.fakes import SIMULATED, SITE, device, reading
from tests.indicators.test_engine import CATALOGUE, T0, Hub


class Sink:
    def __init__(self) -> None:
        self.got: list[IndicatorValue] = []
        self.away = False

    async def write(self, values: Sequence[IndicatorValue], registry: RegistrySnapshot) -> None:
        if self.away:
            raise Retry("sink is away")
        self.got += values


class Broker:
    def __init__(self) -> None:
        self.kept: dict[str, Publication] = {}

    async def publish(self, messages: Sequence[Publication]) -> None:
        self.kept |= {m.topic: m for m in messages}

    async def close(self) -> None:
        pass


async def filled(*devices: object) -> Hub:
    hub = Hub(*devices)
    await hub.take([reading("a", "pm10", T0 + h * HOUR, 30 + h) for h in range(5)])
    await hub.settle(T0 + 5 * HOUR)
    return hub


async def test_a_batch_on_its_way_does_not_undo_a_republish() -> None:
    hub, held = await filled(), asyncio.Event()

    class Slow(Sink):
        async def write(self, values: Sequence[IndicatorValue], registry: RegistrySnapshot) -> None:
            await held.wait()
            await super().write(values, registry)

    sink = Slow()
    projector = Projector(hub.ledger, hub.registry, {"one": sink}, batch=3)
    held.set()
    await projector.drain("one")
    await hub.take([reading("a", "pm10", T0 + 5 * HOUR, 30)])
    await hub.settle(T0 + 6 * HOUR)
    sink.got.clear()
    held.clear()
    live = asyncio.create_task(projector.step("one"))
    again = asyncio.create_task(projector.republish("one"))
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(live, again)
    assert {v.seq for v in sink.got} == {v.seq for v in hub.ledger.rows.values()}


async def test_a_sink_that_was_away_gets_what_it_missed_and_nothing_twice() -> None:
    hub, one, two = await filled(), Sink(), Sink()
    projector = Projector(hub.ledger, hub.registry, {"one": one, "two": two}, batch=3)
    two.away = True
    await projector.drain("one")
    with pytest.raises(Retry):
        await projector.drain("two")
    two.away = False
    await projector.drain("two")
    await projector.drain("two")
    assert [v.seq for v in two.got] == [v.seq for v in one.got] == sorted(v.seq for v in hub.ledger.rows.values())


async def test_republish_writes_everything_again() -> None:
    hub, sink = await filled(), Sink()
    projector = Projector(hub.ledger, hub.registry, {"one": sink})
    await projector.drain("one")
    first, sink.got = sink.got, []
    await projector.republish("one")
    assert sink.got == first


async def test_republish_tells_how_far_it_is_and_details_come_again() -> None:
    hub, broker = await filled(device("a")), Broker()
    told = hub.value("eaqi_2024", T0 + 4 * HOUR)
    hub.ledger.commit([(replace(told, details={"share_of_band_2": 0.25}), told.end)], {})
    projector = Projector(
        hub.ledger, hub.registry, {"mqtt": MqttSink(broker, CATALOGUE, hub.ledger)}, batch=len(hub.ledger.rows) // 2
    )
    await projector.drain("mqtt")
    first, broker.kept = broker.kept, {}
    seen: list[tuple[int, int]] = []
    await projector.republish("mqtt", lambda done, total: seen.append((done, total)))
    assert broker.kept == first
    message = json.loads(broker.kept[f"indicators/eaqi_2024/{SITE}"].payload)
    assert message["details"] == {"share_of_band_2": 0.25}
    assert 0 < seen[0][0] <= seen[0][1] == hub.ledger.seq


async def test_the_retained_message_is_the_newest_window_also_when_an_older_one_is_revised() -> None:
    hub, broker = await filled(device("a")), Broker()
    sink = MqttSink(broker, CATALOGUE, hub.ledger)
    projector = Projector(hub.ledger, hub.registry, {"mqtt": sink}, batch=2)
    await projector.drain("mqtt")
    await hub.take([reading("a", "no2", T0, 140)])
    await hub.settle()
    await projector.drain("mqtt")
    message = broker.kept[f"indicators/eaqi_2024/{SITE}"]
    told = json.loads(message.payload)
    assert message.retain
    assert told["window"] == {"start": "2026-03-27T04:00:00Z", "end": "2026-03-27T05:00:00Z", "period": "PT1H"}
    assert told["band"] == {"index": 2, "label": {"en": "Fair", "cs": "Přijatelná"}, "color": "#50ccaa"}
    assert (told["value"], told["status"], told["missing"]) == (2, "provisional", ["pm2_5", "no2", "o3", "so2"])
    assert told["components"]["pm10"]["value"] == 34


async def test_a_message_never_is_a_bare_number() -> None:
    hub, broker = await filled(device("a", origin=SIMULATED, interval=None)), Broker()
    await Projector(hub.ledger, hub.registry, {"mqtt": MqttSink(broker, CATALOGUE, hub.ledger)}).drain("mqtt")
    for message in broker.kept.values():
        told = json.loads(message.payload)
        assert (told["value"] is None) == (told["reason"] is not None)
        assert told["simulated"]
        assert told["unit"]
        assert told["coverage"] != 1


def test_a_definition_is_told_with_its_source() -> None:
    told = public_definition(CATALOGUE.get("pm10_days_over_50"))
    assert told["bands"][0]["label"] == {"en": "No more than 35 days found", "cs": "Zjištěno nejvýše 35 dní"}  # type: ignore[index] # a list
    assert "2008/50/EC" in str(told["reference"])
