# SPDX-License-Identifier: EUPL-1.2
"""Dialogs that pages share: ask before something is done, and show a secret its one time."""

from collections.abc import Sequence
from datetime import datetime

from nicegui import ui

from hub.console.desk._frame import Visit
from hub.core.errors import Invalid
from hub.sdk import DecodeError
from hub.sdk.times import local_ns


async def confirmed(v: Visit, lines: Sequence[str]) -> bool:
    """Say what would be done; whether somebody wants it."""
    return await asked(v, lines) is not None


async def asked(v: Visit, lines: Sequence[str], field: str = "") -> str | None:
    """The same with a field to fill in; None when it was cancelled, "" without a field."""
    with ui.dialog() as dialog, ui.card().style("max-width:44rem"):
        for line in lines:
            ui.label(line)
        given = ui.input(field).props("outlined dense").classes("w-full").style("width:100%") if field else None
        with ui.element("div").classes("desk-row"):
            go = ui.button(v.t("confirm"), color=None).props("outline no-caps")
            ui.button(v.t("cancel"), on_click=lambda: dialog.submit(None), color=None).props("flat no-caps")
        go.on_click(lambda: dialog.submit((given.value or "").strip() if given else ""))
    answer: str | None = await dialog
    dialog.delete()
    return answer


def show_once(v: Visit, title: str, secret: str, file: str = "") -> None:
    """Show a secret; it is in this page alone and gone with it. `file` is the name to save it under, where it has one.

    The dialog stays until somebody closes it: a click beside it must not lose what cannot be shown again.
    """
    with ui.dialog().props("persistent") as dialog, ui.card().style("min-width:24rem;max-width:60rem"):
        ui.label(title).style("font-weight:700")
        ui.label(secret).props('data-secret tabindex="0"').style(
            "font-family:monospace;white-space:pre;user-select:all;background:#eef2f5;padding:.5rem;width:100%;"
            "max-height:50vh;overflow:auto"
        )
        ui.label(v.t("once"))
        with ui.element("div").classes("desk-row"):
            if file:
                save = ui.button(v.t("download"), color=None).props("outline no-caps")
                save.on_click(lambda: ui.download.content(secret, file, "text/csv"))
            ui.button(v.t("close"), on_click=dialog.close, color=None).props("outline no-caps")
    dialog.on("hide", dialog.delete)
    dialog.open()


def moment(v: Visit, text: str | None, field: str, ambiguous: str) -> int:
    """What a field of date and time holds, by the city's clocks, in ns. Raise Invalid."""
    try:
        return local_ns(datetime.fromisoformat(text or ""), v.desk.console.zone, ambiguous, v.t(field))
    except (ValueError, DecodeError) as error:
        raise Invalid(str(error), v.t(field)) from error
