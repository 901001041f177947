# SPDX-License-Identifier: EUPL-1.2
"""Entered values through the engine, on the real ledger: from approval to value, revision and what is made of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.core.entries import EntryState
from hub.core.errors import Retry
from hub.core.indicators import IndicatorValue
from hub.core.ports import ValueLedger, ValueQuery
from hub.core.readings import Origin
from hub.indicators.catalogue import Catalogue
from hub.indicators.engine import Engine
from hub.indicators.entry_forms import Form
from hub.indicators.entry_import import hand_in
from hub.indicators.entry_tables import Row, Sheet
from hub.storage.ledger import Ledger, sqlite_url
from tests.indicators.entered import CITY, NOW, PLACES, TEXTS, basis, catalogue, definition_text
from tests.indicators.fakes import FakeStore

CARRIED = """
id: per_seat
version: 1
title: {en: Visits per seat, cs: Návštěvy na místo}
domain: sport
formula: percentage
inputs:
  part: {indicator: visits}
  whole: {indicator: seats, carry: true}
unit: "%"
window: P1D
reference: [{citation: example}]
standing: illustrative
examples: [{given: {part: 1, whole: 2}, value: 50}]
"""


class Hall:
    """A ledger with the places of a small town, and an engine that is made anew for every call."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.catalogue = catalogue(*TEXTS, definition_text("seats", level="site"), CARRIED)

    def approve(self, *figures: tuple[str, str, str, float], place: str = "havirov", **more: Any) -> None:
        """Dana enters (indicator, period, document, figure), Petr approves."""
        forms = [Form(i, place, period, value, source, **more) for i, period, source, value in figures]
        sheet = Sheet([Row(n, form) for n, form in enumerate(forms, 2)], ())
        report = hand_in(self.ledger.entries, sheet, basis()._replace(catalogue=self.catalogue), by="dana")
        assert report.stored, report.rows
        self.ledger.entries.decide([r.entry.id for r in report.rows if r.entry], EntryState.APPROVED, by="petr")

    def engine(self, now: int = NOW) -> Engine:
        """An engine that has just been started."""
        ledger = self.ledger
        return Engine(
            self.catalogue, CITY, FakeStore(), ledger.values, ledger.devices, [], lambda: now, entries=ledger.entries
        )  # type: ignore[arg-type]  # a store in memory

    def values(self, indicator: str) -> list[IndicatorValue]:
        return list(self.ledger.values.values(ValueQuery(indicator)))

    def history(self, indicator: str) -> list[tuple[int, float | None, str | None]]:
        """Revision, value and cause of all revisions of the first window."""
        first = self.values(indicator)[0]
        rows = self.ledger.values.revisions(indicator, first.place, first.start)
        return [(row.revision, row.value, row.cause) for row in rows]


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    with Ledger(sqlite_url(tmp_path / "ledger.db")).upgrade() as ledger:
        ledger.devices.put_places(list(PLACES.values()))
        yield Hall(ledger)


async def test_an_approval_becomes_a_value_and_all_that_is_made_of_it(hall: Hall) -> None:
    hall.approve(("spent", "2025-01", "Výkaz 1/2025", 10), ("spent", "2025-02", "Výkaz 2/2025", 15))
    hall.approve(("budget", "2025", "Rozpočet 2025", 100))
    await hall.engine().settle()
    (budget,), (share,) = hall.values("budget"), hall.values("budget_share")
    assert (budget.value, budget.revision, budget.closed, budget.origin) == (100.0, 1, True, Origin.ENTERED)
    assert (share.value, share.origin, share.closed) == (25.0, Origin.ENTERED, True)
    assert hall.ledger.values.cursor("entered") == 3


async def test_a_correction_is_a_revision_of_the_value_and_of_what_is_made_of_it(hall: Hall) -> None:
    hall.approve(("spent", "2025-01", "Výkaz 1/2025", 10), ("budget", "2025", "Rozpočet 2025", 100))
    await hall.engine().settle()
    hall.approve(("spent", "2025-01", "Výkaz 1/2025, oprava", 20), reason="double payment")
    await hall.engine().settle()
    assert hall.history("spent") == [
        (1, 10.0, "entered (Výkaz 1/2025) by dana, approved by petr"),
        (2, 20.0, "entered: double payment (Výkaz 1/2025, oprava) by dana, approved by petr"),
    ]
    assert [row[:2] for row in hall.history("budget_share")] == [(1, 10.0), (2, 20.0)]
    assert hall.history("budget_share")[1][2] == hall.history("spent")[1][2]


