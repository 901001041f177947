# SPDX-License-Identifier: EUPL-1.2
"""Keeps the hub's processes running. Knows nothing of what they do.

Each child is one command line. A child that ends is started again after a back-off that grows while it keeps failing
and is forgotten after a quiet minute. Exit code 78 (configuration) ends everything, because a restart cannot help,
unless the child had worked (it said so once, or ran for a minute): then something outside changed (a token was
revoked, a database is half up), the others go on, and it is tried again at the longest interval.
Process ids stand in `run/<name>.pid`, so that an operator can find (and kill) each. SIGINT and SIGTERM stop children in
reverse order of start: politely first, after `patience` seconds by force. Workers call `die_with_parent`, so that
even a killed supervisor leaves none of them behind.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_PARENT = "_CITYHUB_SUPERVISOR"  # environment of workers: process id of their supervisor
_LOG = logging.getLogger("cityhub.supervisor")

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LONGEST = 30.0  # s between tries
EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


class Child(NamedTuple):
    """A process to keep running."""

    name: str
    argv: Sequence[str]


class Ended(NamedTuple):
    """A child that ended on its own."""

    name: str
    pid: int
    code: int


class Supervisor:
    """Runs children until `stop` is set or one ends with a configuration error.

    `log` is a file descriptor for their standard error, None for our own. `ended` is told of each child that ends on
    its own, and says whether that process had worked. `settled` is after how many seconds a child counts as one that
    works, whatever it said.
    """

    def __init__(
        self,
        run: Path,
        env: Mapping[str, str],
        patience: float = 10.0,
        log: int | None = None,
        settled: float = 60.0,
        ended: Callable[[Ended], bool] = lambda _: False,
    ) -> None:
        self._run = run
        self._log = log
        self._settled = settled
        self._ended = ended
        self._proven: set[str] = set()
        self._env = {**os.environ, **env, _PARENT: str(os.getpid())}
        self._patience = patience
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self.stop = asyncio.Event()
        self.failed: str | None = None

    async def keep(self, children: Sequence[Child]) -> None:
        """Run all children; returns when stopped, with every child gone."""
        self._run.mkdir(parents=True, exist_ok=True)
        keepers = [asyncio.create_task(self._keep(child)) for child in children]
        try:
            await self.stop.wait()
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            for name in [child.name for child in reversed(children)]:
                await self._end(name)

    async def finish(self, children: Sequence[Child]) -> None:
        """Run all children until each has ended with exit code 0; returns early when stopped. None is left."""
        self._run.mkdir(parents=True, exist_ok=True)
        keepers = [asyncio.create_task(self._keep(child, once=True)) for child in children]
        stopped = asyncio.create_task(self.stop.wait())
        try:
            done = asyncio.ensure_future(asyncio.wait(keepers))
            await asyncio.wait({done, stopped}, return_when=asyncio.FIRST_COMPLETED)
            done.cancel()
        finally:
            for task in (stopped, *keepers):
                task.cancel()
            await asyncio.gather(*keepers, return_exceptions=True)
            for child in children:
                await self._end(child.name)

    async def _keep(self, child: Child, *, once: bool = False) -> None:
        delay = 0.5
        while True:
            began = time.monotonic()
            try:
                process = await self._start(child)
            except OSError as error:
                _LOG.exception("process cannot be started", extra={"fields": {"process": child.name}}, exc_info=error)
                await asyncio.sleep(_LONGEST)
                continue
            code = await process.wait()
            self._note(child.name, None)
            if once and code == 0:
                return
            lasted = time.monotonic() - began > self._settled
            if self._ended(Ended(child.name, process.pid, code)) or lasted:
                self._proven.add(child.name)
            if code == EXIT_CONFIGURATION and child.name not in self._proven:
                self.failed = child.name
                self.stop.set()
                return
            if lasted:
                delay = 0.5
            if code == EXIT_CONFIGURATION:
                delay = _LONGEST
            _LOG.warning(
                "process ended", extra={"fields": {"process": child.name, "code": code, "restart_in_s": delay}}
            )
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST)

    async def _start(self, child: Child) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *child.argv, env=self._env, start_new_session=True, stderr=self._log
        )
        self._processes[child.name] = process
        self._note(child.name, process.pid)
        return process

    def _note(self, name: str, pid: int | None) -> None:
        """Write or remove the pid file; without it the child runs all the same."""
        file = self._run / f"{name}.pid"
        try:
            if pid is None:
                file.unlink(missing_ok=True)
            else:
                file.write_text(f"{pid}\n", encoding="ascii")
        except OSError as error:
            _LOG.warning("pid file", extra={"fields": {"process": name, "detail": str(error)}})

    async def _end(self, name: str) -> None:
        process = self._processes.get(name)
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._patience)
        except TimeoutError:
            _LOG.warning("process did not stop in time", extra={"fields": {"process": name}})
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._note(name, None)


def die_with_parent() -> None:
    """Have the kernel kill this process as soon as its parent is gone (Linux).

    A supervisor that was killed must not leave workers behind: the next one would start a second writer. It may have
    died before the worker came as far as this, so the worker is told who its parent is.
    """
    parent = int(os.environ.get(_PARENT) or os.getppid())
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it is gone already
        os.kill(os.getpid(), signal.SIGKILL)


def stop_on_signals(event: asyncio.Event) -> None:
    """Set `event` on SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, event.set)
