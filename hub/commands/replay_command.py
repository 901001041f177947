# SPDX-License-Identifier: EUPL-1.2
"""`cityhub replay`: check the file, register its devices when asked, publish, and wait until the hub has taken it in.

While it runs it holds finalisation back (`holds` in the ledger), so that windows of the past are closed once, with all
their readings, and not revised row by row.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import uvloop
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from hub.app import Parts
from hub.commands._output import print_json
from hub.commands.devices import ensure_site, word_of
from hub.commands.replay import Check, check, send
from hub.commands.replay_mapping import Plan, ReplayMapping, Row, parse_column, read_mapping
from hub.commands.replay_table import Table
from hub.core.errors import Invalid, NotFound, Retry
from hub.core.places import Device, Mounting
from hub.core.ports import JournalReader
from hub.core.readings import NS, Grade, Origin
from hub.core.windows import format_instant
from hub.settings import Settings
from hub.storage.ledger import Ledger

_HOLD = 60 * NS
_PATIENCE = 60.0
_TOLD = ("stored", "duplicate", "conflict", "rejected", "quarantined")


class ReplayOptions(Struct, frozen=True, kw_only=True):
    """What the command line said."""

    file: Path
    mapping: Path | None
    given: Mapping[str, str | None]
    columns: Sequence[str]
    place: str | None
    interval: int | None
    grade: str
    rate: float | None
    speed: float | None
    skip_bad: bool
    dry_run: bool
    json: bool


def run_replay(options: ReplayOptions, settings: Settings) -> int:
    """Run the whole command; returns the exit code."""
    console = Console(stderr=True)
    parts = Parts(settings)
    table = Table(options.file)
    plan = Plan(mapping_of(options), table.header, parts.quantities)
    found = check(plan, table)
    _tell(console, found)
    if found.bad and not options.skip_bad:
        raise Invalid(
            f"{found.bad} rows are at fault; mend them, or send the others with --skip-bad", str(options.file)
        )
    if options.dry_run or not found.messages:
        _result(options, found, 0, 0, {})
        return 0
    with parts.ledger().open() as ledger:
        _register(console, ledger, found.devices, options)
        sent, taken, became = uvloop.run(_replay(console, parts, ledger, plan, table, found, options))
    _result(options, found, sent, taken, became)
    return 0 if taken >= sent else 1


def mapping_of(options: ReplayOptions) -> ReplayMapping:
    """The mapping file with the options laid over it."""
    mapping = ReplayMapping()
    if options.mapping is not None:
        try:
            text = options.mapping.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(str(error), str(options.mapping)) from error
        mapping = read_mapping(text, str(options.mapping))
    given: dict[str, object] = {name: value for name, value in options.given.items() if value is not None}
    if given.get("stamp", "start") not in {"start", "end"}:
        raise Invalid(f"{given['stamp']!r} is neither start nor end", "--stamp")
    if "device" in given:
        given["device_column"] = None
    elif "device_column" in given:
        given["device"] = None
    if options.columns:
        given["columns"] = dict(parse_column(column) for column in options.columns)
    return replace(mapping, **given)


def _tell(console: Console, found: Check) -> None:
    if found.messages:
        span = f"{format_instant(found.first)} to {format_instant(found.last)}"
        console.print(
            f"{found.messages} messages, {found.readings} readings, {len(found.devices)} devices, {span}", markup=False
        )
    for error in found.errors:
        console.print(error, markup=False, style="red")
    if found.bad > len(found.errors):
        console.print(f"and {found.bad - len(found.errors)} more rows at fault", style="red")


def _register(console: Console, ledger: Ledger, devices: Sequence[str], options: ReplayOptions) -> None:
    known = ledger.devices.snapshot().devices
    unknown = [device for device in devices if device not in known]
    if not unknown:
        return
    if options.place is None:
        console.print(
            f"not registered: {', '.join(unknown[:5])}; "
            "their messages will wait in quarantine (give --place to register)",
            markup=False,
            style="yellow",
        )
        return
    ensure_site(ledger.devices, options.place)
    for device in unknown:
        ledger.devices.add_device(
            Device(
                id=device,
                connector="native",
                external_id=device,
                interval=options.interval,
                grade=word_of(Grade, options.grade, "--grade"),
                origin=Origin.IMPORTED,
                mountings=(Mounting(options.place, 0),),
            )
        )
    console.print(f"registered at {options.place}: {', '.join(unknown)}", markup=False)


async def _replay(
    console: Console, parts: Parts, ledger: Ledger, plan: Plan, table: Table, found: Check, options: ReplayOptions
) -> tuple[int, int, Mapping[str, int]]:
    journals = parts.journals()
    mine = {*found.devices, ""}  # "": those that are not registered
    start = _totals(journals, mine)
    before = start["received"]
    publisher = parts.publisher(f"replay-{os.getpid()}")
    name = f"replay {options.file.name} {os.getpid()}"
    with _bar(console, options.json) as bar:
        holding = asyncio.create_task(_hold(ledger, name))
        try:
            task = bar.add_task("publishing", total=found.messages)
            rows = _good(plan, table)
            await send(rows, publisher, rate=options.rate, speed=options.speed, sent=lambda n: bar.advance(task, n))
            task = bar.add_task("taken in", total=found.messages)
            taken = 0
            moved = time.monotonic()
            while taken < found.messages and time.monotonic() - moved < _PATIENCE:
                now = min(found.messages, _totals(journals, mine)["received"] - before)
                if now > taken:
                    taken, moved = now, time.monotonic()
                    bar.update(task, completed=taken)
                await asyncio.sleep(0.2)
            after = _totals(journals, mine)
        finally:
            holding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await holding
            ledger.holds.release(name)
            await publisher.close()
            for journal in journals:
                journal.close()
    return found.messages, taken, {name: after[name] - start[name] for name in _TOLD}


def _good(plan: Plan, table: Table) -> Iterator[Row]:
    return (row for row in plan.rows(table) if isinstance(row, Row))


async def _hold(ledger: Ledger, name: str) -> None:
    now = time.time_ns()
    ledger.holds.add(name, now, now + _HOLD)
    while True:
        await asyncio.sleep(_HOLD / NS / 3)
        now = time.time_ns()
        with contextlib.suppress(Retry):
            try:
                ledger.holds.renew(name, now, now + _HOLD)
            except NotFound:  # it had expired, while this machine slept perhaps
                ledger.holds.add(name, now, now + _HOLD)


def _totals(journals: Sequence[JournalReader], devices: Collection[str]) -> dict[str, int]:
    accounts = [row for journal in journals for row in journal.accounts(0)]
    mine = [counts for _, device, counts in accounts if device in devices]
    return {name: sum(counts[name] for counts in mine) for name in ("received", *_TOLD)}


def _bar(console: Console, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet,
    )


def _result(options: ReplayOptions, found: Check, sent: int, taken: int, became: Mapping[str, int]) -> None:
    if options.json:
        print_json(
            {
                "messages": found.messages,
                "readings": found.readings,
                "devices": found.devices,
                "bad_rows": found.bad,
                "sent": sent,
                "taken_in": taken,
                **became,
            }
        )
    elif sent:
        told = ", ".join(f"{name} {number}" for name, number in became.items())
        print(f"sent {sent} messages; the hub has taken in {taken}: {told}")
        if taken < sent:
            print("the rest waits in the broker: is the hub running? see `cityhub doctor`")
