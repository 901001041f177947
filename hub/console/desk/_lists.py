# SPDX-License-Identifier: EUPL-1.2
"""A table whose rows have buttons."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from nicegui import ui


class Line(NamedTuple):
    """Cells of a row, and its buttons: what each says and does."""

    cells: Sequence[str]
    buttons: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = ()


def listing(head: Sequence[str], lines: Sequence[Line], nothing: str) -> None:
    """Show it; the last column of the head is that of the buttons. `nothing` is said where there are no rows."""
    if not lines:
        ui.label(nothing)
        return
    with ui.element("table").classes("desk-table"):
        with ui.element("thead"), ui.element("tr"):
            for cell in head:
                with ui.element("th").props("scope=col"):
                    ui.label(cell)
        with ui.element("tbody"):
            for line in lines:
                _row(line)


def _row(line: Line) -> None:
    with ui.element("tr"):
        for cell in line.cells:
            with ui.element("td"):
                ui.label(cell)
        with ui.element("td"), ui.element("div").classes("desk-row").style("gap:.3rem"):
            for words, work in line.buttons:
                button = ui.button(words, on_click=work, color=None).props("outline no-caps dense")
                button.props["aria-label"] = f"{words}: {line.cells[0]}"
