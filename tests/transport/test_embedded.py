# SPDX-License-Identifier: EUPL-1.2
"""The embedded broker: what devices are promised, what it survives, what it says."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.core.delivery import Delivery
from hub.core.errors import SettingsError, Stop
from hub.transport import BrokerEvent, BrokerUser, EmbeddedBroker, EmbeddedSettings, PahoSession
from hub.transport.embedded import find_binary
from tests.servers import free_port, require_binary
from tests.transport.conftest import take, until

pytestmark = pytest.mark.server
HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"  # of "secret"


@asynccontextmanager
async def embedded(
    directory: Path, *, filters: Sequence[str] = ("#",), events: list[BrokerEvent] | None = None, **changes: Any
) -> AsyncIterator[EmbeddedBroker]:
    """A broker prepared and started as the hub does it."""
    require_binary("nats-server")
    values: dict[str, Any] = {"directory": directory, "port": free_port(), "ack_wait": 1, **changes}
    broker = EmbeddedBroker(EmbeddedSettings(**values), on_event=None if events is None else events.append)
    try:
        await broker.prepare(filters)
        await broker.start()
        yield broker
    finally:
        await broker.stop()


class Device:
    """A device on paho, blocking; used through `asyncio.to_thread`."""

    def __init__(self, port: int, client_id: str = "device", username: str | None = None, password: str | None = None):
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        self.client.max_inflight_messages_set(500)
        if username is not None:
            self.client.username_pw_set(username, password)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def publish(self, topic: str, payload: bytes = b"x", *, qos: int = 1, seconds: float = 5.0) -> bool:
        """Whether the broker confirmed in time."""
        try:
            info = self.client.publish(topic, payload, qos)
            info.wait_for_publish(seconds)
        except RuntimeError:  # the connection is gone
            return False
        return info.is_published()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def send(port: int, topics: Sequence[str], *, seconds: float = 5.0, **login: Any) -> list[bool]:
    """Publish one message a topic, each with its number, by one device; which were confirmed."""
    device = Device(port, **login)
    try:
        return [device.publish(topic, b"%d" % number, seconds=seconds) for number, topic in enumerate(topics)]
    finally:
        device.close()


def port_of(broker: EmbeddedBroker) -> int:
    return broker.session_settings().port


async def ready(session: PahoSession) -> None:
    async with asyncio.timeout(10):
        await session.ready()


def topics(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.topic for delivery in deliveries]


async def test_messages_published_before_the_hub_ever_connected_are_kept_for_it(tmp_path: Path) -> None:
    """The server confirms and drops what nobody subscribes to: `prepare` has subscribed."""
    async with embedded(tmp_path) as broker:
        assert all(await asyncio.to_thread(send, port_of(broker), ["a"] * 20))
        session = broker.session(["#"])
        assert [int(d.payload) for d in await take(session, 20)] == list(range(20))
        await session.close()


async def test_before_it_is_prepared_no_device_finds_a_listener(tmp_path: Path) -> None:
    require_binary("nats-server")
    port = free_port()
    broker = EmbeddedBroker(EmbeddedSettings(directory=tmp_path, port=port))
    await broker.prepare(["#"])
    with pytest.raises(ConnectionRefusedError):
        Device(port)
    await broker.stop()


async def test_confirmed_messages_survive_kills_of_the_broker_under_load(tmp_path: Path) -> None:
    """Three SIGKILLs while a device publishes, the hub being away: everything confirmed arrives."""
    confirmed: list[int] = []

    def publish(port: int, numbers: range) -> None:
        device = Device(port)
        pending = [(number, device.client.publish("a", b"%d" % number, 1)) for number in numbers]
        with contextlib.suppress(RuntimeError):  # the kill broke the connection
            pending[-1][1].wait_for_publish(1.0)
        confirmed.extend(number for number, info in pending if info.is_published())
        device.client.loop_stop()

    async with embedded(tmp_path) as broker:
        for kill in range(3):
            numbers = range(kill * 1000, kill * 1000 + 1000)
            publishing = asyncio.create_task(asyncio.to_thread(_tolerant, publish, port_of(broker), numbers))
            await asyncio.sleep(0.15)
            assert broker.pid is not None
            os.kill(broker.pid, signal.SIGKILL)
            await publishing
            await until(lambda kill=kill: broker.restarts == kill + 1 and broker.health().ok)  # type: ignore[misc]
        assert all(await asyncio.to_thread(send, port_of(broker), ["last"]))
        assert confirmed
        session = broker.session(["#"])
        arrived: set[int] = set()
        async with asyncio.timeout(30):
            async for batch in session.batches():
                arrived |= {int(d.payload) for d in batch if d.topic == "a"}
                await session.ack([d.token for d in batch])
                if set(confirmed) <= arrived:
                    break
        await session.close()


def _tolerant(function: Any, *arguments: Any) -> None:
    """Run; a connection that a kill broke is what the test wants."""
    try:
        function(*arguments)
    except (OSError, ValueError):
        return


async def test_messages_wait_while_the_whole_hub_is_down(tmp_path: Path) -> None:
    port = free_port()
    async with embedded(tmp_path, port=port) as broker:
        assert all(await asyncio.to_thread(send, port, ["a"] * 5))
    async with embedded(tmp_path, port=port) as broker:
        assert all(await asyncio.to_thread(send, port, ["b"] * 5))
        session = broker.session(["#"])
        assert sorted(topics(await take(session, 10))) == ["a"] * 5 + ["b"] * 5
        await session.close()


async def test_what_waited_for_the_hub_comes_as_soon_as_it_is_back(tmp_path: Path) -> None:
    """`ack_wait` exceeds the test's patience: nothing may have been sent to anybody during the start."""
    port = free_port()
    async with embedded(tmp_path, port=port, ack_wait=3600):
        assert all(await asyncio.to_thread(send, port, ["a"] * 300))
    async with embedded(tmp_path, port=port, ack_wait=3600) as broker:
        session = broker.session(["#"])
        assert [int(d.payload) for d in await take(session, 300)] == list(range(300))
        assert session.stats().received == 300
        await session.close()


