# SPDX-License-Identifier: EUPL-1.2
"""Brokers for the transport's tests, and a publisher that is not the hub's own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.core.delivery import Delivery
from hub.transport import BrokerSettings, Mqtt5Session, PahoSession, Session
from tests.servers import Server, mosquitto_server, nats_server

Protocol = Literal["auto", "5", "3.1.1"]
# "auto" against NATS goes through the refusal of MQTT 5 each time
Source = Session | Mqtt5Session | PahoSession
MakeSession = Callable[[BrokerSettings, Sequence[str]], Source]
VARIANTS: dict[str, tuple[str, Protocol, str, MakeSession]] = {
    "mosquitto-5": ("mosquitto", "5", "5", Mqtt5Session),
    "mosquitto-5-paho": ("mosquitto", "auto", "5", PahoSession),
    "mosquitto-3.1.1": ("mosquitto", "3.1.1", "3.1.1", PahoSession),
    "nats-3.1.1": ("nats", "auto", "3.1.1", PahoSession),
    "mosquitto-auto": ("mosquitto", "auto", "5", Session),
    "nats-auto": ("nats", "auto", "3.1.1", Session),
}


@dataclass
class Broker:
    """A real broker, not started yet, and how the hub should speak to it."""

    server: Server
    kind: str
    protocol: Protocol
    spoken: str
    make: MakeSession = PahoSession
    sessions: list[Source] = field(default_factory=list)

    def settings(self, **changes: object) -> BrokerSettings:
        """Settings for quick tests."""
        values: dict[str, object] = {
            "port": self.server.port,
            "protocol": self.protocol,
            "client_id": "hub-under-test",
            "reconnect_min": 0.01,
            "reconnect_max": 0.1,
            **changes,
        }
        return BrokerSettings(**values)  # type: ignore[arg-type] # keys are checked by the dataclass

    def session(self, filters: Sequence[str] = ("#",), **changes: object) -> Source:
        """A session of the hub; closed at the end of the test."""
        return self.session_of(self.make, filters, **changes)

    def session_of(self, make: MakeSession, filters: Sequence[str] = ("#",), **changes: object) -> Source:
        """The same of another kind."""
        session = make(self.settings(**changes), filters)
        self.sessions.append(session)
        return session

    async def persist(self) -> None:
        """Have what the broker knows on disk: Mosquitto saves when told to, NATS does by itself."""
        if self.kind == "mosquitto":
            saved = self.server.log.parent / "mosquitto.db"
            before = saved.stat().st_mtime_ns if saved.exists() else 0
            os.kill(self.server.pid, signal.SIGUSR1)
            await until(lambda: saved.exists() and saved.stat().st_mtime_ns != before)

    def publish(
        self, topics: Sequence[str], payload: bytes | None = None, *, qos: int = 1, retain: bool = False
    ) -> None:
        """Publish one message a topic, payload its number unless given; return when the broker confirmed all."""
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="device", protocol=mqtt.MQTTv311)
        client.max_inflight_messages_set(1000)
        client.connect("127.0.0.1", self.server.port)
        client.loop_start()
        try:
            sent = [
                client.publish(topic, b"%d" % number if payload is None else payload, qos, retain)
                for number, topic in enumerate(topics)
            ]
            for info in sent:
                info.wait_for_publish(20)
            assert all(info.is_published() for info in sent)
        finally:
            client.disconnect()
            client.loop_stop()


@pytest.fixture(params=list(VARIANTS))
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    """Each broker and protocol that the hub supports, running."""
    kind, protocol, spoken, make = VARIANTS[request.param]
    if kind == "nats":
        server = nats_server(tmp_path, ack_wait="1s")
    else:
        server = mosquitto_server(tmp_path, options={"log_type": "error"})
    made = Broker(server, kind, protocol, spoken, make)
    try:
        server.start()
        yield made
    finally:
        for session in made.sessions:
            await session.close()
        server.stop()


@pytest.fixture
def mosquitto_broker(tmp_path: Path) -> Iterator[Broker]:
    """Mosquitto with MQTT 5."""
    server = mosquitto_server(tmp_path, options={"log_type": "error"})
    try:
        server.start()
        yield Broker(server, "mosquitto", "auto", "5")
    finally:
        server.stop()


async def take(session: Source, count: int, *, ack: bool = True, seconds: float = 20.0) -> list[Delivery]:
    """The next `count` deliveries or more (whole batches)."""
    got: list[Delivery] = []
    async with asyncio.timeout(seconds):
        async for batch in session.batches():
            got += batch
            if ack:
                await session.ack([delivery.token for delivery in batch])
            if len(got) >= count:
                break
    return got


async def quiet(session: Source, seconds: float) -> list[Delivery]:
    """What arrives within `seconds`."""
    got: list[Delivery] = []
    try:
        async with asyncio.timeout(seconds):
            async for batch in session.batches():
                got += batch
    except TimeoutError:
        pass
    return got


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until `condition` holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
