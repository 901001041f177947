# SPDX-License-Identifier: EUPL-1.2
"""The hub's fast MQTT session: a `Source` on the mqtt5 codec, in the event loop, without a thread.

It promises what `PahoSession` promises, and sees to it in the same way: the session is persistent, QoS 1 is
acknowledged only when ingest says so, each connection has the next epoch, tokens of earlier ones are ignored, and
batches that nobody has taken are dropped once the broker says that it still has the session and so sends them again.
It never gives up, except on a broker that does not speak MQTT 5 when somebody else can take over (`give_up`).

`_mqtt5_machine` decides, `_mqtt5_wire` moves bytes and keeps time, this module connects again and keeps the books.
"""

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from hub.core.delivery import Delivery
from hub.core.errors import SettingsError
from hub.core.ports import PartHealth
from hub.transport._backoff import Backoff
from hub.transport._condition import Condition, SessionEvent, SessionStats
from hub.transport._ends import HELD, End, Ended
from hub.transport._mqtt5_machine import Machine
from hub.transport._mqtt5_wire import Batch, Wire
from hub.transport._session_memory import SessionMemory
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

# PahoSession counts from 1: a token of this session is stale to the one that takes over from it
FIRST_EPOCH = 1 << 20
# Connections in a row that end without an answer before the broker counts as one that cannot read MQTT 5. With the
# usual back-off that takes some 20 s: a port that a container opens before its broker listens looks the same.
UNANSWERED = 8


