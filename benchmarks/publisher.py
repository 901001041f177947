# SPDX-License-Identifier: EUPL-1.2
"""A publisher that is faster than what it feeds: MQTT 3.1.1 packets built in bulk, over a few raw sockets.

`publish` returns when the broker has confirmed every message (QoS 1). Packet ids of one connection go round from 1 to
65,535; at most `WINDOW` of them are unconfirmed, so that none is used twice. `make_session` leaves a persistent session
with one subscription behind, which keeps messages for a consumer that comes later.
"""

import selectors
import socket
import threading
import time
from collections.abc import Sequence
from typing import Self

from benchmarks.load import Message

WINDOW = 4_000  # messages unconfirmed on one connection
_CHUNK = 64  # messages handed to the socket at once
_PUBACK = 4  # bytes
_TIMEOUT = 60.0  # s without a word of the broker
_ANSWERS = {0x20: "CONNACK", 0x90: "SUBACK"}


class BrokerRefused(Exception):
    """The broker did not answer as MQTT 3.1.1 asks."""


def text(value: str) -> bytes:
    """A string as MQTT writes it."""
    data = value.encode()
    return len(data).to_bytes(2) + data


def packet(head: int, body: bytes) -> bytes:
    """A control packet with its remaining length."""
    length, size = bytearray(), len(body)
    while True:
        size, low = divmod(size, 128)
        length.append(low | (0x80 if size else 0))
        if not size:
            return bytes([head]) + length + body


def connect_packet(client_id: str, *, clean: bool) -> bytes:
    """CONNECT without credentials; no keep-alive, because a publisher here is never idle for long."""
    return packet(0x10, text("MQTT") + bytes([4, 2 if clean else 0, 0, 0]) + text(client_id))


def publish_packet(message: Message, packet_id: int) -> bytes:
    """PUBLISH with QoS 1."""
    return packet(0x32, text(message.topic) + packet_id.to_bytes(2) + message.payload)


def make_session(port: int, client_id: str, topic_filter: str) -> None:
    """Leave a persistent session with one QoS 1 subscription behind."""
    with connected(port, client_id, clean=False) as sock:
        sock.sendall(packet(0x82, (1).to_bytes(2) + text(topic_filter) + b"\x01"))
        answer = _answer(sock, 0x90, 5)
        if answer[-1] != 1:
            raise BrokerRefused(f"the broker does not grant QoS 1 for {topic_filter!r}")
        sock.sendall(b"\xe0\x00")


def publish(
    port: int,
    messages: Sequence[Message],
    *,
    connections: int = 4,
    rate: float | None = None,
    stop: threading.Event | None = None,
) -> list[float]:
    """Publish all, or until `stop` is set; returns when each was handed to the network (`time.monotonic`), in order.

    With `rate` (messages a second) it keeps to that pace.
    """
    name = f"bench-{time.monotonic_ns()}"  # NATS takes an id that comes back at once for two clients in quarrel
    lanes = [_Lane(port, f"{name}-{i}", messages[i::connections]) for i in range(connections)]
    started = time.monotonic()
    try:
        with selectors.DefaultSelector() as selector:
            for lane in lanes:
                selector.register(lane.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, lane)
            while any(not lane.done for lane in lanes) and not (stop is not None and stop.is_set()):
                allowed = None if rate is None else int((time.monotonic() - started) * rate / connections) + 1
                _turn(selector, allowed)
    finally:
        for lane in lanes:
            lane.sock.close()
    return sorted(moment for lane in lanes for moment in lane.sent)


def _turn(selector: selectors.BaseSelector, allowed: int | None) -> None:
    ready = selector.select(_TIMEOUT)
    if not ready:
        raise BrokerRefused(f"no confirmation within {_TIMEOUT:g} s")
    for key, events in ready:
        lane: _Lane = key.data
        if events & selectors.EVENT_READ:
            lane.receive()
        if events & selectors.EVENT_WRITE:
            lane.send(allowed)
    if allowed is not None:
        time.sleep(0.002)


class _Lane:
    """One connection and its share of the messages."""

    def __init__(self, port: int, client_id: str, messages: Sequence[Message]) -> None:
        self.sock = connected(port, client_id, clean=True)
        self.sock.setblocking(False)
        self.sent: list[float] = []
        self._packets = [publish_packet(message, number % 65_535 + 1) for number, message in enumerate(messages)]
        self._rest = memoryview(b"")
        self._answered = 0

    @property
    def done(self) -> bool:
        return self._answered == _PUBACK * len(self._packets)

    def receive(self) -> Self:
        """Count PUBACKs."""
        data = self.sock.recv(65_536)
        if not data or any(byte != 0x40 for byte in data[-self._answered % _PUBACK :: _PUBACK]):
            raise BrokerRefused("the broker dropped a publisher, or sent it something else than PUBACK")
        self._answered += len(data)
        return self

    def send(self, allowed: int | None) -> None:
        """Hand over what the socket takes, the window and the pace allow."""
        if not self._rest:
            first = len(self.sent)
            last = min(first + _CHUNK, self._answered // _PUBACK + WINDOW, len(self._packets))
            last = last if allowed is None else min(last, allowed)
            if first >= last:
                if allowed is None:
                    time.sleep(0.0005)  # the window is full: let the broker work
                return
            self._rest = memoryview(b"".join(self._packets[first:last]))
            self.sent += [time.monotonic()] * (last - first)
        try:
            self._rest = self._rest[self.sock.send(self._rest) :]
        except BlockingIOError:
            return


def connected(port: int, client_id: str, *, clean: bool) -> socket.socket:
    """A socket behind CONNACK."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
    try:
        sock.sendall(connect_packet(client_id, clean=clean))
        code = _answer(sock, 0x20, 4)[3]
        if code:
            raise BrokerRefused(f"CONNACK {code} for {client_id!r}")
    except BaseException:
        sock.close()
        raise
    return sock


def _answer(sock: socket.socket, head: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise BrokerRefused(f"the broker closed the connection instead of sending {_ANSWERS[head]}")
        data += more
    if data[0] != head:
        raise BrokerRefused(f"expected {_ANSWERS[head]}, got packet type {data[0]:#x}")
    return data
