# SPDX-License-Identifier: EUPL-1.2
"""A changed division on a real Mosquitto: where it was interrupted it is taken up again, and no message is lost."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.app import Parts
from hub.commands._division import divide
from hub.commands._ingest import check_division
from hub.commands.workers import shard_named
from hub.core.delivery import Publication
from hub.core.errors import Invalid, Retry, SettingsError, Stop
from hub.datadir import needing_room
from hub.ingest.shards import Recorded
from hub.settings import Settings, load_settings
from hub.status import read_status
from hub.supervisor import EXIT_CONFIGURATION
from tests.servers import Server, mosquitto

pytestmark = pytest.mark.server


def settings_of(folder: Path, broker: Server, workers: int, **ingest: object) -> Settings:
    return load_settings(
        data=folder / "data",
        mqtt={"host": "127.0.0.1", "port": broker.port},
        ingest={"workers": workers, **ingest},
    )


def has_session(broker: Server, client_id: str) -> bool:
    """Whether the broker keeps a session; asking does not change it."""
    found: list[bool] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False, manual_ack=True)
    client.on_connect = lambda _c, _u, flags, *_: (found.append(flags.session_present), client.disconnect())
    client.connect("127.0.0.1", broker.port)
    client.loop_forever()
    return found[0]


def drained(log: list[int], *, ends: bool = True) -> Callable[[Sequence[int]], Awaitable[bool]]:
    async def drain(shards: Sequence[int]) -> bool:
        log.extend(shards)
        return ends

    return drain


@asynccontextmanager
async def hearing(parts: Parts, shard: int) -> AsyncIterator[list[str]]:
    """Topics that a shard's session is sent."""
    layout = parts.running_layout()
    session = parts.session(lambda _: None, layout.client(shard), layout.filters[shard])
    topics: list[str] = []

    async def read() -> None:
        async for batch in session.batches():
            topics.extend(delivery.topic for delivery in batch)
            await session.ack([delivery.token for delivery in batch])

    reading = asyncio.create_task(read())
    yield topics
    await session.close()
    await reading


