# SPDX-License-Identifier: EUPL-1.2
"""`make demo` as a newcomer sees it: one command, one page, four commands to paste, one Ctrl-C."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.servers import free_port

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]

LIMIT_MB = 400


class Demo:
    """The running demo: what it printed, and its page."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "demo-data"
        self.log = folder / "out.txt"
        ports = ("--port", str(free_port()), "--mqtt-port", str(free_port()))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).parent / "cityhub"), "demo", "--data", str(self.data), *ports],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def text(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def wait(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while "Ctrl-C" not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.3)

    @property
    def url(self) -> str:
        found = re.search(r"http://\S+/", self.text)
        assert found, self.text
        return found[0]

    def commands(self) -> list[str]:
        return [line.strip() for line in self.text.splitlines() if line.startswith("  ") and not line.startswith("  #")]

    def paste(self, command: str) -> str:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def pss_mb(self) -> float:
        processes = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        return sum(process.memory_full_info().pss for process in processes) / 1e6


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"))
    try:
        demo.wait()
        yield demo
    finally:
        if demo.process.poll() is None:
            demo.process.send_signal(signal.SIGINT)
            try:
                demo.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(demo.process.pid, signal.SIGKILL)


def page(demo: Demo, language: str = "cs") -> str:
    response = httpx.get(demo.url, params={"lang": language}, timeout=30)
    assert response.status_code == 200
    return response.text


def test_the_page_shows_all_parts_coloured_and_marked_as_simulation(demo: Demo) -> None:
    text = page(demo)
    assert "SIMULACE" in text
    for part in ("Havířov-Město", "Šumbark", "Podlesí", "Prostřední Suchá", "Bludovice", "Životice", "Dolní Suchá"):
        assert part in text, part
    assert "SIMULATED" in page(demo, "en")
    assert len(set(re.findall(r'href="/values/eaqi_2024_district/([^"]+)/[^"/]+"', text))) == 8


def test_one_device_is_silent_one_suspect_three_are_new(demo: Demo) -> None:
    text = page(demo, "en")
    assert re.search(r"<b>1</b> silent", text), text
    assert re.search(r"<b>1</b> check readings", text), text
    assert {f"sim-{name}" for name in ("noise-4", "waste-8", "satisfaction-3")} <= set(
        re.findall(r"sim-[a-z]+-\d", text)
    )


def test_a_message_in_quarantine_has_its_reason(demo: Demo) -> None:
    assert "Obsah nelze přečíst" in page(demo)


def test_a_late_reading_and_the_value_that_it_changed(demo: Demo) -> None:
    text = page(demo, "en")
    assert "late readings" in text
    assert "insufficient data" in text


def test_values_can_be_followed_to_their_readings(demo: Demo) -> None:
    path = re.findall(r'href="(/values/[^"]+)"', page(demo, "en"))[0]
    response = httpx.get(demo.url.rstrip("/") + path, params={"lang": "en"}, timeout=30)
    assert response.status_code == 200
    assert "SIMULATED" in response.text


def test_the_four_commands_do_what_they_say(demo: Demo) -> None:
    send, garbage, kill, explain = demo.commands()
    assert "confirmed" in demo.paste(send)
    assert "confirmed" in demo.paste(garbage)
    before = int((demo.data / "run" / "ingest-0.pid").read_text(encoding="ascii"))
    assert "every equation holds" in demo.paste(kill)
    assert int((demo.data / "run" / "ingest-0.pid").read_text(encoding="ascii")) != before
    told = demo.paste(explain)
    assert "late readings" in told
    assert "simulated" in told
    listed = demo.paste(f"{shlex.quote(send.split()[0])} quarantine list --json --data {shlex.quote(str(demo.data))}")
    assert "no JSON at all" in listed


def test_all_processes_together_stay_small(demo: Demo) -> None:
    assert demo.pss_mb() < LIMIT_MB


def test_a_real_hub_refuses_the_demos_directory(demo: Demo) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "hub.cli", "run", "--data", str(demo.data)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 78
    assert "simulated data" in refused.stderr


def test_ctrl_c_leaves_nothing_running(demo: Demo) -> None:
    family = psutil.Process(demo.process.pid).children(recursive=True)
    assert len(family) >= 4
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
