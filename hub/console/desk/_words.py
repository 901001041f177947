# SPDX-License-Identifier: EUPL-1.2
"""What the pages about incoming things share: their words, the question before an act, and tables with buttons."""

from collections.abc import Callable, Sequence

from nicegui import ui

from hub.console.desk._frame import Visit
from hub.console.desk.flow_texts import FLOW


def say(v: Visit, key: str, **fields: object) -> str:
    """A text of these pages."""
    return FLOW[key][v.language].format(**fields)


async def confirmed(v: Visit, words: str, *, reason: bool = False) -> str | None:
    """Ask first; None when it is called off, else the reason ("" where none is asked for)."""
    with ui.dialog() as dialog, ui.card().style("min-width:28rem"):
        ui.label(words)
        why = ui.input(say(v, "why")).props("outlined dense maxlength=500").classes("w-full") if reason else None

        def done() -> None:
            text = (why.value or "").strip() if why else ""
            if why and not text:
                ui.notify(say(v, "why_first"), type="warning")
                return
            dialog.submit(text)

        with ui.element("div").classes("desk-row"):
            ui.button(v.t("confirm"), on_click=done, color=None).props("outline no-caps")
            ui.button(v.t("cancel"), on_click=lambda: dialog.submit(None), color=None).props("flat no-caps")
    answer: str | None = await dialog
    return answer


Cell = str | Callable[[], object]  # a function makes what stands in it


def live_table(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """A table in which a cell may be made by a function (a button, a link)."""
    with ui.element("table").classes("desk-table"):
        with ui.element("thead"), ui.element("tr"):
            for word in head:
                with ui.element("th").props("scope=col"):
                    ui.label(word)
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for cell in row:
                        with ui.element("td"):
                            if callable(cell):
                                cell()
                            else:
                                ui.label(cell)
