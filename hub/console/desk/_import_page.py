# SPDX-License-Identifier: EUPL-1.2
"""Tables of devices and places: previewed row by row, imported all or nothing, undone as a whole.

What is carried out is planned anew from the same bytes; when the registry has changed in between so that the plan is
another one, it is shown instead of carried out. A table with a fault is never imported.
"""

import asyncio
from collections.abc import Mapping
from functools import partial

from nicegui import events, ui

from hub.console.desk._frame import Visit, frame, heading, table
from hub.console.desk._words import Cell, confirmed, live_table, say
from hub.console.formats import Formats
from hub.core.errors import NotFound
from hub.core.ports import ImportBook
from hub.core.registry import ImportRun
from hub.core.rights import Action, Caller
from hub.devices.exchange import MOST_ROWS, PLANS, Basis, Plan, RowPlan, State, carried_out
from hub.indicators.workbooks import read_grid

_MOST_BYTES = 20_000_000
_SHOWN = 300
_RUNS = 30
_FIRST = {State.ERROR: 0, State.CHANGE: 1, State.CREATE: 2, State.UNCHANGED: 3}
_STATES = {"created": "create", "changed": "change", "unchanged": "unchanged"}


async def import_page(v: Visit) -> None:
    """Show it."""
    with frame(v, simulated=False):
        page = ImportPage(v)
        await page.show_runs()


class ImportPage:
    """The page as one person has it open; `_content` is the file that is previewed."""

    def __init__(self, v: Visit) -> None:
        self._v, self._file, self._content, self._plan = v, "", b"", Plan(rows=())
        self._planned = "devices"
        kinds = {kind: say(v, f"kind_{kind}") for kind in PLANS}
        with ui.element("div").classes("desk-row"):
            self._kind = ui.select(kinds, value="devices", label=say(v, "kind"), on_change=self.clear)
            self._kind.props("outlined dense").style("min-width:12rem")
            upload = ui.upload(
                auto_upload=True, max_file_size=_MOST_BYTES, on_upload=self.taken,
                on_rejected=lambda: ui.notify(say(v, "too_large"), type="negative"),
            )  # fmt: skip
            upload.props('accept=".csv,.xlsx"').style("display:none")  # Quasar's own has neither label nor contrast
            self._upload = upload
            pick = ui.button(say(v, "file"), color=None).props("outline no-caps")
            pick.on("click", js_handler=f"() => getElement({upload.id}).pickFiles()")
            ui.html(_links(v), sanitize=False)
        self._preview = ui.element("div")
        heading(say(v, "imports"))
        self._runs = ui.element("div")

    def clear(self) -> None:
        """A preview is of one kind; another kind begins anew."""
        self._content = b""
        self._preview.clear()

    async def taken(self, uploaded: events.UploadEventArguments) -> None:
        """A file has come: say what would become of its rows."""
        self._file, self._content = uploaded.file.name, await uploaded.file.read()
        self._upload.reset()
        self._preview.clear()
        await self._v.act(Action.IMPORT, self._plan_it)

    async def _plan_it(self, _: Caller) -> None:
        self._planned = self._kind.value
        self._plan = await asyncio.to_thread(self._make_plan)
        self._show()

    def _make_plan(self) -> Plan:
        return PLANS[self._planned](read_grid(self._content, MOST_ROWS), basis_of(self._v))

    def _show(self) -> None:
        v, plan = self._v, self._plan
        rows = sorted(plan.rows, key=lambda row: (_FIRST[row.state], row.row))[:_SHOWN]
        self._preview.clear()
        with self._preview:
            heading(say(v, "preview", file=self._file))
            counts = ", ".join(f"{say(v, state)}: {n}" for state, n in plan.counts.items() if n)
            ui.label(f"{counts}. {say(v, 'shown_of', n=len(rows), all=len(plan.rows))}").props("role=status")
            for note in plan.notes:
                ui.label(note).classes("desk-note")
            if plan.faulty:
                ui.label(say(v, "faulty", n=len(plan.faulty))).style("color:#a3121f;font-weight:700")
            elif all(row.state is State.UNCHANGED for row in plan.rows):
                ui.label(say(v, "nothing_new"))
            else:
                run = ui.button(say(v, "run_import"), color=None, on_click=lambda: v.act(Action.IMPORT, self._run))
                run.props("outline no-caps").style("margin:.4rem 0")
            head = [say(v, key) for key in ("row", "id", "becomes", "details")]
            table(head, [[str(r.row), r.id, say(v, str(r.state)), details(v, r)] for r in rows])

    async def _run(self, caller: Caller) -> None:
        v, before = self._v, self._plan
        self._plan = await asyncio.to_thread(self._make_plan)
        if self._plan.faulty or self._plan.rows != before.rows:
            self._show()
            ui.notify(say(v, "plan_changed"), type="warning")
            return
        run = partial(carried_out, book_of(v), self._planned, self._file, self._plan, by=caller.name)
        done = await asyncio.to_thread(run)
        self.clear()
        ui.notify(say(v, "imported", counts=counts_of(v, done.counts)), type="positive")
        await self.show_runs()

    async def show_runs(self) -> None:
        """The latest imports, newest first."""
        v = self._v
        runs = await asyncio.to_thread(book_of(v).runs, _RUNS)
        formats = Formats(v.language, v.desk.console.zone)
        self._runs.clear()
        with self._runs:
            if not runs:
                ui.label(say(v, "no_imports"))
                return
            head = [v.t("when"), v.t("who"), say(v, "kind"), say(v, "what_file"), say(v, "counts"), say(v, "undo")]
            live_table(head, [
                (formats.moment(r.at), r.by, say(v, f"kind_{r.kind}"), r.file or "–", counts_of(v, r.counts),
                 self._end(formats, r)) for r in runs
            ])  # fmt: skip

    def _end(self, formats: Formats, run: ImportRun) -> Cell:
        v = self._v
        if run.undone_at is not None:
            return say(v, "undone", at=formats.moment(run.undone_at), by=run.undone_by)
        return lambda: ui.button(say(v, "undo"), color=None, on_click=lambda: self._ask_undo(run)).props(
            "outline dense no-caps"
        )

    async def _ask_undo(self, run: ImportRun) -> None:
        if await confirmed(self._v, say(self._v, "undo_ask", file=run.file or run.id)) is not None:
            await self._v.act(Action.IMPORT, partial(self._undo, run))

    async def _undo(self, run: ImportRun, caller: Caller) -> None:
        await asyncio.to_thread(book_of(self._v).undo, run.id, by=caller.name)
        self.clear()
        ui.notify(say(self._v, "undo_done", file=run.file or run.id), type="positive")
        await self.show_runs()


