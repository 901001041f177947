# SPDX-License-Identifier: EUPL-1.2
"""One unknown device publishes as fast as the broker takes it, in a process of its own, until it is killed.

    python -m benchmarks.flood PORT

Its messages are well formed, but the device is registered nowhere, so each one is quarantined or refused.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.brokers import Bench
from benchmarks.load import Message
from benchmarks.publisher import connected, publish_packet

_WINDOW = 1_000
_CHUNK = 50
_DEVICE = "nobody-knows-it"


@contextmanager
def flooding(bench: Bench) -> Iterator[None]:
    """The flood runs: its first messages are confirmed on entry."""
    command = [sys.executable, "-m", "benchmarks.flood", str(bench.port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        if process.stdout is not None:
            process.stdout.readline()
        yield
    finally:
        ended = process.poll()
        process.kill()
        process.communicate()
    if ended is not None:
        raise RuntimeError(f"the flood ended with {ended} by itself")


def flood(port: int) -> None:
    """Publish for ever: a window of messages, then their confirmations."""
    message = Message(f"devices/{_DEVICE}/readings", b'{"readings":{"pm10":21.5,"pm2_5":11.25,"no2":17.5}}')
    with connected(port, "bench-flood", clean=True) as sock:
        sent = confirmed = 0
        while True:
            while sent - confirmed < _WINDOW * 4:
                ids = range(sent // 4, sent // 4 + _CHUNK)
                sock.sendall(b"".join(publish_packet(message, number % 65_535 + 1) for number in ids))
                sent += 4 * _CHUNK
            data = sock.recv(65_536)
            if not data:
                return
            if not confirmed:
                print("flooding", flush=True)
            confirmed += len(data)  # a PUBACK has four bytes


if __name__ == "__main__":
    flood(int(sys.argv[1]))
