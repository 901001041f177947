# SPDX-License-Identifier: EUPL-1.2
"""The test servers themselves: they start, survive a kill, keep strangers out."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import Server, mosquitto_server, nats_server, require_binary, running

Make = Callable[..., Server]
BROKERS = pytest.mark.parametrize("make", [mosquitto_server, nats_server], ids=["mosquitto", "nats"])


def publish(port: int, *more: str) -> int:
    """Exit status of a publish with QoS 1."""
    tool = require_binary("mosquitto_pub")
    command = [str(tool), "-h", "127.0.0.1", "-p", str(port), "-q", "1", "-t", "a/b", "-m", "x", *more]
    return subprocess.run(command, check=False, capture_output=True, timeout=10).returncode


@pytest.mark.server
@BROKERS
def test_takes_a_message_before_and_after_a_kill(make: Make, tmp_path: Path) -> None:
    with running(make(tmp_path)) as broker:
        assert publish(broker.port) == 0
        broker.kill()
        assert publish(broker.port) != 0
        broker.start()
        assert publish(broker.port) == 0


@pytest.mark.server
@BROKERS
def test_with_users_refuses_strangers(make: Make, tmp_path: Path) -> None:
    with running(make(tmp_path, users={"hub": "secret"})) as broker:
        assert publish(broker.port) != 0
        assert publish(broker.port, "-u", "hub", "-P", "wrong") != 0
        assert publish(broker.port, "-u", "hub", "-P", "secret") == 0


def test_a_missing_server_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-broker is not installed"):
        require_binary("no-such-broker")


def test_a_missing_server_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-broker is not installed"):
        require_binary("no-such-broker")