@pytest.mark.parametrize("happened", ["jetstream", "hub.json", "subscriptions.json"])
async def test_a_subscription_that_is_no_longer_there_is_made_again(tmp_path: Path, happened: str) -> None:
    """Whatever somebody deleted: what devices publish before the hub connects is kept."""
    async with embedded(tmp_path):
        pass
    gone = tmp_path / happened
    if gone.is_dir():
        shutil.rmtree(gone)
    else:
        gone.unlink()
    async with embedded(tmp_path) as broker:
        assert all(await asyncio.to_thread(send, port_of(broker), ["a"]))
        session = broker.session(["#"])
        assert topics(await take(session, 1)) == ["a"]
        await session.close()


@pytest.mark.parametrize("text", ["", "{", '["#"]', '{"client_id": 1}'])
async def test_a_note_of_subscriptions_that_cannot_be_read_is_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "subscriptions.json").write_text(text)
    async with embedded(tmp_path) as broker:
        assert all(await asyncio.to_thread(send, port_of(broker), ["a"]))
    note = (tmp_path / "subscriptions.json").read_text()
    assert '"filters":["#"]' in note
    assert '"consumers":[]' not in note, "else each start would connect again"


async def test_unacknowledged_survives_a_kill_of_the_broker(tmp_path: Path) -> None:
    """DUP is not promised here: a server that was killed may have forgotten that it delivered."""
    async with embedded(tmp_path) as broker:
        session = broker.session(["#"])
        await ready(session)
        assert all(await asyncio.to_thread(send, port_of(broker), ["a"] * 3))
        await take(session, 3, ack=False)
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        again = await take(session, 3)
        assert sorted(int(d.payload) for d in again) == [0, 1, 2]
        assert session.stats().sessions_lost == 0
        await session.close()


