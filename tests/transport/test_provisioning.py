# SPDX-License-Identifier: EUPL-1.2
"""Credentials at real brokers: a device is itself and nobody else, and what changes counts at once, for it alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.commands._provision import Provisioning
from hub.core.access import Credential
from hub.core.places import Device
from hub.core.ports import Issued, Provisioner
from hub.storage.ledger import Ledger, sqlite_url
from hub.transport import BrokerEvent, BrokerSettings, EmbeddedBroker, EmbeddedSettings
from hub.transport.provisioning import DynamicSecurity, EmbeddedUsers, MosquittoFiles, MosquittoLog
from tests.servers import dynamic_security_server, free_port, mosquitto_server, require_binary
from tests.transport.conftest import until

pytestmark = pytest.mark.server
KINDS = ("nats", "files", "dynsec")


class Client:
    """A client on paho; its callbacks fill lists."""

    def __init__(self, port: int, username: str, secret: str, client_id: str = "") -> None:
        self.reasons: list[int] = []
        self.lost: list[object] = []
        self.heard: list[str] = []
        self.granted: list[object] = []
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id or username, reconnect_on_failure=False
        )
        self.client.username_pw_set(username, secret)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self.reasons.append(int(reason.value))
        self.client.on_disconnect = lambda *arguments: self.lost.append(arguments)
        self.client.on_message = lambda _c, _u, message: self.heard.append(message.topic)
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self.granted.append(codes[0].is_failure)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    async def ready(self) -> bool:
        """Whether the broker let it in."""
        await until(lambda: self.reasons or self.lost)
        return self.reasons == [0]

    async def publish(self, topic: str) -> None:
        """Returns when the broker confirmed, or has hung up."""
        info = self.client.publish(topic, b"x", 1)
        await until(lambda: info.is_published() or self.lost)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@dataclass
class Bench:
    """A broker with its provisioner, and a ledger with devices d1 and d2."""

    kind: str
    port: int
    provisioner: Provisioner
    ledger: Ledger
    hub: BrokerSettings
    events: list[BrokerEvent]
    clients: list[Client]

    async def apply(self, *issued: Issued) -> None:
        """Bring the broker to the ledger's state."""
        if isinstance(self.provisioner, DynamicSecurity):
            await self.provisioner.provision(issued)
        await self.provisioner.apply(self.ledger.credentials.all())

    async def client(self, username: str, secret: str, client_id: str = "") -> Client:
        self.clients.append(Client(self.port, username, secret, client_id))
        await until(lambda: self.clients[-1].reasons or self.clients[-1].lost)
        return self.clients[-1]

    async def let_in(self, username: str, secret: str, expected: bool) -> None:
        """Wait until a connection with this secret has the expected end."""
        async with asyncio.timeout(20):
            while (await (await self.client(username, secret, f"{username}-try")).ready()) != expected:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def _nats(folder: Path, events: list[BrokerEvent]) -> AsyncIterator[tuple[int, Provisioner, BrokerSettings]]:
    require_binary("nats-server")
    settings = EmbeddedSettings(directory=folder / "nats", port=free_port(), ack_wait=1, anonymous=False)
    broker = EmbeddedBroker(settings, on_event=events.append)
    try:
        await broker.prepare(["#"])
        await broker.start()
        yield settings.port, EmbeddedUsers(broker), broker.session_settings()
    finally:
        await broker.stop()


@asynccontextmanager
async def _files(folder: Path, events: list[BrokerEvent]) -> AsyncIterator[tuple[int, Provisioner, BrokerSettings]]:
    pid, acl = folder / "mosquitto.pid", folder / "acl"
    acl.write_text("user hub\ntopic readwrite #\n")
    acl.chmod(0o640)
    options = {"acl_file": str(acl), "pid_file": str(pid), "max_queued_messages": "1000"}
    server = mosquitto_server(folder, users={"hub": "hub-secret"}, options=options)
    server.start()
    log = MosquittoLog(folder / "mosquitto" / "mosquitto.log", lambda event, _user: events.append(event))
    following = asyncio.create_task(log.run())
    try:
        files = MosquittoFiles(folder / "mosquitto" / "passwords", acl, pid, "hub")
        yield server.port, files, BrokerSettings(port=server.port, username="hub", password="hub-secret")
    finally:
        following.cancel()
        server.stop()


@asynccontextmanager
async def _dynsec(folder: Path, _events: list[BrokerEvent]) -> AsyncIterator[tuple[int, Provisioner, BrokerSettings]]:
    server = dynamic_security_server(folder, "hub", "hub-secret")
    server.start()
    try:
        settings = BrokerSettings(port=server.port, username="hub", password="hub-secret")
        provisioner = DynamicSecurity(settings)
        await provisioner.apply([])  # as at the hub's start
        yield server.port, provisioner, settings
    finally:
        server.stop()


_BENCHES: dict[str, Callable[..., Any]] = {"nats": _nats, "files": _files, "dynsec": _dynsec}


