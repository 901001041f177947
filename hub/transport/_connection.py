# SPDX-License-Identifier: EUPL-1.2
"""One MQTT connection of the hub, from connect to the end, in the network thread.

paho-mqtt is the codec and keeps the protocol's state; the loop around it is ours, because paho's own loops select
before each packet, decide about reconnecting by themselves and cannot be paused. One turn: wait for network, wake-up or
a due batch; send the PUBACKs that ingest has released; read what is there; hand a batch over when it is full or its
first message has waited `max_wait`.

Flow control: when more than `max_pending_bytes` or more than `receive_maximum` messages wait for ingest, reading pauses
and the broker keeps the rest. The count is bounded here too because brokers exceed what they were told (Mosquitto
2.0.11 does when PUBACKs are slow, until it uses packet ids again that are not free); one that keeps to it is never
paused for it. Pings go on meanwhile; their answers lie unread behind the messages, so paho's own keep-alive check,
which would end the connection, is left out.

Invariant: reading never pauses before SUBACK. Brokers send what waits in the session, or is retained, before it, and
who waits for the subscription before consuming would wait for ever. A first connection (`fresh`) that holds too much by
then leaves the rest unconfirmed, waits for SUBACK and ends with RESUME: the next one need not subscribe, and the broker
sends all of it again. Other connections that subscribe (the broker lost the session) keep everything: without a session
nothing comes again.
"""

import logging
import selectors
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from hub.core.delivery import Delivery
from hub.transport._ends import OVERHEAD, TICK, End, Ended
from hub.transport._link import Batch, Link
from hub.transport._paho import subscriptions, topic_of, wishes
from hub.transport._paho_client import Client, open_socket
from hub.transport._socket import BufferedSocket
from hub.transport._window import AckWindow, Receipt
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

_PINGREQ = b"\xc0\x00"
_AWAY = frozenset(
    {"Server unavailable", "Server busy", "Use another server", "Server moved", "Connection rate exceeded"}
)


class Up(NamedTuple):
    """A connection that is subscribed. `session_present`: the broker still had our session."""

    epoch: int
    session_present: bool
    protocol: MQTTProtocolVersion


class Tally:
    """Counters of the network thread, of all connections."""

    __slots__ = ("acked", "again", "received", "stale", "twice")

    def __init__(self) -> None:
        self.received = 0
        self.acked = 0
        self.stale = 0
        self.again = 0
        self.twice = 0


