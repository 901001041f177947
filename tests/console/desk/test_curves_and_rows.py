# SPDX-License-Identifier: EUPL-1.2
"""Thinning and local time of curves; words, search and differences of the desk."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hub.console.desk._curves import local_ms, thinned
from hub.console.desk._rows import Row, Wish, matching, outages, page_of
from hub.console.desk.texts import TEXTS
from hub.core.windows import parse_instant


def row(number: int, state: str = "healthy", part: str = "havirov/sumbark") -> Row:
    return Row(str(number), "n", "p", part, state, "", "", "", "", False, 0, f"cidlo {number}")


def test_a_thinned_curve_keeps_its_only_peak_and_both_ends() -> None:
    value = np.zeros(100_000)
    value[54_321] = 99.0
    kept = thinned(value, 2000)
    assert 54_321 in kept
    assert (kept[0], kept[-1]) == (0, len(value) - 1)
    assert len(kept) <= 2002


@pytest.mark.parametrize(
    ("utc", "clock"),
    [("2026-03-29T00:59:00Z", "01:59"), ("2026-03-29T01:00:00Z", "03:00"), ("2026-10-25T01:00:00Z", "02:00")],
)
def test_times_read_as_the_citys_clocks_over_both_changes(utc: str, clock: str) -> None:
    ms = local_ms(np.array([parse_instant(utc)], dtype=np.int64), ZoneInfo("Europe/Prague"))
    assert f"{datetime.fromtimestamp(int(ms[0]) / 1000, UTC):%H:%M}" == clock


def test_search_needs_all_words_and_ignores_case_and_accents() -> None:
    assert [r.id for r in matching([row(7), row(8)], Wish("ČIDLO 7"))] == ["7"]


def test_a_page_beyond_the_last_is_the_last() -> None:
    rows, page, pages = page_of([row(i) for i in range(250)], 9)
    assert (len(rows), page, pages) == (50, 2, 3)


@pytest.mark.parametrize(("silent", "healthy", "told"), [(1, 0, 0), (2, 2, 1), (2, 3, 0)])
def test_an_outage_is_two_silent_devices_and_half_of_all(silent: int, healthy: int, told: int) -> None:
    rows = [row(i, "silent") for i in range(silent)] + [row(i) for i in range(healthy)]
    assert len(outages(rows)) == told


def test_every_text_has_both_languages_with_the_same_fields() -> None:
    for key, words in TEXTS.items():
        assert set(words) == {"cs", "en"}, key
        assert words["cs"].count("{") == words["en"].count("{"), key
