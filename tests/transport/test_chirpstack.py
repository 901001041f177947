# SPDX-License-Identifier: EUPL-1.2
"""Devices are made in ChirpStack through its REST API.

The other side is a double over HTTP, written from api/proto/api/device.proto (paths, names, status codes of
grpc-gateway): ChirpStack itself needs PostgreSQL and Redis and does not run in these tests.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hub.core.errors import Invalid, Retry, Stop
from hub.transport.chirpstack import Chirpstack, ChirpstackAccess

EUI, JOIN, KEY = "24e124136b502217", "24e124c0002a0001", "5572404c696e6b4c6f52613230313823"
APPLICATION, PROFILE = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242", "0d2bd7b8-2c0a-4a3d-9a3c-0c6d2b7c6a11"


class Double(ThreadingHTTPServer):
    """What the REST service does with devices and keys; `status` answers everything with that, when it is set."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.devices: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, dict[str, Any]] = {}
        self.status = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Double

    def _answer(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else {}
        if self.server.status:
            self._answer(self.server.status, {"code": 13, "message": "boom", "details": []})
        elif self.headers.get("Authorization") != "Bearer good":
            self._answer(401, {"code": 16, "message": "invalid token", "details": []})
        else:
            self._answer(*self._do(self.path.strip("/").split("/")[1:], body))

    def _do(self, path: list[str], body: dict[str, Any]) -> tuple[int, object]:
        devices, keys = self.server.devices, self.server.keys
        if self.command == "POST" and len(path) == 1:
            device = body["device"]
            if device["deviceProfileId"] != PROFILE:
                return 404, {"code": 5, "message": "device-profile does not exist"}
            return _put(devices, device["devEui"], device)
        if path[1] not in devices:
            return 404, {"code": 5, "message": "Object does not exist"}
        if path[-1] == "keys":
            if self.command == "PUT":
                keys.pop(path[1])
            return _put(keys, path[1], body["deviceKeys"])
        if self.command == "DELETE":
            devices.pop(path[1])
        elif self.command == "PUT":
            devices[path[1]] = body["device"]
        else:
            return 200, {"device": devices[path[1]]}
        return 200, {}

    def log_message(self, *_: object) -> None:
        """Quiet."""

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 the names are http.server's


def _put(table: dict[str, dict[str, Any]], key: str, row: dict[str, Any]) -> tuple[int, object]:
    if key in table:
        return 409, {"code": 6, "message": "Object already exists"}
    table[key] = row
    return 200, {}


@pytest.fixture
def double() -> Iterator[Double]:
    server = Double()
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def client(url: str, token: str = "good") -> Chirpstack:
    return Chirpstack(ChirpstackAccess(url, token, APPLICATION, {"": PROFILE}))


async def add(to: Chirpstack, key: str = KEY, profile: str = "") -> str:
    return await to.add(EUI, JOIN, key, name="Bin 1", model="milesight-em310-udl", profile=profile)


async def test_a_device_is_made_with_its_keys(double: Double) -> None:
    assert await add(client(double.url)) == "created"
    made = double.devices[EUI]
    assert (made["name"], made["applicationId"], made["deviceProfileId"]) == ("Bin 1", APPLICATION, PROFILE)
    assert made["joinEui"] == JOIN
    assert double.keys[EUI] == {"devEui": EUI, "nwkKey": KEY}


async def test_once_more_is_no_error_and_brings_the_new_key(double: Double) -> None:
    await add(client(double.url))
    assert await add(client(double.url), key="0" * 32) == "exists"
    assert double.keys[EUI]["nwkKey"] == "0" * 32


async def test_a_device_is_disabled_and_deleted_once(double: Double) -> None:
    server = client(double.url)
    await add(server)
    await server.disable(EUI)
    assert double.devices[EUI]["isDisabled"] is True
    assert double.devices[EUI]["name"] == "Bin 1"
    assert await server.delete(EUI) is True
    assert await server.delete(EUI) is False


async def test_a_wrong_token_stops_and_names_the_setting(double: Double) -> None:
    with pytest.raises(Stop, match=r"chirpstack\.token"):
        await add(client(double.url, "bad"))


async def test_an_unknown_profile_is_named(double: Double) -> None:
    with pytest.raises(Invalid, match="device-profile does not exist"):
        await add(client(double.url), profile="00000000-0000-0000-0000-000000000000")


async def test_without_any_profile_somebody_is_told_to_name_one() -> None:
    server = Chirpstack(ChirpstackAccess("http://127.0.0.1:9", "good", APPLICATION, {}))
    with pytest.raises(Invalid, match="no device profile") as caught:
        await add(server)
    assert caught.value.where == "device_profile"


async def test_a_server_that_is_away_or_broken_is_to_be_tried_again(double: Double) -> None:
    double.status = 500
    with pytest.raises(Retry, match="cannot do it now"):
        await add(client(double.url))
    with pytest.raises(Retry, match="does not answer"):
        await add(client("http://127.0.0.1:9"))


async def test_no_error_quotes_the_key(double: Double) -> None:
    double.status = 400
    with pytest.raises(Invalid) as caught:
        await add(client(double.url))
    assert KEY not in str(caught.value)
