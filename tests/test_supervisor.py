# SPDX-License-Identifier: EUPL-1.2
"""Children are kept running, found by their pid file, and gone after a stop."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from hub.supervisor import EXIT_CONFIGURATION, Child, Ended, Supervisor

FOREVER = [sys.executable, "-c", "import time; time.sleep(600)"]


async def pid_of(run: Path, name: str, other_than: int = 0) -> int:
    """Wait for a child's pid file with a new pid."""
    for _ in range(200):
        try:
            pid = int((run / f"{name}.pid").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            pid = 0
        if pid not in {0, other_than}:
            return pid
        await asyncio.sleep(0.05)
    raise AssertionError(f"no new pid of {name}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_child_comes_back_and_a_stop_ends_it(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "run", {})
    keeping = asyncio.create_task(supervisor.keep([Child("a", FOREVER)]))
    first = await pid_of(tmp_path / "run", "a")
    os.kill(first, signal.SIGKILL)
    second = await pid_of(tmp_path / "run", "a", other_than=first)
    supervisor.stop.set()
    await keeping
    assert not alive(second)
    assert not (tmp_path / "run" / "a.pid").exists()
    assert supervisor.failed is None


async def test_a_configuration_error_stops_everything(tmp_path: Path) -> None:
    wrong = [sys.executable, "-c", f"raise SystemExit({EXIT_CONFIGURATION})"]
    supervisor = Supervisor(tmp_path / "run", {})
    await supervisor.keep([Child("good", FOREVER), Child("wrong", wrong)])
    assert supervisor.failed == "wrong"
    assert list((tmp_path / "run").glob("*.pid")) == []


async def test_what_worked_before_does_not_take_the_others_down(tmp_path: Path) -> None:
    """A token that is revoked at run time ends its process again and again, and nothing else."""
    revoked = [sys.executable, "-c", f"import time; time.sleep(0.5); raise SystemExit({EXIT_CONFIGURATION})"]
    supervisor = Supervisor(tmp_path / "run", {}, settled=0.2)
    keeping = asyncio.create_task(supervisor.keep([Child("good", FOREVER), Child("revoked", revoked)]))
    good = await pid_of(tmp_path / "run", "good")
    await pid_of(tmp_path / "run", "revoked")
    while (tmp_path / "run" / "revoked.pid").exists():
        await asyncio.sleep(0.05)
    assert alive(good)
    assert not supervisor.stop.is_set()
    supervisor.stop.set()
    await keeping


async def test_a_child_that_said_that_it_worked_does_not_take_the_others_down_however_young(tmp_path: Path) -> None:
    """InfluxDB half up after a reboot: what came is stored, and then its answer is a Stop."""
    wrong = [sys.executable, "-c", f"raise SystemExit({EXIT_CONFIGURATION})"]
    told: list[Ended] = []

    def ended(child: Ended) -> bool:
        told.append(child)
        return True

    supervisor = Supervisor(tmp_path / "run", {}, ended=ended)
    keeping = asyncio.create_task(supervisor.keep([Child("good", FOREVER), Child("wrong", wrong)]))
    good = await pid_of(tmp_path / "run", "good")
    while not told:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.1)
    assert told[0].name == "wrong"
    assert told[0].code == EXIT_CONFIGURATION
    assert alive(good)
    assert not supervisor.stop.is_set()
    supervisor.stop.set()
    await keeping


async def test_a_child_that_ignores_the_stop_is_killed(tmp_path: Path) -> None:
    deaf = [sys.executable, "-c", "import signal,time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"]
    supervisor = Supervisor(tmp_path / "run", {}, patience=0.5)
    keeping = asyncio.create_task(supervisor.keep([Child("deaf", deaf)]))
    pid = await pid_of(tmp_path / "run", "deaf")
    await asyncio.sleep(0.5)
    supervisor.stop.set()
    await keeping
    assert not alive(pid)


@pytest.mark.parametrize("name", ["CITYHUB_DATA"])
async def test_children_get_the_environment_given(tmp_path: Path, name: str) -> None:
    write = [
        sys.executable,
        "-c",
        f"import os,pathlib,time; pathlib.Path('{tmp_path}/out').write_text(os.environ['{name}']); time.sleep(600)",
    ]
    supervisor = Supervisor(tmp_path / "run", {name: "here"})
    keeping = asyncio.create_task(supervisor.keep([Child("w", write)]))
    for _ in range(200):
        if (tmp_path / "out").exists() and (tmp_path / "out").read_text(encoding="utf-8"):
            break
        await asyncio.sleep(0.05)
    supervisor.stop.set()
    await keeping
    assert (tmp_path / "out").read_text(encoding="utf-8") == "here"


async def test_a_killed_supervisor_leaves_no_worker_behind(tmp_path: Path) -> None:
    worker = (
        "from hub.supervisor import die_with_parent; import time; "
        "die_with_parent(); print(1, flush=True); time.sleep(600)"
    )
    parent = (
        "import subprocess, sys, time; "
        f"child = subprocess.Popen([sys.executable, '-c', {worker!r}], stdout=subprocess.PIPE); "
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(600)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    process.kill()
    await process.wait()
    for _ in range(100):
        if not alive(child) or "zombie" in Path(f"/proc/{child}/status").read_text(encoding="utf-8"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the worker lives on")


async def test_a_worker_whose_supervisor_was_killed_before_it_began_does_not_live(tmp_path: Path) -> None:
    """Starting Python takes a second, in which the kernel does not know yet that the two belong together."""
    begins = (
        "import time; time.sleep(1.5); from hub.supervisor import die_with_parent; die_with_parent(); "
        f"open({str(tmp_path / 'alive')!r}, 'w').close(); time.sleep(600)"
    )
    worker = [sys.executable, "-c", begins]
    code = (
        "import asyncio; from pathlib import Path; from hub.supervisor import Child, Supervisor; "
        f"asyncio.run(Supervisor(Path({str(tmp_path / 'run')!r}), {{}}).keep([Child('w', {worker!r})]))"
    )
    supervisor = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    told = tmp_path / "run" / "w.pid"
    while not (told.exists() and told.read_text(encoding="utf-8")):  # made first, written a moment later
        await asyncio.sleep(0.02)
    child = int(told.read_text(encoding="utf-8"))
    supervisor.kill()
    await supervisor.wait()
    for _ in range(200):
        if not alive(child) or "zombie" in Path(f"/proc/{child}/status").read_text(encoding="utf-8"):
            assert not (tmp_path / "alive").exists()
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the worker lives on")
