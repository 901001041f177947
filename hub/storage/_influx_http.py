# SPDX-License-Identifier: EUPL-1.2
"""One connection to InfluxDB: prepare, write lines, ask InfluxQL.

Mechanism: the first use asks `/ping` which version answers, makes the database (1.x) or checks bucket and DBRP mapping
(2.x and later), and picks the writer: `/write` over httpx for 1.x, influxdb-client for the rest. A failed preparation
is tried again by the next use. Reads are InfluxQL at `/query`, chunked, with times in ns; the answer is handed on chunk
by chunk, so memory stays bounded by what the caller keeps. InfluxDB syncs its write-ahead log before it answers a write
(the default of `wal-fsync-delay`): an answered write is durable.

Lines of a measurement that has a retention policy of its own (`route`) are written there, in a request of their own.

Proxies of the environment are not used: the database stands beside the hub.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

import httpx
import msgspec
from msgspec import Struct

from hub.core.errors import HubError, SettingsError, Stop
from hub.storage._influx_durations import duration_ns, literal, shard_duration
from hub.storage._influx_errors import Refused, away, query_error, reaction, words_of
from hub.storage._influx_query import identifier
from hub.storage._influx_settings import InfluxSettings

_LOG = logging.getLogger("cityhub.influx")
Cell = float | int | str | bool | None
_CHUNK_ROWS = "10000"
_MINUS_ZERO = re.compile(rb"([\[,])-0(?=[,\]])")


class Frame(Struct, frozen=True):
    """Rows of one series of one statement's answer, or a chunk of them."""

    columns: Sequence[str]
    values: Sequence[Sequence[Cell]] = ()
    name: str = ""
    tags: Mapping[str, str] = {}


class _Result(Struct, frozen=True):
    series: Sequence[Frame] = ()
    error: str | None = None


class _Answer(Struct, frozen=True):
    results: Sequence[_Result] = ()
    error: str | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


