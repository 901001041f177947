# SPDX-License-Identifier: EUPL-1.2
"""One MQTT 5 connection on asyncio (or uvloop): the thin shell around `Machine`.

What the network brings is decoded at once, as far as the machine allows, and handed over in batches: when one is full,
or when its first message has waited `max_wait`. When the machine says that too much is unacknowledged, reading pauses
and the rest stays with the broker; `ack` and `took` go on. While reading is paused nothing can be heard, so only then
the answer to a ping may be missing.

Mosquitto sends what it has queued before SUBACK. When that fills the memory, SUBACK lies unread behind it: the
connection then counts as up without it, since somebody has to take the messages first.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from hub.core.delivery import Delivery
from hub.core.errors import SettingsError
from hub.transport._ends import TICK, End, Ended
from hub.transport._mqtt5_machine import PINGREQ, Machine, Stage, Stop
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

_LINGER = 5.0  # s that the broker has to take what is left
_HANG_UP = 1.0  # s that the broker has to hang up after our DISCONNECT


class Batch(NamedTuple):
    """Deliveries of one connection, in order of receipt; `size` is their weight in bytes, `loose` that of QoS 0."""

    epoch: int
    deliveries: Sequence[Delivery]
    size: int
    loose: int


class Wire(asyncio.Protocol):
    """`run()` connects and returns at the end. `on_up` is called once, `on_batch` for each batch."""

    def __init__(
        self,
        settings: BrokerSettings,
        machine: Machine,
        *,
        on_batch: Callable[[Batch], None],
        on_up: Callable[[], None],
    ) -> None:
        self.machine = machine
        self.acked = 0
        self.stale = 0
        self._settings = settings
        self._on_batch = on_batch
        self._on_up = on_up
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._gone = self._loop.create_future()
        self._due: asyncio.TimerHandle | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._announced = False
        self._paused = False
        self._up_since: float | None = None
        self._connected_at = self._heard = self._said = 0.0
        self._pinged: float | None = None

    async def run(self) -> Ended:
        """Connect, serve until the end, disconnect."""
        try:
            return await self._serve()
        finally:
            if self._transport is not None:
                self._transport.abort()

    async def _serve(self) -> Ended:
        settings = self._settings
        try:
            context = settings.ssl_context()
            async with asyncio.timeout(settings.connect_timeout):
                name = settings.host if context else None
                await self._loop.create_connection(
                    lambda: self, settings.host, settings.port, ssl=context, server_hostname=name
                )
        except TimeoutError:
            return Ended(End.UNREACHABLE, f"no connection within {settings.connect_timeout:g} s")
        except (OSError, ValueError, SettingsError) as error:
            return Ended(End.UNREACHABLE, str(error) or type(error).__name__)
        await self._gone
        ended = self.machine.ended or Ended(End.LOST, "the connection broke")
        up = 0.0 if self._up_since is None else self._loop.time() - self._up_since
        return ended._replace(up=up, session=self.machine.session_present)

    # what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class, but by its methods
        self._connected_at = self._heard = self._said = self._loop.time()
        self._flush()
        self._look()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        self._pinged = None
        try:
            self.machine.feed(data)
            self._pump()
        except Exception as error:  # the event loop would log it and leave the connection hanging
            log.exception("MQTT: unexpected fault", extra={"reason": "fault"})
            self.machine.lost(f"unexpected fault: {error!r}")
            self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        how = "" if self._acknowledged() else " without an answer"
        self.machine.lost(f"the broker closed the connection{how}" + (f" ({exc})" if exc else ""))
        self._end()
        if not self._gone.done():
            self._gone.set_result(None)

    # what the session calls

    def ack(self, tokens: Sequence[int]) -> None:
        """Send the PUBACKs that may go out now, in one piece."""
        sent, stale = self.machine.confirm(tokens)
        self.acked += sent
        self.stale += stale
        self._flush()
        self._relax()

    def took(self, batch: Batch) -> None:
        """The consumer has `batch`, or it was dropped: its QoS 0 messages no longer count."""
        if batch.loose and batch.epoch == self.machine.window.epoch:
            self.machine.loose -= batch.loose
            self._relax()

    async def close(self) -> None:
        """Send what is to be sent and DISCONNECT, and let the broker hang up: our own close could overtake PUBACKs."""
        self.machine.close()
        if self._transport is None or self.machine.stage is Stage.OPENING:
            self._leave()
            return
        self._flush()
        self._end()
        if self._paused:
            self._resume()
        await asyncio.wait([self._gone], timeout=_HANG_UP)
        if not self._gone.done():
            self._leave()
            await asyncio.wait([self._gone], timeout=_LINGER)

    # inside

    def _pump(self) -> None:
        """Decode what lies here, as far as it may be."""
        while (stop := self.machine.decode(time.time_ns())) is Stop.FULL:
            self._hand_over()
        self._flush()
        if self.machine.waiting and self._due is None:
            self._due = self._loop.call_later(self._settings.max_wait, self._hand_over)
        if stop is Stop.HEAVY:
            self._pause()
        elif self._paused:
            self._resume()
        if self.machine.ended is not None:
            self._leave()
        elif not self._announced and (self.machine.stage is Stage.UP or (self._paused and self._acknowledged())):
            self._announced = True
            self._on_up()
        if self._up_since is None and self.machine.stage is Stage.UP:
            self._up_since = self._loop.time()

    def _acknowledged(self) -> bool:
        return self.machine.stage is not Stage.OPENING

    def _hand_over(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        deliveries, size, loose = self.machine.take()
        if deliveries:
            self._on_batch(Batch(self.machine.window.epoch, deliveries, size, loose))

    def _flush(self) -> None:
        if self._transport is not None and self.machine.output and not self._transport.is_closing():
            self._transport.write(bytes(self.machine.output))
            self._said = self._loop.time()
        self.machine.output.clear()

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        self._paused = False
        self._pinged = None
        self._heard = self._loop.time()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _relax(self) -> None:
        if self._paused and self.machine.ended is None and self.machine.light():
            self._pump()

    # time

    def _look(self) -> None:
        """Once in a while: is the broker there, does it know that we are."""
        if self.machine.ended is not None:
            return
        now = self._loop.time()
        detail = self._overdue(now)
        if detail:
            self.machine.lost(detail)
            self._leave()
            return
        if self._acknowledged() and self._pinged is None and now - min(self._heard, self._said) >= self._half():
            self._pinged = now
            self.machine.output += PINGREQ
            self._flush()
        self._tick = self._loop.call_later(min(TICK, self._settings.connect_timeout / 4), self._look)

    def _half(self) -> float:
        return self.machine.keepalive / 2

    def _overdue(self, now: float) -> str:
        limit = self._settings.connect_timeout
        if not self._acknowledged():
            return f"no answer to CONNECT within {limit:g} s" if now - self._connected_at >= limit else ""
        if self._paused:
            return ""
        if self.machine.stage is Stage.SUBSCRIBING and now - self._heard >= limit:
            return f"no answer to SUBSCRIBE within {limit:g} s"
        if self._pinged is not None and now - self._pinged >= self._half():
            return f"no answer to a ping within {self._half():g} s"
        return ""

    def _leave(self) -> None:
        """Send what is left and close; a broker that does not take it in time is cut off."""
        self._flush()
        self._end()
        if self._transport is not None and not self._transport.is_closing():
            if self._paused:
                self._resume()
            self._transport.close()
            self._loop.call_later(_LINGER, self._transport.abort)

    def _end(self) -> None:
        self._hand_over()
        if self._tick is not None:
            self._tick.cancel()
            self._tick = None
