# SPDX-License-Identifier: EUPL-1.2
"""Settings that make no sense stop the start with their name."""

from pathlib import Path
from typing import Any

import pytest

from hub.core.errors import SettingsError
from hub.transport import BrokerSettings, EmbeddedSettings
from hub.transport._nats import BrokerUser

HASH = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"  # of "secret"


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"port": 0}, "broker.port"),
        ({"port": 70_000}, "broker.port"),
        ({"receive_maximum": 65_535}, "broker.receive_maximum"),
        ({"keepalive": 0}, "broker.keepalive"),
        ({"max_batch": 0}, "broker.max_batch"),
        ({"max_wait": -1.0}, "broker.max_wait"),
        ({"host": ""}, "broker.host"),
        ({"client_id": ""}, "broker.client_id"),
        ({"protocol": "4"}, "broker.protocol"),
        ({"password": "x"}, "broker.username"),
        ({"reconnect_min": 30.0}, "broker.reconnect_min"),
        ({"tls_ca": Path("ca.pem")}, "broker.tls"),
        ({"tls": True, "tls_key": Path("key.pem")}, "broker.tls_cert"),
    ],
)
def test_names_the_culprit(changes: dict[str, Any], culprit: str) -> None:
    with pytest.raises(SettingsError) as caught:
        BrokerSettings(**changes)
    assert caught.value.setting == culprit


def test_a_certificate_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    settings = BrokerSettings(tls=True, tls_ca=tmp_path / "missing.pem")
    with pytest.raises(SettingsError, match=r"broker\.tls_ca: .*missing\.pem"):
        settings.ssl_context()


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(BrokerSettings(username="hub", password="hunter2"))


@pytest.mark.parametrize(
    ("changes", "culprit"),
    [
        ({"host": "0.0.0.0"}, "broker.host"),
        ({"host": "broker.example"}, "broker.host"),
        ({"max_payload": 10}, "broker.max_payload"),
        ({"ack_wait": 0}, "broker.ack_wait"),
        ({"sync_interval": "soon"}, "broker.sync_interval"),
        ({"users": [BrokerUser(name="d1", password_hash="plain")]}, "broker.users"),
    ],
)
def test_the_embedded_broker_names_the_culprit(changes: dict[str, Any], culprit: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        EmbeddedSettings(directory=tmp_path, **changes)
    assert caught.value.setting == culprit


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.7"])
def test_without_users_loopback_is_fine(host: str, tmp_path: Path) -> None:
    assert EmbeddedSettings(directory=tmp_path, host=host).anonymous


def test_with_users_only_it_may_listen_everywhere(tmp_path: Path) -> None:
    user = BrokerUser(name="d1", password_hash=HASH)
    assert EmbeddedSettings(directory=tmp_path, host="0.0.0.0", anonymous=False, users=[user]).users == [user]
