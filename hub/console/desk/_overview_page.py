# SPDX-License-Identifier: EUPL-1.2
"""Overview: a scheme of the city with the states of its devices, what fails together, and what needs a hand."""

import asyncio
from collections.abc import Mapping, Sequence
from html import escape

from nicegui import ui

from hub.console._map import Tile, draw
from hub.console._overview import recent
from hub.console.desk._frame import Visit, frame, heading, table
from hub.console.desk._rows import Row, board, outages, tally
from hub.console.texts import STATE
from hub.core.places import PlaceKind
from hub.devices.state import State

_WORST = 20
_FILL: Mapping[str, str] = {"good": "#e6f4ea", "some": "#fff0e0", "bad": "#fdecee", "none": "#e3e8ec"}


async def overview_page(v: Visit) -> None:
    """Show it."""
    services = v.desk.console
    lately = await recent(services)
    rows = await asyncio.to_thread(board, services, v.language, v.caller, lately)
    places = (await asyncio.to_thread(services.registry.snapshot)).places
    parts = [place for place in places.values() if place.kind is PlaceKind.PART]
    with frame(v, simulated=any(row.simulated for row in rows)):
        if not rows:
            ui.label(v.t("no_devices"))
            return
        with ui.element("div").style("display:flex;gap:1.5rem;flex-wrap:wrap;align-items:flex-start"):
            with ui.element("div").style("flex:1 1 24rem;max-width:36rem"):
                drawing = draw(parts, services.layout, v.language)
                tiles = "".join(_tile(tile, rows) for tile in drawing.tiles)
                size = f"0 0 {drawing.width} {drawing.height}"
                svg = f'<svg viewBox="{size}" role="img" aria-label="{escape(v.t("map_note"))}">{tiles}</svg>'
                ui.html(svg, sanitize=False)
                ui.label(v.t("map_note")).classes("desk-note")
            with ui.element("div").style("flex:2 1 32rem"):
                heading(v.t("outages"))
                found = outages(rows)
                for outage in found:
                    name = places[outage.part].title.get(v.language, outage.part)
                    ui.label(v.t("outage", part=name, silent=outage.silent, n=outage.devices))
                if not found:
                    ui.label(v.t("no_outage"))
                heading(v.t("devices"))
                counts = {state: sum(row.state == state for row in rows) for state in State}
                ui.label(", ".join(f"{STATE[s.value][v.language]}: {n}" for s, n in counts.items() if n))
                shown = [[r.word, r.name, r.place, r.words, r.origin] for r in rows[:_WORST]]
                table([v.t(key) for key in ("state", "name", "place", "words", "origin")], shown)


def _tile(tile: Tile, rows: Sequence[Row]) -> str:
    counts = tally(rows).get(tile.place)
    healthy, total = (counts[State.HEALTHY.value], counts.total()) if counts else (0, 0)
    share = "none" if not counts else "good" if healthy == total else "bad" if not healthy else "some"
    names = "".join(
        f'<text x="{tile.x}" y="{tile.y - 16 + 15 * i}" text-anchor="middle" font-size="14">{escape(line)}</text>'
        for i, line in enumerate(tile.lines)
    )
    number = f'<text x="{tile.x}" y="{tile.y + 30}" text-anchor="middle" font-size="20" font-weight="700">'
    figure = f"{healthy} / {total}" if counts else "–"
    shape = f'<polygon points="{tile.points}" fill="{_FILL[share]}" stroke="#33414d" stroke-width="1.5"/>'
    return f"{shape}{names}{number}{figure}</text>"
