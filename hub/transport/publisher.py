# SPDX-License-Identifier: EUPL-1.2
"""What the hub itself publishes: a `Publisher` on aiomqtt, QoS 1, confirmed by the broker before it returns.

Many publishes are in flight at once (bounded by `window`, over all callers): one at a time would wait a round trip per
message. They are handed to the codec in the order given, so the broker gets them in this order. When the connection
breaks, everything from the first unconfirmed message on is sent again, so that of two messages to one retained topic
the later one stays the last; receivers may see repeats. MQTT 3.1.1 is spoken: every broker knows it, and nothing of
MQTT 5 is needed to publish.

aiomqtt waits out its timeout for confirmations that a broken connection cannot bring; a watching task ends them.
"""

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import aiomqtt

from hub.core.delivery import Publication
from hub.core.errors import Invalid, Retry, Stop
from hub.core.ports import PartHealth
from hub.transport._backoff import Backoff
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

# paho's words for CONNACK codes (MQTT 3.1.1, 3.2.2.3) that trying again does not mend
_REFUSED = frozenset({"Unsupported protocol version", "Client identifier not valid", "Not authorized"})
_REFUSED |= {"Bad user name or password", "Banned"}
_LOST = {"reason": "lost"}
_FORBIDDEN = frozenset("+# \x7f") | {chr(code) for code in range(32)}
_MAX_TOPIC = 65_535  # bytes, MQTT 3.1.1, 1.5.3


class MqttPublisher:
    """`Publisher`; connects at the first message and again after a break.

    `client_id` must differ from the session's. `tries` connections are tried within one `publish` before Retry.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        *,
        window: int = 64,
        tries: int = 3,
        rng: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._client_id = client_id
        self._tries = tries
        self._window = window
        self._slots = asyncio.Semaphore(window)
        self._connecting = asyncio.Lock()
        self._backoff = Backoff(settings.reconnect_min, settings.reconnect_max, rng)
        self._line: _Line | None = None
        self._closed = False
        self._state = PartHealth("mqtt publisher", ok=True, detail="not needed yet")

    async def publish(self, messages: Sequence[Publication]) -> None:
        """Return when the broker has confirmed all.

        Raise Retry when it is away (publish the same again: receivers take repeats), Stop when it refuses the hub's
        credentials, Invalid for a topic that cannot be published to (then nothing was sent).
        """
        for message in messages:
            _check_topic(message.topic)
        rest = list(messages)
        for attempt in range(self._tries):
            if not rest:
                return
            try:
                rest = rest[await self._send(await self._connected(), rest) :]
            except Retry:
                if attempt + 1 == self._tries:
                    raise
                await asyncio.sleep(self._backoff.next())
        if rest:
            raise Retry(f"{self._settings.address} dropped the connection while {len(rest)} messages were sent")

    def health(self) -> PartHealth:
        """State of the last connection."""
        return self._state

    async def close(self) -> None:
        """Disconnect; messages not confirmed yet fail with Retry at their publishers."""
        self._closed = True
        async with self._connecting:
            if self._line is not None:
                await self._line.close()
                self._line = None

    async def _connected(self) -> "_Line":
        async with self._connecting:
            if self._closed:
                raise Retry("the publisher is closed", after=math.inf)
            if self._line is not None and not self._line.lost.done():
                return self._line
            if self._line is not None:
                await self._line.close()
                self._line = None
            self._line = await self._open()
            self._backoff.reset()
            return self._line

    async def _open(self) -> "_Line":
        address = self._settings.address
        try:
            line = await _Line.open(self._settings, self._client_id, self._window)
        except aiomqtt.MqttError as error:
            detail = f"{address}: {error}"
            self._state = PartHealth("mqtt publisher", ok=False, detail=detail, hint="Check that the broker runs.")
            if str(getattr(error, "rc", "")) in _REFUSED:
                raise Stop(f"the broker refuses the hub's publisher: {detail}") from error
            raise Retry(f"broker away: {detail}", after=self._settings.reconnect_min) from error
        self._state = PartHealth("mqtt publisher", ok=True, detail=f"connected to {address}")
        return line

    async def _send(self, line: "_Line", messages: Sequence[Publication]) -> int:
        """Send over one connection; returns how many from the front are confirmed."""
        confirmed = bytearray(len(messages))
        numbered = iter(enumerate(messages))
        count = min(self._window, len(messages))
        workers = [asyncio.create_task(self._work(line.client, numbered, confirmed)) for _ in range(count)]
        everything = asyncio.gather(*workers, return_exceptions=True)
        try:
            either: set[asyncio.Future[Any]] = {everything, line.lost}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for worker in workers:
                worker.cancel()
            results = await everything
        first = confirmed.find(0)
        if first < 0:
            return len(messages)
        await line.close()
        _raise_unexpected(results)
        log.warning("MQTT publisher: connection broke, %d to send again", len(messages) - first, extra=_LOST)
        return first

    async def _work(
        self, client: aiomqtt.Client, messages: Iterator[tuple[int, Publication]], confirmed: bytearray
    ) -> None:
        # math.inf: no timer per message; the watching task and the keep-alive notice a dead connection
        while True:
            async with self._slots:
                following = next(messages, None)
                if following is None:
                    return
                number, m = following
                await client.publish(m.topic, m.payload, m.qos, m.retain, timeout=math.inf)
                confirmed[number] = 1


class _Line:
    """One aiomqtt connection; `lost` is done when it broke."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.lost = asyncio.create_task(_until_lost(client))

    @classmethod
    async def open(cls, settings: BrokerSettings, client_id: str, window: int) -> "_Line":
        client = aiomqtt.Client(
            settings.host,
            settings.port,
            identifier=client_id,
            username=settings.username,
            password=settings.password,
            clean_session=True,
            timeout=settings.connect_timeout,
            keepalive=settings.keepalive,
            max_inflight_messages=window,
            tls_context=settings.ssl_context(),
            logger=log.getChild("aiomqtt"),
        )
        client.pending_calls_threshold = window  # many at once is what we want: no warning
        await client.__aenter__()
        return cls(client)

    async def close(self) -> None:
        self.lost.cancel()
        await asyncio.gather(self.lost, return_exceptions=True)
        with contextlib.suppress(aiomqtt.MqttError):
            await self.client.__aexit__(None, None, None)


async def _until_lost(client: aiomqtt.Client) -> None:
    with contextlib.suppress(aiomqtt.MqttError):
        async for _ in client.messages:  # nothing is subscribed to: this ends with the connection
            pass


def _raise_unexpected(results: Sequence[BaseException | None]) -> None:
    """A broken connection is expected; anything else is a fault that must not pass for one."""
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, aiomqtt.MqttError | asyncio.CancelledError):
            raise result


def _check_topic(topic: str) -> None:
    """MQTT 3.1.1, 4.7; a space or tab makes the NATS server drop the connection."""
    if not topic or len(topic.encode()) > _MAX_TOPIC or set(topic) & _FORBIDDEN:
        raise Invalid(f"{topic[:80]!r} cannot be published to: empty, too long, or has + # space or control characters")
