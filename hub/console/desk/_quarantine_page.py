# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside: found by reason, connector and source, and taken through again, ignored or erased.

Rows that are selected are meant, else all that match the filter; how many it is stands in the question before. Orders
are left for ingest as the API leaves them, and the page tells how far they are.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from nicegui import ui

from hub.console.desk._frame import Visit, frame
from hub.console.desk._words import confirmed, say
from hub.console.desk.flow_texts import FLOW
from hub.console.desk.services import Outcome
from hub.console.formats import Formats
from hub.core.errors import Invalid
from hub.core.journal import Quarantined
from hub.core.ports import QuarantineFilter
from hub.core.reasons import REASONS, UNKNOWN, hint_of
from hub.core.rights import Action, Caller
from hub.devices.set_aside import leave_orders, newest_first, payload_view

_SHOWN, _EXCERPT = 200, 120
_COLUMNS = {"received_at": 3, "source": 2, "connector": 2, "reason": 3, "cure": 6, "payload": 4}


async def quarantine_page(v: Visit) -> None:
    """Show it."""
    reasons = await asyncio.to_thread(_reasons, v)
    with frame(v, simulated=False):
        page = QuarantinePage(v, reasons)
        await page.show()


def _reasons(v: Visit) -> set[tuple[str, str]]:
    return {key for journal in v.desk.console.journals for key in journal.reasons()}


