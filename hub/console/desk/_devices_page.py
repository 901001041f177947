# SPDX-License-Identifier: EUPL-1.2
"""The list of devices: searched, filtered and cut into pages on the server, so that ten thousand are as quick as ten.

Bulk changes (`_bulk`) are of the selected rows, or of all that match; a double click opens what is known of a device.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from nicegui import ui

from hub.console._overview import recent
from hub.console._values import Speaker
from hub.console.desk._bulk import KINDS
from hub.console.desk._bulk_bar import BulkBar
from hub.console.desk._detail import open_detail
from hub.console.desk._frame import Visit, frame
from hub.console.desk._rows import Row, Wish, board, matching, page_of
from hub.console.texts import STATE
from hub.core.places import PlaceKind
from hub.core.rights import Action
from hub.devices.state import State

_COLUMNS = {"word": 2, "name": 4, "place": 4, "words": 6, "tags": 2, "origin": 2}  # with their share of the width
_HEADS = {"word": "state"}


class DeviceList:
    """The list on one opened page."""

    def __init__(self, v: Visit, rows: Sequence[Row], parts: dict[str, str], places: dict[str, str]) -> None:
        self._v, self._rows, self._page = v, rows, 0
        states = {"": v.t("all"), **{state.value: STATE[state.value][v.language] for state in State}}
        with ui.element("div").classes("desk-row"):
            self._text = ui.input(v.t("search"), on_change=self.first).props("debounce=300 outlined dense")
            self._text.style("min-width:24rem")
            self._state = ui.select(states, value="", label=v.t("state"), on_change=self.first)
            self._part = ui.select({"": v.t("all"), **parts}, value="", label=v.t("part"), on_change=self.first)
            for choice in (self._state, self._part):
                choice.props("outlined dense").style("min-width:12rem")
        with ui.element("div").classes("desk-row").style("margin:.6rem 0"):
            ui.button(v.t("detail"), on_click=self.detail, color=None).props("outline no-caps")
            self._all = ui.checkbox().style("min-width:14rem")
            bulk = any(v.may(kind.action) for kind in KINDS.values())
            self._all.set_visibility(bulk)
            if bulk:
                BulkBar(v, places, self.chosen, self.changed)
        self._grid = ui.aggrid(self._options()).style("height:calc(100vh - 19rem);min-height:20rem")
        self._grid.on("cellDoubleClicked", lambda e: self.detail(e.args["data"]["id"]), ["data"])
        with ui.element("div").classes("desk-row").style("margin-top:.6rem"):
            ui.button(v.t("previous"), on_click=lambda: self.turn(-1), color=None).props("outline no-caps")
            ui.button(v.t("next"), on_click=lambda: self.turn(1), color=None).props("outline no-caps")
            self._found = ui.label().props("role=status")
        self.show()

    def _options(self) -> dict[str, object]:
        columns = [
            {"field": name, "headerName": self._v.t(_HEADS.get(name, name)), "sortable": False, "flex": flex}
            for name, flex in _COLUMNS.items()
        ]
        return {
            "columnDefs": columns,
            "rowData": [],
            "rowSelection": {"mode": "multiRow"},
            "overlayNoRowsTemplate": self._v.t("nothing_found"),
            ":getRowId": "(params) => params.data.id",
        }

    def first(self) -> None:
        """Another search begins at its first page."""
        self._page = 0
        self.show()

    def turn(self, pages: int) -> None:
        """Other pages of the same search."""
        self._page += pages
        self.show()

    def _matching(self) -> Sequence[Row]:
        return matching(self._rows, Wish(self._text.value or "", self._state.value, self._part.value))

    def show(self) -> None:
        """The page as it is now."""
        found = self._matching()
        rows, self._page, pages = page_of(found, self._page)
        self._grid.options["rowData"] = [{name: getattr(row, name) for name in ("id", *_COLUMNS)} for row in rows]
        self._grid.update()
        self._all.set_text(self._v.t("all_matching", n=len(found)))
        self._found.set_text(self._v.t("found", n=len(found), page=self._page + 1, pages=pages))

    async def chosen(self) -> Sequence[str]:
        """Ids of what is selected: rows of this page, or all that match."""
        if self._all.value:
            return [row.id for row in self._matching()]
        return [row["id"] for row in await self._grid.get_selected_rows()]

    async def changed(self) -> None:
        """The list after a change."""
        self._all.set_value(False)
        self._rows = await rows_of(self._v)
        self.show()

    async def detail(self, device: str | None = None) -> None:
        """Show all that is known of a device: the one given, else the first that is selected."""
        selected = [device] if device else [row["id"] for row in await self._grid.get_selected_rows()]
        row = next((row for row in self._rows if row.id in selected[:1]), None)
        if row is None:
            ui.notify(self._v.t("select_first"), type="warning")
            return
        await self._v.act(Action.READ, partial(open_detail, self._v, row))


async def rows_of(v: Visit) -> Sequence[Row]:
    """The rows as they are now."""
    services = v.desk.console
    lately = await recent(services)
    return await asyncio.to_thread(board, services, v.language, v.caller, lately)


async def devices_page(v: Visit) -> None:
    """Show it."""
    rows = await rows_of(v)
    speaker = await asyncio.to_thread(Speaker.of, v.desk.console, v.language)
    places = speaker.registry.places
    named = {p: ", ".join((speaker.place(p), *speaker.around(p)[:1])) for p in places}
    parts = {p.id: p.title.get(v.language, p.id) for p in places.values() if p.kind is PlaceKind.PART}
    with frame(v, simulated=any(row.simulated for row in rows)):
        if not rows:
            ui.label(v.t("no_devices"))
        DeviceList(v, rows, parts, dict(sorted(named.items(), key=lambda row: row[1])))
