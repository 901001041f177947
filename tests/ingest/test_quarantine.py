# SPDX-License-Identifier: EUPL-1.2
"""Quarantine as a tool, through the whole pipeline: quota, purge, ignore, redrive. The books balance after each."""

from collections.abc import Mapping

import pytest

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import Retry
from hub.core.journal import JournalBatch
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import QuarantineFilter
from hub.ingest.interpret import Interpreter
from hub.ingest.normalise import Conversions
from hub.ingest.pipeline import Pipeline
from hub.ingest.quota import Quota
from tests.ingest.conftest import NOW, Bench, delivery
from tests.ingest.fakes import MemoryRegistry

GOOD = '{"time": "2026-11-23T11:%02d:00Z", "readings": {"pm10": 20.3}}'
STRANGER = "devices/new-1/readings"
ANY = QuarantineFilter(state=None)


def flood(n: int, topic: str = STRANGER, first: int = 0) -> list[Delivery]:
    return [delivery(GOOD % (i % 60), topic=topic, token=i + 1) for i in range(first, first + n)]


async def limited(bench: Bench, per_source: int = 3, **limits: int) -> Pipeline:
    """The bench's pipeline with a small quota."""
    return await bench.restart(quota=Quota(per_source, **limits))


async def order(bench: Bench, kind: str, arguments: Mapping[str, object]) -> Mapping[str, object]:
    number = bench.registry.submit(kind, arguments)
    await bench.pipeline.clerk.obey()
    return bench.registry.results[number]


def proved(bench: Bench) -> dict[str, int]:
    """Totals, once the equations and the index agree with them."""
    bench.assert_balanced()
    by_device: dict[tuple[str, str], int] = {
        (connector, device): counts["quarantined"]
        for connector, device, counts in bench.reader.accounts(0)
        if counts["quarantined"]
    }
    assert by_device == bench.reader.set_aside()
    return bench.totals()


async def test_a_flood_beyond_the_quota_is_acknowledged_counted_and_sampled(bench: Bench) -> None:
    pipeline = await limited(bench)
    for first in (0, 10):
        await pipeline.take([*flood(10, first=first), delivery(GOOD % first, token=100 + first)])
    total = proved(bench)
    assert (total["quarantined"], total["refused"], total["decoded"]) == (3, 17, 2)
    assert len(bench.source.acked) == 22
    first, last = sorted(bench.reader.quarantine(QuarantineFilter(state="refused")), key=lambda r: r.id)
    assert (first.payload, last.payload) == ((GOOD % 3).encode(), (GOOD % 19).encode())
    assert (first.stands_for + last.stands_for, len(bench.store.rows)) == (17, 2)
    health = pipeline.recorder.health()
    assert not health.ok
    assert "17 messages of native/new-1, unknown_device" in health.detail


async def test_a_flood_writes_no_more_rows_than_its_quota(bench: Bench) -> None:
    pipeline = await limited(bench)
    await pipeline.take(flood(3))
    for _ in range(20):
        await pipeline.take(flood(500))
    assert bench.reader.count(ANY) == 5
    assert proved(bench)["refused"] == 10_000


async def test_after_a_restart_the_quota_knows_what_waits(bench: Bench) -> None:
    await (await limited(bench)).take(flood(5))
    await limited(bench)
    await bench.pipeline.take(flood(5, first=5))
    total = proved(bench)
    assert (total["quarantined"], total["refused"]) == (3, 7)
    assert not bench.pipeline.recorder.health().ok


async def test_registering_the_device_makes_room_again(bench: Bench) -> None:
    pipeline = await limited(bench)
    await pipeline.take(flood(3))
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    await pipeline.clerk.obey()
    await pipeline.take([delivery("garbage", topic=STRANGER, token=n) for n in range(3)])
    total = proved(bench)
    assert (total["decoded"], total["quarantined"], total["refused"]) == (3, 3, 0)