async def test_a_division_that_was_interrupted_is_finished_by_the_next_start(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        one, two = Parts(settings_of(tmp_path, broker, 1)), Parts(settings_of(tmp_path, broker, 2))
        one.data.open("hub")
        log: list[int] = []
        assert await divide(one, None, drained(log), lambda _: None)
        session = one.session(lambda _: None, "ingest-0", ["#"])
        await session.ready()
        await session.close()
        check_division(one)
        with pytest.raises(SettingsError, match="divided otherwise"):
            check_division(two)

        assert not await divide(two, None, drained(log, ends=False), lambda _: None)
        recorded = two.data.recorded()
        assert recorded is not None
        assert recorded.following is not None
        assert recorded.current.same(one.layout())
        assert recorded.following.same(two.layout())
        with pytest.raises(SettingsError, match="dividing its work anew"):
            check_division(two)

        publisher = two.publisher("test")
        await publisher.publish([Publication("devices/air-1/readings", b"1"), Publication("no/such/topic", b"2")])
        assert await divide(two, None, drained(log), lambda _: None)
        assert log == [0, 0], "the old division has one shard, drained again after the interruption"
        check_division(two)
        assert not has_session(broker, "cityhub-ingest-0")
        async with hearing(two, 0) as rest, hearing(two, 1) as native:
            await publisher.publish([Publication("devices/air-2/readings", b"3")])
            for _ in range(100):
                if len(rest) + len(native) == 5:
                    break
                await asyncio.sleep(0.1)
            assert native == ["devices/air-1/readings", "devices/air-2/readings"]
            assert rest == ["devices/air-1/readings", "no/such/topic", "devices/air-2/readings"]
        await publisher.close()


async def test_the_same_division_keeps_its_sessions_and_a_single_worker_any_subscription(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as broker:
        log: list[int] = []
        for catch_all in (True, False):
            parts = Parts(settings_of(tmp_path, broker, 1))
            mqtt_settings = parts.settings.mqtt.model_copy(update={"catch_all": catch_all})
            parts = Parts(parts.settings.model_copy(update={"mqtt": mqtt_settings}))
            parts.data.open("hub")
            assert await divide(parts, None, drained(log), lambda _: None)
            recorded = parts.data.recorded()
            assert recorded is not None
            assert (recorded.current.generation, recorded.following) == (0, None)
            assert list(recorded.current.filters[0]) == list(parts.filters())
        assert log == []


def test_a_worker_that_would_get_nothing_is_refused(tmp_path: Path) -> None:
    parts = Parts(load_settings(data=tmp_path, ingest={"workers": 9}))
    with pytest.raises(SettingsError, match=r"ingest.workers: nothing is left for shard \d"):
        parts.layout()


def test_a_connector_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ingest.shards: there is no connector 'wmbus'"):
        Parts(load_settings(data=tmp_path, ingest={"workers": 2, "shards": {"wmbus": 1}})).layout()


@pytest.mark.parametrize(
    ("ingest", "words"),
    [
        ({"shard_by": "device"}, "go together"),
        ({"workers": 2, "shards": {"native": 2}}, "shard 2 is not one of 0 to 1"),
        ({"own_shards": [1]}, "shard 1 is not one of 0 to 0"),
        ({"workers": 0}, "greater than or equal to 1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, ingest: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match="ingest") as caught:
        load_settings(data=tmp_path, ingest=ingest)
    assert words in str(caught.value)


def test_a_worker_that_may_not_start_says_why_in_its_heartbeat(tmp_path: Path) -> None:
    config = tmp_path / "cityhub.toml"
    config.write_text(f'data = "{tmp_path}"\n[ingest]\nworkers = 2\nown_shards = [0]\n', encoding="utf-8")
    one = Parts(load_settings(data=tmp_path))
    one.data.open("hub")
    one.data.record(Recorded(current=one.layout()))
    command = [sys.executable, "-m", "hub.cli", "ingest", "--shard", "1/2", "--config", str(config)]
    done = subprocess.run(command, timeout=60, check=False, capture_output=True)
    assert done.returncode == EXIT_CONFIGURATION
    told = read_status(one.data.status("ingest-1"), "ingest-1")[0]
    assert "messages are divided otherwise" in told.detail


def test_a_full_disk_is_named_and_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(Retry, match="the disk is full: make room"), needing_room(tmp_path):
        Path("/dev/full").write_bytes(b"x")
    with pytest.raises(FileNotFoundError), needing_room(tmp_path):
        (tmp_path / "none").read_bytes()


async def test_a_division_waits_for_a_worker_of_the_old_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"data": tmp_path, "mqtt": {"host": "127.0.0.1", "port": 1}}
    one, two = Parts(load_settings(**settings)), Parts(load_settings(**settings, ingest={"workers": 2}))
    one.data.open("hub")
    one.data.record(Recorded(current=one.layout()))
    with one.data.locked_shard(0), pytest.raises(TimeoutError):
        await asyncio.wait_for(divide(two, None, drained([]), lambda _: None), 0.5)
    assert "cannot divide anew yet" in caplog.text


@pytest.mark.parametrize("text", ["", "1", "2/2", "1/", "/2", "-1/2", "a/b", "1/2/3"])
def test_a_shard_is_written_with_how_many_there_are(text: str) -> None:
    assert shard_named("1/2") == (1, 2)
    with pytest.raises(Invalid, match="such as 0/2 or 1/2"):
        shard_named(text)


def test_two_workers_of_one_shard_exclude_each_other_and_others_do_not(tmp_path: Path) -> None:
    data = Parts(load_settings(data=tmp_path)).data
    busy = pytest.raises(Stop, match="another ingest worker of shard 1 runs")
    with data.locked_shard(1), data.locked_shard(0), busy, data.locked_shard(1, 0.2):
        pytest.fail("two have it")
    with data.locked_shard(1, 0.0):
        pass
