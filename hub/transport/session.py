# SPDX-License-Identifier: EUPL-1.2
"""The session that fits the broker: MQTT 5 on the fast codec, 3.1.1 on paho, behind one surface.

`broker.protocol` decides: "5" and "3.1.1" are what they say; "auto" begins with MQTT 5 and hands over to paho when the
broker says that it does not speak it, or hangs up eight times in a row. The hand-over is for good, until the hub starts
again: paho's own "auto" then follows a broker that changes. What the fast session had received is handed out first;
epochs of the two never meet, so no token of one means anything to the other.
"""

import random
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from hub.core.delivery import Delivery
from hub.core.ports import PartHealth
from hub.transport._condition import SessionEvent, SessionStats
from hub.transport._session_memory import SessionMemory
from hub.transport.mqtt5_session import Mqtt5Session
from hub.transport.paho_session import PahoSession
from hub.transport.settings import BrokerSettings


class Session:
    """`Source`; the parameters are those of PahoSession."""

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
        shared = memory or SessionMemory(settings)  # by both: the one that takes over knows of the other's session

        def paho() -> PahoSession:
            return PahoSession(settings, filters, notify=notify, subscribed=subscribed, rng=rng, memory=shared)

        self._paho = paho
        self._before: Mqtt5Session | None = None
        self._now: Mqtt5Session | PahoSession
        if settings.protocol == "3.1.1":
            self._now = paho()
        else:
            give_up = self._hand_over if settings.protocol == "auto" else None
            self._now = Mqtt5Session(
                settings, filters, notify=notify, subscribed=subscribed, rng=rng, memory=shared, give_up=give_up
            )

    def _hand_over(self, _reason: str) -> None:
        if isinstance(self._now, Mqtt5Session):
            self._before, self._now = self._now, self._paho()
            self._now.start()

    def start(self) -> None:
        """Start connecting; returns at once. Needs a running event loop."""
        self._now.start()

    async def ready(self) -> None:
        """Return when connected and subscribed."""
        waited = None
        while waited is not self._now:
            waited = self._now
            await waited.ready()

    async def batches(self) -> AsyncIterator[Sequence[Delivery]]:
        """Yield batches in order of receipt until `close()`; survives reconnects and the hand-over."""
        read = None
        if self._before is not None:
            async for batch in self._before.batches():
                yield batch
        while read is not self._now:
            read = self._now
            async for batch in read.batches():
                yield batch

    async def ack(self, tokens: Sequence[int]) -> None:
        """Let the PUBACKs of these deliveries go out; token 0 (QoS 0) and stale tokens are ignored."""
        await self._now.ack(tokens)

    async def close(self) -> None:
        """Send the acknowledgements given so far and disconnect; the rest stays in the broker's session."""
        if self._before is not None:
            await self._before.close()
        await self._now.close()

    def health(self) -> PartHealth:
        """Whether the hub is connected and subscribed now."""
        return self._now.health()

    def stats(self) -> SessionStats:
        """Counters since start, of both sessions."""
        if self._before is None:
            return self._now.stats()
        both = (msgspec.structs.astuple(session.stats()) for session in (self._before, self._now))
        return SessionStats(*map(sum, zip(*both, strict=True)))