async def test_a_purge_erases_what_it_names_and_makes_room(bench: Bench) -> None:
    pipeline = await limited(bench)
    await pipeline.take([*flood(5), *flood(2, topic="devices/other/readings")])
    result = await order(bench, "purge", {"external_id": "new-1", "why": "test device", "by": "dana"})
    assert result == {"purged": 3}
    assert {(r.external_id, r.state) for r in bench.reader.quarantine(ANY)} == {
        ("new-1", "purged"),
        ("new-1", "refused"),
        ("other", "waiting"),
    }
    await pipeline.take(flood(1))
    assert bench.reader.count(QuarantineFilter()) == 3
    assert proved(bench)["quarantined"] == 6


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"external_id": "new-1"}, "why: say why"),
        ({"why": "all of it"}, "purge: name at least one of"),
        ({"why": "w", "state": "gone"}, "state: no state 'gone'; there are waiting"),
        ({"why": "w", "ids": "all"}, "Expected `array | null`"),
    ],
)
async def test_a_purge_that_cannot_be_meant_does_nothing(
    bench: Bench, arguments: Mapping[str, object], error: str
) -> None:
    await bench.pipeline.take(flood(2))
    assert error in str((await order(bench, "purge", arguments))["error"])
    assert bench.reader.count(QuarantineFilter()) == 2


async def test_an_unknown_order_is_answered_so(bench: Bench) -> None:
    assert await order(bench, "dance", {}) == {"error": "unknown order 'dance'"}


class Ignoring(MemoryRegistry):
    """A registry in which one foreign device is ignored."""

    names: frozenset[tuple[str, str]] = frozenset()

    def snapshot(self) -> RegistrySnapshot:
        return RegistrySnapshot(self.number, dict(self.devices), {}, {}, self.names)


def ignore(bench: Bench, connector: str, *names: str) -> Mapping[str, object]:
    """Ignore these devices from now on; returns the order that the ledger leaves for the last of them."""
    registry = bench.registry
    registry.__class__ = Ignoring
    registry.names = frozenset((connector, name) for name in names)  # type: ignore[attr-defined] # an Ignoring by now
    registry.number += 1
    return {"connector": connector, "external_id": names[-1]}


async def test_what_waits_of_an_ignored_device_moves_to_ignored_and_its_payload_goes(bench: Bench) -> None:
    await bench.pipeline.take([*flood(4), delivery("garbage", topic=STRANGER, token=9)])
    before = proved(bench)
    result = await order(bench, "redrive", ignore(bench, "native", "new-1"))
    assert result == {"tried": 5, "redriven": 0, "waiting": 0, "ignored": 5}
    total = proved(bench)
    assert (before["quarantined"], total["quarantined"], total["ignored"]) == (5, 0, 5)
    assert {(r.state, r.payload) for r in bench.reader.quarantine(ANY)} == {("ignored", b"")}
    await bench.pipeline.take(flood(2))
    assert proved(bench)["ignored"] == 7
    assert bench.reader.count(ANY) == 5


GATEWAY = sdk.Connector(
    name="gateway",
    title="Messages that speak for several devices",
    topics=("gw/{gate}",),
    decode=lambda message, _: [sdk.Reading(d, "pm10", 1.0, time=NOW) for d in message.payload.decode().split()],
)


@pytest.mark.parametrize(
    ("ignored", "state", "counted"),
    [
        ({"a"}, "waiting", "quarantined"),
        ({"b"}, "waiting", "quarantined"),
        ({"a", "b"}, "ignored", "ignored"),
    ],
    ids=["first", "second", "both"],
)
async def test_a_message_waits_on_while_a_new_device_shares_it(
    bench: Bench, conversions: Conversions, ignored: set[str], state: str, counted: str
) -> None:
    await bench.restart(interpreter=Interpreter(sdk.Router([GATEWAY]), conversions, max_payload=65536))
    await bench.pipeline.take([delivery("a b", topic="gw/1")])
    await order(bench, "redrive", ignore(bench, "gateway", *ignored))
    [row] = bench.reader.quarantine(ANY)
    assert (row.state, row.payload) == (state, b"a b" if state == "waiting" else b"")
    assert proved(bench)[counted] == 1


