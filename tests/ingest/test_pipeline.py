# SPDX-License-Identifier: EUPL-1.2
"""Store, journal, acknowledge; and what becomes of everything that cannot be stored."""

import asyncio

import pytest

from hub.core.errors import Stop
from hub.core.places import Device
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS, Flag, TimeSource
from hub.core.reasons import REASONS
from tests.ingest.conftest import NOW, Bench, delivery
from tests.ingest.fakes import EndlessSource, ListSource

GOOD = '{"time": "2026-11-23T11:50:00Z", "readings": {"pm10": 20.3, "air_temperature": {"value": 294.5, "unit": "K"}}}'
UNTIMED = '{"readings": {"pm10": 20.3}}'


async def test_a_good_message_is_stored_journalled_and_acknowledged(bench: Bench) -> None:
    await bench.pipeline.take([delivery(GOOD, token=7)])
    pm10, temperature = sorted(bench.store.rows.values(), key=lambda row: row.quantity, reverse=True)
    assert (pm10.value, pm10.flag, pm10.time_source) == (20.3, Flag.GOOD, TimeSource.DEVICE)
    assert temperature.value == pytest.approx(21.35)
    assert bench.source.acked == [7]
    touches, cursor = bench.reader.touches(0, 10)
    assert sorted((t.quantity, t.hour) for t in touches) == [
        ("air_temperature", NOW - 3600 * NS),
        ("pm10", NOW - 3600 * NS),
    ]
    assert bench.reader.touches(cursor, 10) == ([], cursor)
    assert bench.reader.seen()["air-1"].time == NOW - 600 * NS
    bench.assert_balanced()


BAD = [
    ("not json", "malformed", {}),
    ("", "empty", {}),
    ('{"readings": {"pm10": "twenty"}}', "bad_structure", {}),
    ('{"readings": {"pm99": 1}}', "unknown_quantity", {}),
    ('{"readings": {"pm10": {"value": 1, "unit": "parsec"}}}', "unknown_unit", {}),
    ('{"time": "1970-01-01T00:00:00Z", "readings": {"pm10": 1}}', "time_implausible", {}),
    ('{"time": "2026-11-30T12:00:00Z", "readings": {"pm10": 1}}', "time_implausible", {}),
    (UNTIMED, "time_missing", {"retain": True}),
    (GOOD, "unknown_device", {"topic": "devices/stranger/readings"}),
    (GOOD, "no_connector", {"topic": "somewhere/else"}),
]


@pytest.mark.parametrize(("payload", "reason", "changes"), BAD, ids=[f"{row[1]}-{i}" for i, row in enumerate(BAD)])
async def test_what_cannot_be_used_waits_in_quarantine(
    bench: Bench, payload: str, reason: str, changes: dict[str, object]
) -> None:
    await bench.pipeline.take([delivery(payload, **changes)])
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert (row.reason, row.scope, row.state, row.payload) == (reason, "message", "waiting", payload.encode())
    assert row.detail
    assert set(REASONS[reason].title) == {"en", "cs"}
    assert bench.source.acked == [1]
    assert bench.store.rows == {}
    assert sum(bench.reader.reasons().values()) == 1
    bench.assert_balanced()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_values_that_are_no_numbers_never_reach_the_store(bench: Bench, value: str) -> None:
    await bench.pipeline.take([delivery(f'{{"readings": {{"pm10": {value}}}}}')])
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert row.reason in {"malformed", "not_finite", "bad_structure"}
    assert bench.store.rows == {}
    bench.assert_balanced()


async def test_an_oversized_message_is_refused_with_a_sample(bench: Bench) -> None:
    await bench.pipeline.take([delivery(b"x" * 1_000_000)])
    [row] = bench.reader.quarantine(QuarantineFilter(state="refused"))
    assert (row.reason, len(row.payload)) == ("too_large", 1024)
    assert "1000000 bytes" in row.detail
    assert bench.totals()["refused"] == 1
    bench.assert_balanced()


async def test_an_impossible_value_is_kept_and_flagged(bench: Bench) -> None:
    await bench.pipeline.take([delivery('{"readings": {"relative_humidity": 1000}}')])
    [row] = bench.store.rows.values()
    assert (row.value, row.flag) == (1000, Flag.FAIL)


