# SPDX-License-Identifier: EUPL-1.2
"""A hub that starts knows whether the broker should still have its session, and says so when it has not."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hub.transport import BrokerSettings, Mqtt5Session, PahoSession, Session, SessionEvent, SessionMemory
from hub.transport._session_memory import SHOWN_NS
from tests.servers import Server, mosquitto_server, nats_server, running
from tests.transport.conftest import until
from tests.transport.test_paho_session import QUICK, packet, scripted

SETTINGS = BrokerSettings(client_id="hub")
Make = type[PahoSession] | type[Mqtt5Session] | type[Session]
Serve = Callable[[Path], Server]


def test_nothing_is_known_at_first_and_a_session_is_remembered(tmp_path: Path) -> None:
    first = SessionMemory.beside(tmp_path, SETTINGS)
    assert not first.known
    first.subscribed()
    assert SessionMemory.beside(tmp_path, SETTINGS).known


@pytest.mark.parametrize("other", [{"client_id": "hub-1"}, {"port": 1884}, {"host": "broker.example"}])
def test_another_broker_or_client_id_is_another_session(tmp_path: Path, other: dict[str, Any]) -> None:
    SessionMemory.beside(tmp_path, SETTINGS).subscribed()
    assert not SessionMemory.beside(tmp_path, BrokerSettings(**{"client_id": "hub", **other})).known


def test_a_note_about_another_session_is_not_believed(tmp_path: Path) -> None:
    SessionMemory(SETTINGS, tmp_path / "note.json").subscribed()
    assert not SessionMemory(BrokerSettings(client_id="another"), tmp_path / "note.json").known


def test_a_loss_is_shown_for_a_day_across_restarts(tmp_path: Path) -> None:
    now = 1_000_000
    memory = SessionMemory(SETTINGS, tmp_path / "note.json", lambda: now)
    memory.subscribed()
    assert memory.lost_at() is None
    memory.lose()
    memory.subscribed()
    now += SHOWN_NS - 1
    assert SessionMemory(SETTINGS, tmp_path / "note.json", lambda: now).lost_at() == 1_000_000
    now += 1
    again = SessionMemory(SETTINGS, tmp_path / "note.json", lambda: now)
    assert (again.known, again.lost_at()) == (True, None)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff"])
def test_a_damaged_note_counts_as_none_and_is_named(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "note.json").write_bytes(damage)
    assert not SessionMemory(SETTINGS, tmp_path / "note.json").known
    assert "note.json" in caplog.text


def test_a_note_that_cannot_be_written_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    memory = SessionMemory(SETTINGS, tmp_path / "file" / "note.json")
    memory.subscribed()
    assert memory.known
    assert "cannot be written" in caplog.text


async def one_run(make: Make, settings: BrokerSettings, directory: Path) -> tuple[list[str], str, int]:
    """A hub's life: connect, subscribe, end. Events, what health said, sessions lost."""
    events: list[SessionEvent] = []
    memory = SessionMemory.beside(directory, settings)
    session = make(settings, ["#"], notify=events.append, memory=memory)
    try:
        async with asyncio.timeout(10):
            await session.ready()
        return [event.kind for event in events], session.health().detail, session.stats().sessions_lost
    finally:
        await session.close()


def forget(server: Server, directory: Path) -> None:
    """Take the broker's memory away."""
    server.stop()
    for file in sorted(directory.rglob("*"), reverse=True):
        if file.suffix not in {".conf", ".log"}:
            file.rmdir() if file.is_dir() else file.unlink()
    server.start()


