# SPDX-License-Identifier: EUPL-1.2
"""Thinning of curves; words, search and differences of the desk."""

import numpy as np
import pytest

from hub.console._map import Tile
from hub.console.desk._curves import thinned
from hub.console.desk._rows import Row, Wish, matching, page_of
from hub.console.desk._sites import sites
from hub.console.desk.operation_texts import OPERATION
from hub.console.desk.texts import TEXTS
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot


def row(number: int, state: str = "healthy", part: str = "havirov/sumbark") -> Row:
    return Row(str(number), "n", "p", part, state, "", "", "", "", False, 0, f"cidlo {number}")


def test_a_thinned_curve_keeps_its_only_peak_and_both_ends() -> None:
    value = np.zeros(100_000)
    value[54_321] = 99.0
    kept = thinned(value, 2000)
    assert 54_321 in kept
    assert (kept[0], kept[-1]) == (0, len(value) - 1)
    assert len(kept) <= 2002


def test_search_needs_all_words_and_ignores_case_and_accents() -> None:
    assert [r.id for r in matching([row(7), row(8)], Wish("ČIDLO 7"))] == ["7"]


def test_a_page_beyond_the_last_is_the_last() -> None:
    rows, page, pages = page_of([row(i) for i in range(250)], 9)
    assert (len(rows), page, pages) == (50, 2, 3)


@pytest.mark.parametrize(
    ("north", "east", "side"),
    [(0.005, 0.0, (0, -1)), (0.0, 0.005, (1, 0)), (-2.0, 0.0, (0, 1)), (None, 0.0, None)],
)
def test_a_site_stands_in_the_tile_of_its_part_where_its_coordinates_say(
    north: float | None, east: float, side: tuple[int, int] | None
) -> None:
    """Even one far away stays in the tile; one without coordinates is not drawn."""
    part = Place(id="a/b", kind=PlaceKind.PART, title={}, latitude=49.8, longitude=18.4)
    latitude = None if north is None else 49.8 + north
    site = Place(id="a/b/s", kind=PlaceKind.SITE, title={}, latitude=latitude, longitude=18.4 + east)
    device = Device(id="1", connector="native", external_id="1", mountings=[Mounting("a/b/s", 0)])
    registry = RegistrySnapshot(1, {"1": device}, {"a/b": part, "a/b/s": site})
    found = sites(registry, [Tile("a/b", 100, 100, "", "", [])], [row(1, part="a/b")])
    directions = [(int(np.sign(dot.x - 100)), int(np.sign(dot.y - 100))) for dot in found]
    assert directions == ([side] if side else [])
    assert all(np.hypot(dot.x - 100, dot.y - 100) <= 51 for dot in found)


def test_every_text_has_both_languages_with_the_same_fields() -> None:
    for key, words in {**OPERATION, **TEXTS}.items():
        assert set(words) == {"cs", "en"}, key
        assert words["cs"].count("{") == words["en"].count("{"), key