class QuarantinePage:
    """The page as one person has it open."""

    def __init__(self, v: Visit, reasons: set[tuple[str, str]]) -> None:
        self._v, self._matching, self._orders = v, 0, list[int]()
        titles = {code: _reason(code).title[v.language] for _, code in sorted(reasons)}
        connectors = {name: name for name, _ in sorted(reasons) if name}
        with ui.element("div").classes("desk-row"):
            self._reason = ui.select({"": v.t("all"), **titles}, value="", label=say(v, "reason"), on_change=self.show)
            self._connector = ui.select(
                {"": v.t("all"), **connectors}, value="", label=say(v, "connector"), on_change=self.show
            )
            for choice in (self._reason, self._connector):
                choice.props("outlined dense").style("min-width:16rem")
            self._source = ui.input(say(v, "source_filter"), on_change=self.show)
            self._source.props("debounce=300 outlined dense").style("min-width:20rem")
        acts = (("redrive", Action.REDRIVE, self.ask_redrive), ("ignore", Action.REDRIVE, self.ask_ignore),
                ("purge", Action.PURGE, self.ask_purge))  # fmt: skip
        with ui.element("div").classes("desk-row").style("margin:.6rem 0"):
            for word, action, act in acts:
                if v.may(action):
                    ui.button(say(v, word), on_click=act, color=None).props("outline no-caps")
            self._progress = ui.label().props("role=status")
        self._found = ui.label().props("role=status").classes("desk-note")
        self._grid = ui.aggrid(self._options()).style("height:calc(100vh - 18rem);min-height:20rem;width:100%")
        self._timer = ui.timer(1.0, self.look, active=False)

    def _options(self) -> dict[str, object]:
        columns = [
            {"field": name, "headerName": say(self._v, name), "sortable": False, "flex": flex, "tooltipField": name}
            for name, flex in _COLUMNS.items()
        ]
        return {
            "columnDefs": columns,
            "rowData": [],
            "rowSelection": {"mode": "multiRow"},
            "tooltipShowDelay": 300,
            "overlayNoRowsTemplate": say(self._v, "none_waiting"),
            ":getRowId": "(params) => params.data.id",
        }

    def _fields(self) -> dict[str, Any]:
        """What of a filter is chosen."""
        chosen = {
            "reason": self._reason.value,
            "connector": self._connector.value,
            "external_id": (self._source.value or "").strip(),
        }
        return {name: value for name, value in chosen.items() if value}

    async def show(self) -> None:
        """The newest messages that wait and match."""
        where = QuarantineFilter(**self._fields())
        rows, self._matching = await asyncio.to_thread(self._read, where)
        formats = Formats(self._v.language, self._v.desk.console.zone)
        self._grid.options["rowData"] = [_line(self._v, formats, number, row) for number, row in rows]
        self._grid.update()
        self._found.set_text(say(self._v, "matching", n=self._matching, shown=len(rows)))

    def _read(self, where: QuarantineFilter) -> tuple[Sequence[tuple[int, Quarantined]], int]:
        journals = self._v.desk.console.journals
        rows = [(n, row) for n, journal in enumerate(journals) for row in journal.quarantine(where, limit=_SHOWN)]
        return newest_first(rows)[:_SHOWN], sum(journal.count(where) for journal in journals)

    async def _chosen(self) -> tuple[list[dict[str, str]], int]:
        """Rows that are selected, and how many messages are meant; a notice and 0 where neither rows nor filter are."""
        rows = await self._grid.get_selected_rows()
        if not rows and not self._fields():
            ui.notify(say(self._v, "filter_first"), type="warning")
            return [], 0
        return rows, len(rows) if rows else self._matching

    async def ask_redrive(self) -> None:
        """Say how many, then leave the orders."""
        rows, n = await self._chosen()
        if n and await confirmed(self._v, say(self._v, "redrive_ask", n=n)) is not None:
            await self._v.act(Action.REDRIVE, partial(self._leave, "redrive", rows, {}))

    async def ask_purge(self) -> None:
        """Say how many, ask why, then leave the orders."""
        rows, n = await self._chosen()
        why = await confirmed(self._v, say(self._v, "purge_ask", n=n), reason=True) if n else None
        if why:
            await self._v.act(Action.PURGE, partial(self._leave, "purge", rows, {"why": why}))

    async def _leave(self, kind: str, rows: Sequence[Mapping[str, str]], more: dict[str, str], caller: Caller) -> None:
        ids: dict[int, list[int]] = {}
        for row in rows:
            number, _, row_id = row["id"].partition("-")
            ids.setdefault(int(number), []).append(int(row_id))
        fields = {} if rows else self._fields()
        fields, extra = ({"state": "waiting", **fields}, {**more, "by": caller.name}) if more else (fields, {})
        desk = self._v.desk
        leave = partial(leave_orders, desk.commands, desk.console.journals, kind, fields, ids if rows else None, extra)
        self._watch((await asyncio.to_thread(leave)).commands)

    async def ask_ignore(self) -> None:
        """Ignore the devices of the selected messages."""
        v, rows = self._v, await self._grid.get_selected_rows()
        names = sorted({(row["connector"], row["source"]) for row in rows if row["connector"] and row["named"]})
        if not names:
            ui.notify(say(v, "source_first"), type="warning")
            return
        words = say(v, "ignore_ask", names=", ".join(source for _, source in names))
        if why := await confirmed(v, words, reason=True):
            await v.act(Action.REDRIVE, partial(self._ignore, names, why))

    async def _ignore(self, names: Sequence[tuple[str, str]], why: str, caller: Caller) -> None:
        ports = self._v.desk.console.ports
        if ports is None:
            raise Invalid("this hub has no list of ignored devices")
        left: list[int] = []
        for name in names:
            left += await asyncio.to_thread(partial(ports.ignored.add, *name, why=why, by=caller.name))
        self._watch(left)

    def _watch(self, orders: Sequence[int]) -> None:
        self._orders = list(orders)
        self._progress.set_text(say(self._v, "ordered"))
        self._timer.activate()

    async def look(self) -> None:
        """How far the orders are; when all are done, the list is read again."""
        queue = self._v.desk.orders
        if queue is None or not self._orders:
            self._timer.deactivate()
            return
        states = await asyncio.to_thread(lambda: [queue.state(order) for order in self._orders])
        if all(state.result is not None for state in states):
            self._timer.deactivate()
            self._progress.set_text(say(self._v, "order_done", result=self._outcome(states)))
            await self.show()
        elif far := [state.progress for state in states if state.progress]:
            done, total = (sum(side) for side in zip(*far, strict=True))
            self._progress.set_text(say(self._v, "working", done=done, total=total))

    def _outcome(self, states: Sequence[Outcome]) -> str:
        """What came of the orders of all journals, summed up in words; an error as it is told."""
        counts, told = Counter[str](), list[str]()
        for name, n in (entry for state in states for entry in (state.result or {}).items()):
            if isinstance(n, int):
                counts[name] += n
            else:
                told.append(str(n))
        words = [f"{say(self._v, f'result_{k}') if f'result_{k}' in FLOW else k}: {n}" for k, n in counts.items()]
        return "; ".join([*words, *told])


def _line(v: Visit, formats: Formats, number: int, row: Quarantined) -> dict[str, object]:
    view = payload_view(row.payload, _EXCERPT, row.size)
    return {
        "id": f"{number}-{row.id}",
        "received_at": formats.moment(row.received, seconds=True),
        "source": row.external_id or row.device or row.topic,
        "named": bool(row.external_id),
        "connector": row.connector,
        "reason": _reason(row.reason).title[v.language],
        "cure": f"{row.detail}. {hint_of(row.reason, row.state)[v.language]}",
        "payload": view["content"] + (" …" if view["truncated"] else ""),
    }


def _reason(code: str) -> Any:
    return REASONS.get(code, UNKNOWN)