async def test_a_duplicate_is_counted_and_touches_again(bench: Bench) -> None:
    await bench.pipeline.take([delivery(GOOD)])
    await bench.pipeline.take([delivery(GOOD, token=2)])
    assert bench.totals()["duplicate"] == 2
    assert len(bench.reader.touches(0, 10)[0]) == 4
    assert bench.reader.quarantine(QuarantineFilter()) == []
    bench.assert_balanced()


async def test_a_conflict_is_set_aside_and_the_first_value_stays(bench: Bench) -> None:
    await bench.pipeline.take([delivery(GOOD), delivery(GOOD.replace("20.3", "99"), token=2)])
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert (row.reason, row.scope, row.conflicts, row.rejects) == ("conflict", "reading", 1, 0)
    assert "stored 20.3" in row.detail
    assert {r.value for r in bench.store.rows.values() if r.quantity == "pm10"} == {20.3}
    assert bench.totals()["conflict"] == 1
    bench.assert_balanced()


async def test_a_higher_revision_corrects(bench: Bench) -> None:
    corrected = GOOD.replace("20.3", "21").replace('"readings"', '"revision": 1, "readings"')
    await bench.pipeline.take([delivery(GOOD), delivery(corrected, token=2)])
    assert {r.value for r in bench.store.rows.values() if r.quantity == "pm10"} == {21}
    bench.assert_balanced()


async def test_one_unknown_quantity_does_not_cost_the_others(bench: Bench) -> None:
    await bench.pipeline.take([delivery('{"readings": {"pm10": 1, "pm99": 2}}')])
    assert [r.quantity for r in bench.store.rows.values()] == ["pm10"]
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert (row.reason, row.scope, row.conflicts, row.rejects) == ("unknown_quantity", "reading", 0, 1)
    bench.assert_balanced()


async def test_messages_of_a_new_device_are_redriven_when_it_is_registered(bench: Bench) -> None:
    await bench.pipeline.take([delivery(GOOD, topic="devices/new-1/readings")])
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    await bench.pipeline.clerk.obey()
    assert {r.device for r in bench.store.rows.values()} == {"new-1"}
    assert bench.registry.results == {1: {"tried": 1, "redriven": 1, "waiting": 0, "ignored": 0}}
    assert bench.reader.quarantine(QuarantineFilter()) == []
    assert bench.totals() | {"received": 1, "decoded": 1, "quarantined": 0, "stored": 2} == bench.totals()
    bench.assert_balanced()


async def test_redriving_twice_changes_nothing(bench: Bench) -> None:
    await bench.pipeline.take([delivery('{"readings": {"pm10": 1, "pm99": 2}}'), delivery("garbage")])
    before = bench.totals()
    for _ in range(2):
        result = await bench.pipeline.clerk.redrive(QuarantineFilter())
        assert (result.tried, result.redriven, result.waiting) == (2, 0, 2)
    assert bench.totals() == before
    assert {row.attempts for row in bench.reader.quarantine(QuarantineFilter())} == {2}
    bench.assert_balanced()


async def test_a_conflict_that_is_redriven_stays_a_conflict(bench: Bench) -> None:
    await bench.pipeline.take([delivery(GOOD), delivery(GOOD.replace("20.3", "99"), token=2)])
    before = bench.totals()
    await bench.pipeline.clerk.redrive(QuarantineFilter())
    assert bench.totals() == before
    [row] = bench.reader.quarantine(QuarantineFilter())
    assert (row.reason, row.attempts) == ("conflict", 1)


async def test_an_unknown_order_is_answered_not_ignored(bench: Bench) -> None:
    number = bench.registry.submit("dance", {})
    await bench.pipeline.clerk.obey()
    assert bench.registry.results == {number: {"error": "unknown order 'dance'"}}


async def test_nothing_is_acknowledged_while_the_store_is_away(bench: Bench) -> None:
    bench.store.away = 3
    waits: list[list[int]] = []

    async def sleep(_: float) -> None:
        waits.append(list(bench.source.acked))

    await bench.restart(sleep=sleep)
    await bench.pipeline.take([delivery(GOOD)])
    assert waits == [[], [], []]
    assert bench.source.acked == [1]
    assert bench.totals()["stored"] == 2


async def test_a_redelivered_message_without_time_keeps_its_first_stamp(bench: Bench) -> None:
    await bench.pipeline.take([delivery(UNTIMED)])
    await bench.pipeline.take([delivery(UNTIMED, received=NOW + 5 * NS, dup=True)])
    assert [row.time for row in bench.store.rows.values()] == [NOW]
    assert bench.totals()["duplicate"] == 1


