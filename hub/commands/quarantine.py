# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside, from the command line."""

from collections.abc import Sequence

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid
from hub.core.ports import QuarantineFilter
from hub.core.reasons import REASONS
from hub.core.windows import format_instant
from hub.settings import Settings


def list_quarantine(settings: Settings, *, reason: str | None, state: str, limit: int, json: bool) -> None:
    """Print what was set aside and why, newest first."""
    if reason is not None and reason not in REASONS:
        raise Invalid(f"no reason {reason!r}; there are {', '.join(REASONS)}", "--reason")
    where = QuarantineFilter(state=None if state == "all" else state, reason=reason)
    [journal] = Parts(settings).journals()
    rows = journal.quarantine(where, limit=limit)
    journal.close()
    if json:
        print_json(
            [
                {
                    "id": row.id,
                    "received": format_instant(row.received),
                    "topic": row.topic,
                    "reason": row.reason,
                    "detail": row.detail,
                    "hint": REASONS[row.reason].hint["en"],
                    "scope": row.scope,
                    "state": row.state,
                    "device": row.device or None,
                    "external_id": row.external_id or None,
                    "attempts": row.attempts,
                    "payload": row.payload.decode("utf-8", "backslashreplace"),
                }
                for row in rows
            ]
        )
        return
    print_table(
        "Quarantine",
        ["id", "received", "topic", "reason", "detail", "what to do"],
        [
            (
                row.id,
                format_instant(row.received)[:19],
                row.topic,
                row.reason,
                row.detail,
                REASONS[row.reason].hint["en"],
            )
            for row in rows
        ],
    )


def redrive(settings: Settings, *, reason: str | None, ids: Sequence[int] | None) -> None:
    """Leave an order for ingest."""
    arguments: dict[str, object] = {}
    if reason is not None:
        arguments["reason"] = reason
    if ids:
        arguments["ids"] = list(ids)
    with Parts(settings).ledger().open() as ledger:
        order = ledger.commands.submit("redrive", arguments)
    print(f"order {order}: ingest takes the messages through again within a second; see `cityhub quarantine list`")