@pytest.mark.server
@pytest.mark.parametrize(
    ("make", "serve", "folder"),
    [
        (Mqtt5Session, mosquitto_server, "mosquitto"),
        (PahoSession, mosquitto_server, "mosquitto"),
        (Session, nats_server, "nats/jetstream"),
    ],
)
async def test_a_restarted_hub_notices_that_the_broker_has_lost_its_session(
    make: Make, serve: Serve, folder: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(serve(tmp_path)) as server:
        settings = BrokerSettings(port=server.port, client_id="hub", **QUICK)
        for _ in range(2):  # the first time ever, and a restart with everything in place
            kinds, detail, lost = await one_run(make, settings, tmp_path / "data")
            assert (kinds, lost) == ([], 0)
            assert "no longer" not in detail
        forget(server, tmp_path / folder)
        kinds, detail, lost = await one_run(make, settings, tmp_path / "data")
        assert (kinds, lost) == (["session_lost"], 1)
        assert "the broker no longer had the hub's session" in detail
        assert [r for r in caplog.records if r.levelno == logging.ERROR]
        kinds, detail, lost = await one_run(make, settings, tmp_path / "data")
        assert (kinds, lost) == ([], 0)
        assert "no longer" in detail, "health names it for a day"


@pytest.mark.parametrize("make", [PahoSession, Mqtt5Session])
async def test_a_loss_told_by_a_connection_that_broke_before_suback_is_not_forgotten(
    make: Make, tmp_path: Path
) -> None:
    """The next connection finds an empty session there: it has to subscribe all the same."""
    memory = SessionMemory(BrokerSettings(), tmp_path / "note.json")
    memory.subscribed()
    events: list[SessionEvent] = []
    asked: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        first = not asked
        writer.write(b"\x20\x03\x00\x00\x00" if first else b"\x20\x03\x01\x00\x00")
        subscribe = await packet(reader)
        asked.append(subscribe[0])
        if not first:
            writer.write(b"\x90\x04" + subscribe[2:4] + b"\x00\x01")
            await reader.read(-1)

    async with scripted(script) as port:
        settings = BrokerSettings(port=port, protocol="5", **QUICK)
        session = make(settings, ["#"], notify=events.append, memory=memory, subscribed=True)
        session.start()
        await until(lambda: session.health().ok)
        await session.close()
    assert asked == [0x82, 0x82]
    assert [event.kind for event in events] == ["session_lost"]


@pytest.mark.server
@pytest.mark.parametrize(("make", "version"), [(Mqtt5Session, "5"), (PahoSession, "5"), (PahoSession, "3.1.1")])
async def test_what_another_program_subscribed_to_with_qos_2_under_our_client_id_is_taken_and_told(
    make: type[PahoSession] | type[Mqtt5Session], version: Any, tmp_path: Path
) -> None:
    """Mosquitto grants our QoS 1 and lowers what matches it; only a foreign filter in our session brings QoS 2."""
    with running(mosquitto_server(tmp_path, options={"log_type": "error"})) as server:
        settings = BrokerSettings(port=server.port, client_id="hub", protocol=version, **QUICK)
        await asyncio.to_thread(subscribe_with_qos_2, server.port, version)
        events: list[SessionEvent] = []
        session = make(settings, ["ours/#"], notify=events.append)
        async with asyncio.timeout(10):
            await session.ready()
        await asyncio.to_thread(publish_with_qos_2, server.port, ["ours/a", "foreign/a", "foreign/b"])
        await until(lambda: session.stats().received == 3)
        server.restart()  # nothing was confirmed: all of it comes again
        await until(lambda: session.stats().connects == 2 and session.stats().received == 6)
        got = [delivery async for delivery in deliveries(session, 3)]
        assert sorted((d.topic, d.qos) for d in got) == [("foreign/a", 2), ("foreign/b", 2), ("ours/a", 1)]
        await session.ack([d.token for d in got])
        await until(lambda: session.stats().acked == 3)
        await asyncio.to_thread(publish_with_qos_2, server.port, ["foreign/c"])
        (after,) = [delivery async for delivery in deliveries(session, 1)]
        await session.ack([after.token])
        assert session.stats().refused == 0
        await asyncio.sleep(
            0.3
        )  # PUBREL and PUBCOMP; cut off before, Mosquitto sends it again, for ingest to recognise
        await session.close()  # all was confirmed: nothing comes again
        server.restart()
        again = make(settings, ["ours/#"])
        async with asyncio.timeout(10):
            await again.ready()
        await asyncio.to_thread(publish_with_qos_2, server.port, ["foreign/d"])
        (last,) = [delivery async for delivery in deliveries(again, 1)]
        assert last.topic == "foreign/d"
        await again.close()
    assert [event.kind for event in events] == ["foreign_subscription"]


async def deliveries(session: PahoSession | Mqtt5Session, count: int) -> Any:
    """The next `count` deliveries."""
    seen = 0
    async with asyncio.timeout(10):
        async for batch in session.batches():
            for delivery in batch:
                yield delivery
            seen += len(batch)
            if seen >= count:
                return


def subscribe_with_qos_2(port: int, version: str) -> None:
    five = version == "5"
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id="hub",
        protocol=mqtt.MQTTv5 if five else mqtt.MQTTv311,
        clean_session=None if five else False,
    )
    granted: list[object] = []
    client.on_connect = lambda c, *_: c.subscribe("foreign/#", 2)

    def leave(*_: object) -> None:
        granted.append(1)
        client.disconnect()

    client.on_subscribe = leave
    properties = None
    if five:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it so
        properties.SessionExpiryInterval = 600
    client.connect(
        "127.0.0.1", port, clean_start=False if five else mqtt.MQTT_CLEAN_START_FIRST_ONLY, properties=properties
    )
    client.loop_forever()
    assert granted


def publish_with_qos_2(port: int, topics: list[str]) -> None:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="device")
    client.connect("127.0.0.1", port)
    client.loop_start()
    for topic in topics:
        client.publish(topic, b"x", 2).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()
