# SPDX-License-Identifier: EUPL-1.2
"""A socket that reads ahead and writes behind, so that paho costs one system call per burst.

paho reads each packet with three `recv` (type, length, body) and sends each PUBACK with its own `send`. Every such call
also gives up the interpreter lock, and the network thread then waits for a busy ingest up to a switch interval each
time. Measured, see docs/decisions/paho-mqtt-session.md. Order of bytes is kept; nothing is interpreted.

Invariants: `drained` turns true when the network has nothing more to read; whoever sees the descriptor readable sets it
false and reads until it is true again, since `select` knows nothing of what was read ahead. `flush()` is called after
each round of writes, and again when `unsent` is true and the socket is writable.
"""

import contextlib
import socket
import ssl
import time

CHUNK = 256 * 1024
_LINGER = 5.0  # s that a close may take to send what is left
_HANG_UP = 2.0  # s that the other side has to hang up after what was the last


class BufferedSocket:
    """Non-blocking stand-in for a connected TCP or TLS socket; raises what the socket raises."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._ahead = memoryview(b"")
        self._behind = bytearray()
        self.drained = True
        self.last_word = False  # what is behind is the last: the other side shall read it all and hang up first

    @property
    def unsent(self) -> bool:
        """Whether bytes wait for the socket to become writable."""
        return bool(self._behind)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes, from what was read ahead or else from the network."""
        if not self._ahead:
            self._ahead = memoryview(self._receive())
        piece = self._ahead[:size].tobytes()
        self._ahead = self._ahead[len(piece) :]
        return piece

    def _receive(self) -> bytes:
        try:
            return self._sock.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError):
            self.drained = True
            raise

    def pending(self) -> int:
        """Bytes that can be had without a system call."""
        return len(self._ahead)

    def send(self, data: bytes | bytearray) -> int:
        """Keep `data` for the next flush."""
        self._behind += data
        return len(data)

    def flush(self) -> None:
        """Send what the network takes now; raises OSError when the connection is gone."""
        while self._behind:
            try:
                sent = self._sock.send(self._behind)
            except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return
            del self._behind[:sent]

    def fileno(self) -> int:
        """Descriptor to select on."""
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """As the socket's."""
        self._sock.setblocking(flag)

    def close(self) -> None:
        """Send what is left, as far as the other side takes it, and close.

        After the `last_word` the other side hangs up first: our own close could overtake PUBACKs, since a close with
        bytes unread resets the connection, and whoever gets the reset may drop what it has not read yet.
        """
        with contextlib.suppress(OSError, ValueError):
            if self._behind:
                self._sock.settimeout(_LINGER)
                self._sock.sendall(self._behind)
            if self.last_word:
                self._await_end()
        self._behind.clear()
        self._sock.close()

    def _await_end(self) -> None:
        until = time.monotonic() + _HANG_UP
        while (left := until - time.monotonic()) > 0:
            self._sock.settimeout(left)
            if not self._sock.recv(CHUNK):
                return
