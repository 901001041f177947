# SPDX-License-Identifier: EUPL-1.2
"""A whole hub as a user runs it: `cityhub run` in a process of its own, asked over HTTP and by its commands."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from hub.app import Parts
from hub.settings import load_settings
from tests.forked import cityhub
from tests.servers import free_port

CITYHUB = [sys.executable, "-m", "hub.cli"]
START_SECONDS = 60.0


class RunningHub:
    """One hub in `directory`; `settings` is TOML below its ports."""

    def __init__(self, directory: Path, settings: str = "", mqtt: str | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.config = directory / "cityhub.toml"
        self.api_port = free_port()
        self.url = f"http://127.0.0.1:{self.api_port}"
        broker = mqtt if mqtt is not None else f"port = {free_port()}"
        self.config.write_text(
            f'data = "{directory / "data"}"\n[api]\nport = {self.api_port}\n[mqtt]\n{broker}\n'
            f"[indicators]\ndebounce_s = 0.2\n{settings}",
            encoding="utf-8",
        )
        self.process: subprocess.Popen[bytes] | None = None
        self.log = directory / "hub.log"
        self.client = httpx.Client(base_url=f"{self.url}/api/v1", timeout=30)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.directory / "data"

    def start(self) -> None:
        """Start and wait until every part is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*CITYHUB, "run", "--config", str(self.config)], stdout=log, stderr=log, start_new_session=True
            )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until /health/ready says yes."""
        deadline = time.monotonic() + START_SECONDS
        answer = "no answer"
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.tail()
            try:
                response = self.client.get("/health/ready")
            except httpx.TransportError as error:
                answer = str(error)
            else:
                answer = response.text
                if response.status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError(f"not ready: {answer}\n{self.tail()}")

    def stop(self) -> int:
        """Stop as Ctrl-C does; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(30)
        self.process = None
        return code

    def close(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.client.close()

    def pid(self, name: str) -> int:
        """Process id of a part by its pid file."""
        return int((self.data / "run" / f"{name}.pid").read_text(encoding="ascii"))

    def kill(self, name: str) -> None:
        """SIGKILL one part."""
        os.kill(self.pid(name), signal.SIGKILL)

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `cityhub ...` against this hub."""
        done = cityhub([*arguments, "--config", str(self.config)], 240)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}\n{self.tail()}"
        return done

    def get(self, path: str, **parameters: object) -> dict[str, object]:
        """JSON of a GET under /api/v1."""
        response = self.client.get(path, params={key: str(value) for key, value in parameters.items()})
        assert response.status_code == 200, f"{path} {parameters}: {response.status_code} {response.text}"
        return dict(response.json())

    def all_pages(self, path: str, **parameters: object) -> list[dict[str, object]]:
        """Items of all pages."""
        items: list[dict[str, object]] = []
        page = self.get(path, limit=1000, **parameters)
        while True:
            items += page["items"]  # type: ignore[arg-type]
            if not page["next"]:
                return items
            page = self.get(path, limit=1000, cursor=page["next"], **parameters)

    def settle(self, seconds: float = 90.0) -> None:
        """Wait until the engine has followed the touch log to its end and closed what is over."""
        parts = Parts(load_settings(self.config))
        journals = parts.journals()
        deadline, quiet = time.monotonic() + seconds, 0
        with parts.ledger().open() as ledger:
            while quiet < 5:
                assert time.monotonic() < deadline, f"engine does not settle\n{self.tail()}"
                positions = [ledger.values.cursor(f"touch:{shard}") for shard in range(len(journals))]
                read = all(j.touches(at, 1)[1] == at for j, at in zip(journals, positions, strict=True))
                idle = read and not ledger.values.due(time.time_ns(), 1)
                quiet = quiet + 1 if idle else 0
                time.sleep(0.2)
        for journal in journals:
            journal.close()

    def reconcile(self) -> Mapping[str, int]:
        """Totals of the accounts; the command itself fails when an equation does not hold."""
        return dict(json.loads(self.command("reconcile", "--json").stdout)["totals"])

    def tail(self) -> str:
        """The end of the hub's log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:] if self.log.exists() else ""


@contextmanager
def running_hub(directory: Path, settings: str = "", mqtt: str | None = None) -> Iterator[RunningHub]:
    """A hub that is ready; gone afterwards."""
    hub = RunningHub(directory, settings, mqtt)
    try:
        hub.start()
        yield hub
    finally:
        hub.close()


def results(hub: RunningHub, indicators: Sequence[str]) -> dict[tuple[str, str, str], dict[str, object]]:
    """All values without what depends on when they were computed."""
    found = {}
    for indicator in indicators:
        for item in hub.all_pages(f"/indicators/{indicator}/values"):
            window = item["window"]
            assert isinstance(window, dict)
            key = (indicator, str(item["place"]), str(window["start"]))
            volatile = {"revision", "cause", "computed_at", "seq"}
            found[key] = {name: value for name, value in item.items() if name not in volatile}
    return found
