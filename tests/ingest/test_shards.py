# SPDX-License-Identifier: EUPL-1.2
"""Each topic has one owner, and its owner hears it; what a worker hears beyond that it confirms and leaves alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import sdk
from hub.core.delivery import Delivery
from hub.core.errors import SettingsError
from hub.core.ports import Command, CommandQueue, Source
from hub.ingest.shard_list import read_list
from hub.ingest.shards import (
    Division,
    Layout,
    NoMessages,
    Owners,
    OwnMessages,
    OwnOrders,
    by_connector,
    by_shard,
    filters,
    joined,
    parted,
)

_LEVELS = ["devices", "air-1", "air-2", "AIR-1", "readings", "x", "lora", "up", ""]


def connector(name: str, *topics: str, device: str = "device") -> sdk.Connector:
    return sdk.Connector(name=name, title=name, topics=topics, decode=lambda _message, _topic: (), device=device)


CONNECTORS = (
    connector("native", "devices/{device}/readings"),
    connector("lora", "lora/{device}/up", "lora/{device}/x/#"),
    connector("payload", "x/{site}/#", device=""),
)
ROUTER = sdk.Router(CONNECTORS)


def hears(subscribed: Sequence[str], topic: str) -> bool:
    """MQTT's rule for topic filters, written down once more."""

    def matches(one: Sequence[str], levels: Sequence[str]) -> bool:
        if not one:
            return not levels
        if one[0] == "#":
            return True
        return bool(levels) and one[0] in ("+", levels[0]) and matches(one[1:], levels[1:])

    return any(matches(one.split("/"), topic.split("/")) for one in subscribed)


shards_of = st.integers(1, 4)
devices_of = st.dictionaries(
    st.sampled_from(["native/air-1", "native/air-2", "native/AIR-1", "lora/x", "lora/air-1"]), st.integers(0, 3)
)


@given(
    topic=st.lists(st.sampled_from(_LEVELS), min_size=1, max_size=5).map("/".join),
    shards=shards_of,
    explicit=st.dictionaries(st.sampled_from(["native", "lora", "payload"]), st.integers(0, 3)),
    devices=st.none() | devices_of,
    catch_all=st.booleans(),
    most=st.sampled_from([0, 2, 100]),
)
def test_every_topic_that_somebody_is_to_hear_is_heard_by_its_one_owner(
    topic: str,
    shards: int,
    explicit: dict[str, int],
    devices: dict[str, int] | None,
    catch_all: bool,
    most: int,
) -> None:
    if devices is None:
        explicit = {name: shard % shards for name, shard in explicit.items()}
        division = by_connector(shards, [c.name for c in CONNECTORS], explicit)
    else:
        division = Division(shards=shards, devices={name: shard % shards for name, shard in devices.items()})
    owner = Owners(division, ROUTER.match)[topic]
    heard = hears(filters(division, owner, CONNECTORS, catch_all=catch_all, most=most), topic)
    assert heard == (catch_all or ROUTER.match(topic) is not None)


def test_connectors_are_dealt_out_in_turn_but_for_those_that_are_said() -> None:
    division = by_connector(2, ["ttn", "native", "chirpstack"], {"ttn": 1})
    assert division.connectors == {"ttn": 1, "chirpstack": 0, "native": 1}
    assert division.words() == "shard 0: chirpstack, the rest; shard 1: ttn, native"


def test_owners_forget_before_they_grow_without_bound() -> None:
    owners = Owners(by_connector(2, ["native"], {"native": 1}), ROUTER.match)
    for number in range(200_001):
        owners[f"devices/d{number}/readings"]
    assert len(owners) <= 200_000
    assert owners["devices/d0/readings"] == 1


class Given(Source):
    """Batches of topics; notes what is confirmed."""

    def __init__(self, *batches: Sequence[str]) -> None:
        self._batches = batches
        self.acked: list[int] = []

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        number = 0
        for topics in self._batches:
            numbered = list(enumerate(topics, number + 1))
            number += len(topics)
            yield [Delivery(topic, b"", 0, 1, False, False, token) for token, topic in numbered]

    async def ack(self, tokens: Sequence[int]) -> None:
        self.acked += tokens

    async def close(self) -> None:
        pass


