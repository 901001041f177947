# SPDX-License-Identifier: EUPL-1.2
"""Ports, files and processes of a server that the hub runs."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from pathlib import Path

from hub.core.errors import Stop

STOP_SECONDS = 15.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Stop(
                f"broker.port: {host}:{port} cannot be used ({error}): does another broker run there?"
            ) from error


async def answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def write_secret(file: Path, text: str) -> Path:
    """Write whole or not at all, readable by the owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
    return file


def is_ours(pid: int, config: Path) -> bool:
    """Whether `pid` is a server on our configuration; a number can meanwhile belong to anything."""
    try:
        return str(config) in Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return False


async def end(pid: int, config: Path) -> None:
    for sign, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sign)
        deadline = time.monotonic() + seconds
        while is_ours(pid, config) and time.monotonic() < deadline:  # noqa: ASYNC110 - no event for a stranger's end
            await asyncio.sleep(0.05)
        if not is_ours(pid, config):
            return
    raise Stop(f"embedded broker: process {pid} of an earlier hub cannot be stopped; end it by hand")