async def test_two_approvals_while_no_engine_ran_are_two_revisions(hall: Hall) -> None:
    hall.approve(("budget", "2025", "Rozpočet", 100))
    hall.approve(("budget", "2025", "Rozpočet", 120), reason="misprint")
    await hall.engine().settle()
    assert [row[:2] for row in hall.history("budget")] == [(1, 100.0), (2, 120.0)]


async def test_waiting_and_rejected_figures_count_nowhere(hall: Hall) -> None:
    sheet = Sheet(
        [Row(2, Form("budget", "havirov", "2025", 5.0, "x")), Row(3, Form("budget", "havirov", "2024", 5.0, "x"))], ()
    )
    report = hand_in(hall.ledger.entries, sheet, basis(), by="dana")
    assert report.rows[0].entry
    hall.ledger.entries.decide([report.rows[0].entry.id], EntryState.REJECTED, by="petr", reason="no")
    await hall.engine().settle()
    assert hall.values("budget") == []


async def test_computing_again_changes_nothing_and_finds_what_was_never_written(hall: Hall) -> None:
    """Also of years of which there are no readings: before 2000, and ahead."""
    hall.approve(
        ("budget", "1995", "archive", 7), ("budget", "2025", "Rozpočet", 100), ("budget", "2030", "outlook", 130)
    )
    await hall.engine().settle()
    written = hall.values("budget")
    assert (await hall.engine().recompute()).written == 0
    hall.ledger.values.commit((), {}, [(v.indicator, v.place, v.start) for v in written])
    assert (await hall.engine().recompute("budget")).written == 3
    assert [(v.value, v.revision) for v in hall.values("budget")] == [(7.0, 1), (100.0, 1), (130.0, 1)]


async def test_a_new_version_of_the_definition_revises_values_of_all_times(hall: Hall) -> None:
    hall.approve(("budget", "1995", "archive", 7), ("budget", "2030", "outlook", 130))
    await hall.engine().settle()
    hall.catalogue = catalogue(definition_text("budget", version=2), *TEXTS[1:])
    await hall.engine().settle()
    assert [(v.revision, v.definition_version, v.cause) for v in hall.values("budget")] == [
        (2, 2, "definition version 2 of budget")
    ] * 2
    await hall.engine().settle()
    assert [v.revision for v in hall.values("budget")] == [2, 2]


async def test_an_approval_whose_definition_is_gone_is_logged_and_holds_nothing_up(
    hall: Hall, caplog: pytest.LogCaptureFixture
) -> None:
    hall.approve(("budget", "2025", "Rozpočet", 100), ("spent", "2025-01", "Výkaz", 10))
    whole: Catalogue = hall.catalogue
    hall.catalogue = catalogue(TEXTS[1])
    await hall.engine().settle()
    assert "entry 1 gives no value: there is no indicator budget any more" in caplog.text
    assert (hall.values("budget"), len(hall.values("spent"))) == ([], 1)
    hall.catalogue = whole
    await hall.engine().recompute()
    assert len(hall.values("budget")) == 1


async def test_a_figure_that_is_carried_bears_on_every_window_after_it(hall: Hall) -> None:
    place = "havirov/mesto/bazen"
    days = ("2025-01-01", "2025-06-01", "2026-02-01")
    hall.approve(*(("visits", day, "register", 50) for day in days), place=place)
    hall.approve(("seats", "2025", "plan", 200), place=place)
    await hall.engine().settle()
    assert [v.value for v in hall.values("per_seat")] == [25.0] * 3
    hall.approve(("seats", "2026", "rebuilding", 100), place=place)
    await hall.engine().settle()
    assert [v.value for v in hall.values("per_seat")] == [25.0, 25.0, 50.0]


class FullDisk:
    """The ledger's values, of which nothing more can be written."""

    def __init__(self, values: ValueLedger) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return getattr(self._values, name)

    def commit(self, *_: object, **__: object) -> None:
        raise Retry("the disk is full")


async def test_an_approval_that_could_not_be_written_is_done_again(hall: Hall) -> None:
    hall.approve(("budget", "2025", "Rozpočet", 100))
    ledger = hall.ledger
    engine = Engine(
        hall.catalogue,
        CITY,
        FakeStore(),  # type: ignore[arg-type]  # a store in memory
        FullDisk(ledger.values),  # type: ignore[arg-type]  # hands the rest on
        ledger.devices,
        [],
        lambda: NOW,
        entries=ledger.entries,
    )
    with pytest.raises(Retry, match="disk is full"):
        await engine.step()
    assert (hall.values("budget"), ledger.values.cursor("entered")) == ([], 0)
    await hall.engine().settle()
    assert len(hall.values("budget")) == 1
