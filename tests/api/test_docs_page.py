# SPDX-License-Identifier: EUPL-1.2
"""The commands of docs/api.md do what the page says, typed into a real shell against a real server."""

import asyncio
import os
import re
import shutil
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from hub.api import create_app
from tests.api.conftest import World

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def commands() -> str:
    """All shell blocks as one script that stops at the first failure."""
    return "\n".join(
        ["set -euo pipefail", *re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)]
    )


async def serve(world: World, script: str, folder: Path) -> tuple[int, str, str]:
    """Run the script beside a server on a free port; exit status, output, errors."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(replace(world.services, clock_ns=time.time_ns))  # the shell's `date` is the machine's
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
    serving = asyncio.create_task(server.serve([listener]))
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "admin.key").write_text(world.keys["admin"])
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-c", script.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")),
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(shell.communicate(), 60)
    finally:
        server.should_exit = True
        await serving
    return shell.returncode or 0, out.decode(), err.decode()


async def test_every_command_of_the_page_works(world: World, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("curl is missing")
        pytest.skip("curl is missing")
    status, out, err = await serve(world, commands(), tmp_path)
    assert (status, err) == (0, "")
    assert world.ledger.devices.snapshot().devices["door-1"].interval == 900
    assert [message.topic for message in world.outbox.sent] == ["devices/door-1/readings"]
    assert (tmp_path / "readings.csv").read_bytes().startswith(b"\xef\xbb\xbfdevice;")
    orders = [order.arguments for order in world.ledger.commands.pending()]
    assert {"shard": 0, "reason": "unknown_device"} in orders
    for words in (
        '"ready":true',
        "zaregistrováno, zatím žádná zpráva",
        "has no time zone",
        '"status":"insufficient_data"',
    ):
        assert words in out


async def test_a_command_that_fails_would_be_noticed(world: World, tmp_path: Path) -> None:
    script = "set -e; curl -fsS http://127.0.0.1:8000/api/v1/nothing"
    status, _, err = await serve(world, script, tmp_path)
    assert status != 0
    assert "404" in err
