# SPDX-License-Identifier: EUPL-1.2
"""The hub's MQTT session: a `Source` on paho-mqtt in a thread of its own.

The session is persistent and QoS 1 is acknowledged only when ingest says so, so whatever ingest has not confirmed
comes again: after a reconnect, after a restart of the hub, after a crash. It never gives up: unreachable brokers are
tried again with jittered back-off, brokers that refuse us slowly and visibly (`health()`, log), since the operator may
mend the broker's side while the hub runs.

Epochs: each connection has the next number, tokens carry it, and what is acknowledged for an earlier one is ignored.
Batches of an earlier connection that nobody has taken yet are dropped once the broker says that it still has the
session: it sends them again, and memory holds them once. Without the session they are kept: there is no second copy.

MQTT 5 is tried first, because only there the receive maximum can be asked for; a broker that refuses it gets 3.1.1.
"""

import asyncio
import logging
import random
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from paho.mqtt.enums import MQTTProtocolVersion

from hub.core.delivery import Delivery
from hub.core.errors import SettingsError
from hub.core.ports import PartHealth
from hub.transport._backoff import Backoff
from hub.transport._condition import Condition, SessionEvent, SessionStats
from hub.transport._connection import Connection, Tally, Up
from hub.transport._ends import HELD, End, Ended
from hub.transport._link import Batch, Link
from hub.transport._session_memory import SessionMemory
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

__all__ = ["PahoSession", "SessionEvent", "SessionStats"]

_FIVE = MQTTProtocolVersion.MQTTv5
_THREE = MQTTProtocolVersion.MQTTv311
_FIRST = {"auto": _FIVE, "5": _FIVE, "3.1.1": _THREE}
_NAMES = {_FIVE: "5", _THREE: "3.1.1"}