@pytest.fixture(params=KINDS)
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    events: list[BrokerEvent] = []
    clients: list[Client] = []
    ledger = Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade()
    for name in ("d1", "d2"):
        ledger.devices.add_device(Device(id=name, connector="native", external_id=name))
    async with _BENCHES[request.param](tmp_path, events) as (port, provisioner, hub):
        yield Bench(request.param, port, provisioner, ledger, hub, events, clients)
        for client in clients:
            client.close()
    ledger.close()


async def _hub(bench: Bench) -> Client:
    assert bench.hub.username is not None
    assert bench.hub.password is not None
    hub = await bench.client(bench.hub.username, bench.hub.password, "listener")
    hub.client.subscribe("#", 1)
    await until(lambda: hub.granted)
    return hub


async def test_a_device_publishes_as_itself_and_as_nobody_else_and_hears_nobody(bench: Bench) -> None:
    first, second = (bench.ledger.credentials.issue(name, by="test") for name in ("d1", "d2"))
    hub = await _hub(bench)
    await bench.apply(first, second)
    await bench.let_in("d1", first.secret, expected=True)
    device, other = await bench.client("d1", first.secret), await bench.client("d2", second.secret)
    assert await device.ready()
    other.client.subscribe("devices/#", 1)
    await until(lambda: other.granted or other.lost)
    await device.publish("devices/d2/readings")
    await device.publish("devices/d1/readings")
    await until(lambda: "devices/d1/readings" in hub.heard)
    assert "devices/d2/readings" not in hub.heard
    assert other.heard == []
    assert not hub.lost, "what was applied meanwhile left the hub's own session alone"
    if bench.kind != "dynsec":
        await until(lambda: [e for e in bench.events if (e.kind, e.topic) == ("publish_denied", "devices/d2/readings")])
        assert {e.client for e in bench.events if e.kind == "publish_denied"} == {"d1"}


async def test_the_hub_publishes_what_is_its_own_and_keeps_its_session_at_the_next_round(bench: Bench) -> None:
    """`dynsec init` gives its user the right to read alone: the hub takes what it lacks."""
    hub = await _hub(bench)
    await hub.publish("indicators/air_quality/cz")
    await until(lambda: hub.heard == ["indicators/air_quality/cz"])
    await bench.apply()
    assert not hub.lost


async def test_rotate_and_disable_shut_out_at_once_and_leave_others_alone(bench: Bench) -> None:
    first, second = (bench.ledger.credentials.issue(name, by="test") for name in ("d1", "d2"))
    await bench.apply(first, second)
    await bench.let_in("d2", second.secret, expected=True)
    device, other = await bench.client("d1", first.secret), await bench.client("d2", second.secret)
    assert await device.ready()
    renewed = bench.ledger.credentials.rotate("d1", by="test")
    await bench.apply(renewed)
    await until(lambda: device.lost)
    await bench.let_in("d1", renewed.secret, expected=True)
    await bench.let_in("d1", first.secret, expected=False)
    device = await bench.client("d1", renewed.secret)
    assert await device.ready()
    bench.ledger.credentials.disable("d1", by="test", why="stolen")
    await bench.apply()
    await until(lambda: device.lost)
    await bench.let_in("d1", renewed.secret, expected=False)
    assert not other.lost


async def test_a_bridge_publishes_below_its_prefix_alone(bench: Bench) -> None:
    bridge = bench.ledger.credentials.issue("lora", by="test", bridge="application/+/device/+/event/+")
    hub = await _hub(bench)
    await bench.apply(bridge)
    await bench.let_in("lora", bridge.secret, expected=True)
    client = await bench.client("lora", bridge.secret)
    for topic in ("devices/d1/readings", "application/1/device/2/event/up"):
        await client.publish(topic)
    await until(lambda: "application/1/device/2/event/up" in hub.heard)
    assert "devices/d1/readings" not in hub.heard


def test_foreign_users_stay_in_the_password_file_and_a_name_of_theirs_is_refused(tmp_path: Path) -> None:
    from hub.core.access import CredentialKind
    from hub.core.errors import SettingsError
    from hub.transport.provisioning._files import password_lines

    def credentials(*names: str) -> Sequence[Credential]:
        return [Credential(username=n, kind=CredentialKind.DEVICE, hashes={"mosquitto": f"$7${n}"}) for n in names]

    once = password_lines("grafana:$7$x\n", credentials("d1", "d2"))
    again = password_lines(once, credentials("d2"))
    assert "grafana:$7$x" in again
    assert "d2:$7$d2" in again
    assert "d1:" not in again
    with pytest.raises(SettingsError, match="'grafana' stands there already"):
        password_lines(again, credentials("grafana"))


async def test_whom_the_broker_has_lost_is_named_until_there_is_a_new_secret(bench: Bench) -> None:
    """Dynamic security alone can: it takes no hashes, so only who issued a secret can hand it over."""
    issued = bench.ledger.credentials.issue("d1", by="test")
    provisioning = Provisioning(bench.ledger.credentials, bench.provisioner)
    await provisioning.once()
    assert provisioning.health().ok
    assert ("does not know d1: renew" in provisioning.health().detail) is (bench.kind == "dynsec")
    await bench.apply(issued)
    assert list(await bench.provisioner.apply(bench.ledger.credentials.all())) == []
