# SPDX-License-Identifier: EUPL-1.2
"""New devices: who talks without being registered, what it tells, and the way into its registration.

Registering goes on in the field pages: the button sends their own form, so there is one way to register.
"""

import asyncio
from functools import partial
from html import escape

from nicegui import ui

from hub.console.desk._frame import Visit, frame
from hub.console.desk._words import Cell, live_table, say
from hub.console.formats import Formats
from hub.core.rights import Action
from hub.devices.inbox import Stranger

_SHOWN = 50
_QUANTITIES = 8


async def inbox_page(v: Visit) -> None:
    """Show it."""
    ports = v.desk.console.ports
    inbox = ports.inbox if ports else None
    found = await asyncio.to_thread(inbox.strangers, _SHOWN) if inbox else ()
    formats = Formats(v.language, v.desk.console.zone)
    with frame(v, simulated=False):
        if not found:
            ui.label(say(v, "no_newcomers"))
            return
        ui.label(say(v, "newcomers", n=len(found))).classes("desk-note").style("margin-bottom:.6rem")
        head = ["source", "connector", "waiting", "first_last", "tells", "guess", "register"]
        if not v.may(Action.DEVICES):
            head.pop()
        live_table([say(v, key) for key in head], [_cells(v, formats, one)[: len(head)] for one in found])


def _cells(v: Visit, formats: Formats, one: Stranger) -> list[Cell]:
    row, ports = one.newcomer, v.desk.console.ports
    models = ports.models if ports else {}
    guess = models[one.guesses[0].model].label if one.guesses and one.guesses[0].model in models else "–"
    times = f"{formats.moment(row.first)} – {formats.moment(row.last)}" if row.last else "–"
    waiting = f"{row.waiting} (+ {row.refused})" if row.refused else str(row.waiting)
    name = row.external_id or "–"
    return [name, row.connector, waiting, times, tells(one), guess, partial(_button, v, one)]


def tells(one: Stranger) -> str:
    """The readings of its last message, as ingest would understand them; else its topic."""
    readings = one.tried.readings if one.tried else ()
    if readings:
        return ", ".join(f"{r.quantity} {r.value:g}" for r in readings[:_QUANTITIES])
    return ", ".join(one.topics[:2]) or "–"


def _button(v: Visit, one: Stranger) -> None:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in (("connector", one.newcomer.connector), ("external_id", one.newcomer.external_id))
    )
    style = (
        "padding:.3rem .8rem;border:1px solid #10324f;border-radius:4px;background:#fff;color:#10324f;cursor:pointer"
    )
    label = f'<button type="submit" style="{style}">{escape(say(v, "register"))}</button>'
    ui.html(f'<form method="post" action="/field/register">{hidden}{label}</form>', sanitize=False)
