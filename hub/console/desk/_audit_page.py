# SPDX-License-Identifier: EUPL-1.2
"""Who changed what: the newest entries of the audit log, with the fields that differ, before and after."""

import asyncio
from collections.abc import Mapping

from nicegui import ui

from hub.console.desk._frame import Visit, frame, table
from hub.console.formats import Formats
from hub.core.registry import AuditEntry

_SHOWN = 200


async def audit_page(v: Visit) -> None:
    """Show it."""
    log = v.desk.audit
    entries = await asyncio.to_thread(log.read, limit=_SHOWN) if log else ()
    formats = Formats(v.language, v.desk.console.zone)
    with frame(v, simulated=False):
        if not entries:
            ui.label(v.t("no_audit"))
            return
        head = [v.t(key) for key in ("when", "who", "what", "subject", "before", "after")]
        table(head, [_line(formats, entry) for entry in entries])


def _line(formats: Formats, entry: AuditEntry) -> list[str]:
    before, after = difference(entry.before, entry.after)
    return [formats.moment(entry.at, seconds=True), entry.actor, entry.action, entry.subject, before, after]


def difference(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> tuple[str, str]:
    """The fields that differ, on both sides."""
    old, new = before or {}, after or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    sides = ["; ".join(f"{name}: {side[name]}" for name in names if name in side) for side in (old, new)]
    return sides[0], sides[1]
