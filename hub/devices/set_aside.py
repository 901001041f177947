# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside, over all journals: read newest first, and orders about them. API and pages share it.

A message is named by its journal's number and its row in it. Orders go to the ingest worker that holds the journal.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hub.core.errors import NotFound
from hub.core.journal import Quarantined
from hub.core.ports import CommandQueue, JournalReader, QuarantineFilter

COUNTED = 1000  # what is told of how many match, at most

Row = tuple[int, Quarantined]


class Ordered(NamedTuple):
    """Ids of the orders, and how many messages match now."""

    commands: Sequence[int]
    matching: int


def newest_first(rows: Sequence[Row]) -> list[Row]:
    """By arrival, but never against the order of ids within a journal, on which cursors rely.

    Where a clock was set back the two disagree; a row then counts with the smallest arrival so far in its journal.
    """
    smallest: dict[int, int] = {}
    keyed = []
    for number, row in rows:
        smallest[number] = min(row.received, smallest.get(number, row.received))
        keyed.append((-smallest[number], number, row))
    return [(number, row) for _, number, row in sorted(keyed, key=lambda item: item[:2])]


def leave_orders(
    commands: CommandQueue,
    journals: Sequence[JournalReader],
    kind: str,
    fields: Mapping[str, Any],
    ids: Mapping[int, Sequence[int]] | None = None,
    more: Mapping[str, object] | None = None,
) -> Ordered:
    """Leave one order for each journal that has something to do; raise NotFound when none has.

    `fields` are those of QuarantineFilter, `ids` rows by journal, None for all that match; `more` goes with the order.
    """
    found = [(order, _count(journals, order)) for order in _orders(fields, ids, len(journals))]
    if not any(count for _, count in found):
        raise NotFound("no message matches; GET /api/v1/quarantine lists them")
    left = [commands.submit(kind, {**order, **(more or {})}) for order, count in found if count]
    return Ordered(left, sum(count for _, count in found))


def _orders(
    fields: Mapping[str, Any], ids: Mapping[int, Sequence[int]] | None, journals: int
) -> Sequence[Mapping[str, Any]]:
    if ids is None:
        return [{"shard": shard, **fields} for shard in range(journals)]
    return [{"shard": number, **fields, "ids": list(rows)} for number, rows in sorted(ids.items())]


def _count(journals: Sequence[JournalReader], order: Mapping[str, Any]) -> int:
    fields = {name: value for name, value in order.items() if name != "shard"}
    shard: int = order["shard"]
    return journals[shard].count(QuarantineFilter(**fields))


def payload_view(payload: bytes, shown: int, size: int = 0) -> dict[str, Any]:
    """The first `shown` bytes as text where they are plain text, else as base64.

    `size` is that of the whole payload where `payload` is only its beginning.
    """
    head, whole = payload[:shown], max(size, len(payload))
    text = _plain(head, whole > len(head))
    return {
        "encoding": "base64" if text is None else "text",
        "content": base64.b64encode(head).decode() if text is None else text,
        "bytes": whole,
        "truncated": whole > len(head),
    }


def _plain(head: bytes, cut: bool) -> str | None:
    """Text without control characters; a character that the cut went through is left out."""
    for spare in range(4 if cut else 1):
        try:
            text = head[: len(head) - spare].decode()
        except UnicodeDecodeError:
            continue
        return text if all(char.isprintable() or char in "\n\r\t" for char in text) else None
    return None
