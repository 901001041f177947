# SPDX-License-Identifier: EUPL-1.2
"""What Mosquitto refused, from its log file: it tells nobody else.

Mosquitto drops a publish that its ACL forbids and confirms it all the same; a line of `log_type debug` is the only
trace (tried with 2.0.11; debug lines never go to `$SYS/broker/log`). It names the client id; whose that is says the
line of its connection (`log_type notice`), so these are remembered, the newest MOST_CLIENTS. Refused logins name nobody
(`Client <unknown>`), and a refused subscription is not told at all.

The file is followed as `tail -F` does: what a rotation left in the old file is read to its end, a truncated file begins
anew. Reading starts at the end, so a restart tells nothing twice and misses what came meanwhile; of what was there only
connections are read, the last KNOWN_BYTES. Who is further behind than MOST_BEHIND skips the rest and says so.
"""

import asyncio
import logging
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from hub.transport._nats import BrokerEvent

MOST_CLIENTS = 20_000
KNOWN_BYTES = 4 * 1024 * 1024
MOST_BEHIND = 64 * 1024 * 1024
_EVERY = 0.5  # s
_ROUND = 1024 * 1024  # bytes
_LOG = logging.getLogger(__name__)
_CONNECTED = re.compile(r"New client connected from \S+ as (?P<client>.*) \(p\d, c\d, k\d+(?:, u'(?P<user>.*)')?\)\.$")
_DENIED = re.compile(
    r"Denied PUBLISH from (?P<client>.*) \(d\d, q\d, r\d, m\d+, '(?P<topic>.*)', \.\.\. \(\d+ bytes\)\)$"
)

Heard = Callable[[BrokerEvent, str], None]


class Clients:
    """Which user stands behind a client id, by the lines of connections."""

    def __init__(self) -> None:
        self._users: OrderedDict[str, str] = OrderedDict()

    def learn(self, line: str) -> None:
        """Take note of a connection; other lines are nothing."""
        if (found := _CONNECTED.search(line)) is not None and found["user"]:
            self._users[found["client"]] = found["user"]
            self._users.move_to_end(found["client"])
            if len(self._users) > MOST_CLIENTS:
                self._users.popitem(last=False)

    def user(self, client: str) -> str:
        """The user, or the client id where its connection is not known: devices are told to use one for both."""
        return self._users.get(client, client)

    def refusal(self, line: str) -> tuple[BrokerEvent, str] | None:
        """What a line says was refused, and to which user."""
        found = _DENIED.search(line)
        if found is None:
            return None
        client, topic = found["client"], found["topic"]
        return BrokerEvent("publish_denied", client, topic, f"Mosquitto's ACL, client id {client!r}"), self.user(client)


class MosquittoLog:
    """Follows the log in `file` and tells `heard` each refusal with the user's name."""

    def __init__(self, file: Path, heard: Heard) -> None:
        self._path = file
        self._heard = heard
        self._clients = Clients()
        self._file: BinaryIO | None = None
        self._rest = b""
        self._first = True
        self._trouble = ""

    async def run(self) -> None:
        """For ever. A file that cannot be read is logged once, and tried again."""
        try:
            while True:
                more = False
                try:
                    more = await asyncio.to_thread(self._read)
                    self._trouble = ""
                except OSError as error:
                    self._close()
                    self._tell(error)
                await asyncio.sleep(0 if more else _EVERY)
        finally:
            self._close()

    def _tell(self, error: OSError) -> None:
        if str(error) != self._trouble:
            self._trouble = str(error)
            _LOG.warning("mqtt.log_file cannot be read", extra={"fields": {"detail": self._trouble}})

    def _read(self) -> bool:
        """One round; whether more is there at once."""
        file = self._file = self._file or self._opened()
        skipped = os.fstat(file.fileno()).st_size - file.tell() - MOST_BEHIND
        if skipped > 0:
            file.seek(skipped, os.SEEK_CUR)
            self._rest = b""
            _LOG.warning("mqtt.log_file: refusals were skipped", extra={"fields": {"bytes": skipped}})
        data = file.read(_ROUND)
        if data:
            *lines, self._rest = (self._rest + data).split(b"\n")
            self._take(lines)
            return len(data) == _ROUND
        return self._turned(file)

    def _opened(self) -> BinaryIO:
        file = self._path.open("rb")
        if self._first:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(0, size - KNOWN_BYTES))
            for line in file.read(KNOWN_BYTES).split(b"\n"):
                self._clients.learn(line.decode("utf-8", "replace"))
            self._first = False
        return file

    def _take(self, lines: Iterable[bytes]) -> None:
        for raw in lines:
            line = raw.decode("utf-8", "replace")
            self._clients.learn(line)
            if (refusal := self._clients.refusal(line)) is not None:
                self._heard(*refusal)

    def _turned(self, file: BinaryIO) -> bool:
        """At the end: whether another file has this name now, or this one was cut, and reading goes on there."""
        there, here = self._path.stat(), os.fstat(file.fileno())
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            self._close()
            return True
        if here.st_size < file.tell():
            file.seek(0)
            self._rest = b""
            return True
        return False

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._rest = None, b""
