# SPDX-License-Identifier: EUPL-1.2
"""What an operator sees of a session, paho's or the fast one, and what happens when broker or rivals misbehave."""

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from hub.core.errors import SettingsError
from hub.transport import BrokerSettings, Mqtt5Session, PahoSession, Session, SessionEvent
from hub.transport._ends import End
from hub.transport._socket import BufferedSocket
from hub.transport.paho_session import next_protocol
from tests.servers import Server, free_port, mosquitto, nats, require_binary
from tests.transport.conftest import Broker, take, until

FIVE, THREE = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
Make = type[PahoSession] | type[Mqtt5Session] | type[Session]
both = pytest.mark.parametrize("make", [PahoSession, Mqtt5Session])
QUICK: dict[str, Any] = {"reconnect_min": 0.01, "reconnect_max": 0.05, "refused_delay": 0.05}


@pytest.mark.parametrize(
    ("setting", "tried", "end", "then"),
    [
        ("auto", FIVE, End.WRONG_VERSION, THREE),
        ("auto", FIVE, End.NO_ANSWER, THREE),
        ("auto", THREE, End.NO_ANSWER, FIVE),
        ("auto", FIVE, End.LOST, FIVE),
        ("auto", THREE, End.LOST, THREE),
        ("auto", THREE, End.UNREACHABLE, FIVE),
        ("auto", THREE, End.REFUSED, THREE),
        ("5", FIVE, End.WRONG_VERSION, FIVE),
        ("3.1.1", THREE, End.NO_ANSWER, THREE),
    ],
)
def test_the_version_of_the_next_try(
    setting: str, tried: MQTTProtocolVersion, end: End, then: MQTTProtocolVersion
) -> None:
    assert next_protocol(setting, tried, end) == then


@both
async def test_without_filters_there_is_nothing_to_start(make: Make) -> None:
    with pytest.raises(SettingsError, match=r"broker\.filters"):
        make(BrokerSettings(), [])


@both
async def test_closing_what_never_started_is_fine(make: Make) -> None:
    session = make(BrokerSettings(), ["#"])
    await session.close()
    assert [batch async for batch in session.batches()] == []


