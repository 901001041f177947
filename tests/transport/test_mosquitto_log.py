# SPDX-License-Identifier: EUPL-1.2
"""What Mosquitto refused, read from its log: whose it was, and what becomes of rotation and of lines that lie."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from hub.transport import BrokerEvent
from hub.transport.provisioning import MosquittoLog

CONNECTED = "1795524173: New client connected from 127.0.0.1:39064 as {} (p5, c1, k60, u'{}').\n"
DENIED = "1795524173: Denied PUBLISH from {} (d0, q1, r0, m1, '{}', ... (5 bytes))\n"


class Followed:
    """A log that is being followed, and what was heard: (user, topic)."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.heard: list[tuple[str, str]] = []
        self.task = asyncio.create_task(MosquittoLog(file, self._hear).run())

    def _hear(self, event: BrokerEvent, user: str) -> None:
        assert event.kind == "publish_denied"
        self.heard.append((user, event.topic))

    def write(self, *lines: str) -> None:
        with self.file.open("a") as out:
            out.write("".join(lines))

    async def until(self, true: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not true():
                await asyncio.sleep(0.02)


@pytest.fixture
async def log(tmp_path: Path) -> AsyncIterator[Followed]:
    """A log with a connection and a refusal from before anybody listened."""
    file = tmp_path / "mosquitto.log"
    file.write_text(CONNECTED.format("long-lived", "d9") + DENIED.format("long-lived", "told/before"))
    followed = Followed(file)
    await asyncio.sleep(0)
    yield followed
    followed.task.cancel()
    with suppress(asyncio.CancelledError):
        await followed.task


async def _begun(log: Followed) -> None:
    """Whoever reads from the end has to have begun: written until it is heard."""
    while not log.heard:
        log.write(DENIED.format("long-lived", "t/0"))
        await asyncio.sleep(0.1)
    log.heard.clear()


CASES = {
    "the user stands in the line of the connection": (
        CONNECTED.format("x", "d1") + DENIED.format("x", "a"),
        ("d1", "a"),
    ),
    "a connection of before": (DENIED.format("long-lived", "a"), ("d9", "a")),
    "an unknown connection: the client id": (DENIED.format("d7", "a"), ("d7", "a")),
    "quotes, commas and brackets in names": (
        CONNECTED.format("odd 'id', x (p5", "d'2") + DENIED.format("odd 'id', x (p5", "o'dd (x), y"),
        ("d'2", "o'dd (x), y"),
    ),
    "no UTF-8": (DENIED.format("d8", "a\udcff"), ("d8", "a\ufffd")),
}


@pytest.mark.parametrize(("lines", "expected"), CASES.values(), ids=CASES)
async def test_a_refusal_is_told_with_its_user(log: Followed, lines: str, expected: tuple[str, str]) -> None:
    await _begun(log)
    with log.file.open("ab") as out:
        out.write(lines.encode("utf-8", "surrogateescape"))
    await log.until(lambda: expected in log.heard)
    assert ("d9", "told/before") not in log.heard


async def test_rotation_and_truncation_lose_nothing_and_a_missing_file_is_waited_for(log: Followed) -> None:
    await _begun(log)
    log.write(DENIED.format("d1", "last of the old"))
    log.file.rename(log.file.with_suffix(".1"))
    await log.until(lambda: ("d1", "last of the old") in log.heard)
    log.file.write_text(DENIED.format("d1", "first of the new"))
    await log.until(lambda: ("d1", "first of the new") in log.heard)
    log.file.write_text("")
    log.write(DENIED.format("d1", "cut"))
    await log.until(lambda: ("d1", "cut") in log.heard)
    assert log.heard.count(("d1", "first of the new")) == 1


async def test_a_line_counts_once_it_is_whole(log: Followed) -> None:
    await _begun(log)
    line = DENIED.format("d1", "halves")
    log.write(line[:40])
    log.write(line[40:], DENIED.format("d1", "after"))
    await log.until(lambda: ("d1", "after") in log.heard)
    assert log.heard.count(("d1", "halves")) == 1