def details(v: Visit, row: RowPlan) -> str:
    """What is wrong with a row and how to mend it, else what changes."""
    if row.faults:
        return "; ".join(f"{fault.column}: {getattr(fault, v.language)}" for fault in row.faults)
    if row.state is State.CHANGE:
        return "; ".join(f"{name}: {_text(old)} → {_text(new)}" for name, (old, new) in row.fields.items())
    return ""


def _text(value: object) -> str:
    return "–" if value is None or value == "" else str(value)


def counts_of(v: Visit, counts: Mapping[str, int]) -> str:
    """How many of each, in words."""
    return ", ".join(f"{say(v, _STATES[name])}: {n}" for name, n in counts.items() if n and name in _STATES)


def basis_of(v: Visit) -> Basis:
    """What rows are compared with now."""
    console, book = v.desk.console, v.desk.book
    models = console.ports.models if console.ports else {}
    return Basis(book.snapshot(), book.facilities(), models, v.desk.connectors, console.zone, console.clock_ns())


def book_of(v: Visit) -> ImportBook:
    """The imports of this hub."""
    if v.desk.imports is None:
        raise NotFound("this hub takes no imports")
    return v.desk.imports


def _links(v: Visit) -> str:
    formats = (("CSV", ""), ("CSV (Excel)", "?dialect=cs"), ("XLSX", "?xlsx=true"))
    lines = []
    for kind in PLANS:
        links = ", ".join(f'<a href="/api/v1/{kind}/export{query}" download>{name}</a>' for name, query in formats)
        lines.append(f"{say(v, f'kind_{kind}')}: {links}")
    return f"{say(v, 'export')}<br>{'<br>'.join(lines)}"
