# SPDX-License-Identifier: EUPL-1.2
"""Which PUBACKs may go out: the QoS 1 messages of one connection that are in hand, in order of receipt.

Invariants:

- PUBACKs leave in order of receipt (MQTT 5, 4.6), whatever order ingest confirms in: one that is confirmed early
  waits for those before it.
- Each receipt is confirmed once. NATS sends a message again on the same connection, with the same packet id and DUP,
  when its `ack_wait` runs out: that is the message already in hand, and confirming it twice could hit the next message
  that gets this id.
- A token is `epoch << 16 | packet id`. One of another epoch is stale: nothing is sent for it.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum


class Receipt(Enum):
    """What a QoS 1 message is to this connection."""

    NEW = "new"
    AGAIN = "again"  # in hand already: drop it
    REUSED = "reused"  # another message under an id that is not free: the broker breaks the protocol


class AckWindow:
    """Packet ids in hand; `bytes` is what their messages weigh."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.bytes = 0
        self._order: deque[int] = deque()
        self._open: dict[int, int] = {}
        self._done: set[int] = set()

    def __len__(self) -> int:
        return len(self._open)

    def token(self, mid: int) -> int:
        """Token of packet id `mid` on this connection."""
        return self.epoch << 16 | mid

    def received(self, mid: int, size: int, *, dup: bool) -> Receipt:
        """Take note of a message of `size` bytes."""
        if mid in self._open:
            return Receipt.AGAIN if dup else Receipt.REUSED
        self._open[mid] = size
        self._order.append(mid)
        self.bytes += size
        return Receipt.NEW

    def confirm(self, tokens: Iterable[int]) -> tuple[list[int], int]:
        """Packet ids whose PUBACK goes out now, in this order, and how many tokens were stale."""
        stale = 0
        for token in tokens:
            mid = token & 0xFFFF
            if token >> 16 == self.epoch and mid in self._open and mid not in self._done:
                self._done.add(mid)
            else:
                stale += 1
        return self._release(), stale

    def _release(self) -> list[int]:
        out: list[int] = []
        order, done = self._order, self._done
        while order and order[0] in done:
            mid = order.popleft()
            done.discard(mid)
            self.bytes -= self._open.pop(mid)
            out.append(mid)
        return out
