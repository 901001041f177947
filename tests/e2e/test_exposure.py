# SPDX-License-Identifier: EUPL-1.2
"""Beyond loopback nothing is open: pages and API ask for a key. Wrong settings stop the start."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.hub_process import CITYHUB, RunningHub, running_hub
from tests.forked import cityhub
from tests.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    hub = RunningHub(tmp_path_factory.mktemp("open"))
    text = hub.config.read_text(encoding="utf-8").replace("[api]\n", '[api]\nhost = "0.0.0.0"\n')
    hub.config.write_text(text, encoding="utf-8")
    hub.command("init")
    hub.client.headers["Authorization"] = f"Bearer {key(hub)}"
    try:
        hub.start()
        yield hub
    finally:
        hub.close()


def key(hub: RunningHub) -> str:
    return (hub.data / "admin.key").read_text(encoding="ascii").strip()


def test_pages_send_the_browser_to_sign_in_and_take_a_key_too(hub: RunningHub) -> None:
    refused = httpx.get(hub.url)
    assert (refused.status_code, refused.headers["Location"]) == (303, "/sign-in?next=/")
    assert httpx.get(hub.url, auth=("anybody", "wrong")).status_code == 401
    shown = httpx.get(hub.url, auth=("anybody", key(hub)))
    assert shown.status_code == 200
    assert "Havířov" in shown.text


def test_the_api_asks_for_a_key_too(hub: RunningHub) -> None:
    assert httpx.get(f"{hub.url}/api/v1/devices").status_code == 401
    assert httpx.get(f"{hub.url}/metrics").status_code == 401
    assert httpx.get(f"{hub.url}/api/v1/health/live").status_code == 200
    assert hub.get("/devices")["items"] == []


def test_the_admin_key_is_its_owners_alone(hub: RunningHub) -> None:
    assert (hub.data / "admin.key").stat().st_mode & 0o077 == 0
    assert key(hub) not in hub.tail()


@pytest.mark.parametrize(
    ("settings", "culprit"),
    [
        ('[mqtt]\nbind = "0.0.0.0"\nanonymous = true', "mqtt.anonymous"),
        ("[mqtt]\nport = 0", "mqtt.port"),
        ('[city]\nfile = "nowhere.yaml"', "city.file"),
        ("[stroe]\n", "stroe"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(tmp_path: Path, settings: str, culprit: str) -> None:
    config = tmp_path / "cityhub.toml"
    config.write_text(f'data = "{tmp_path / "data"}"\n{settings}\n', encoding="utf-8")
    done = cityhub(["run", "--config", str(config)], 60)
    assert done.returncode == 78
    assert culprit in done.stderr


def test_one_directory_has_one_hub(hub: RunningHub) -> None:
    second = hub.command("run", check=False)
    assert second.returncode == 78
    assert "another hub runs" in second.stderr


def test_a_wrong_mapping_or_definition_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "odd.yaml").write_text("id: odd\nversion: 1\n", encoding="utf-8")
    config = tmp_path / "cityhub.toml"
    config.write_text(
        f'data = "{tmp_path / "data"}"\n[indicators]\ndefinitions = "{tmp_path / "definitions"}"\n', encoding="utf-8"
    )
    done = cityhub(["run", "--config", str(config)], 60)
    assert done.returncode == 78
    assert "odd.yaml" in done.stderr


def test_the_hub_runs_again_after_a_stop(tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.command("publish", "devices/x-1/readings", '{"readings": {"pm10": 1}}')
        assert hub.stop() == 0
        hub.start()
        assert hub.reconcile()["received"] == 1


def test_data_on_the_command_line_is_where_everything_goes(tmp_path: Path) -> None:
    """Beside another hub's ./data: the workers must not touch it."""
    hub = RunningHub(tmp_path / "hub")
    text = hub.config.read_text(encoding="utf-8").replace(str(hub.data), str(tmp_path / "others"))
    hub.config.write_text(text, encoding="utf-8")
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*CITYHUB, "run", "--config", str(hub.config), "--data", str(hub.data)], stdout=out, stderr=out
        )
    try:
        hub.process = process
        hub.wait_ready()
        assert (hub.data / "ingest-0.db").exists()
        assert not (tmp_path / "others").exists()
    finally:
        hub.close()


def test_a_busy_port_stops_the_start_with_the_name_of_its_setting(hub: RunningHub, tmp_path: Path) -> None:
    config = tmp_path / "cityhub.toml"
    config.write_text(f'data = "{tmp_path / "data"}"\n[api]\nport = {hub.api_port}\n[mqtt]\nport = {free_port()}\n')
    done = cityhub(["run", "--config", str(config)], 60)
    assert done.returncode == 78
    assert "api.port" in done.stderr