class LineWriter(Protocol):
    """Writes line protocol; raises Refused, Retry or Stop."""

    async def prepare(self) -> None:
        """Make or check what is written to."""
        ...

    async def write(self, lines: bytes, policy: str = "") -> None:
        """Return when the lines are durable in this retention policy ("": the default one)."""
        ...

    async def policies(self) -> Mapping[str, int]:
        """Retention policies with their duration in ns, 0 for ever; none where the server has no such thing."""
        ...

    async def keep(self, policy: str, duration: int) -> None:
        """Make or alter a retention policy; raise SettingsError where the server cannot."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


class Influx:
    """A connection by `InfluxSettings`; opened by the first call that needs it."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._writer: LineWriter | None = None
        self._opening = asyncio.Lock()
        self._routes: Mapping[bytes, str] = {}

    def route(self, routes: Mapping[bytes, str]) -> None:
        """From now on write lines of these measurements to these retention policies."""
        self._routes = routes

    async def write(self, lines: bytes, policy: str | None = None) -> None:
        """Write lines of line protocol (precision ns), to `policy` or by route; raise Refused, Retry or Stop."""
        writer = self._writer or await self._open()
        if policy is not None or not self._routes:
            await writer.write(lines, policy or "")
            return
        for own, some in divided(lines, self._routes).items():
            await writer.write(some, own)

    async def policies(self) -> Mapping[str, int]:
        """Retention policies with their duration in ns, 0 for ever."""
        writer = self._writer or await self._open()
        return await writer.policies() if self._settings.prepare else {}

    async def keep(self, policy: str, duration: int) -> None:
        """Make or alter a retention policy."""
        writer = self._writer or await self._open()
        await writer.keep(policy, duration)

    async def query(self, influxql: str) -> AsyncIterator[Frame]:
        """Frames of all statements in order; raises Retry or Stop, also in the middle."""
        if self._writer is None:
            await self._open()
        form = {"q": influxql, "db": self._settings.database, "epoch": "ns"}
        form |= {"chunked": "true", "chunk_size": _CHUNK_ROWS}
        async for frame in self._ask(form):
            yield frame

    async def version(self) -> str:
        """What the server calls itself, such as `1.6.7`; raises Retry or Stop."""
        answer = await self._get("/ping")
        said = answer.headers.get("X-Influxdb-Version") or _json_version(answer.content)
        if said is None:
            health = await self._get("/health")
            said = _json_version(health.content) or ""
        return said.removeprefix("v")

    async def missing(self) -> str:
        """Words for a database that was there when this connection was opened and is gone, "" when all is well."""
        if self._writer is None:
            await self._open()
        if not isinstance(self._writer, _V1Writer):
            return ""  # 2.x says so itself: 404
        frames = await self.administer("SHOW DATABASES")
        found = {row[0] for frame in frames for row in frame.values}
        name = self._settings.database
        return (
            "" if name in found or not frames else f"InfluxDB at {self._settings.url} has no database {name!r} any more"
        )

    async def close(self) -> None:
        """Release connections; a later use opens them again."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _open(self) -> LineWriter:
        async with self._opening:
            if self._writer is None:
                writer = await self._make_writer()
                try:
                    if self._settings.prepare:
                        await writer.prepare()
                except BaseException:
                    await writer.close()
                    raise
                self._writer = writer
            return self._writer

    async def _make_writer(self) -> LineWriter:
        version = self._settings.version
        if version == "auto":
            said = await self.version()
            if not said[:1].isdigit():
                raise SettingsError("influx.version", f"{self._settings.url} does not say its version: set 1 or 2")
            version = "1" if said.startswith("1.") else "2"
        if version == "1":
            return _V1Writer(self._http(), self._settings, self)
        from hub.storage._influx_v2 import V2Writer

        return V2Writer(self._settings)

    def _http(self) -> httpx.AsyncClient:
        """The client of the running loop; made late because it belongs to a loop."""
        if self._client is None:
            s = self._settings
            headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Token {s.token}"} if s.token else {})
            auth = httpx.BasicAuth(s.username, s.password) if s.username and not s.token else None
            self._client = httpx.AsyncClient(
                base_url=s.url, auth=auth, headers=headers, timeout=s.timeout_s, trust_env=False, verify=_trust(s)
            )
        return self._client

    async def _get(self, path: str) -> httpx.Response:
        try:
            return await self._http().get(path)
        except httpx.HTTPError as error:
            raise away(error, self._settings) from error

    async def administer(self, influxql: str) -> list[Frame]:
        """Answer to a statement that needs no database; for writers that prepare."""
        return [frame async for frame in self._ask({"q": influxql, "epoch": "ns"})]

    async def _ask(self, form: Mapping[str, str]) -> AsyncIterator[Frame]:
        try:
            async with self._http().stream("POST", "/query", data=form) as answer:
                if answer.status_code >= 400:
                    raise self._reaction(answer, await answer.aread())
                async for document in _documents(answer):
                    for frame in self._frames(document):
                        yield frame
        except httpx.HTTPError as error:
            raise away(error, self._settings) from error

    def _reaction(self, answer: httpx.Response, body: bytes) -> HubError:
        version = "2" if self._settings.token else "1"
        error = reaction(answer.status_code, answer.headers, words_of(body, answer.headers), self._settings, version)
        return query_error(error.detail, self._settings) if isinstance(error, Refused) else error

    def _frames(self, document: bytes) -> Sequence[Frame]:
        """Frames of one JSON document; Go writes -0.0 as -0, which is an integer to every JSON reader."""
        if b"-0" in document:
            document = _MINUS_ZERO.sub(rb"\1-0.0", document)
        try:
            answer = _ANSWER.decode(document)
        except msgspec.DecodeError as error:
            raise Stop(f"influx.url: {self._settings.url} answers a query in a foreign format: {error}") from error
        for words in (answer.error, *(result.error for result in answer.results)):
            if words is not None:
                raise query_error(words, self._settings)
        return [frame for result in answer.results for frame in result.series]


class _V1Writer:
    """InfluxDB 1.x: `/write`."""

    def __init__(self, client: httpx.AsyncClient, settings: InfluxSettings, influx: Influx) -> None:
        self._client = client
        self._settings = settings
        self._influx = influx
        self._params = {"db": settings.database, "precision": "ns", "consistency": "one"}

    async def prepare(self) -> None:
        """Make the database where it is missing; one that exists needs no administrator."""
        found = {row[0] for frame in await self._influx.administer("SHOW DATABASES") for row in frame.values}
        if self._settings.database not in found:
            name = self._settings.database
            await self._influx.administer(f"CREATE DATABASE {identifier(name)}")
            words = "InfluxDB had no database of this name: it was made, and is empty"
            _LOG.warning(words, extra={"fields": {"database": name, "url": self._settings.url}})

    async def policies(self) -> Mapping[str, int]:
        """Policies of the database. What answers with another table (VictoriaMetrics) has none."""
        asked = f"SHOW RETENTION POLICIES ON {identifier(self._settings.database)}"
        frames = await self._influx.administer(asked)
        return {
            str(name): duration_ns(str(duration))
            for frame in frames
            if list(frame.columns[:2]) == ["name", "duration"]
            for name, duration, *_ in frame.values
        }

    async def keep(self, policy: str, duration: int) -> None:
        """Make or alter, then look: some servers answer that they did and did nothing."""
        there = policy in await self.policies()
        await self._influx.administer(
            f"{'ALTER' if there else 'CREATE'} RETENTION POLICY {identifier(policy)} "
            f"ON {identifier(self._settings.database)} DURATION {literal(duration)} "
            f"{'' if there else 'REPLICATION 1 '}SHARD DURATION {literal(shard_duration(duration))}"
        )
        if (await self.policies()).get(policy) != duration:
            raise SettingsError(
                "retention",
                f"{self._settings.url} has no retention policies: leave this section empty, and limit the age of data "
                "there for all domains at once (VictoriaMetrics: -retentionPeriod)",
            )

    async def write(self, lines: bytes, policy: str = "") -> None:
        """Return when the lines are in the server's synced write-ahead log."""
        own = policy or self._settings.retention_policy
        params = {**self._params, "rp": own} if own else self._params
        try:
            answer = await self._client.post("/write", params=params, content=lines)
        except httpx.HTTPError as error:
            raise away(error, self._settings) from error
        if answer.status_code >= 400:
            words = words_of(answer.content, answer.headers)
            raise reaction(answer.status_code, answer.headers, words, self._settings, "1")

    async def close(self) -> None:
        """Nothing of its own to release."""


def divided(lines: bytes, routes: Mapping[bytes, str]) -> Mapping[str, bytes]:
    """Lines by the retention policy of their measurement, "" where it has none; their order is kept."""
    parts: dict[str, list[bytes]] = {}
    for line in lines.split(b"\n"):
        parts.setdefault(routes.get(line.partition(b",")[0], ""), []).append(line)
    return {policy: b"\n".join(own) for policy, own in parts.items()}


async def _documents(answer: httpx.Response) -> AsyncIterator[bytes]:
    """JSON documents, one a line, whole."""
    parts: list[bytes] = []
    async for piece in answer.aiter_bytes():
        *ended, rest = piece.split(b"\n")
        for end in ended:
            parts.append(end)
            yield b"".join(parts)
            parts.clear()
        parts.append(rest)
    last = b"".join(parts)
    if last.strip():
        yield last


def _trust(settings: InfluxSettings) -> ssl.SSLContext | bool:
    if settings.ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise SettingsError("influx.ca_file", f"{settings.ca_file}: {error}") from error


def _json_version(body: bytes) -> str | None:
    try:
        said = msgspec.json.decode(body, type=dict[str, object]).get("version")
    except msgspec.DecodeError:
        return None
    return said if isinstance(said, str) else None
