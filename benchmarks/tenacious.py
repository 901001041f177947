# SPDX-License-Identifier: EUPL-1.2
"""A publisher that never stops, whatever dies: connects again, sends what was not confirmed again, keeps a ledger.

    python -m benchmarks.tenacious PORT LEDGER RATE FIRST STEP LANES MESSAGES DEVICES SEED START

MQTT 3.1.1, QoS 1. The ledger is a file of message numbers (four bytes each, in the order of their PUBACKs): a number
stands there only after the broker has confirmed it. One thread a connection; the numbers are dealt out to connections,
so that those of one device stay on one connection, in order, as long as nothing dies. Messages that a lost connection
left unconfirmed go out first on the next one, marked as duplicates. Once standard input is closed, what is left goes
out as fast as it can.
"""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.numbered import Numbered
from benchmarks.publisher import BrokerRefused, connected, publish_packet

_WINDOW = 1_000  # unconfirmed messages of one connection: their PUBACKs fit the socket's buffer
_CHUNK = 50
_PATIENCE = 10.0  # s without a PUBACK that is due: the connection is taken for dead
_RECONNECT = 0.05  # s
_PUBACK = b"\x40\x02"


class Lane(threading.Thread):
    """One connection and the numbers that are its own; ends when all are confirmed."""

    def __init__(
        self, port: int, name: str, load: Numbered, numbers: range, rate: float, hurry: threading.Event, ledger: int
    ) -> None:
        super().__init__(name=name)
        self._port, self._load, self._numbers, self._ledger = port, load, numbers, ledger
        self._rate, self._hurry = rate, hurry
        self._next = 0
        self._open: dict[int, int] = {}  # packet id to number, oldest first
        self._packet_id = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Connect again and again until nothing is left."""
        began = time.monotonic()
        try:
            while self._next < len(self._numbers) or self._open:
                with suppress(OSError, BrokerRefused):
                    self._connection(began)
                time.sleep(_RECONNECT)
        except BaseException as error:
            self.failure = error
            raise

    def _connection(self, began: float) -> None:
        with connected(self._port, self.name, clean=True) as sock:
            sock.settimeout(_PATIENCE)
            sock.sendall(b"".join(self._packet(packet, number, again=True) for packet, number in self._open.items()))
            heard, rest = time.monotonic(), b""
            while self._next < len(self._numbers) or self._open:
                sent = self._send(sock, began)
                if select.select([sock], [], [], 0.0 if sent else 0.005)[0]:
                    data = rest + _received(sock)
                    whole = len(data) - len(data) % 4
                    self._confirm(data[:whole])
                    heard, rest = time.monotonic(), data[whole:]
                elif not self._open:
                    heard = time.monotonic()
                elif time.monotonic() - heard > _PATIENCE:
                    return

    def _send(self, sock: socket.socket, began: float) -> int:
        due = len(self._numbers) if self._hurry.is_set() else int((time.monotonic() - began) * self._rate) + 1
        last = min(self._next + _CHUNK, self._next + _WINDOW - len(self._open), due)
        packets = []
        for number in self._numbers[self._next : last]:
            self._packet_id = self._packet_id % 65_535 + 1
            self._open[self._packet_id] = number
            packets.append(self._packet(self._packet_id, number, again=False))
        self._next += len(packets)
        if packets:
            sock.sendall(b"".join(packets))
        return len(packets)

    def _packet(self, packet_id: int, number: int, *, again: bool) -> bytes:
        data = publish_packet(self._load.message(number), packet_id)
        return bytes([data[0] | 0x08]) + data[1:] if again else data

    def _confirm(self, data: bytes) -> None:
        done = []
        for at in range(0, len(data), 4):
            if data[at : at + 2] != _PUBACK:
                raise BrokerRefused(f"expected PUBACK, got {data[at : at + 4]!r}")
            done.append(self._open.pop(int.from_bytes(data[at + 2 : at + 4])).to_bytes(4, "little"))
        os.write(self._ledger, b"".join(done))


def _received(sock: socket.socket) -> bytes:
    data = sock.recv(65_536)
    if not data:
        raise BrokerRefused("the broker closed the connection")
    return data


def _until_closed(hurry: threading.Event) -> None:
    sys.stdin.buffer.read()
    hurry.set()


def main(arguments: Sequence[str]) -> int:
    """Publish every `step`-th number from `first` on over `lanes` connections."""
    port, ledger, rate, first, step, lanes, *shape = arguments
    load, start = Numbered(*map(int, shape)), int(first)
    file = os.open(Path(ledger), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    each, hurry = int(step) * int(lanes), threading.Event()
    threading.Thread(target=_until_closed, args=(hurry,), daemon=True).start()
    running = [
        Lane(
            int(port),
            f"tenacious-{first}-{lane}",
            load,
            range(start + lane * int(step), load.messages, each),
            float(rate) / int(lanes),
            hurry,
            file,
        )
        for lane in range(int(lanes))
    ]
    for one in running:
        one.start()
    for one in running:
        one.join()
    os.close(file)
    return int(any(one.failure is not None for one in running))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