@pytest.mark.parametrize(
    ("topic", "kept"),
    [
        ("devices/d1/readings", True),
        ("/lead", True),
        ("trail/", True),
        ("a//b", True),
        ("/", True),
        ("v1.2/x", True),
        ("wild>x/*", True),
        ("ž/Ř", True),
        ("a/" * 100 + "z", True),
        ("x" * 5000, True),
        ("$foo/bar", False),  # `#` does not match topics that begin with $ (MQTT 3.1.1, 4.7.2)
        ("$SYS/x", False),
        ("$JS/API/INFO", False),
    ],
)
async def test_what_the_subscription_to_everything_gets(shared: EmbeddedBroker, topic: str, kept: bool) -> None:
    """All are confirmed, also those that nobody can get."""
    assert await asyncio.to_thread(send, port_of(shared), [topic, "mark"]) == [True, True]
    session = shared.session(["#"])
    got: list[str] = []
    while "mark" not in got:
        got += topics(await take(session, 1))
    await session.close()
    assert got == ([topic, "mark"] if kept else ["mark"])


@pytest.mark.parametrize("topic", ["a b/c", "tab\tx"])
async def test_white_space_in_a_topic_ends_the_connection_unconfirmed(shared: EmbeddedBroker, topic: str) -> None:
    assert await asyncio.to_thread(send, port_of(shared), [topic], seconds=0.3) == [False]


async def test_a_payload_beyond_the_limit_is_not_confirmed(shared: EmbeddedBroker) -> None:
    def publish() -> tuple[bool, bool]:
        device = Device(port_of(shared))
        fits = device.publish("a", b"x" * 1_000_000)
        exceeds = device.publish("a", b"x" * 3_000_000, seconds=1.0)
        device.close()
        return fits, exceeds

    assert await asyncio.to_thread(publish) == (True, False)
    session = shared.session(["#"])
    (got,) = await take(session, 1)
    await session.close()
    assert len(got.payload) == 1_000_000


