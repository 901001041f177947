# SPDX-License-Identifier: EUPL-1.2
"""Who changed what: the audit log, newest first, filtered and cut into pages; of each change what differs.

The filters match exactly, as the log is indexed; the action may end with `.*`.
"""

import asyncio
from collections.abc import Mapping

from nicegui import ui

from hub.console.desk._frame import Visit, frame, table
from hub.console.formats import Formats
from hub.core.ports import AuditLog
from hub.core.registry import AuditEntry
from hub.core.rights import Action, Caller

_PAGE = 100
_A_MOMENT = 10**17  # ns since 1970 from 1973 on; no other field is as large
_EMPTY: tuple[object, ...] = (None, "", [], {}, ())
_FILTERS = (("subject", "subject_filter"), ("actor", "actor"), ("action", "action_filter"))


class AuditPage:
    """What stands on one opened page."""

    def __init__(self, v: Visit, log: AuditLog) -> None:
        self._v, self._log = v, log
        self._fields: dict[str, ui.input] = {}
        self._last: int | None = None
        with ui.element("div").classes("desk-row").style("margin-bottom:.6rem"):
            for name, words in _FILTERS:
                field = ui.input(v.t(words), on_change=self.newest).props("debounce=400 outlined dense")
                self._fields[name] = field.style("min-width:20rem")
        self._list = ui.element("div").classes("w-full")
        with ui.element("div").classes("desk-row").style("margin-top:.6rem"):
            ui.button(v.t("newest"), on_click=self.newest, color=None).props("outline no-caps")
            self._older = ui.button(v.t("older"), on_click=self.older, color=None).props("outline no-caps")

    async def newest(self) -> None:
        """The first page of what the filters say."""
        self._last = None
        await self._v.act(Action.AUDIT, self.show)

    async def older(self) -> None:
        """The page after the one shown."""
        await self._v.act(Action.AUDIT, self.show)

    async def show(self, _: Caller) -> None:
        """The page of entries before the last one shown."""
        v = self._v
        given = {name: (field.value or "").strip() or None for name, field in self._fields.items()}
        entries = await asyncio.to_thread(self._log.read, **given, before=self._last, limit=_PAGE)
        formats = Formats(v.language, v.desk.console.zone)
        self._list.clear()
        with self._list:
            if not entries:
                ui.label(v.t("nothing_older" if self._last or any(given.values()) else "no_audit"))
            else:
                head = [v.t(key) for key in ("when", "who", "what", "subject", "before", "after")]
                table(head, [_line(formats, entry) for entry in entries])
        self._last = entries[-1].id if entries else self._last
        self._older.set_enabled(len(entries) == _PAGE)


def _line(formats: Formats, entry: AuditEntry) -> list[str]:
    before, after = difference(entry.before, entry.after, formats)
    return [formats.moment(entry.at, seconds=True), entry.actor, entry.action, entry.subject, before, after]


def difference(
    before: Mapping[str, object] | None, after: Mapping[str, object] | None, formats: Formats
) -> tuple[str, str]:
    """The fields that differ, on both sides; what is empty on a side is left out there, unless that is the change."""
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]

    def told(side: Mapping[str, object], other: Mapping[str, object]) -> str:
        shown = [n for n in names if n in side and (side[n] not in _EMPTY or other.get(n) not in _EMPTY)]
        return "; ".join(f"{name}: {in_words(side[name], formats)}" for name in shown)

    return told(old, new), told(new, old)


def in_words(value: object, formats: Formats) -> str:
    """A field as somebody reads it: moments on the city's clocks, rows and their fields without brackets."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {in_words(one, formats)}" for k, one in value.items() if one not in _EMPTY) or "–"
    if isinstance(value, list | tuple):
        return " | ".join(in_words(one, formats) for one in value) or "–"
    if isinstance(value, int) and value > _A_MOMENT:
        return formats.moment(value, seconds=True)
    return "–" if value in _EMPTY else str(value)


async def audit_page(v: Visit) -> None:
    """Show it."""
    with frame(v, simulated=False):
        if v.desk.audit is None:
            ui.label(v.t("no_audit"))
            return
        page = AuditPage(v, v.desk.audit)
        await page.show(v.caller)
