# SPDX-License-Identifier: EUPL-1.2
"""`cityhub import`, `cityhub export`, `cityhub imports`: the registry as tables."""

import getpass
import json as json_
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from hub.app import Parts
from hub.core.errors import Invalid
from hub.devices.exchange import (
    MOST_ROWS,
    Basis,
    Plan,
    State,
    csv_text,
    device_table,
    place_table,
    plan_devices,
    plan_places,
)
from hub.devices.models import load_models
from hub.indicators.workbooks import read_grid, write_workbook
from hub.settings import Settings
from hub.storage.ledger import Ledger

_PLANS = {"devices": plan_devices, "places": plan_places}
_TABLES = {"devices": device_table, "places": place_table}
_SHOWN = 40


def import_table(
    settings: Settings,
    file: Path,
    *,
    kind: str,
    dry_run: bool,
    anywhere: bool,
    by: str | None,
    json: bool,
    credentials: Path | None = None,
) -> None:
    """Import a table, all or nothing; Invalid when a row is at fault.

    `credentials`: issue one for every new device that connects directly, into this new file.
    """
    if credentials is not None and credentials.exists():
        raise Invalid(f"{credentials} is there already: name a new file", "credentials")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Invalid(f"cannot be read: {error.strerror}", str(file)) from error
    with Parts(settings).ledger().open() as ledger:
        plan = _PLANS[kind](read_grid(content, MOST_ROWS), _basis(settings, ledger, anywhere=anywhere))
        number = None
        if not dry_run and not plan.faulty and plan.counts[State.UNCHANGED] < len(plan.rows):
            made = ledger.imports.run(
                kind, file.name, places=plan.places, facilities=plan.facilities, devices=plan.devices,
                by=by or getpass.getuser(),
            )  # fmt: skip
            number = made.id
            if credentials is not None:
                _issue(ledger, plan, credentials, by=by or getpass.getuser())
    _tell(plan, number, json=json)
    if plan.faulty:
        raise Invalid(f"{len(plan.faulty)} rows are at fault; nothing was imported", str(file))


def _issue(ledger: Ledger, plan: Plan, file: Path, *, by: str) -> None:
    """Secrets of the new devices that connect directly; shown this once, in a file of the caller's alone."""
    made = {row.id for row in plan.rows if row.state is State.CREATE}
    names = [device.id for device in plan.devices if device.id in made and device.connector == "native"]
    file.touch(0o600)
    issued = ledger.credentials.issue_many(names, by=by)
    rows = [["username", "secret"], *([one.credential.username, one.secret] for one in issued)]
    file.write_text(csv_text(rows, czech=False), encoding="utf-8")
    print(f"{len(issued)} credentials are in {file}: give them to the devices, then erase it", file=sys.stderr)


def undo_import(settings: Settings, number: int, *, by: str | None) -> None:
    """Put everything back as it was before an import."""
    with Parts(settings).ledger().open() as ledger:
        ledger.imports.undo(number, by=by or getpass.getuser())
    print(f"import {number} is undone: everything is as it was before")


def list_imports(settings: Settings) -> None:
    """List imports, newest first."""
    with Parts(settings).ledger().open() as ledger:
        for run in ledger.imports.runs():
            counts = ", ".join(f"{count} {word}" for word, count in run.counts.items())
            undone = f" (undone by {run.undone_by})" if run.undone_at else ""
            print(f"{run.id}  {run.kind}  {run.file}  by {run.by}: {counts}{undone}")


def export_table(settings: Settings, file: Path, *, kind: str, czech: bool) -> None:
    """Write all devices or places as CSV, or as XLSX where the file is called so."""
    with Parts(settings).ledger().open() as ledger:
        rows = _TABLES[kind](_basis(settings, ledger), czech=czech)
    content = write_workbook(kind, rows) if file.suffix == ".xlsx" else csv_text(rows, czech=czech).encode()
    try:
        file.write_bytes(content)
    except OSError as error:
        raise Invalid(f"cannot be written: {error.strerror}", str(file)) from error
    print(f"{len(rows) - 1} {kind} are in {file}")


def _basis(settings: Settings, ledger: Ledger, *, anywhere: bool = False) -> Basis:
    parts = Parts(settings)
    names = [connector.name for connector in parts.connectors()]
    return Basis(
        ledger.devices.snapshot(),
        ledger.devices.facilities(),
        load_models(settings.devices.models),
        names,
        parts.city().zone,
        time.time_ns(),
        anywhere,
    )


def _tell(plan: Plan, number: int | None, *, json: bool) -> None:
    if json:
        faults = [
            {"row": row.row, "id": row.id, "column": fault.column, "en": fault.en, "cs": fault.cs}
            for row in plan.faulty
            for fault in row.faults
        ]
        json_.dump({"import": number, "counts": dict(plan.counts), "errors": faults}, sys.stdout, ensure_ascii=False)
        print()
        return
    table = Table("row", "id", "what", "why")
    changed = [row for row in plan.rows if row.state in {State.CREATE, State.CHANGE}]
    for row in [*plan.faulty, *changed[:_SHOWN]]:
        why = "; ".join(f"{f.column}: {f.en}" for f in row.faults) or ", ".join(row.fields)
        table.add_row(str(row.row), row.id, str(row.state), why)
    Console().print(table)
    for note in plan.notes:
        print(note)
    print(", ".join(f"{count} {word}" for word, count in plan.counts.items()))
    if number is not None:
        print(f"imported; `cityhub imports undo {number}` puts everything back")