@pytest.fixture
async def shared(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    async with embedded(tmp_path) as broker:
        yield broker


async def test_a_device_publishes_as_itself_only_and_what_is_denied_becomes_an_event(tmp_path: Path) -> None:
    """The server confirms what it denies: only its log tells."""
    user = BrokerUser(name="d1", password_hash=HASH, publish=["devices/d1/#"], subscribe=["devices/d1/commands"])
    events: list[BrokerEvent] = []
    async with embedded(tmp_path, events=events, anonymous=False, users=[user]) as broker:
        login: dict[str, Any] = {"client_id": "cid-1", "username": "d1", "password": "secret"}
        tried = ["devices/d2/v1.0", "devices/d1/readings"]
        assert await asyncio.to_thread(send, port_of(broker), tried, **login) == [True, True]
        session = broker.session(["#"])
        assert topics(await take(session, 1)) == ["devices/d1/readings"]
        await session.close()
        await until(lambda: events)
        assert [(e.kind, e.client, e.topic) for e in events] == [("publish_denied", "cid-1", "devices/d2/v1.0")]


@pytest.mark.parametrize("login", [{}, {"username": "d1", "password": "wrong"}, {"username": "hub", "password": ""}])
async def test_strangers_stay_out_where_users_are_set(tmp_path: Path, login: dict[str, Any]) -> None:
    events: list[BrokerEvent] = []
    user = BrokerUser(name="d1", password_hash=HASH, publish=["#"])
    async with embedded(tmp_path, events=events, anonymous=False, users=[user]) as broker:
        assert await asyncio.to_thread(send, port_of(broker), ["a"], seconds=0.3, **login) == [False]
        await until(lambda: [e for e in events if e.kind == "login_failed"])


async def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(Stop, match=r"broker\.port: 127\.0\.0\.1:\d+ cannot be used"):
            async with embedded(tmp_path, port=other.getsockname()[1]):
                pass


HUB = """
import asyncio, sys
from pathlib import Path
from hub.transport import EmbeddedBroker, EmbeddedSettings

async def main():
    broker = EmbeddedBroker(EmbeddedSettings(directory=Path(sys.argv[1]), port=int(sys.argv[2]), ack_wait=1))
    await broker.prepare(["#"])
    await broker.start()
    print(broker.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_the_server_outlives_a_killed_hub_and_the_next_hub_replaces_it(tmp_path: Path) -> None:
    require_binary("nats-server")
    port = free_port()
    pipe = asyncio.subprocess.PIPE
    hub = await asyncio.create_subprocess_exec(sys.executable, "-c", HUB, str(tmp_path), str(port), stdout=pipe)
    assert hub.stdout is not None
    left_behind = int(await hub.stdout.readline())
    hub.kill()
    await hub.wait()
    assert all(await asyncio.to_thread(send, port, ["a"]))
    async with embedded(tmp_path, port=port) as second:
        assert second.pid not in {None, left_behind}
        session = second.session(["#"])
        assert topics(await take(session, 1)) == ["a"]
        await session.close()


async def test_a_damaged_identity_stops_the_start_naming_the_file(tmp_path: Path) -> None:
    (tmp_path / "hub.json").write_text("{")
    with pytest.raises(Stop, match=r"hub\.json is damaged"):
        async with embedded(tmp_path):
            pass


async def test_secrets_are_readable_by_the_owner_only(shared: EmbeddedBroker, tmp_path: Path) -> None:
    for name in ("hub.json", "nats.conf"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    password = shared.session_settings().password
    assert password is not None
    assert password not in (tmp_path / "nats.log").read_text()


async def test_the_identity_of_the_hub_stays_the_same(tmp_path: Path) -> None:
    async with embedded(tmp_path) as broker:
        first = broker.session_settings()
    async with embedded(tmp_path) as broker:
        assert broker.session_settings().client_id == first.client_id


async def test_retained_messages_come_once_and_not_at_every_start(tmp_path: Path) -> None:
    port = free_port()
    async with embedded(tmp_path, port=port) as broker:
        session = broker.session(["#"])
        await ready(session)
        device = Device(port)
        await asyncio.to_thread(lambda: device.client.publish("state", b"1", 1, retain=True).wait_for_publish(5))
        await asyncio.to_thread(device.close)
        assert topics(await take(session, 1)) == ["state"]
        await session.close()
    async with embedded(tmp_path, port=port) as broker:
        assert all(await asyncio.to_thread(send, port, ["mark"]))
        session = broker.session(["#"])
        got = await take(session, 1)
        await session.close()
        assert "mark" in topics(got)
        assert not [delivery.topic for delivery in got if delivery.retain]  # a redelivered one has no such flag


async def test_new_filters_are_subscribed_to_at_the_next_start(tmp_path: Path) -> None:
    port = free_port()
    async with embedded(tmp_path, port=port, filters=["a/#"]):
        pass
    async with embedded(tmp_path, port=port, filters=["a/#", "b/#"]) as broker:
        assert all(await asyncio.to_thread(send, port, ["a/1", "b/1", "c/1"]))
        session = broker.session(["a/#", "b/#"])
        assert sorted(topics(await take(session, 2))) == ["a/1", "b/1"]
        await session.close()


def test_a_binary_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "nats-server").write_text("")
    with pytest.raises(SettingsError, match=r"broker\.binary"):
        find_binary(tmp_path / "nats-server")


async def test_a_server_that_fails_at_once_stops_with_its_own_words(tmp_path: Path) -> None:
    fake = tmp_path / "fake-server"
    fake.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('nats-server: disk on fire')\n")
    fake.chmod(0o755)
    with pytest.raises(Stop, match="disk on fire"):
        async with embedded(tmp_path / "data", binary=fake):
            pass
