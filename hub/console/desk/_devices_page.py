# SPDX-License-Identifier: EUPL-1.2
"""The list of devices: searched, filtered and cut into pages on the server, so that ten thousand are as quick as ten.

Bulk changes name the devices and their number first, and are made one device at a time: each stands in the audit log.
"""

import asyncio
from collections.abc import Sequence

from msgspec import structs
from nicegui import ui

from hub.console._overview import recent
from hub.console.desk._frame import Visit, frame
from hub.console.desk._rows import Row, Wish, board, matching, page_of
from hub.console.texts import STATE
from hub.core.errors import Invalid, NotFound
from hub.core.places import PlaceKind
from hub.core.rights import Action, Caller
from hub.devices.state import State

_COLUMNS = {"word": 2, "name": 4, "place": 4, "words": 6, "tags": 2, "origin": 2}  # with their share of the width
_HEADS = {"word": "state"}
_NAMED = 5


class DeviceList:
    """The list on one opened page."""

    def __init__(self, v: Visit, rows: Sequence[Row], parts: dict[str, str]) -> None:
        self._v, self._rows, self._page = v, rows, 0
        states = {"": v.t("all"), **{state.value: STATE[state.value][v.language] for state in State}}
        with ui.element("div").classes("desk-row"):
            self._text = ui.input(v.t("search"), on_change=self.first).props("debounce=300 outlined dense")
            self._text.style("min-width:24rem")
            self._state = ui.select(states, value="", label=v.t("state"), on_change=self.first)
            self._part = ui.select({"": v.t("all"), **parts}, value="", label=v.t("part"), on_change=self.first)
            for choice in (self._state, self._part):
                choice.props("outlined dense").style("min-width:12rem")
        if v.may(Action.DEVICES):
            with ui.element("div").classes("desk-row").style("margin:.6rem 0"):
                self._tag = ui.input(v.t("tag")).props("outlined dense")
                ui.button(v.t("add_tag"), on_click=self.ask_tag, color=None).props("outline no-caps")
        self._grid = ui.aggrid(self._options()).style("height:calc(100vh - 19rem);min-height:20rem")
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

    def show(self) -> None:
        """The page as it is now."""
        found = matching(self._rows, Wish(self._text.value or "", self._state.value, self._part.value))
        rows, self._page, pages = page_of(found, self._page)
        self._grid.options["rowData"] = [{name: getattr(row, name) for name in ("id", *_COLUMNS)} for row in rows]
        self._grid.update()
        self._found.set_text(self._v.t("found", n=len(found), page=self._page + 1, pages=pages))

    async def ask_tag(self) -> None:
        """Say what would be done, and do it when it is confirmed."""
        v, tag = self._v, (self._tag.value or "").strip()
        chosen = await self._grid.get_selected_rows()
        if not tag or not chosen:
            ui.notify(v.t("tag_first" if chosen else "select_first"), type="warning")
            return
        names = ", ".join(row["name"] for row in chosen[:_NAMED]) + (" …" if len(chosen) > _NAMED else "")
        with ui.dialog() as dialog, ui.card():
            ui.label(v.t("confirm_tag", tag=tag, n=len(chosen), names=names))
            with ui.element("div").classes("desk-row"):
                ui.button(v.t("confirm"), on_click=lambda: dialog.submit(True), color=None).props("outline no-caps")
                ui.button(v.t("cancel"), on_click=lambda: dialog.submit(False), color=None).props("flat no-caps")
        if await dialog:
            await v.act(Action.DEVICES, lambda caller: self._tagged(caller, [row["id"] for row in chosen], tag))

    async def _tagged(self, caller: Caller, devices: Sequence[str], tag: str) -> None:
        try:
            await asyncio.to_thread(tag_devices, self._v, caller, devices, tag)
        finally:
            self._rows = await rows_of(self._v)
            self.show()
        ui.notify(self._v.t("tagged", n=len(devices), tag=tag), type="positive")


def tag_devices(v: Visit, caller: Caller, devices: Sequence[str], tag: str) -> None:
    """Give devices a tag; one that the caller may not change stops it before anything is done."""
    registered = v.desk.book.snapshot().devices
    for device in devices:
        if device not in registered:
            raise NotFound(f"no device {device!r} is registered any more", "device")
        if not caller.reaches(Action.DEVICES, registered[device].owner):
            raise Invalid(v.t("refused"), registered[device].title or device)
    for device in devices:
        before = registered[device]
        if tag not in before.tags:
            after = structs.replace(before, tags=[*before.tags, tag])
            v.desk.book.change_device(after, by=caller.name, expected=before.revision)


async def rows_of(v: Visit) -> Sequence[Row]:
    """The rows as they are now."""
    services = v.desk.console
    lately = await recent(services)
    return await asyncio.to_thread(board, services, v.language, v.caller, lately)


async def devices_page(v: Visit) -> None:
    """Show it."""
    rows = await rows_of(v)
    places = (await asyncio.to_thread(v.desk.console.registry.snapshot)).places
    parts = {p.id: p.title.get(v.language, p.id) for p in places.values() if p.kind is PlaceKind.PART}
    with frame(v, simulated=any(row.simulated for row in rows)):
        if not rows:
            ui.label(v.t("no_devices"))
        DeviceList(v, rows, parts)
