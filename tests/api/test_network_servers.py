# SPDX-License-Identifier: EUPL-1.2
"""Labels that are scanned, and devices made in their network server; the other side is a double of ChirpStack."""

import logging
import threading
from collections.abc import Iterator, Mapping

import pytest

from hub.app import Parts
from hub.settings import Settings
from hub.settings_sections import ChirpstackSettings
from tests.api.conftest import World
from tests.transport.test_chirpstack import APPLICATION, JOIN, KEY, PROFILE, Double

P, LORA, EUI = "/api/v1", "lora-7", "0102030405060708"
PATH = f"{P}/devices/{LORA}/network-server"
GIVEN = {"join_eui": JOIN.upper(), "app_key": KEY.upper()}


def servers(url: str, token: str = "good") -> Mapping[str, object]:
    """What the web process makes of its settings."""
    settings = ChirpstackSettings.model_validate(
        {"url": url, "token": token, "application_id": APPLICATION, "device_profile": PROFILE}
    )
    return Parts(Settings(chirpstack=settings)).network_servers()


@pytest.fixture
def server() -> Iterator[Double]:
    """ChirpStack's REST service, as far as the double goes."""
    double = Double()
    thread = threading.Thread(target=lambda: double.serve_forever(poll_interval=0.01), daemon=True)
    thread.start()
    yield double
    double.shutdown()
    double.server_close()
    thread.join()


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No line of the log holds the key, whatever happens."""
    with caplog.at_level(logging.DEBUG):
        yield
    assert KEY not in caplog.text.lower()


async def test_a_label_is_read_and_says_which_models_it_may_be(world: World) -> None:
    text = f"LW:D0:{JOIN.upper()}:24E124136B502217:00010001"
    async with world.client("write") as client:
        answer = await client.post(f"{P}/sticker", json={"text": text})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["dev_eui"], answer.json()["join_eui"]) == ("24e124136b502217", JOIN)
        assert any("milesight" in row["model"] for row in answer.json()["candidates"])
        refused = await client.post(f"{P}/sticker", json={"text": "http://example.org"})
        assert refused.status_code == 422


async def test_a_device_is_made_once_and_the_record_of_it_has_no_key(world: World, server: Double, quiet: None) -> None:
    async with world.client("write", network_servers=servers(server.url)) as client:
        outcomes = [(await client.post(PATH, json=GIVEN)).json()["outcome"] for _ in range(2)]
    assert outcomes == ["created", "exists"]
    assert server.devices[EUI]["joinEui"] == JOIN
    assert server.keys[EUI]["nwkKey"] == KEY
    notes = world.ledger.audit.read(subject=LORA, action="device.network_server")
    assert [note.detail["outcome"] for note in notes] == ["exists", "created"]
    assert KEY not in str(notes)


async def test_without_access_the_steps_are_said(world: World, quiet: None) -> None:
    async with world.client("write") as client:
        answer = await client.post(PATH, json=GIVEN)
        other = await client.post(f"{P}/devices/air-sumbark-1/network-server", json=GIVEN)
    assert answer.json()["outcome"] == "instructions"
    assert any(EUI in step["en"] for step in answer.json()["steps"])
    assert KEY not in answer.text.lower()
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"app_key": KEY + "00"}, "app_key"),
        ({"app_key": [KEY]}, "app_key"),
        ({"join_eui": "0102", "app_key": KEY}, "join_eui"),
        ({"app_key": KEY, "device_profile": "mine"}, "device_profile"),
        ({"app_key": KEY, "key": KEY}, "key"),
    ],
)
async def test_what_is_wrong_is_named_and_the_key_is_not_quoted(
    world: World, server: Double, quiet: None, given: Mapping[str, object], named: str
) -> None:
    async with world.client("write", network_servers=servers(server.url)) as client:
        answer = await client.post(PATH, json=given)
    assert answer.status_code == 422
    assert named in answer.text
    assert KEY not in answer.text.lower()
    assert not server.devices


@pytest.mark.parametrize(("token", "down", "status"), [("bad", 0, 422), ("good", 503, 503)])
async def test_a_server_that_refuses_or_is_away_is_told_apart(
    world: World, server: Double, quiet: None, token: str, down: int, status: int
) -> None:
    server.status = down
    async with world.client("write", network_servers=servers(server.url, token)) as client:
        answer = await client.post(PATH, json=GIVEN)
    assert answer.status_code == status
    assert KEY not in answer.text.lower()


@pytest.mark.parametrize(("there", "told"), [(True, "disabled"), (False, "failed")])
async def test_retiring_disables_the_device_there_as_far_as_it_can(
    world: World, server: Double, there: bool, told: str
) -> None:
    if there:
        server.devices[EUI] = {"devEui": EUI}
    async with world.client("write", network_servers=servers(server.url)) as client:
        answer = await client.delete(f"{P}/devices/{LORA}")
    assert (answer.status_code, answer.headers["Network-Server"]) == (204, told)
    assert LORA not in world.ledger.devices.snapshot().devices
    assert server.devices.get(EUI, {}).get("isDisabled", False) is there


async def test_one_who_may_only_read_makes_no_devices(world: World) -> None:
    async with world.client("read") as client:
        assert (await client.post(PATH, json=GIVEN)).status_code == 403