class Mqtt5Session:
    """`Source`; `start()` or the first `batches()` connects. One consumer.

    `filters`, `notify`, `subscribed` and `memory` are as for PahoSession. `give_up` is called once, with the reason,
    when the broker does not speak MQTT 5; the session then ends. Without it such a broker is tried again and again.
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
        give_up: Callable[[str], None] | None = None,
    ) -> None:
        if not filters:
            raise SettingsError("broker.filters", "no topic filter to subscribe to: enable a connector")
        if settings.protocol == "3.1.1":
            raise SettingsError("broker.protocol", "this session speaks MQTT 5 only: PahoSession speaks 3.1.1")
        settings.ssl_context()  # a wrong certificate file stops the start
        self._settings = settings
        self._filters = tuple(filters)
        self._condition = Condition(settings, memory or SessionMemory(settings), notify, log)
        self._fresh = not subscribed
        self._give_up = give_up
        self._backoff = Backoff(settings.reconnect_min, settings.reconnect_max, rng)
        self._queue: deque[Batch] = deque()
        self._queued_bytes = 0
        self._news = asyncio.Event()
        self._ready = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._wire: Wire | None = None
        self._epoch = FIRST_EPOCH
        self._unanswered = 0
        self._received = 0
        self._acked = 0
        self._stale = 0
        self._again = 0
        self._dropped = 0
        self._over = False  # given up: what is queued is still handed out

    # the Source

    def start(self) -> None:
        """Start connecting; returns at once. Needs a running event loop."""
        if self._task is None and not self._closing.is_set():
            self._task = asyncio.get_running_loop().create_task(self._network(), name="mqtt5")

    async def ready(self) -> None:
        """Return when connected and subscribed, or when the session has given up."""
        self.start()
        await self._ready.wait()

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield batches in order of receipt until `close()`; survives reconnects."""
        self.start()
        while not self._closing.is_set():
            while self._queue and not self._closing.is_set():
                batch = self._queue.popleft()
                self._took(batch)
                yield batch.deliveries
            if self._over:
                return
            self._news.clear()
            if not self._queue and not self._closing.is_set():
                await self._news.wait()

    async def ack(self, tokens: Sequence[int]) -> None:
        """Let the PUBACKs of these deliveries go out; token 0 (QoS 0) and stale tokens are ignored."""
        wanted = [token for token in tokens if token]
        if self._closing.is_set():
            return
        if self._wire is None:
            self._stale += len(wanted)
        elif wanted:
            self._wire.ack(wanted)

    async def close(self) -> None:
        """Send the acknowledgements given so far and disconnect; the rest stays in the broker's session."""
        self._closing.set()
        self._ready.clear()
        self._news.set()
        if self._task is None:
            return
        if self._wire is not None:
            await self._wire.close()
        self._task.cancel()  # it may wait for a network that does not answer
        await asyncio.wait([self._task])
        self._condition.closed()

    # what others see

    def health(self) -> PartHealth:
        """Whether the hub is connected and subscribed now."""
        return self._condition.health()

    def stats(self) -> SessionStats:
        """Counters for metrics."""
        wire = self._wire
        return SessionStats(
            connects=self._condition.ups,
            reconnects=max(0, self._condition.ups - 1),
            sessions_lost=self._condition.sessions_lost,
            refused=self._condition.refused,
            received=self._received,
            acked=self._acked + (wire.acked if wire else 0),
            stale_acks=self._stale + (wire.stale if wire else 0),
            redelivered_in_hand=self._again + (wire.machine.again if wire else 0),
            dropped_stale=self._dropped,
            in_hand=len(wire.machine.window) if wire else 0,
            queued_bytes=self._queued_bytes,
        )

    # deliveries

    def _arrived(self, batch: Batch) -> None:
        self._received += len(batch.deliveries)
        if self._wire is not None and self._wire.machine.twice:
            self._condition.foreign()
        self._queued_bytes += batch.size
        self._queue.append(batch)
        self._news.set()

    def _took(self, batch: Batch) -> None:
        self._queued_bytes -= batch.size
        if self._wire is not None:
            self._wire.took(batch)

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

    # connections

    async def _network(self) -> None:
        while not self._closing.is_set():
            ended = await self._one_connection()
            self._on_down(ended)
            if self._over:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._delay(ended))

    async def _one_connection(self) -> Ended:
        self._epoch += 1
        try:
            machine = Machine(self._settings, self._filters, self._epoch, fresh=self._fresh)
            wire = Wire(self._settings, machine, on_batch=self._arrived, on_up=self._on_up)
            self._wire = wire
            return await wire.run()
        except Exception as error:  # the session must outlive any fault here: say it and connect again
            log.exception("MQTT: unexpected fault", extra={"reason": "fault"})
            return Ended(End.LOST, f"unexpected fault: {error!r}")

    def _delay(self, ended: Ended) -> float:
        if ended.up >= HELD:
            self._backoff.reset()
        return self._settings.refused_delay if ended.end is End.REFUSED else self._backoff.next()

    def _on_up(self) -> None:
        if self._wire is None:
            return
        machine = self._wire.machine
        if machine.session_present:
            self._drop_older(self._epoch)
        self._condition.up(session_present=bool(machine.session_present), spoken="5")
        self._check_expiry(machine.expiry)
        self._ready.set()

    def _check_expiry(self, seconds: int | None) -> None:
        if seconds is not None and seconds < self._settings.session_expiry:
            text = "MQTT: the broker keeps the hub's session for %s s only: a hub that is down longer loses messages"
            log.warning(text, seconds, extra={"reason": "session_expiry"})

    def _on_down(self, ended: Ended) -> None:
        self._forget_wire()
        self._ready.clear()
        self._fresh = ended.must_subscribe(before=self._fresh)
        self._unanswered = self._unanswered + 1 if ended.end is End.NO_ANSWER else 0
        self._condition.down(ended)
        hopeless = ended.end is End.WRONG_VERSION or self._unanswered >= UNANSWERED
        if hopeless and self._give_up is not None:
            self._over = True
            self._ready.set()
            self._news.set()
            self._give_up(ended.detail)

    def _forget_wire(self) -> None:
        """The connection is gone: its counters stay, its tokens are stale."""
        if self._wire is not None:
            self._acked += self._wire.acked
            self._stale += self._wire.stale
            self._again += self._wire.machine.again
            self._wire = None