async def test_redriving_thousands_lets_live_messages_through_and_goes_on_after_a_failure(bench: Bench) -> None:
    """The journal fails in the middle; what was redriven until then stays redriven, the rest follows."""
    await bench.pipeline.take(flood(350))
    bench.registry.devices["new-1"] = Device(id="new-1", connector="native", external_id="new-1")
    bench.registry.number += 1
    waiting, pages = bench.journal.waiting, 0

    class Failing:
        """A journal that does not answer at the third page, once; a live message comes before each page."""

        def __getattr__(self, name: str) -> object:
            return getattr(bench.journal, name)

        async def waiting(self, where: QuarantineFilter, after: int, limit: int) -> object:
            nonlocal pages
            pages += 1
            await bench.pipeline.take([delivery(GOOD % pages, token=1000 + pages)])
            if pages == 3:
                raise Retry("journal is away", after=0.0)
            return await waiting(where, after, limit)

    await bench.restart(journal=Failing())
    number = bench.registry.submit("redrive", {"connector": "native", "external_id": "new-1"})
    await bench.pipeline.clerk.obey()
    assert number not in bench.registry.results
    assert (bench.reader.count(QuarantineFilter()), bench.totals()["decoded"]) == (150, 203)
    await bench.pipeline.clerk.obey()
    assert bench.registry.results[number] == {"tried": 150, "redriven": 150, "waiting": 0, "ignored": 0}
    assert bench.source.acked[-6:] == [1001, 1002, 1003, 1004, 1005, 1006]
    total = proved(bench)
    assert (total["decoded"], total["quarantined"], total["received"]) == (356, 0, 356)


async def test_redriving_twice_changes_nothing(bench: Bench) -> None:
    await bench.pipeline.take(flood(5))
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    await bench.pipeline.clerk.obey()
    total = proved(bench)
    assert await order(bench, "redrive", {"connector": "native", "external_id": "new-1"}) == {
        "tried": 0,
        "redriven": 0,
        "waiting": 0,
        "ignored": 0,
    }
    assert proved(bench) == total


async def test_a_batch_that_the_journal_could_not_commit_keeps_its_payloads_once(bench: Bench) -> None:
    """The payloads are durable before the transaction; when that fails and is repeated they are not written again."""
    log = bench.journal._quarantine._log
    batch = JournalBatch(quarantined=[])
    await bench.pipeline.take(flood(1))
    size = log.size()
    [row] = bench.reader.quarantine(QuarantineFilter())
    batch.quarantined = [row]
    stage = bench.journal._quarantine.stage
    first = stage(batch)
    assert stage(batch) == first
    assert log.size() - size < 2 * len(row.payload)


async def test_a_device_that_sends_right_after_its_registration_is_known(bench: Bench) -> None:
    """Who registers and then sends a year at once must not run into the quota before ingest looks again."""
    pipeline = await limited(bench)
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    await pipeline.take(flood(10))
    total = proved(bench)
    assert (total["decoded"], total["quarantined"], total["refused"]) == (10, 0, 0)


async def test_what_a_flooding_device_waits_with_is_read_though_its_flood_is_not(bench: Bench) -> None:
    """A redrive of what waits must not find the device refused, and registering it ends that at once."""
    pipeline = await limited(bench)
    await pipeline.take(flood(10))
    await pipeline.take([delivery("garbage", topic=STRANGER)])
    assert proved(bench)["refused"] == 8
    result = await pipeline.clerk.redrive(QuarantineFilter())
    assert (result.tried, result.waiting) == (3, 3)
    await pipeline.take(flood(1, first=20))
    bench.registry.add(Device(id="new-1", connector="native", external_id="new-1"))
    await pipeline.clerk.obey()
    await pipeline.take(flood(1, first=30))
    total = proved(bench)
    assert (total["decoded"], total["refused"], total["quarantined"]) == (4, 9, 0)