class Connection:
    """`run()` blocks until the end. `fresh`: subscribe even if the broker still has our session."""

    def __init__(
        self,
        settings: BrokerSettings,
        filters: Sequence[str],
        protocol: MQTTProtocolVersion,
        epoch: int,
        *,
        fresh: bool,
        link: Link,
        tally: Tally,
        on_up: Callable[[Up], None],
    ) -> None:
        self._settings = settings
        self._filters = filters
        self._protocol = protocol
        self._fresh = fresh
        self._link = link
        self._tally = tally
        self._on_up = on_up
        self._window = AckWindow(epoch)
        self._client = self._make_client()
        self._batch: list[Delivery] = []
        self._batch_bytes = 0
        self._due = 0.0
        self._next_tick = 0.0
        self._answer_by = 0.0
        self._last_ping = 0.0
        self._paused = False
        self._left = 0
        self._answered = False
        self._session_present: bool | None = None
        self._twice: set[int] = set()  # packet ids of QoS 2, which only a foreign subscription brings
        self._up_since: float | None = None
        self._ended: Ended | None = None

    @property
    def window(self) -> AckWindow:
        """What is in hand."""
        return self._window

    def run(self) -> Ended:
        """Connect, serve, disconnect; returns why it ended."""
        try:
            self._connect()
        except (OSError, ValueError) as error:
            return Ended(End.UNREACHABLE, str(error) or type(error).__name__)
        sock = cast("BufferedSocket", self._client.socket())
        self._answer_by = time.monotonic() + self._settings.connect_timeout
        with selectors.DefaultSelector() as selector:
            selector.register(self._link, selectors.EVENT_READ)
            selector.register(sock, selectors.EVENT_READ)
            while self._ended is None:
                self._turn(selector, sock)
        self._hand_over()
        self._leave(sock)
        up = 0.0 if self._up_since is None else time.monotonic() - self._up_since
        return self._ended._replace(up=up, session=self._session_present)

    # connecting

    def _make_client(self) -> Client:
        settings, five = self._settings, self._protocol == MQTTProtocolVersion.MQTTv5
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=None if five else False,
            protocol=self._protocol,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.username_pw_set(settings.username, settings.password)
        context = settings.ssl_context()
        client.opener = lambda: open_socket(settings, context)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_register_write = _nothing  # else paho walks its queue once per PUBACK
        return client

    def _connect(self) -> None:
        host, port, keepalive = self._settings.host, self._settings.port, self._settings.keepalive
        if self._protocol == MQTTProtocolVersion.MQTTv5:
            self._client.connect(host, port, keepalive, clean_start=False, properties=wishes(self._settings))
        else:
            self._client.connect(host, port, keepalive)

    def _on_connect(
        self, client: mqtt.Client, _: object, flags: mqtt.ConnectFlags, reason: ReasonCode, granted: Properties | None
    ) -> None:
        self._answered = True
        if reason.is_failure:
            self._fail(_refusal(str(reason)), str(reason))
            return
        self._session_present = flags.session_present
        self._check_expiry(granted)
        if flags.session_present and not self._fresh:
            self._subscribed()
        else:
            client.subscribe(subscriptions(self._filters, five=self._protocol == MQTTProtocolVersion.MQTTv5))

    def _check_expiry(self, granted: Properties | None) -> None:
        seconds = getattr(granted, "SessionExpiryInterval", None)  # absent where the broker grants what we asked for
        if seconds is not None and seconds < self._settings.session_expiry:
            log.warning(
                "MQTT: the broker keeps the hub's session for %s s only: a hub that is down longer loses messages",
                seconds,
                extra={"reason": "session_expiry"},
            )

    def _on_subscribe(
        self, _client: mqtt.Client, _: object, _mid: int, reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        refused = [f"{t} ({r})" for t, r in zip(self._filters, reasons, strict=False) if r.value != 1]
        if refused:
            self._fail(End.REFUSED, f"the broker does not grant QoS 1 for {', '.join(refused)}")
        elif self._left:
            self._fail(End.RESUME, f"{self._left} messages that came before SUBACK did not fit")
        else:
            self._subscribed()

    def _subscribed(self) -> None:
        self._up_since = time.monotonic()
        self._on_up(Up(self._window.epoch, bool(self._session_present), self._protocol))

    def _on_disconnect(
        self, _c: mqtt.Client, _: object, _f: mqtt.DisconnectFlags, reason: ReasonCode, _p: Properties | None
    ) -> None:
        if str(reason) == "Session taken over":
            self._fail(
                End.REFUSED, f"another client connected as {self._settings.client_id!r} and took the session over"
            )
        elif not self._answered:
            self._fail(End.NO_ANSWER, f"the broker closed the connection without an answer ({reason})")
        else:
            self._fail(End.LOST, str(reason))

    def _fail(self, end: End, detail: str) -> None:
        if self._ended is None:  # the first cause counts
            self._ended = Ended(end, detail)

    # serving

    def _turn(self, selector: selectors.BaseSelector, sock: BufferedSocket) -> None:
        ready = {key.fileobj for key, _ in selector.select(self._patience(sock))}
        if self._link in ready:
            self._confirm(self._link.acknowledged())
        if sock in ready:
            sock.drained = False
        self._read(sock)
        self._write(sock)
        now = time.monotonic()
        if self._batch and now >= self._due:
            self._hand_over()
        if now >= self._next_tick:
            self._next_tick = now + TICK
            self._keep_alive(sock, now)
        if self._link.closing and self._ended is None:
            self._close()
        if self._ended is None:
            _watch(selector, sock, reading=not self._paused)

    def _patience(self, sock: BufferedSocket) -> float:
        if not sock.drained and not self._paused:
            return 0.0
        until = min(self._next_tick, self._due) if self._batch else self._next_tick
        return max(0.0, until - time.monotonic())

    def _confirm(self, tokens: Sequence[int]) -> None:
        mids, stale = self._window.confirm(tokens)
        for mid in mids:
            if mid in self._twice:
                self._twice.discard(mid)
                self._client.store(mid)
            else:
                self._client.ack(mid, 1)
        self._tally.acked += len(mids)
        self._tally.stale += stale

    def _read(self, sock: BufferedSocket) -> None:
        """Read until the network has no more, a batch is full, or too much lies in memory."""
        self._paused = self._heavy()
        handed = len(self._batch)
        while not sock.drained and not self._paused and self._ended is None:
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS and self._ended is None:
                self._fail(End.LOST, "the connection broke")
            if len(self._batch) != handed:
                self._paused = self._heavy()
                if len(self._batch) >= self._settings.max_batch:
                    self._hand_over()
                    return
                handed = len(self._batch)

    def _heavy(self) -> bool:
        return self._up_since is not None and self._full()

    def _full(self) -> bool:
        most, heaviest = self._settings.receive_maximum, self._settings.max_pending_bytes
        if self._paused:  # start again only with room for more than one message
            most, heaviest = most * 3 // 4, heaviest * 3 // 4
        return len(self._window) > most or self._window.bytes > heaviest or self._link.queued_bytes > heaviest

    def _leaves(self) -> bool:
        """Whether the message at hand is left to the next connection; if one is, all after it are, for the order."""
        if self._up_since is None and self._fresh and (self._left or self._full()):
            self._left += 1
            return True
        return False

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        topic = topic_of(message)
        payload = bytes(message.payload)  # no copy: paho has bytes here
        size = len(payload) + len(topic) + OVERHEAD
        token = 0
        if message.qos:
            if self._leaves():
                return
            receipt = self._window.received(message.mid, size, dup=message.dup)
            if receipt is Receipt.AGAIN:
                self._tally.again += 1
                return
            if receipt is Receipt.REUSED:
                self._fail(End.LOST, f"the broker used packet id {message.mid} again before it was acknowledged")
                return
            token = self._window.token(message.mid)
            if message.qos == 2:
                self._twice.add(message.mid)
                self._tally.twice += 1
        if not self._batch:
            self._due = time.monotonic() + self._settings.max_wait
        self._batch.append(Delivery(topic, payload, time.time_ns(), message.qos, message.retain, message.dup, token))
        self._batch_bytes += size

    def _hand_over(self) -> None:
        if not self._batch:
            return
        self._tally.received += len(self._batch)
        self._link.hand_over(Batch(self._window.epoch, self._batch, self._batch_bytes))
        self._batch, self._batch_bytes = [], 0

    def _write(self, sock: BufferedSocket) -> None:
        if self._ended is not None:
            return
        if self._client.want_write():
            self._client.loop_write()
        try:
            sock.flush()
        except OSError as error:
            self._fail(End.LOST, str(error))

    def _keep_alive(self, sock: BufferedSocket, now: float) -> None:
        if self._ended is not None:
            return
        if not self._client.is_connected():
            if now >= self._answer_by:
                self._fail(End.NO_ANSWER, f"no answer to CONNECT within {self._settings.connect_timeout:g} s")
        elif not self._paused:
            self._client.loop_misc()
        elif now - self._last_ping >= self._settings.keepalive / 2:
            self._last_ping = now
            sock.send(_PINGREQ)

    def _close(self) -> None:
        self._confirm(self._link.acknowledged())
        self._fail(End.CLOSED, "closed by the hub")

    def _leave(self, sock: BufferedSocket) -> None:
        if self._ended is not None and self._ended.end in {End.CLOSED, End.RESUME} and self._client.is_connected():
            sock.last_word = True
            self._client.disconnect()
            self._client.loop_write()  # paho closes the socket behind DISCONNECT; that flushes
        sock.close()


def _nothing(*_: object) -> None:
    """The socket is flushed once a turn anyway."""


def _watch(selector: selectors.BaseSelector, sock: BufferedSocket, *, reading: bool) -> None:
    events = (selectors.EVENT_READ if reading else 0) | (selectors.EVENT_WRITE if sock.unsent else 0)
    known = selector.get_map().get(sock)
    if known is not None and known.events == events:
        return
    if known is not None:
        selector.unregister(sock)
    if events:
        selector.register(sock, events)


def _refusal(reason: str) -> End:
    if reason == "Unsupported protocol version":
        return End.WRONG_VERSION
    return End.LOST if reason in _AWAY else End.REFUSED
