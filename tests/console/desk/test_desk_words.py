# SPDX-License-Identifier: EUPL-1.2
"""What the desk makes of figures before anything is drawn: times of charts, and changes as somebody reads them."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from hub.console.desk._audit_page import difference
from hub.console.desk._curves import local_ms
from hub.console.formats import Formats
from hub.core.windows import HOUR, parse_instant

PRAGUE = ZoneInfo("Europe/Prague")
FORMATS = Formats("cs", PRAGUE)


@pytest.mark.parametrize(
    ("claim", "around", "read_at", "first"),
    [
        ("the hour that autumn repeats", "2026-10-25T00:00:00Z", "2026-10-26T00:00:00Z", "2026-10-25T01:00"),
        ("the hour that spring leaves out", "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", "2026-03-29T02:00"),
    ],
)
def test_each_hour_stands_once_on_a_chart(claim: str, around: str, read_at: str, first: str) -> None:
    time = parse_instant(around) + np.arange(4, dtype=np.int64) * HOUR
    drawn = local_ms(time, PRAGUE, parse_instant(read_at))
    assert np.diff(drawn).tolist() == [3_600_000] * 3, claim
    assert str(np.datetime64(int(drawn[0]), "ms"))[:16] == first


def test_a_change_is_told_by_what_differs_without_empty_fields_and_brackets() -> None:
    start = parse_instant("2026-11-24T10:00:00Z")
    before = {"title": "a", "note": "", "mountings": [{"place": "x", "start": start, "end": None}], "tags": []}
    after = {"title": "b", "note": "", "mountings": [], "tags": ["new"]}
    old, new = difference(before, after, FORMATS)
    assert old == f"title: a; mountings: place x, start {FORMATS.moment(start, seconds=True)}; tags: –"
    assert new == "title: b; mountings: –; tags: new"
    assert difference(None, {"id": "d", "note": "", "tags": [], "interval": 600}, FORMATS) == (
        "",
        "id: d; interval: 600",
    )