class PahoSession:
    """`Source`; `start()` or the first `batches()` connects. One consumer.

    `filters` are the topic filters to subscribe to with QoS 1. `notify` gets SessionEvents on the event loop.
    `subscribed` says that the session, if the broker still has it, has these very subscriptions: over 3.1.1 each
    renewal brings all retained messages again. A session keeps filters that are no longer asked for. `memory` tells,
    across restarts too, whether the hub had a session there before.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        filters: Sequence[str],
        *,
        notify: Callable[[SessionEvent], None] | None = None,
        subscribed: bool = False,
        rng: random.Random | None = None,
        memory: SessionMemory | None = None,
    ) -> None:
        if not filters:
            raise SettingsError("broker.filters", "no topic filter to subscribe to: enable a connector")
        settings.ssl_context()  # a wrong certificate file stops the start
        self._settings = settings
        self._filters = tuple(filters)
        self._subscribed = subscribed
        self._condition = Condition(settings, memory or SessionMemory(settings), notify, log)
        self._backoff = Backoff(settings.reconnect_min, settings.reconnect_max, rng)
        self._queue: deque[Batch] = deque()
        self._news = asyncio.Event()
        self._ready = asyncio.Event()
        self._tally = Tally()
        self._link: Link | None = None
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None
        self._epoch = 0
        self._dropped = 0
        self._closed = False

    # the Source

    def start(self) -> None:
        """Start connecting; returns at once. Needs a running event loop."""
        if self._thread is not None or self._closed:
            return
        self._link = Link(asyncio.get_running_loop(), self._arrived)
        self._thread = threading.Thread(target=self._network, args=(self._link,), name="mqtt", daemon=True)
        self._thread.start()

    async def ready(self) -> None:
        """Return when connected and subscribed."""
        self.start()
        await self._ready.wait()

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield batches in order of receipt until `close()`; survives reconnects."""
        self.start()
        while not self._closed:
            while self._queue and not self._closed:
                batch = self._queue.popleft()
                self._took(batch)
                yield batch.deliveries
            self._news.clear()
            if not self._closed:
                await self._news.wait()

    async def ack(self, tokens: Sequence[int]) -> None:
        """Let the PUBACKs of these deliveries go out; token 0 (QoS 0) and stale tokens are ignored."""
        wanted = [token for token in tokens if token]
        if wanted and self._link is not None and not self._closed:
            self._link.acknowledge(wanted)

    async def close(self) -> None:
        """Send the acknowledgements given so far and disconnect; the rest stays in the broker's session."""
        self._closed = True
        self._ready.clear()
        self._news.set()
        if self._link is None or self._thread is None:
            return
        self._link.close()
        await asyncio.to_thread(self._thread.join)
        self._link.release()
        self._condition.closed()

    # what others see

    def health(self) -> PartHealth:
        """Whether the hub is connected and subscribed now."""
        return self._condition.health()

    def stats(self) -> SessionStats:
        """Counters for metrics."""
        tally, connection = self._tally, self._connection
        return SessionStats(
            connects=self._condition.ups,
            reconnects=max(0, self._condition.ups - 1),
            sessions_lost=self._condition.sessions_lost,
            refused=self._condition.refused,
            received=tally.received,
            acked=tally.acked,
            stale_acks=tally.stale,
            redelivered_in_hand=tally.again,
            dropped_stale=self._dropped,
            in_hand=0 if connection is None else len(connection.window),
            queued_bytes=0 if self._link is None else self._link.queued_bytes,
        )

    # on the event loop

    def _took(self, batch: Batch) -> None:
        if self._link is not None:
            self._link.took(batch)

    def _arrived(self, batch: Batch) -> None:
        self._queue.append(batch)
        if self._tally.twice:
            self._condition.foreign()
        self._news.set()

    def _on_up(self, up: Up) -> None:
        if up.session_present:
            self._drop_older(up.epoch)
        self._condition.up(session_present=up.session_present, spoken=_NAMES[up.protocol])
        self._ready.set()

    def _drop_older(self, epoch: int) -> None:
        """Leave out what the broker is about to send again: only QoS 0 has no second copy."""
        kept: deque[Batch] = deque()
        for batch in self._queue:
            rest = batch.deliveries if batch.epoch == epoch else [d for d in batch.deliveries if not d.token]
            self._dropped += len(batch.deliveries) - len(rest)
            if rest:
                kept.append(batch._replace(deliveries=rest))
            else:
                self._took(batch)
        self._queue = kept

    def _on_down(self, ended: Ended) -> None:
        self._ready.clear()
        self._condition.down(ended)

    # in the network thread

    def _network(self, link: Link) -> None:
        protocol = _FIRST[self._settings.protocol]
        fresh = not self._subscribed
        while not link.closing:
            ended = self._one_connection(link, protocol, fresh=fresh)
            fresh = ended.must_subscribe(before=fresh)
            link.call(self._on_down, ended)
            if ended.up >= HELD:
                self._backoff.reset()
            following = next_protocol(self._settings.protocol, protocol, ended.end)
            link.wait(self._delay(ended.end, downgrade=following == _THREE and protocol == _FIVE))
            protocol = following

    def _one_connection(self, link: Link, protocol: MQTTProtocolVersion, *, fresh: bool) -> Ended:
        self._epoch += 1
        try:
            connection = Connection(
                self._settings,
                self._filters,
                protocol,
                self._epoch,
                fresh=fresh,
                link=link,
                tally=self._tally,
                on_up=lambda up: link.call(self._on_up, up),
            )
            self._connection = connection
            return connection.run()
        except Exception as error:  # the thread must outlive any fault in paho or here: say it and connect again
            log.exception("MQTT: unexpected fault", extra={"reason": "fault"})
            return Ended(End.LOST, f"unexpected fault: {error!r}")

    def _delay(self, end: End, *, downgrade: bool) -> float:
        if end in {End.CLOSED, End.RESUME} or (end is End.WRONG_VERSION and downgrade):
            return 0.0
        if end is End.REFUSED:
            return self._settings.refused_delay
        return self._backoff.next()


def next_protocol(setting: str, tried: MQTTProtocolVersion, end: End) -> MQTTProtocolVersion:
    """MQTT version of the next try: what worked stays; what was refused or left unanswered is changed (auto only)."""
    if setting != "auto":
        return _FIRST[setting]
    if end in {End.WRONG_VERSION, End.NO_ANSWER}:
        return _THREE if tried == _FIVE else _FIVE
    return _FIVE if end is End.UNREACHABLE else tried
