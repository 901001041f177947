# SPDX-License-Identifier: EUPL-1.2
"""Schematic map: where the tiles of places stand. Pure geometry; the template draws it."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hub.core.places import Place

WIDTH = 120  # of a hexagon that stands on its tip
HEIGHT = round(WIDTH * 2 / math.sqrt(3))
_PITCH = HEIGHT * 3 // 4  # rows reach into each other
_GAP = 6


class Tile(NamedTuple):
    """One place's hexagon: its centre in units of the drawing, its corners, and its name in lines that fit.

    `plate` are the corners of the ground that keeps the pattern away from the words; it lies within the hexagon.
    """

    place: str
    x: int
    y: int
    points: str
    plate: str
    lines: Sequence[str]


class Drawing(NamedTuple):
    """All tiles and the size they need."""

    tiles: Sequence[Tile]
    width: int
    height: int


def draw(places: Sequence[Place], layout: Mapping[str, tuple[int, int]], language: str) -> Drawing:
    """Tiles of the places, by the layout given (odd rows stand half a tile to the right) or by their coordinates."""
    grid = layout if all(p.id in layout for p in places) else by_coordinates(places)
    left = min((column * 2 + row % 2 for column, row in grid.values()), default=0) * WIDTH // 2  # no empty margin
    tiles = [_tile(place, *grid[place.id], left, language) for place in places]
    right = max((t.x for t in tiles), default=0) + WIDTH // 2
    bottom = max((t.y for t in tiles), default=0) + HEIGHT // 2
    return Drawing(tiles, right, bottom)


def _tile(place: Place, column: int, row: int, left: int, language: str) -> Tile:
    x = column * WIDTH + WIDTH // 2 + (WIDTH // 2 if row % 2 else 0) - left
    y = row * _PITCH + HEIGHT // 2
    return Tile(place.id, x, y, hexagon(x, y), plate(x, y), lines(place.title.get(language, place.id)))


def hexagon(x: int, y: int) -> str:
    """Corners of the tile around (x, y), as SVG wants them."""
    half, tip = WIDTH / 2 - _GAP / 2, HEIGHT / 2 - _GAP / 2
    corners = [(0, -tip), (half, -tip / 2), (half, tip / 2), (0, tip), (-half, tip / 2), (-half, -tip / 2)]
    return " ".join(f"{x + dx:.0f},{y + dy:.0f}" for dx, dy in corners)


def plate(x: int, y: int, height: int = 46) -> str:
    """Corners of the hexagon's middle, up to `height` above and below its centre."""
    half, tip = WIDTH / 2 - _GAP, HEIGHT / 2 - _GAP
    narrow = half * (tip - height) / (tip / 2)
    corners = [(narrow, -height), (half, -tip / 2), (half, tip / 2), (narrow, height)]
    return " ".join(f"{x + dx:.0f},{y + dy:.0f}" for dx, dy in [*corners, *((-dx, dy) for dx, dy in corners[::-1])])


def badge(word: str) -> int:
    """Width that a word needs in the tile's small bold letters; they are at most 0.72 of their 11 units wide."""
    return 8 * len(word) + 8


def by_coordinates(places: Sequence[Place]) -> Mapping[str, tuple[int, int]]:
    """Columns and rows that keep north above south and west before east, three columns on a phone."""
    columns = min(3, max(1, math.ceil(math.sqrt(len(places)))))
    north_first = sorted(places, key=lambda p: (-(p.latitude or 0.0), p.id))
    grid: dict[str, tuple[int, int]] = {}
    for row in range(math.ceil(len(places) / columns)):
        band = north_first[row * columns : (row + 1) * columns]
        for column, place in enumerate(sorted(band, key=lambda p: (p.longitude or 0.0, p.id))):
            grid[place.id] = (column, row)
    return grid


def lines(name: str, width: int = 12) -> Sequence[str]:
    """A name in at most two lines: cut at a space or hyphen when it is too long."""
    if len(name) <= width:
        return [name]
    cuts = [i + 1 for i, letter in enumerate(name) if letter in " -"]
    if not cuts:
        return [name]
    cut = min(cuts, key=lambda i: abs(i - len(name) / 2))
    return [name[:cut].rstrip(), name[cut:]]
