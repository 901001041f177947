# SPDX-License-Identifier: EUPL-1.2
"""Between the network thread and the event loop: deliveries out, acknowledgements in, one wake-up per batch each way.

Invariants: each counter has one writing thread; a deque is appended to on one side and popped on the other; nothing
blocks the event loop. `close()` may be called from any thread, any number of times.
"""

import asyncio
import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVarTuple

from hub.core.delivery import Delivery

_Ts = TypeVarTuple("_Ts")


class Batch(NamedTuple):
    """Deliveries of one connection, in order of receipt; `size` is their weight in bytes."""

    epoch: int
    deliveries: Sequence[Delivery]
    size: int


class Link:
    """`take` and the `on_*` callbacks belong to the event loop's side, the rest to the network thread's."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_batch: Callable[[Batch], None]) -> None:
        self._loop = loop
        self._on_batch = on_batch
        self._acks: deque[Sequence[int]] = deque()
        self._closing = threading.Event()
        self._inlet, self._outlet = socket.socketpair()
        self._inlet.setblocking(False)
        self._outlet.setblocking(False)
        self._handed = 0  # bytes, written by the network thread
        self._taken = 0  # bytes, written by the event loop

    # event loop's side

    def acknowledge(self, tokens: Sequence[int]) -> None:
        """Pass tokens to the network thread."""
        self._acks.append(tokens)
        self._wake()

    def took(self, batch: Batch) -> None:
        """The consumer has `batch`, or it was dropped: it no longer lies in the queue."""
        self._taken += batch.size

    def close(self) -> None:
        """Ask the network thread to end."""
        self._closing.set()
        self._wake()

    def release(self) -> None:
        """Close the sockets, once the thread has ended."""
        self._inlet.close()
        self._outlet.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: nobody is left to wake
            self._inlet.send(b"\0")

    # network thread's side

    @property
    def closing(self) -> bool:
        """Whether the end was asked for."""
        return self._closing.is_set()

    @property
    def queued_bytes(self) -> int:
        """Weight of what the consumer has not taken yet."""
        return self._handed - self._taken

    def wait(self, seconds: float) -> None:
        """Sleep, but no longer than until `close`."""
        self._closing.wait(seconds)

    def fileno(self) -> int:
        """Readable when there is something to look at."""
        return self._outlet.fileno()

    def acknowledged(self) -> list[int]:
        """Tokens that came in since the last call, in order."""
        with contextlib.suppress(OSError):
            self._outlet.recv(4096)
        tokens: list[int] = []
        while self._acks:
            tokens.extend(self._acks.popleft())
        return tokens

    def hand_over(self, batch: Batch) -> None:
        """Pass a batch to the event loop."""
        self._handed += batch.size
        self.call(self._on_batch, batch)

    def call(self, function: Callable[[*_Ts], None], *arguments: *_Ts) -> None:
        """Run `function` on the event loop; a loop that is closed already ends the thread."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            self._closing.set()