async def test_the_first_stamp_is_remembered_over_a_restart(bench: Bench) -> None:
    await bench.pipeline.take([delivery(UNTIMED)])
    await bench.restart()
    await bench.pipeline.take([delivery(UNTIMED, received=NOW + 5 * NS, dup=True)])
    assert [row.time for row in bench.store.rows.values()] == [NOW]


async def test_the_same_text_sent_again_later_is_a_new_reading(bench: Bench) -> None:
    await bench.pipeline.take([delivery(UNTIMED)])
    await bench.pipeline.take([delivery(UNTIMED, received=NOW + 600 * NS)])
    await bench.pipeline.take([delivery(UNTIMED, received=NOW + 605 * NS, dup=True)])
    assert sorted(row.time for row in bench.store.rows.values()) == [NOW, NOW + 600 * NS]


async def test_the_hubs_own_publications_are_ignored_and_counted(bench: Bench) -> None:
    await bench.pipeline.take([delivery("{}", topic="indicators/eaqi_2024/havirov/mesto")])
    assert bench.totals()["ignored"] == 1
    assert bench.reader.quarantine(QuarantineFilter(state=None)) == []
    bench.assert_balanced()


async def test_the_next_batch_is_read_while_one_is_stored_and_written_after_it(bench: Bench) -> None:
    """Overlap changes no order: what is stored first is acknowledged first, and the last batch is not forgotten."""
    batches = [[delivery(GOOD.replace("11:50", f"11:{m:02}"), token=m)] for m in range(1, 20)]
    bench.store.away = 5
    source = ListSource(batches)
    await bench.restart(source=source)
    await bench.pipeline.run(poll=0.01)
    assert source.acked == list(range(1, 20))
    assert bench.totals()["stored"] == 38
    bench.assert_balanced()


async def test_a_device_registered_between_reading_and_storing_is_not_missed(bench: Bench) -> None:
    """Its message was read as unknown and waits behind a slow store; its redrive must wait for it to be journalled."""
    bench.store.gate.clear()
    unknown = delivery(GOOD, topic="devices/new-1/readings", token=2)
    await bench.restart(source=EndlessSource([delivery(GOOD)], [unknown]))
    running = asyncio.create_task(bench.pipeline.run(poll=0.01))
    while bench.store.calls != ["put"]:
        await asyncio.sleep(0.01)
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    await asyncio.sleep(0.1)
    bench.store.gate.set()
    while not bench.registry.results:
        await asyncio.sleep(0.01)
    running.cancel()
    assert {row.device for row in bench.store.rows.values()} == {"air-1", "new-1"}
    assert bench.reader.quarantine(QuarantineFilter()) == []
    bench.assert_balanced()


async def test_an_error_that_stops_ingest_is_not_waited_out(bench: Bench) -> None:
    """A store that refuses the hub's credentials ends ingest at once, with the batch unacknowledged."""

    async def refuse(rows: object) -> None:
        raise Stop("401")

    bench.store.put = refuse  # type: ignore[method-assign, assignment]
    source = EndlessSource([delivery(GOOD)])
    await bench.restart(source=source)
    with pytest.raises(ExceptionGroup) as caught:
        await bench.pipeline.run(poll=60)
    assert caught.group_contains(Stop)
    assert source.acked == []


async def test_asked_to_end_it_finishes_what_is_under_way_and_takes_no_more(bench: Bench) -> None:
    bench.store.gate.clear()
    source = EndlessSource([delivery(GOOD)], [delivery(GOOD.replace("11:50", "11:51"), token=2)])
    await bench.restart(source=source)
    running = asyncio.create_task(bench.pipeline.run(poll=60))
    while len(bench.store.calls) < 2:
        await asyncio.sleep(0.01)
    bench.pipeline.end()
    await asyncio.sleep(0.05)
    assert not running.done()
    bench.store.gate.set()
    await asyncio.wait_for(running, 10)
    assert source.acked == [1, 2]
    assert bench.totals()["stored"] == 4


async def test_an_order_that_waits_for_the_store_lets_others_pass(bench: Bench) -> None:
    await bench.pipeline.take([delivery(GOOD, topic="devices/new-1/readings")])
    bench.store.away = 1
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    other = bench.registry.submit("purge", {"why": "a test", "ids": [999]})
    await bench.pipeline.clerk.obey()
    assert list(bench.registry.results) == [other]
    await bench.pipeline.clerk.obey()
    assert len(bench.registry.results) == 2
