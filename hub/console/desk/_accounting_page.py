# SPDX-License-Identifier: EUPL-1.2
"""The books of ingest: what came in, and what became of it, per connector and hour or day. Differences are red."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from html import escape
from typing import NamedTuple

from nicegui import ui

from hub.console.desk._frame import Visit, frame
from hub.console.desk._words import say
from hub.core.journal import HOUR_NS
from hub.core.readings import NS

DELIVERIES = ("decoded", "quarantined", "refused", "ignored")
READINGS = ("stored", "duplicate", "conflict", "rejected")
_COLUMNS = ("received", *DELIVERIES, "difference", "readings", *READINGS, "difference")
_HOURS = {"hour": 48, "day": 31 * 24}
_MOST = 500
_CSS = """
.desk-books td.n, .desk-books th.n { text-align: right; min-width: 0; font-variant-numeric: tabular-nums; }
.desk-books tr.off td { background: #fbe3e4; color: #8c0d19; font-weight: 700; }
"""


class Line(NamedTuple):
    """One connector's account in one hour or day, which `time` names."""

    time: str
    connector: str
    counts: Mapping[str, int]

    @property
    def differences(self) -> tuple[int, int]:
        """What is missing in the two equations; (0, 0) where they come out."""
        n = self.counts
        messages = n.get("received", 0) - sum(n.get(name, 0) for name in DELIVERIES)
        return messages, n.get("readings", 0) - sum(n.get(name, 0) for name in READINGS)


def lines(rows: Iterable[tuple[int, str, Mapping[str, int]]], zone: tzinfo, *, daily: bool) -> Sequence[Line]:
    """Accounts of hours (ns, UTC) summed by hour or by day of the city's clocks, newest first."""
    sums: dict[tuple[object, str, str], Counter[str]] = {}
    for hour, connector, counts in rows:
        local = datetime.fromtimestamp(hour // NS, zone)
        name = f"{local:%Y-%m-%d}" if daily else f"{local:%Y-%m-%d %H:%M %Z}"
        sums.setdefault((local.date() if daily else hour, name, connector), Counter()).update(counts)
    newest = sorted(sums.items(), key=lambda item: item[0][2])
    newest.sort(key=lambda item: item[0][0], reverse=True)  # type: ignore[arg-type, return-value]  # all dates or all hours
    return [Line(name, connector, counts) for (_, name, connector), counts in newest]


async def accounting_page(v: Visit) -> None:
    """Show it."""
    ui.add_css(_CSS)
    with frame(v, simulated=False):
        ui.label(say(v, "equations")).classes("desk-note")
        choices = {"hour": say(v, "by_hour"), "day": say(v, "by_day")}
        grain = ui.select(choices, value="day", label=say(v, "grain")).props("outlined dense")
        grain.style("width:16rem;margin:.6rem 0")
        shown = ui.element("div")

        async def show() -> None:
            since = v.desk.console.clock_ns() // HOUR_NS * HOUR_NS - _HOURS[grain.value] * HOUR_NS
            rows = await asyncio.to_thread(read, v, since)
            found = lines(rows, v.desk.console.zone, daily=grain.value == "day")
            shown.clear()
            with shown:
                _tell(v, found)

        grain.on_value_change(show)
        await show()


def read(v: Visit, since: int) -> list[tuple[int, str, Mapping[str, int]]]:
    """Accounts of all journals."""
    return [row for journal in v.desk.console.journals for row in journal.hourly(since)]


def _tell(v: Visit, found: Sequence[Line]) -> None:
    off = [line for line in found if any(line.differences)]
    words = say(v, "unbalanced", n=len(off)) if off else say(v, "balanced" if found else "no_accounts")
    ui.label(words).props("role=status").style("font-weight:700" + (";color:#a3121f" if off else ""))
    if not found:
        return
    others = [line for line in found if not any(line.differences)]
    ui.html(_html(v, [*off, *others][:_MOST] if off else found[:_MOST]), sanitize=False).classes("w-full")


def _html(v: Visit, found: Sequence[Line]) -> str:
    head = "".join(f'<th scope="col">{escape(say(v, key))}</th>' for key in ("time", "connector"))
    names = [say(v, "refused_n" if key == "refused" else key) for key in _COLUMNS]
    head += "".join(f'<th scope="col" class="n">{escape(name)}</th>' for name in names)
    body = "".join(_row(v, line) for line in found)
    return f'<table class="desk-table desk-books"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(v: Visit, line: Line) -> str:
    n, (messages, readings) = line.counts, line.differences
    figures = [
        n.get("received", 0), *(n.get(k, 0) for k in DELIVERIES), messages,
        n.get("readings", 0), *(n.get(k, 0) for k in READINGS), readings,
    ]  # fmt: skip
    cells = "".join(f'<td class="n">{figure:,}</td>'.replace(",", "\u202f") for figure in figures)
    who = escape(line.connector or say(v, "no_connector"))
    return f'<tr class="{"off" if messages or readings else ""}"><td>{line.time}</td><td>{who}</td>{cells}</tr>'