@both
async def test_closing_does_not_wait_for_a_broker_that_is_away(make: Make) -> None:
    session = make(BrokerSettings(port=free_port(), reconnect_min=50, reconnect_max=60), ["#"])
    session.start()
    await until(lambda: "unreachable" in session.health().detail)
    async with asyncio.timeout(2):
        await session.close()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[int]:
    """A server that plays `script` with each client; yields its port."""
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):  # the client left in the middle
            await script(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.ensure_future(converse(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield int(server.sockets[0].getsockname()[1])
    async with asyncio.timeout(5):
        await asyncio.gather(*conversations)


async def packet(reader: asyncio.StreamReader) -> bytes:
    """The next MQTT packet, shorter than 128 bytes."""
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Let an MQTT 5 client in: CONNACK, SUBACK."""
    await packet(reader)
    writer.write(b"\x20\x03\x00\x00\x00")
    subscribe = await packet(reader)
    writer.write(b"\x90\x04" + subscribe[2:4] + b"\x00\x01")


async def hang_up(_r: asyncio.StreamReader, _w: asyncio.StreamWriter) -> None:
    """Close at once."""


async def hold(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Listen and say nothing."""
    await reader.read(-1)


async def take_over(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """DISCONNECT with reason 0x8E, session taken over (MQTT 5, 3.14.2.1)."""
    await greet(reader, writer)
    writer.write(b"\xe0\x02\x8e\x00")
    await reader.read(-1)


async def reuse_an_id(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Two messages, not marked DUP, under one packet id."""
    await greet(reader, writer)
    writer.write(2 * b"\x32\x07\x00\x01a\x00\x09\x00x")
    await reader.read(-1)


async def grant_less(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Grant QoS 0 where 1 was asked for."""
    await packet(reader)
    writer.write(b"\x20\x03\x00\x00\x00")
    subscribe = await packet(reader)
    writer.write(b"\x90\x04" + subscribe[2:4] + b"\x00\x00")
    await reader.read(-1)


@both
@pytest.mark.parametrize(
    ("script", "detail", "hint"),
    [
        (hang_up, "closed the connection without an answer", "broker.port"),
        (hold, "no answer to CONNECT within 0.2 s", "broker.port"),
        (take_over, "took the session over", "broker.client_id"),
        (reuse_an_id, "packet id 9 again", "connects again"),
        (grant_less, "does not grant QoS 1 for # (Granted", "broker.username"),
    ],
)
async def test_a_misbehaving_broker_is_described(make: Make, script: Script, detail: str, hint: str) -> None:
    async with scripted(script) as port:
        settings = BrokerSettings(port=port, protocol="5", connect_timeout=0.2, **QUICK | {"refused_delay": 5.0})
        session = make(settings, ["#"])
        session.start()
        await until(lambda: detail in session.health().detail)
        assert hint in session.health().hint
        await session.close()


@pytest.mark.server
@pytest.mark.parametrize(
    ("make", "start"), [(PahoSession, mosquitto), (PahoSession, nats), (Mqtt5Session, mosquitto), (Session, nats)]
)
async def test_wrong_credentials_are_visible_and_tried_again_until_the_operator_mends_them(
    make: Make, start: Callable[..., AbstractContextManager[Server]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[SessionEvent] = []
    port = free_port()
    with start(tmp_path / "a", port=port, users={"hub": "right"}):
        settings = BrokerSettings(port=port, username="hub", password="secret-wrong", **QUICK)
        session = make(settings, ["#"], notify=events.append)
        session.start()
        await until(lambda: "refused" in session.health().detail and session.stats().refused > 2)
        assert "broker.password" in session.health().hint
    with start(tmp_path / "b", port=port, users={"hub": "secret-wrong"}):
        await until(lambda: session.health().ok)
        await session.close()
    assert [event.kind for event in events] == ["refused"]
    refusals = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert len(refusals) == 1, "said once, not at each try"
    assert "secret-wrong" not in caplog.text


@both
@pytest.mark.server
async def test_a_session_that_the_broker_lost_is_reported(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[SessionEvent] = []
    options = {"persistence": "false", "autosave_interval": "0"}
    port = free_port()
    with mosquitto(tmp_path, port=port, options=options) as server:
        session = make(BrokerSettings(port=port, **QUICK), ["#"], notify=events.append)
        async with asyncio.timeout(10):
            await session.ready()
        assert events == []
        server.restart()
        await until(lambda: session.stats().connects == 2)
        assert session.stats().sessions_lost == 1
        await session.close()
    assert [event.kind for event in events] == ["session_lost"]
    assert "session lost" in caplog.text


@both
@pytest.mark.server
async def test_batches_not_taken_are_dropped_when_the_broker_sends_them_again(
    make: Make, mosquitto_broker: Broker
) -> None:
    """Without this a slow consumer and a flapping connection would pile up copies."""
    session = mosquitto_broker.session_of(make)
    async with asyncio.timeout(10):
        await session.ready()
    await asyncio.to_thread(mosquitto_broker.publish, ["a"] * 50)
    await until(lambda: session.stats().received == 50)
    mosquitto_broker.server.restart()
    await until(lambda: session.stats().received == 100)
    assert session.stats().dropped_stale == 50
    got = await take(session, 50)
    assert [int(d.payload) for d in got] == list(range(50))
    assert all(d.dup for d in got)
    await session.close()


@both
@pytest.mark.server
async def test_a_rival_with_the_same_client_id_is_suspected(make: Make, mosquitto_broker: Broker) -> None:
    session = mosquitto_broker.session_of(make, reconnect_min=30.0, reconnect_max=30.0)
    async with asyncio.timeout(10):
        await session.ready()
    rival = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="hub-under-test")
    rival.connect("127.0.0.1", mosquitto_broker.server.port)
    rival.loop_start()
    try:
        await until(lambda: not session.health().ok)
        assert "another client uses the same broker.client_id" in session.health().hint
    finally:
        rival.disconnect()
        rival.loop_stop()
        await session.close()


@pytest.mark.server
async def test_nats_sends_what_is_in_hand_again_and_the_hub_keeps_one_copy(tmp_path: Path) -> None:
    """ack_wait of 1 s runs out while ingest is busy: the repeat on the same connection is not handed over twice."""
    with nats(tmp_path, ack_wait="1s") as server:
        broker = Broker(server, "nats", "3.1.1", "3.1.1")
        session = broker.session()
        async with asyncio.timeout(10):
            await session.ready()
        await asyncio.to_thread(broker.publish, ["a"] * 5)
        first = await take(session, 5, ack=False)
        await until(lambda: session.stats().redelivered_in_hand >= 5)
        assert session.stats().received == 5
        await session.ack([d.token for d in first])
        await until(lambda: session.stats().acked == 5)
        await session.close()


@pytest.mark.server
async def test_paho_runs_on_the_buffered_socket(mosquitto_broker: Broker) -> None:
    """The hook is not public: this fails when a release of paho drops it."""
    from hub.transport._paho_client import Client, open_socket

    client = Client(CallbackAPIVersion.VERSION2)
    client.opener = lambda: open_socket(mosquitto_broker.settings(), None)
    client.connect("127.0.0.1", mosquitto_broker.server.port)
    assert isinstance(client.socket(), BufferedSocket)
    client.disconnect()


@contextmanager
def certificate(directory: Path) -> Iterator[tuple[Path, Path]]:
    """A self-signed certificate of 127.0.0.1."""
    openssl = require_binary("openssl")
    cert, key = directory / "cert.pem", directory / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command: list[str | Path] = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        *subject,
    ]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    key.chmod(0o644)
    yield cert, key


@both
@pytest.mark.server
async def test_tls_carries_a_burst_and_checks_the_certificate(make: Make, tmp_path: Path) -> None:
    with certificate(tmp_path) as (cert, key):
        listener = {"certfile": str(cert), "keyfile": str(key)}
        plain = free_port()
        options = {"listener": f"{plain} 127.0.0.1"}
        with mosquitto(tmp_path, options=options, listener=listener) as server:
            stranger = make(BrokerSettings(port=server.port, tls=True, **QUICK), ["#"])
            stranger.start()
            await until(lambda: "certificate" in stranger.health().detail.lower())
            await stranger.close()
            session = make(BrokerSettings(port=server.port, tls=True, tls_ca=cert), ["#"])
            async with asyncio.timeout(10):
                await session.ready()
            device = Broker(server, "mosquitto", "auto", "5")
            device.server.port = plain
            await asyncio.to_thread(device.publish, ["a"] * 2000, b"x" * 500)
            assert len(await take(session, 2000)) == 2000
            await session.close()
