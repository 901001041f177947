# SPDX-License-Identifier: EUPL-1.2
"""Entered figures from the command line; works on the ledger itself, so the file's rights are the credential.

Who enters and who approves is what `--by` says: whoever may write the ledger could write any name into it. The audit
therefore keeps the account of the machine beside the name. People who shall not be able to act for each other use the
API, each with a key of their own.
"""

import getpass
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.entries import EntryFilter, EntryState, Outcome
from hub.core.errors import Exists, Invalid
from hub.core.windows import Calendar
from hub.indicators.entry_forms import Form
from hub.indicators.entry_import import Basis, Report, hand_in
from hub.indicators.entry_tables import Row, Sheet, read_sheet
from hub.indicators.entry_views import compared, public_row, template
from hub.settings import Settings
from hub.storage.ledger import Ledger

_WORDS = {"approved": "approved: the value follows in a moment", "rejected": "rejected", "withdrawn": "withdrawn"}


class _Desk:
    """The ledger and what figures are checked against."""

    def __init__(self, settings: Settings) -> None:
        self.parts = Parts(settings)
        self.calendar = Calendar(self.parts.city().zone)
        self.catalogue = self.parts.catalogue()

    def ledger(self) -> AbstractContextManager[Ledger]:
        """The ledger, opened."""
        return self.parts.ledger().open()

    def basis(self, ledger: Ledger) -> Basis:
        """What figures are checked against now."""
        return Basis(self.catalogue, self.calendar, ledger.devices.snapshot().places, self.parts.clock())

    def rows(self, report: Report) -> list[dict[str, Any]]:
        """What became of each row."""
        return [public_row(row, self.catalogue.definitions, self.calendar) for row in report.rows]


def add_entry(settings: Settings, form: Form, *, by: str, json: bool) -> None:
    """Enter one figure; Invalid or Exists when it is not taken."""
    desk = _Desk(settings)
    with desk.ledger() as ledger:
        report = hand_in(ledger.entries, Sheet([Row(1, form)], ()), desk.basis(ledger), by=by)
        (row,) = report.rows
        if row.outcome is Outcome.REFUSED:
            raise Invalid(row.detail, f"--{row.column}" if row.column else None)
        if row.outcome is Outcome.DUPLICATE:
            raise Exists(row.detail)
        _note(ledger, by, "add", report)
    if json:
        print_json(desk.rows(report)[0])
        return
    print(f"entry {row.entry.id if row.entry else '?'} waits for approval by somebody else")
    for warning in row.warnings:
        print(f"note: {warning}")


def import_entries(settings: Settings, file: Path, *, by: str, dry_run: bool, partial: bool, json: bool) -> None:
    """Enter a table; prints what became of each row, and raises Invalid when rows are refused."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file}: {error.strerror}", "file") from error
    desk = _Desk(settings)
    sheet = read_sheet(content)
    with desk.ledger() as ledger:
        report = hand_in(ledger.entries, sheet, desk.basis(ledger), by=by, dry_run=dry_run, partial=partial)
        if report.stored:
            _note(ledger, by, f"import {file.name}", report)
    if json:
        print_json({"stored": report.stored, "empty": report.empty, "notes": report.notes, "rows": desk.rows(report)})
    else:
        _print_report(desk.rows(report), report, dry_run=dry_run)
    if report.refused and not dry_run:
        stored = "the others are handed in" if report.stored else "nothing is stored"
        raise Invalid(f"{len(report.refused)} rows are refused; {stored}", str(file))


def write_template(settings: Settings, indicator: str | None, to: Path | None, *, czech: bool) -> None:
    """Write a table to fill in."""
    desk = _Desk(settings)
    with desk.ledger() as ledger:
        basis = desk.basis(ledger)
    text = template(basis.catalogue, indicator, basis.places, basis.city, basis.now, czech=czech)
    if to is None:
        print(text, end="")
        return
    try:
        to.write_bytes(text.encode())
    except OSError as error:
        raise Invalid(f"{to}: {error.strerror}", "--to") from error
    print(f"{to}: fill in value and source, then `cityhub entries import {to.name} --by NAME --dry-run`")


def list_entries(
    settings: Settings, state: str, indicator: str | None, place: str | None, *, limit: int, json: bool
) -> None:
    """Print entered figures, newest first."""
    where = EntryFilter(None if state == "all" else _state_of(state), indicator, place)
    desk = _Desk(settings)
    with desk.ledger() as ledger:
        found = ledger.entries.entries(where, limit=limit)
        counting = ledger.entries.counting(found)
    known = desk.catalogue.definitions
    rows = [compared(entry, known.get(entry.indicator), desk.calendar, counting) for entry in found]
    if json:
        print_json(rows)
        return
    columns = ["id", "indicator", "place", "period", "value", "approved_value", "unit", "source", "author"]
    columns += [] if state == "waiting" else ["state", "decided_by"]
    words = f"Entered figures ({state})"
    print_table(words, columns, [[row[column] for column in columns] for row in rows])


def _state_of(word: str) -> EntryState:
    try:
        return EntryState(word)
    except ValueError as error:
        raise Invalid(f"{word!r} is none of {', '.join(EntryState)}, all", "--state") from error


def decide(settings: Settings, ids: Sequence[int], state: str, *, by: str, reason: str | None) -> None:
    """Approve, reject or withdraw entries, all or none."""
    with Parts(settings).ledger().open() as ledger:
        decided = ledger.entries.decide(ids, EntryState(state), by=by, reason=reason)
        detail = {"entries": [entry.id for entry in decided], "account": getpass.getuser()}
        ledger.audit.note(time.time_ns(), by, "entries.command", state, detail)
    for entry in decided:
        print(f"entry {entry.id} ({entry.indicator} at {entry.place}: {entry.value:.15g}) is {_WORDS[state]}")


def _note(ledger: Ledger, by: str, subject: str, report: Report) -> None:
    """Keep the machine's account beside the name."""
    made = [row.entry.id for row in report.rows if row.outcome is Outcome.NEW and row.entry]
    if made:
        detail = {"entries": made, "account": getpass.getuser()}
        ledger.audit.note(time.time_ns(), by, "entries.command", subject, detail)


def _print_report(rows: Sequence[Mapping[str, Any]], report: Report, *, dry_run: bool) -> None:
    columns = ["row", "outcome", "indicator", "place", "period", "value"]
    print_table("Rows", columns, [[row.get(column) for column in columns] for row in rows])
    for row in rows:
        for words in filter(None, [row["detail"], *row["warnings"]]):
            print(f"row {row['row']}{', ' + row['column'] if row['column'] else ''}: {words}")
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in Outcome)
    print(f"{counts}, {report.empty} empty" + ("; a dry run: nothing is stored" if dry_run else ""))
    for note in report.notes:
        print(f"note: {note}")
