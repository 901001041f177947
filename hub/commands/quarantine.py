# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside, from the command line: looked at in the journals, changed by orders that ingest carries out.

A message's id holds its journal (`hub.ingest.shards.joined`), so it is the same whatever else is listed.
"""

import base64
import getpass
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid, NotFound
from hub.core.journal import STATES, Quarantined
from hub.core.ports import QuarantineFilter
from hub.core.reasons import REASONS
from hub.core.windows import format_instant, parse_instant
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.shards import by_shard, joined
from hub.settings import Settings

_PAGE = 500
_COUNTS_AS = {
    ("message", "waiting"): "quarantined",
    ("message", "purged"): "quarantined (purged: it stays counted so)",
    ("message", "redriven"): "decoded",
    ("message", "ignored"): "ignored",
}


class Selection(NamedTuple):
    """Which messages, over all journals; `ids` hold their journal."""

    where: QuarantineFilter
    ids: Sequence[int] | None = None

    def by_shard(self, shards: int) -> Mapping[int, QuarantineFilter]:
        """The filter for each journal that is concerned."""
        if self.ids is None:
            return dict.fromkeys(range(shards), self.where)
        found = {shard: self.where._replace(ids=rows) for shard, rows in by_shard(self.ids).items()}
        missing = [shard for shard in found if shard >= shards]
        if missing:
            raise Invalid(f"there is no journal {missing[0]}; take ids from `cityhub quarantine list`", "--id")
        return found

    @property
    def narrow(self) -> bool:
        """Whether anything but the state is asked for."""
        return self.ids is not None or any(getattr(self.where, name) is not None for name in _NARROWING)


_NARROWING = ("reason", "connector", "external_id", "device", "topic", "since", "until")


def selection(
    *,
    state: str = "waiting",
    reason: str | None = None,
    connector: str | None = None,
    external_id: str | None = None,
    device: str | None = None,
    topic: str | None = None,
    since: str | None = None,
    until: str | None = None,
    ids: Sequence[int] | None = None,
) -> Selection:
    """Options of the command line, checked."""
    if reason is not None and reason not in REASONS:
        raise Invalid(f"no reason {reason!r}; there are {', '.join(REASONS)}", "--reason")
    if state not in (*STATES, "all"):
        raise Invalid(f"no state {state!r}; there are {', '.join(STATES)} and all", "--state")
    times = [None if text is None else parse_instant(text) for text in (since, until)]
    where = QuarantineFilter(
        None if state == "all" else state, reason, connector, external_id, None, device, topic, *times
    )
    return Selection(where, ids or None)


@contextmanager
def _journals(settings: Settings) -> Iterator[Sequence[SqliteJournalReader]]:
    journals = Parts(settings).journals()
    try:
        yield journals
    finally:
        for journal in journals:
            journal.close()


def list_quarantine(settings: Settings, which: Selection, *, limit: int, json: bool) -> None:
    """Print what was set aside and why, newest first."""
    with _journals(settings) as journals:
        rows = [
            (joined(shard, row.id), row)
            for shard, where in which.by_shard(len(journals)).items()
            for row in journals[shard].quarantine(where, limit=limit)
        ]
    rows = sorted(rows, key=lambda item: (-item[1].received, -item[0]))[:limit]
    if json:
        print_json([_plain(number, row) for number, row in rows])
        return
    columns = ["id", "received", "state", "topic", "reason", "detail", "what to do"]
    print_table("Quarantine", columns, [_line(number, row) for number, row in rows])


def show(settings: Settings, message: int, *, json: bool) -> None:
    """Print one message with its whole payload."""
    row = _single(settings, message)
    if json:
        print_json(_plain(message, row))
        return
    reason = REASONS.get(row.reason)
    fields = {
        **_plain(message, row),
        "reason": f"{row.reason}: {reason.title['en']}" if reason else row.reason,
        "retained": row.retain,
        "counts as": _counts_as(row),
    }
    del fields["payload"], fields["encoding"]
    text = _printable(row.payload)
    for name, value in fields.items():
        if value not in (None, "", []):
            print(f"{name.replace('_', ' '):12} {value}")
    if not row.payload:
        print(f"\npayload: {'erased' if row.size else 'empty'}, {row.size} bytes")
        return
    print(f"\npayload, {row.size} bytes{', in hexadecimal' if text is None else ''}:")
    print(row.payload.hex(" ", 4) if text is None else text)


def redrive(settings: Settings, which: Selection) -> None:
    """Leave the orders for ingest."""
    orders = _submit(settings, "redrive", which, {})
    print(f"{orders}: ingest takes the messages through again within a second; see `cityhub quarantine list`")


def purge(settings: Settings, which: Selection, why: str, *, ask: Callable[[str], bool] | None) -> None:
    """Leave the orders to erase payloads, after a question that says how many messages it is about."""
    if not which.narrow:
        raise Invalid("name at least one filter or --id: everything at once is never meant", "purge")
    if not why.strip():
        raise Invalid("say why: it is kept with the messages", "--why")
    with _journals(settings) as journals:
        matching = sum(journals[shard].count(where) for shard, where in which.by_shard(len(journals)).items())
    if not matching:
        raise NotFound("no message matches; see `cityhub quarantine list`")
    if ask is not None and not ask(f"Erase the payloads of {matching} messages for good?"):
        print("nothing was changed")
        return
    orders = _submit(settings, "purge", which, {"why": why, "by": getpass.getuser()})
    print(f"{orders}: ingest erases the payloads of {matching} messages; they stay listed with --state purged")


def export(settings: Settings, which: Selection, to: Path | None) -> None:
    """Write messages with whole payloads, a JSON object a line."""
    try:
        out = sys.stdout.buffer if to is None else to.open("xb")
    except OSError as error:
        raise Invalid(f"{to} cannot be made: {error.strerror}", "--to") from error
    written = 0
    try:
        with _journals(settings) as journals:
            for shard, where in which.by_shard(len(journals)).items():
                for row in _whole(journals[shard], where):
                    out.write(msgspec.json.encode(_plain(joined(shard, row.id), row)) + b"\n")
                    written += 1
    finally:
        if to is not None:
            out.close()
    if to is not None:
        print(f"{written} messages are in {to}; they may hold personal data")


def ignore(settings: Settings, connector: str, external_id: str, why: str) -> None:
    """Put a foreign device on the list."""
    parts = Parts(settings)
    known = [found.name for found in parts.connectors()]
    if connector not in known:
        raise Invalid(f"no connector {connector!r}; there are {', '.join(known)}", "connector")
    with parts.ledger().open() as ledger:
        order = ledger.ignored.add(connector, external_id, why=why, by=getpass.getuser())
    print(f"{external_id} of {connector} is ignored from now on; order {order}: what waits of it is counted as ignored")


def unignore(settings: Settings, connector: str, external_id: str) -> None:
    """Take a device off the list."""
    with Parts(settings).ledger().open() as ledger:
        ledger.ignored.remove(connector, external_id, by=getpass.getuser())
    print(f"{external_id} of {connector} is no longer ignored; what was dropped does not come back")


def list_ignored(settings: Settings, *, json: bool) -> None:
    """Print ignored devices."""
    with Parts(settings).ledger().open() as ledger:
        rows = [{**row._asdict(), "at": format_instant(row.at)} for row in ledger.ignored.all()]
    if json:
        print_json(rows)
    else:
        columns = ["connector", "external id", "why", "by", "since"]
        print_table("Ignored devices", columns, [list(row.values()) for row in rows])


def _single(settings: Settings, message: int) -> Quarantined:
    which = Selection(QuarantineFilter(state=None), [message])
    with _journals(settings) as journals:
        for shard, where in which.by_shard(len(journals)).items():
            for row in journals[shard].quarantine(where):
                return row
    raise NotFound(f"no message {message}; see `cityhub quarantine list --state all`")


def _submit(settings: Settings, kind: str, which: Selection, more: Mapping[str, object]) -> str:
    """One order for each journal that is concerned; returns their numbers in words."""
    parts = Parts(settings)
    shards, numbers = parts.shards(), []
    with parts.ledger().open() as ledger:
        for shard, where in which.by_shard(shards).items():
            fields = {name: value for name, value in where._asdict().items() if value is not None}
            fields["state"] = where.state
            of = {"shard": shard} if shards > 1 else {}
            numbers.append(ledger.commands.submit(kind, {**of, **fields, **more}))
    return f"order{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _whole(journal: SqliteJournalReader, where: QuarantineFilter) -> Iterator[Quarantined]:
    """Messages with whole payloads, in order of id; the list of ids is small, the payloads come page by page."""
    ids: list[int] = []
    after = 0
    while page := journal.quarantine(where, after, _PAGE):
        ids += [row.id for row in page]
        after = page[-1].id
    ids.reverse()
    for first in range(0, len(ids), _PAGE // 10):
        chunk = ids[first : first + _PAGE // 10]
        yield from reversed(journal.quarantine(where._replace(ids=chunk)))


def _line(number: int, row: Quarantined) -> Sequence[object]:
    detail = f"{row.stands_for} messages, this is one of them. {row.detail}" if row.stands_for > 1 else row.detail
    hint = row.why if row.state in {"purged", "ignored"} else _hint(row)
    return number, format_instant(row.received)[:19], row.state, row.topic, row.reason, detail, hint


def _hint(row: Quarantined) -> str:
    reason = REASONS.get(row.reason)
    return reason.hint["en"] if reason else "set by another release of the hub; see the detail"


def _plain(number: int, row: Quarantined) -> dict[str, object]:
    """A message as plain data; the payload as text where it is UTF-8, else as base64."""
    try:
        payload, encoding = row.payload.decode(), "text"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(row.payload).decode(), "base64"
    return {
        "id": number,
        "received": format_instant(row.received),
        "topic": row.topic,
        "connector": row.connector or None,
        "external_id": row.external_id or None,
        "device": row.device or None,
        "reason": row.reason,
        "detail": row.detail,
        "hint": _hint(row),
        "scope": row.scope,
        "conflicts": row.conflicts,
        "rejects": row.rejects,
        "state": row.state,
        "stands_for": row.stands_for,
        "attempts": row.attempts,
        "why": row.why or None,
        "by": row.by or None,
        "changed": format_instant(row.changed) if row.changed else None,
        "size": row.size,
        "encoding": encoding,
        "payload": payload,
    }


def _printable(payload: bytes) -> str | None:
    """Text that does nothing to a terminal, None where it is anything else."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    return text if all(char.isprintable() or char in "\n\t" for char in text) else None


def _counts_as(row: Quarantined) -> str:
    if row.state == "refused":
        return f"refused ({row.stands_for} messages; this is a sample)"
    parts = f"decoded, with {row.conflicts} readings in conflict and {row.rejects} rejected"
    return _COUNTS_AS.get((row.scope, row.state), parts)
