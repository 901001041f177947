# SPDX-License-Identifier: EUPL-1.2
"""A bad network for tests: a TCP proxy on loopback between any client and any server, whose behaviour changes at will.

    with proxy(server.port) as link:              # clients connect to link.port
        link.latency = 0.05                       # s, each way; a delay line, so that throughput stays
        link.rate = 50_000                        # bytes/s, each way and connection
        link.stall("up"); link.flow()             # one way (or both) stands still, nothing is lost, TCP pushes back
        link.go_dark(); link.go_light()           # half-open: connections are accepted and swallowed, nobody answers
        link.cut(reset=True)                      # RST (else FIN) to both sides of all connections
        link.lose_next_answer()                   # what the server says next is thrown away and the connection reset
        link.lose_answer_to(b"POST /write")       # the same for the answer to what contains these bytes

It runs in a thread of its own, so it goes on while a test blocks. Every method may be called from any thread. Bytes
swallowed in the dark are gone, so `go_light` resets the connections that lost some; as with a real network, only their
ends can find that out before.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, TypeVar

Way = Literal["up", "down"]  # up: from client to server
_T = TypeVar("_T")
_CHUNK = 64 * 1024
_QUEUE = 64  # chunks under way in one direction; beyond it the sender is pushed back


class Proxy:
    """Between clients of `port` and the server on `upstream` (loopback both)."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.port = 0
        self.latency = 0.0
        self.rate: float | None = None
        self.accepted = 0  # connections since the start
        self.swallowed = 0  # bytes lost in the dark
        self.passed: dict[Way, int] = {"up": 0, "down": 0}
        self._dark = False
        self._stalled: set[Way] = set()
        self._lose = 0
        self._marker: bytes | None = None
        self._weather = asyncio.Condition()
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None

    # what a test calls

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._do(self._start())

    def stop(self) -> None:
        """Cut everything and end the thread."""
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def open(self) -> int:
        """Connections now."""
        return len(self._pairs)

    def cut(self, *, reset: bool = False) -> int:
        """End all connections, by RST or FIN; returns how many."""
        return self._do(self._cut(reset))

    def stall(self, *ways: Way) -> None:
        """Nothing passes in these directions (both when none is named); bytes wait."""
        self._do(self._change(stalled=set(ways or ("up", "down"))))

    def flow(self) -> None:
        """Let what waits pass."""
        self._do(self._change(stalled=set()))

    def go_dark(self) -> None:
        """Swallow everything from now on, of old connections and new ones."""
        self._do(self._change(dark=True))

    def go_light(self) -> None:
        """New connections work again; those that lost bytes are reset."""
        self._do(self._change(dark=False))

    def lose_next_answer(self, count: int = 1) -> None:
        """The next `count` pieces that the server sends are thrown away, and their connections reset."""
        self._lose += count

    def lose_answer_to(self, marker: bytes) -> None:
        """The answer to the next piece from a client that contains `marker` is thrown away, its connection reset."""
        self._marker = marker

    # in the thread

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut(reset=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _cut(self, reset: bool) -> int:
        pairs = list(self._pairs)
        for pair in pairs:
            pair.end(reset=reset)
        async with self._weather:
            self._weather.notify_all()
        return len(pairs)

    async def _change(self, *, dark: bool | None = None, stalled: "set[Way] | None" = None) -> None:
        async with self._weather:
            if dark is not None:
                self._dark = dark
            if stalled is not None:
                self._stalled = stalled
            self._weather.notify_all()
        for pair in [pair for pair in self._pairs if dark is False and pair.torn]:
            pair.end(reset=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pair = _Pair(writer)
        self._pairs.add(pair)
        try:
            if not self._dark:
                try:
                    theirs, pair.server = await asyncio.open_connection("127.0.0.1", self.upstream)
                except OSError:
                    pair.end(reset=True)
                    return
                ways = (self._carry(pair, reader, pair.server, "up"), self._carry(pair, theirs, writer, "down"))
                await asyncio.gather(*ways)
            else:
                pair.torn = True
                while data := await reader.read(_CHUNK):
                    self.swallowed += len(data)
        except (OSError, asyncio.IncompleteReadError):
            pair.end(reset=True)
        finally:
            pair.end()
            self._pairs.discard(pair)

    async def _carry(self, pair: "_Pair", source: asyncio.StreamReader, target: asyncio.StreamWriter, way: Way) -> None:
        """One direction of one connection, until its source ends; the end is passed on."""
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_QUEUE)
        sending = asyncio.ensure_future(self._send(pair, line, target, way))
        try:
            while True:
                data = await source.read(_CHUNK)
                await line.put((self._loop.time() + self.latency, data))
                if not data:
                    await sending
                    return
                if sending.done():
                    return
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(
        self, pair: "_Pair", line: "asyncio.Queue[tuple[float, bytes]]", target: asyncio.StreamWriter, way: Way
    ) -> None:
        while True:
            due, data = await line.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            async with self._weather:
                await self._weather.wait_for(lambda: way not in self._stalled or self._dark or pair.ended)
            if self._dark:
                pair.torn = True
                self.swallowed += len(data)
                continue  # the end of a connection is not heard in the dark either
            if way == "up" and self._marker is not None and self._marker in data:
                self._marker, pair.doomed = None, True
            if way == "down" and data and (pair.doomed or self._lose):
                self._lose -= not pair.doomed
                pair.end(reset=True)
                return
            if not data:
                with suppress(OSError, RuntimeError):
                    target.write_eof()
                return
            await self._pass(target, data, way)

    async def _pass(self, target: asyncio.StreamWriter, data: bytes, way: Way) -> None:
        while data:
            rate = self.rate
            piece = data if rate is None else data[: max(1, int(rate / 50))]
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)
            with suppress(OSError):  # the other side is gone: its own end is passed on by its reader
                target.write(piece)
                await target.drain()
            self.passed[way] += len(piece)
            data = data[len(piece) :]


class _Pair:
    """Both ends of a connection; `torn`: it has lost bytes; `doomed`: its next answer is lost."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None
        self.torn = False
        self.doomed = False
        self.ended = False

    def end(self, *, reset: bool = False) -> None:
        self.ended = True
        for writer in (self.client, self.server):
            if writer is None:
                continue
            if reset:
                sock = writer.get_extra_info("socket")
                with suppress(OSError):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()


@contextmanager
def proxy(upstream: int) -> Iterator[Proxy]:
    """A running proxy before the server on loopback port `upstream`."""
    link = Proxy(upstream)
    link.start()
    try:
        yield link
    finally:
        link.stop()
