# SPDX-License-Identifier: EUPL-1.2
"""Overview: a scheme of the city with the states of its devices, what fails together, and what needs a hand."""

import asyncio
from collections.abc import Mapping, Sequence
from html import escape

from nicegui import ui

from hub.console._map import Tile, draw
from hub.console._overview import recent
from hub.console.desk._frame import Visit, frame, heading, table
from hub.console.desk._rows import Row, board, tally, together
from hub.console.desk._sites import Dot, share_of, sites
from hub.console.texts import STATE
from hub.core.places import PlaceKind
from hub.devices.outages import words as in_words
from hub.devices.state import State

_WORST = 20
_FILL: Mapping[str, str] = {"good": "#e6f4ea", "some": "#fff0e0", "bad": "#fdecee", "none": "#e3e8ec"}

_DOT: Mapping[str, str] = {"good": "#1b7f3b", "some": "#b35900", "bad": "#a3121f"}


async def overview_page(v: Visit) -> None:
    """Show it."""
    services = v.desk.console
    lately = await recent(services)
    rows = await asyncio.to_thread(board, services, v.language, v.caller, lately)
    registry = await asyncio.to_thread(services.registry.snapshot)
    places = registry.places
    parts = [place for place in places.values() if place.kind is PlaceKind.PART]
    with frame(v, simulated=any(row.simulated for row in rows)):
        if not rows:
            ui.label(v.t("no_devices"))
            return
        with ui.element("div").style("display:flex;gap:1.5rem;flex-wrap:wrap;align-items:flex-start"):
            with ui.element("div").style("flex:1 1 24rem;max-width:36rem"):
                drawing = draw(parts, services.layout, v.language)
                tiles = "".join(_tile(tile, rows) for tile in drawing.tiles)
                names = "".join(_name(tile, rows) for tile in drawing.tiles)  # above the dots, so that they can be read
                size = f"0 0 {drawing.width} {drawing.height}"
                dots = "".join(_dot(dot, v.language) for dot in sites(registry, drawing.tiles, rows))
                what = escape(v.t("map_note"))
                svg = f'<svg viewBox="{size}" role="img" aria-label="{what}">{tiles}{dots}{names}</svg>'
                ui.html(svg, sanitize=False)
                ui.label(v.t("map_note")).classes("desk-note")
                ui.label(v.t("sites_note")).classes("desk-note")
            with ui.element("div").style("flex:2 1 32rem"):
                heading(v.t("outages"))
                found = together(registry, rows)
                for outage in found:
                    place = places.get(outage.what) if outage.kind == "part" else None
                    name = place.title.get(v.language, outage.what) if place else None
                    ui.label(in_words(outage, v.language, name))
                if not found:
                    ui.label(v.t("no_outage"))
                heading(v.t("devices"))
                counts = {state: sum(row.state == state for row in rows) for state in State}
                ui.label(", ".join(f"{STATE[s.value][v.language]}: {n}" for s, n in counts.items() if n))
                shown = [[r.word, r.name, r.place, r.words, r.origin] for r in rows[:_WORST]]
                table([v.t(key) for key in ("state", "name", "place", "words", "origin")], shown)


def _tile(tile: Tile, rows: Sequence[Row]) -> str:
    counts = tally(rows).get(tile.place)
    share = share_of(counts[State.HEALTHY.value], counts.total()) if counts else "none"
    return f'<polygon points="{tile.points}" fill="{_FILL[share]}" stroke="#33414d" stroke-width="1.5"/>'


def _name(tile: Tile, rows: Sequence[Row]) -> str:
    counts = tally(rows).get(tile.place)
    healthy, total = (counts[State.HEALTHY.value], counts.total()) if counts else (0, 0)
    halo = 'text-anchor="middle" paint-order="stroke" stroke="#fff" stroke-width="3"'
    names = "".join(
        f'<text x="{tile.x}" y="{tile.y - 16 + 15 * i}" {halo} font-size="14">{escape(line)}</text>'
        for i, line in enumerate(tile.lines)
    )
    number = f'<text x="{tile.x}" y="{tile.y + 30}" {halo} font-size="20" font-weight="700">'
    figure = f"{healthy} / {total}" if counts else "–"
    return f"{names}{number}{figure}</text>"


def _dot(dot: Dot, language: str) -> str:
    name = escape(f"{dot.title.get(language, dot.place)}: {dot.healthy} / {dot.devices}")
    return (
        f'<circle cx="{dot.x}" cy="{dot.y}" r="5" fill="{_DOT[dot.share]}" stroke="#fff" stroke-width="1.5">'
        f"<title>{name}</title></circle>"
    )
