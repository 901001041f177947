# SPDX-License-Identifier: EUPL-1.2
"""One process that takes messages in: the one writer of its shard's journal, spool and quarantine.

A worker of a shard that is no more (the hub runs with fewer workers than before) has no session: it still drains its
spool and carries out orders on its journal. A worker that *drains* is given a session that is subscribed to nothing any
more, and ends when that is empty.
"""

import asyncio
import gc
import logging
import sys
import time
from collections.abc import Mapping, Sequence

from hub import sdk
from hub.app import Parts
from hub.commands._upkeep import Upkeep
from hub.core.errors import Retry, SettingsError
from hub.core.ports import PartHealth, Source
from hub.core.readings import NS
from hub.core.windows import format_instant
from hub.ingest.fail_points import FailPoints
from hub.ingest.journal import SqliteJournal
from hub.ingest.knowledge import trim_before
from hub.ingest.open_batches import OpenBatches, recover
from hub.ingest.pipeline import Pipeline
from hub.ingest.sampler import Sampler
from hub.ingest.shards import NoMessages, Owners, OwnMessages, OwnOrders
from hub.transport import Session, SessionEvent

_LOG = logging.getLogger("cityhub.ingest")
_TRIM_EVERY = 60.0
_RETAIN_EVERY = 3600.0
_DAY_NS = 86_400 * NS
_NOTHING = ("cityhub/drained",)  # never published to; a session has to be subscribed to something
_QUIET = 3.0  # s without a message: the session is empty
_QUIET_EMBEDDED = 20.0  # longer than the NATS server waits before it sends again what an earlier connection had


