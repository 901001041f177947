# SPDX-License-Identifier: EUPL-1.2
"""The hub's processes: ingest, engine, api. `cityhub run` starts and watches them.

A worker ends by itself on SIGTERM or SIGINT. On a Stop error it exits with the code for configuration, which tells the
supervisor that starting it again cannot help.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Sequence

import uvloop

from hub.app import Parts
from hub.commands._ingest import IngestWorker
from hub.core.errors import HubError, Stop
from hub.core.logs import configure_logging
from hub.core.ports import PartHealth
from hub.settings import Settings
from hub.status import heartbeat
from hub.supervisor import EXIT_CONFIGURATION, die_with_parent, stop_on_signals

_LOG = logging.getLogger("cityhub.worker")


async def _ingest(parts: Parts, stop: asyncio.Event) -> None:
    worker = IngestWorker(parts)
    await _until(stop, worker.run, worker.health, parts, "ingest-0")
    await worker.close()


async def _engine(parts: Parts, stop: asyncio.Event) -> None:
    from hub.commands._engine import EngineWorker

    worker = EngineWorker(parts)
    await _until(stop, worker.run, worker.health, parts, "engine")
    await worker.close()


async def _api(parts: Parts, stop: asyncio.Event) -> None:
    from hub.commands._web import serve

    await serve(parts, stop)


async def _until(
    stop: asyncio.Event,
    run: Callable[[], Awaitable[None]],
    health: Callable[[], Sequence[PartHealth]],
    parts: Parts,
    name: str,
) -> None:
    """Run until told to stop; an error of the work ends the worker."""
    work = asyncio.ensure_future(run())
    beat = asyncio.create_task(heartbeat(parts.data.run / f"{name}.json", os.getpid(), health))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({work, stopped, beat}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if beat.done():
        await beat  # it never ends but by an error
    beat.cancel()
    if work.done():
        await work
        return
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


_WORKERS = {"ingest": _ingest, "engine": _engine, "api": _api}


async def _main(name: str, parts: Parts) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    await _WORKERS[name](parts, stop)


def run_worker(name: str, settings: Settings) -> int:
    """Run one process until it is told to stop; returns its exit code."""
    configure_logging(settings.log_level)
    die_with_parent()
    if name not in _WORKERS:
        _LOG.error("no such worker", extra={"fields": {"worker": name}})
        return EXIT_CONFIGURATION
    try:
        uvloop.run(_main(name, Parts(settings)))
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