async def test_what_belongs_to_others_is_confirmed_and_not_handed_on() -> None:
    source = Given(["a", "b", "a"], ["b"], ["a"])
    own = OwnMessages(source, {"a": 0, "b": 1}, 0)
    seen = [[delivery.token for delivery in batch] async for batch in own.batches()]
    assert seen == [[1, 3], [5]]
    assert source.acked == [2, 4]
    assert own.passed == 2


async def test_a_worker_without_a_shard_hears_nothing_until_it_is_closed() -> None:
    source = NoMessages()
    reading = asyncio.ensure_future(anext(aiter(source.batches()), None))
    await asyncio.sleep(0)
    assert not reading.done()
    await source.close()
    assert await reading is None


class Orders(CommandQueue):
    """Orders in memory."""

    def __init__(self, *orders: Command) -> None:
        self._orders = orders

    def pending(self) -> Sequence[Command]:
        return self._orders

    def done(self, command: int, result: object) -> None:
        pass

    def submit(self, kind: str, arguments: object) -> int:
        return 0


def test_a_worker_takes_its_own_orders_and_the_first_one_those_for_nobody() -> None:
    queue = Orders(
        Command(1, "redrive", {}),
        Command(2, "redrive", {"shard": 1}),
        Command(3, "recompute", {}),
        Command(4, "purge", {"shard": 0}),
    )
    assert [order.id for order in OwnOrders(queue, 0).pending()] == [1, 4]
    assert [order.id for order in OwnOrders(queue, 1).pending()] == [2]


def test_ids_over_all_journals_are_those_of_the_rows_in_the_first_one() -> None:
    assert joined(0, 17) == 17
    assert parted(joined(3, 17)) == (3, 17)
    assert by_shard([17, joined(1, 4), joined(1, 9)]) == {0: [17], 1: [4, 9]}


def test_sessions_are_the_same_while_shards_and_subscriptions_are() -> None:
    two = Layout(division=by_connector(2, ["a", "b"], {}), filters=[["#"], ["b/+"]])
    assert two.same(Layout(division=by_connector(2, ["a", "b"], {}), filters=[("#",), ("b/+",)], generation=3))
    assert not two.same(Layout(division=by_connector(2, ["a", "b"], {"b": 0, "a": 1}), filters=two.filters))
    assert not two.same(Layout(division=two.division, filters=[["#"], ["b/#"]]))
    assert Layout(filters=[["#"]]).same(Layout(filters=[["a/+"]])), "one worker takes everything, whatever it hears"
    assert two.client(1) == "ingest-1"
    assert Layout(generation=2).client(0) == "ingest-0-g2"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("s.csv", "device,shard\nair-1,1\nlora/70B3,0\n", {"native/air-1": 1, "lora/70B3": 0}),
        ("s.yaml", "air-1: 1\nlora/70B3: 0\n", {"native/air-1": 1, "lora/70B3": 0}),
    ],
)
def test_a_list_is_csv_or_yaml(tmp_path: Path, name: str, text: str, expected: dict[str, int]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_list(tmp_path / name, 2, CONNECTORS) == expected


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.csv", "device,shard\nair-1,1\nair-2,2\n", "line 3: shard '2' is not one of 0 to 1"),
        ("s.csv", "device,shard\nair-1,-1\n", "line 2: shard '-1'"),
        ("s.csv", "device,shard\nair-1,1\nair-1,0\n", "line 3: device 'air-1' stands on line 2 already"),
        ("s.csv", "device,shard\nwmbus/7,1\n", "line 2: there is no connector 'wmbus'"),
        ("s.csv", "device,shard\npayload/7,1\n", "line 2: the topics of connector 'payload' do not name the device"),
        ("s.csv", "device,shard\nair+,1\n", "line 2: 'air+' is no device's name"),
        ("s.csv", "device,shard\n,1\n", "line 2: '' is no device's name"),
        ("s.csv", "name,worker\n", "columns must be called device and shard"),
        ("s.csv", "device,shard\n", "lists no device"),
        ("s.yaml", "air-1: 1\nair-2: [1]\n", "line 2: write `device: shard`"),
        ("s.yaml", "- air-1\n", "write one line"),
        ("s.yaml", "air-1: {\n", "is no YAML"),
        ("s.yaml", "", "lists no device"),
    ],
)
def test_a_fault_in_the_list_is_told_with_its_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"ingest\.shard_file") as caught:
        read_list(tmp_path / name, 2, CONNECTORS)
    assert words in str(caught.value)