class IngestWorker:
    """Everything that the ingest process of one shard holds open."""

    def __init__(self, parts: Parts, shard: int = 0, *, drain: bool = False) -> None:
        self._parts = parts
        self._shard = shard
        self._drain = drain
        self._layout = parts.running_layout()
        self._ledger = parts.ledger().open()
        former = drain or shard >= self._layout.division.shards  # its devices may be another worker's by now
        self._store = parts.store(writer=True, alone=not former)
        self._upkeep = Upkeep(parts, self._store)
        self._journal = SqliteJournal(parts.data.journal(shard))
        self._open_batches = OpenBatches(parts.data.open_batches(shard))
        self._spool = parts.spool(shard)
        self._told: str | None = None
        self._session: Session | None = None
        self._own: OwnMessages | None = None
        router = sdk.Router(parts.connectors())
        self._pipeline = Pipeline(
            self._make_source(router),
            self._store,
            self._journal,
            self._ledger.devices,
            OwnOrders(self._ledger.commands, shard),
            parts.interpreter(router),
            clock=parts.clock,
            spool=self._spool,
            spool_after=parts.settings.spool.after_s,
            note=self._open_batches.note,
            fail=FailPoints.from_env(),
            quota=parts.quota(),
            sampler=Sampler(parts.settings.ingest.samples, parts.settings.ingest.samples_every_s),
        )

    def _make_source(self, router: sdk.Router) -> Source:
        division = self._layout.division
        if self._shard >= division.shards:
            return NoMessages()
        wanted = _NOTHING if self._drain else self._layout.filters[self._shard]
        self._session = self._parts.session(self._on_session, self._layout.client(self._shard), wanted)
        if division.shards == 1:
            return self._session
        # what no connector owns any more was this shard's when it was subscribed to: better twice than not at all
        owners = Owners(division, router.match, rest=self._shard if self._drain else 0)
        self._own = OwnMessages(self._session, owners, self._shard)
        return self._own

    async def run(self) -> None:
        """Ingest until cancelled; a worker that drains returns when nothing waits any more."""
        gc.freeze()  # what start-up made stays; the young generation is large, as every batch makes and drops much
        gc.set_threshold(100_000, 50, 1000)
        sys.setswitchinterval(0.0005)  # session, store and journal have threads: none waits 5 ms for the others
        cursors = self._ledger.values
        self._identity = await self._journal.recognise(cursors.cursor(f"touch:{self._shard}"))
        await recover(self._open_batches, self._journal)
        if not self._parts.settings.ingest.samples:
            await self._journal.forget_samples()
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._trim())]
            if self._shard == 0 and not self._drain:
                beside.append(group.create_task(self._upkeep.run()))
            if self._drain and self._session is not None:
                beside.append(group.create_task(self._end_when_empty(self._session)))
            await self._pipeline.run()
            for task in beside:
                task.cancel()

    def end(self) -> None:
        """Let `run` return once what is under way is journalled and acknowledged."""
        self._pipeline.end()

    async def close(self) -> None:
        """Disconnect and release files; what was not acknowledged comes again."""
        if self._session is not None:
            await self._session.close()
        await self._store.close()
        await self._spool.close()
        await self._journal.close()
        self._open_batches.close()
        self._ledger.close()

    def health(self) -> Sequence[PartHealth]:
        """The broker session, and whether the pipeline waits for something."""
        waits = self._pipeline.waiting_for
        ingest = PartHealth(
            "ingest",
            waits is None,
            "taking messages in" if waits is None else f"waits, nothing is lost: {waits}",
            "" if waits is None else "mend what it waits for; it goes on by itself",
        )
        found = [ingest, self._spool_health(), self._pipeline.recorder.health()]
        if self._session is None:
            if ingest.ok:
                found[0] = ingest._replace(detail="keeps the quarantine of a shard that is no more")
            return found
        session = self._session.health()._replace(part="broker session")
        if session.ok and self._told is not None:
            session = session._replace(detail=f"{session.detail}; since the start: {self._told}")
        return [session, *found, *self._upkeep.health()]

    def _spool_health(self) -> PartHealth:
        state, damaged = self._pipeline.spool_state(), self._spool.damaged()
        if damaged:
            return PartHealth(
                "spool",
                False,
                f"damaged, what could be read was taken in: {', '.join(damaged)}",
                "check the disk; the files stay for whoever wants to look into them, delete them when done",
            )
        if not state.messages:
            return PartHealth("spool", True, "empty")
        since = format_instant(state.oldest or 0)[:19]
        words = f"{state.messages} messages, {state.bytes / 1e6:.1f} MB, the oldest of {since}"
        why = self._pipeline.spooling
        if why is None:
            return PartHealth("spool", True, f"{words}: draining")
        return PartHealth("spool", False, f"{words}: {why}", "mend the readings store; the spool drains by itself")

    def figures(self) -> Mapping[str, float]:
        """Numbers for /metrics: see `hub.api.figures`."""
        spool = self._pipeline.spool_state()
        found: dict[str, float] = {
            "spool_messages": spool.messages,
            "spool_bytes": spool.bytes,
            "ingest_waiting": float(self._pipeline.waiting_for is not None),
        }
        if spool.oldest is not None:
            found["spool_oldest"] = spool.oldest / NS
        if self._session is not None:
            stats = self._session.stats()
            found |= {f"session_{name}": float(getattr(stats, name)) for name in stats.__struct_fields__}
        if self._own is not None:
            found["session_passed"] = float(self._own.passed)
        return found

    def _on_session(self, event: SessionEvent) -> None:
        self._told = f"{event.kind}: {event.detail}"
        _LOG.warning("broker session", extra={"fields": {"kind": event.kind, "detail": event.detail}})

    async def _end_when_empty(self, session: Session) -> None:
        quiet = _QUIET_EMBEDDED if self._parts.settings.mqtt.host is None else _QUIET
        await session.ready()
        received, since = -1, 0.0
        while True:
            stats = session.stats()
            if stats.received != received or stats.in_hand or not session.health().ok:
                received, since = stats.received, time.monotonic()
            elif time.monotonic() - since > quiet:
                break
            await asyncio.sleep(0.1)
        _LOG.info("session is empty", extra={"fields": {"shard": self._shard, "messages": received}})
        await session.close()

    async def _trim(self) -> None:
        """Forget what nobody needs any more; whatever waits here costs only space."""
        keep = self._parts.settings.quarantine.keep_days * _DAY_NS
        most, retained = self._parts.settings.quarantine.total_bytes, -_RETAIN_EVERY
        while True:
            try:
                if time.monotonic() - retained > _RETAIN_EVERY:
                    await self._journal.retain(self._parts.clock(), keep, most)
                    # also when an earlier try purged some and did not come to this
                    await self._pipeline.recorder.reload()
                    retained = time.monotonic()
                cursors = self._ledger.values
                known = cursors.cursor(f"journal:{self._shard}") == self._identity
                seen = cursors.cursor(f"touch:{self._shard}") if known else 0
                await self._journal.trim(seen, trim_before(self._parts.clock))
            except Retry as error:
                _LOG.warning("trim waits", extra={"fields": {"detail": str(error)}})
            await asyncio.sleep(_TRIM_EVERY)


def check_division(parts: Parts) -> None:
    """SettingsError when the settings divide messages otherwise than the sessions on the broker."""
    recorded = parts.data.recorded()
    if recorded is None:
        return
    if recorded.following is not None:
        raise SettingsError("ingest.workers", "the hub is dividing its work anew: start this worker when that is over")
    if not recorded.current.same(parts.layout()):
        raise SettingsError(
            "ingest.workers", "messages are divided otherwise than when `cityhub run` started: restart that first"
        )
