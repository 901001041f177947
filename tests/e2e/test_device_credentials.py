# SPDX-License-Identifier: EUPL-1.2
"""A device's credential on a whole running hub: issued by API, renewed by command, it counts at the broker at once."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.e2e.hub_process import RunningHub
from tests.servers import dynamic_security_server, free_port, mosquitto_server

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]
SECONDS = 60.0


def until(what: str, true: Callable[[], object], hub: RunningHub) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not in time: {what}\n{hub.tail()}"
        time.sleep(0.1)


@pytest.fixture(params=["nats", "mosquitto", "dynamic security"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[RunningHub, int, bool]]:
    """A running hub with devices d1 and d2, the port of its broker, and whether that tells what it refuses."""
    port = free_port()
    mqtt_settings, server = f"port = {port}\nanonymous = false", None
    if request.param == "mosquitto":
        acl, pid = tmp_path / "acl", tmp_path / "mosquitto.pid"
        acl.write_text("user cityhub\ntopic readwrite #\ntopic read $SYS/#\n")
        acl.chmod(0o640)
        options = {"acl_file": str(acl), "pid_file": str(pid), "max_queued_messages": "1000"}
        server = mosquitto_server(tmp_path, port=port, users={"cityhub": "hub-secret"}, options=options)
        server.start()
        mqtt_settings = (
            f'host = "127.0.0.1"\nport = {port}\nusername = "cityhub"\npassword = "hub-secret"\n'
            f'password_file_out = "{tmp_path / "mosquitto" / "passwords"}"\n'
            f'acl_file_out = "{acl}"\npid_file = "{pid}"\nlog_file = "{server.log}"'
        )
    elif request.param == "dynamic security":
        server = dynamic_security_server(tmp_path, "cityhub", "hub-secret", port)
        server.start()
        mqtt_settings = (
            f'host = "127.0.0.1"\nport = {port}\nusername = "cityhub"\npassword = "hub-secret"\ndynamic_security = true'
        )
    made = RunningHub(tmp_path / "hub", mqtt=mqtt_settings)
    try:
        made.start()
        made.client.headers["Authorization"] = f"Bearer {(made.data / 'admin.key').read_text().strip()}"
        for name in ("d1", "d2"):
            given = {"id": name, "connector": "native", "external_id": name}
            assert made.client.post("/devices", json=given).status_code == 201
        yield made, port, request.param != "dynamic security"
    finally:
        made.close()
        if server is not None:
            server.stop()


class Device:
    """A connection of a device; what the broker says of it."""

    def __init__(self, port: int, username: str, secret: str) -> None:
        self.let_in: bool | None = None
        self.lost = False
        self.heard: list[str] = []
        self.granted: list[object] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=username, reconnect_on_failure=False)
        self.client.username_pw_set(username, secret)
        self.client.on_connect = self._connected
        self.client.on_disconnect = self._disconnected
        self.client.on_message = lambda _c, _u, message: self.heard.append(message.topic)
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self.granted.append(codes)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _connected(self, _client: object, _data: object, _flags: object, reason: object, _properties: object) -> None:
        self.let_in = not reason.is_failure  # type: ignore[attr-defined]  # ReasonCode of either protocol

    def _disconnected(self, *_arguments: object) -> None:
        self.lost = True

    def read(self, device: str, value: float) -> None:
        """Publish one reading under a device's name."""
        self.client.publish(f"devices/{device}/readings", json.dumps({"readings": {"air_temperature": value}}), 1)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def enters(hub: RunningHub, port: int, secret: str, *, expected: bool) -> Device:
    """A connection with this secret, once it ends as expected."""
    deadline = time.monotonic() + SECONDS
    while True:
        device = Device(port, "d1", secret)
        until("an answer to CONNECT", lambda one=device: one.let_in is not None or one.lost, hub)  # type: ignore[misc]  # bound now
        if bool(device.let_in) is expected:
            return device
        device.close()
        assert time.monotonic() < deadline, f"expected {expected}\n{hub.tail()}"
        time.sleep(0.2)


def count(hub: RunningHub, device: str) -> int:
    """How many readings are stored of a device."""
    parameters = {"device": device, "quantity": "air_temperature", "from": "2020-01-01T00:00:00Z"}
    response = hub.client.get("/readings", params=parameters)
    assert response.status_code == 200, response.text
    return len(response.json()["items"])


def told(hub: RunningHub) -> dict[str, object]:
    return hub.get("/devices/d1/credentials")


def post(hub: RunningHub, path: str, **body: object) -> httpx.Response:
    answer = hub.client.post(path, json=body)
    assert answer.status_code in {200, 201}, answer.text
    return answer


def test_a_device_is_itself_alone_until_its_secret_is_renewed_or_disabled(hub: tuple[RunningHub, int, bool]) -> None:
    running, port, tells = hub
    first = post(running, "/devices/d1/credentials").json()["secret"]
    until("the broker knows d1", lambda: told(running)["known_to_broker"], running)
    device = enters(running, port, first, expected=True)
    device.client.subscribe("devices/#", 1)
    until("an answer to the subscription", lambda: device.granted or device.lost, running)
    if device.lost:  # NATS hangs up
        device = enters(running, port, first, expected=True)
    device.read("d2", 1.0)
    device.read("d1", 2.0)
    until("its own reading is stored", lambda: count(running, "d1") == 1, running)
    assert count(running, "d2") == 0
    assert device.heard == []
    if tells:
        until("the refusal is told", lambda: _refused(running, "devices/d2/readings"), running)
        state = running.get("/devices/d1")
        assert (state["attention"], "may only below devices/d1/" in str(state["state_text"])) == (True, True), state

    renewed = _secret(running.command("device", "credentials", "d1", "--rotate").stdout)
    until("its session has ended", lambda: device.lost, running)
    device.close()
    enters(running, port, first, expected=False).close()
    device = enters(running, port, renewed, expected=True)
    device.read("d1", 3.0)
    until("it goes on under the new secret", lambda: count(running, "d1") == 2, running)

    post(running, "/devices/d1/credentials/disable", why="stolen")
    until("its session has ended", lambda: device.lost, running)
    device.close()
    enters(running, port, renewed, expected=False).close()
    assert running.get("/devices/d1")["state"] == "silent"


def _secret(text: str) -> str:
    return next(line.removeprefix("secret: ") for line in text.splitlines() if line.startswith("secret: "))


def _refused(hub: RunningHub, topic: str) -> bool:
    refusals = told(hub)["refusals"]
    assert isinstance(refusals, list)
    return any((one["kind"], one["topic"]) == ("publish_denied", topic) for one in refusals)
