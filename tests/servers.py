# SPDX-License-Identifier: EUPL-1.2
"""Real MQTT brokers for tests: Mosquitto and the NATS server, on free loopback ports, killed and restarted at will.

    with mosquitto(tmp_path) as broker: ...      # broker.port; broker.kill(); broker.start(); broker.stop()
    with nats(tmp_path) as broker: ...

Leaving the `with` always stops the server. A missing binary skips the test, saying so, and fails it where CI is set.
After `kill()` (SIGKILL) NATS has all that it confirmed, Mosquitto what it had a second before: it saves by a timer.
"""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

START_SECONDS = 20.0


def free_port() -> int:
    """A loopback TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_binary(name: str) -> Path:
    """Path of a server's binary; skip the test where it is missing, fail it in CI."""
    scripts = Path(sys.executable).parent
    search = os.pathsep.join([str(scripts), os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which(name, path=search)
    if found:
        return Path(found)
    missing = f"{name} is not installed"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}: CI has to test against the real server")
    pytest.skip(missing)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = START_SECONDS) -> None:
    """Return when `port` accepts connections; RuntimeError with the log's end when the process dies or is late."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not answer on port {port}:\n{log.read_text(errors='replace')[-2000:]}")


class Server:
    """One server process that can be killed and started again on the same port and data."""

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start and wait until the port answers."""
        if self._process is not None:
            raise RuntimeError("the server is running already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        wait_for_port(self.port, self._process, self.log)

    def stop(self) -> None:
        """End with SIGTERM (SIGKILL after 10 s); nothing to do when it does not run."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()


MOSQUITTO_DEFAULTS: Mapping[str, str] = {
    "persistence": "true",
    "autosave_interval": "1",
    "max_queued_messages": "0",
    "max_queued_bytes": "0",
    "max_inflight_messages": "0",
    "log_type": "all",
}


def mosquitto_server(
    directory: Path,
    *,
    port: int | None = None,
    users: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    listener: Mapping[str, str] | None = None,
) -> Server:
    """A Mosquitto not started yet, data in `directory`.

    `users` (name to password) closes it to everybody else; `options` replace MOSQUITTO_DEFAULTS by name,
    `listener` are options of the listener (certfile, ...).
    """
    binary = require_binary("mosquitto")
    port = port or free_port()
    data = directory / "mosquitto"
    data.mkdir(parents=True, exist_ok=True)
    head = {"user": getpass.getuser(), "persistence_location": f"{data}/", **MOSQUITTO_DEFAULTS, **(options or {})}
    if users is None:
        head.setdefault("allow_anonymous", "true")
    else:
        head["allow_anonymous"] = "false"
        head["password_file"] = str(_password_file(data, users))
    lines = [f"{name} {value}" for name, value in head.items()]
    lines += [f"listener {port} 127.0.0.1", *(f"{name} {value}" for name, value in (listener or {}).items())]
    config = data / "mosquitto.conf"
    config.write_text("\n".join(lines) + "\n")
    return Server([str(binary), "-c", str(config)], port, data / "mosquitto.log")


def dynamic_security_plugin() -> Path:
    """Mosquitto's plugin as Debian installs it."""
    found = next(iter(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so")), None)
    assert found is not None, "mosquitto came without mosquitto_dynamic_security.so"
    return found


def dynamic_security_server(directory: Path, user: str, password: str, port: int | None = None) -> Server:
    """A Mosquitto with the dynamic security plugin, which knows `user` as its administrator alone; not started yet."""
    state = directory / "dynamic-security.json"
    tool = str(require_binary("mosquitto_ctrl"))
    subprocess.run([tool, "dynsec", "init", str(state), user, password], check=True, capture_output=True)
    options = {
        "allow_anonymous": "false",
        "plugin": str(dynamic_security_plugin()),
        "plugin_opt_config_file": str(state),
    }
    return mosquitto_server(directory, port=port, options={**options, "max_queued_messages": "1000"})


def _password_file(directory: Path, users: Mapping[str, str]) -> Path:
    tool = require_binary("mosquitto_passwd")
    file = directory / "passwords"
    file.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
    file.chmod(0o600)
    subprocess.run([str(tool), "-U", str(file)], check=True)
    return file


def nats_server(
    directory: Path, *, port: int | None = None, users: Mapping[str, str] | None = None, ack_wait: str = "30s"
) -> Server:
    """A NATS server with an MQTT listener on `port`, not started yet; unconfirmed comes again after `ack_wait`."""
    binary = require_binary("nats-server")
    port = port or free_port()
    data = directory / "nats"
    data.mkdir(parents=True, exist_ok=True)
    accounts = [f'{{user: "{name}", password: "{password}"}}' for name, password in (users or {}).items()]
    text = f"""
        server_name: test
        listen: "127.0.0.1:-1"
        max_payload: 2MB
        jetstream {{ store_dir: "{data}/jetstream", sync_interval: 250ms }}
        mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "{ack_wait}", max_ack_pending: 8000 }}
        {f"authorization {{ users: [{', '.join(accounts)}] }}" if accounts else ""}
    """
    config = data / "nats.conf"
    config.write_text(text)
    return Server([str(binary), "-c", str(config)], port, data / "nats.log")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Start `server`, and stop it in the end, whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def mosquitto(
    directory: Path,
    *,
    port: int | None = None,
    users: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    listener: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """A running Mosquitto; see `mosquitto_server`."""
    with running(mosquitto_server(directory, port=port, users=users, options=options, listener=listener)) as server:
        yield server


@contextmanager
def nats(
    directory: Path, *, port: int | None = None, users: Mapping[str, str] | None = None, ack_wait: str = "30s"
) -> Iterator[Server]:
    """A running NATS server; see `nats_server`."""
    with running(nats_server(directory, port=port, users=users, ack_wait=ack_wait)) as server:
        yield server
