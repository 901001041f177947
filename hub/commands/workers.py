# SPDX-License-Identifier: EUPL-1.2
"""The hub's processes: ingest, engine, api. `cityhub run` starts and watches them.

A worker ends by itself on SIGTERM or SIGINT. On a Stop error it exits with the code for configuration, which tells the
supervisor that starting it again cannot help. Whatever ends it, the last word of its heartbeat says why.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import uvloop

from hub.app import Parts
from hub.commands._ingest import IngestWorker, check_division
from hub.core.errors import HubError, Invalid, Stop
from hub.core.logs import RateLimited, configure_logging
from hub.core.ports import PartHealth
from hub.settings import Settings
from hub.status import heartbeat, last_word
from hub.supervisor import EXIT_CONFIGURATION, die_with_parent, stop_on_signals

_LOG = logging.getLogger("cityhub.worker")
_ENDING_SECONDS = 8.5  # the supervisor waits ten
_ASK_EVERY = 1.0  # s between tries for a lock


async def _ingest(parts: Parts, stop: asyncio.Event, shard: int, *, drain: bool = False) -> None:
    with contextlib.ExitStack() as held:
        if drain:
            await _free(parts, stop, shard, held)
            if stop.is_set():
                return
        else:
            held.enter_context(parts.data.locked_shard(shard))
        held.enter_context(_last_word(parts, f"ingest-{shard}", "ingest"))
        if not drain:
            check_division(parts)
        worker = IngestWorker(parts, shard, drain=drain)
        await _until(stop, worker.run, worker.health, parts, f"ingest-{shard}", worker.figures, worker.end)
        await worker.close()


async def _free(parts: Parts, stop: asyncio.Event, shard: int, held: contextlib.ExitStack) -> None:
    """Take the shard's lock once nobody has it: unlike other starts, a change of the division has to come about."""
    quiet = RateLimited(_LOG, parts.clock)
    while not stop.is_set():
        try:
            held.enter_context(parts.data.locked_shard(shard, patience=0.0))
        except Stop as error:
            quiet.warning("shard_taken", "waits to drain", reason="shard_taken", detail=str(error))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _ASK_EVERY)
        else:
            return


@contextlib.contextmanager
def _last_word(parts: Parts, name: str, part: str) -> Iterator[None]:
    """Say in the heartbeat's file why this process is gone."""
    try:
        yield
    except BaseException as error:
        first = _first(error)
        detail = str(first) if isinstance(first, HubError) else f"{type(first).__name__}, a fault of the hub"
        hint = "mend what it names" if isinstance(first, Stop) else ""
        last_word(parts.data.status(name), os.getpid(), PartHealth(part, False, detail, hint))
        raise
    last_word(parts.data.status(name), os.getpid(), PartHealth(part, False, "was stopped"))


async def _drain(parts: Parts, stop: asyncio.Event, shard: int) -> None:
    await _ingest(parts, stop, shard, drain=True)


async def _engine(parts: Parts, stop: asyncio.Event, _shard: int) -> None:
    from hub.commands._engine import EngineWorker

    with _last_word(parts, "engine", "engine"):
        worker = EngineWorker(parts)
        await _until(stop, worker.run, worker.health, parts, "engine")
        await worker.close()


async def _api(parts: Parts, stop: asyncio.Event, _shard: int) -> None:
    from hub.commands._web import serve

    await serve(parts, stop)


async def _until(
    stop: asyncio.Event,
    run: Callable[[], Awaitable[None]],
    health: Callable[[], Sequence[PartHealth]],
    parts: Parts,
    name: str,
    figures: Callable[[], Mapping[str, float]] = dict,
    end: Callable[[], None] | None = None,
) -> None:
    """Run until told to stop; an error of the work ends the worker.

    Work that has an `end` is asked to end by itself, and cancelled when it has not done so in time.
    """
    work = asyncio.ensure_future(run())
    beat = asyncio.create_task(heartbeat(parts.data.status(name), os.getpid(), health, figures))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped, beat}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if beat.done():
        await beat  # it never ends but by an error
    beat.cancel()
    if work.done():
        await work
        return
    if end is not None:
        end()
        await asyncio.wait({work}, timeout=_ENDING_SECONDS)
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


_WORKERS = {"ingest": _ingest, "drain": _drain, "engine": _engine, "api": _api}


async def _main(kind: str, parts: Parts, shard: int) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await _WORKERS[kind](parts, stop, shard)


def run_worker(name: str, settings: Settings) -> int:
    """Run one process of `cityhub run`, such as `ingest-1`, until it is told to stop; returns its exit code."""
    configure_logging(settings.log_level)
    die_with_parent()
    kind, _, shard = name.partition("-")
    if kind not in _WORKERS or not (shard or "0").isdecimal():
        _LOG.error("no such worker", extra={"fields": {"worker": name}})
        return EXIT_CONFIGURATION
    return _run(kind, settings, int(shard or 0))


def run_shard(text: str, settings: Settings) -> int:
    """Run an ingest worker beside `cityhub run`, which then must not start it too (ingest.own_shards)."""
    configure_logging(settings.log_level)
    shard, of = shard_named(text)
    parts = Parts(settings)
    if of != settings.ingest.workers:
        raise Invalid(f"{text} says {of} workers, the setting ingest.workers says {settings.ingest.workers}", "--shard")
    if parts.data.marker() is None:
        raise Invalid(f"{parts.data.root} is no hub's directory: run `cityhub init`, or name it with --data", "--data")
    return _run("ingest", settings, shard)


def shard_named(text: str) -> tuple[int, int]:
    """Shard and number of shards of `i/n`; Invalid says how it is written."""
    shard, slash, of = text.partition("/")
    if not (slash and shard.isdecimal() and of.isdecimal() and int(shard) < int(of)):
        raise Invalid(f"{text!r}: write the shard and how many there are, such as 0/2 or 1/2", "--shard")
    return int(shard), int(of)


def _run(kind: str, settings: Settings, shard: int) -> int:
    name = f"{kind}-{shard}" if kind in {"ingest", "drain"} else kind
    try:
        uvloop.run(_main(kind, Parts(settings), shard))
    except BaseExceptionGroup as group:
        return _report(name, _first(group))
    except HubError as error:
        return _report(name, error)
    return 0


def _report(name: str, error: BaseException) -> int:
    """Log why a worker ends; anything that is not the hub's own error is a fault to be seen whole."""
    if not isinstance(error, HubError):
        raise error
    _LOG.error("worker ends", extra={"fields": {"worker": name, "detail": str(error)}})
    return EXIT_CONFIGURATION if isinstance(error, Stop) else 1


def _first(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
