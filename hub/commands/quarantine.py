# SPDX-License-Identifier: EUPL-1.2
"""Messages set aside, from the command line: looked at in the journals, changed by orders that ingest carries out.

A message's id is `<journal>-<row>` as in the API; the number that both make (`hub.ingest.shards.joined`) does as well.
"""

import base64
import getpass
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.commands._quarantine_orders import ORDER_SECONDS, carried_out, redriven_words, submit, total
from hub.core.errors import Invalid, NotFound
from hub.core.journal import STATES, Quarantined
from hub.core.ports import QuarantineFilter
from hub.core.reasons import REASONS, hint_of
from hub.core.windows import format_instant, parse_instant
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.shards import by_shard, joined, parted
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
    ids: Sequence[str] | None = None,
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
    return Selection(where, [message_id(text) for text in ids] if ids else None)


def message_id(text: str) -> int:
    """The number of a message from `<journal>-<row>`, or from itself."""
    found = re.fullmatch(r"(?:([0-9]{1,3})-)?([0-9]{1,12}|(?<!-)[0-9]{1,16})", text, re.ASCII)
    if found is None:
        raise Invalid(f"{text!r} is no message such as 0-17; take ids from `cityhub quarantine list`", "id")
    return int(found[2]) if found[1] is None else joined(int(found[1]), int(found[2]))


def id_words(message: int) -> str:
    """A message's id as people and the API write it."""
    return "{}-{}".format(*parted(message))


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
    if not rows:
        print("Quarantine: none")
        return
    lines = [("id", "received", "state", "reason", "topic"), *(_line(number, row) for number, row in rows)]
    widths = [max(map(len, column)) for column in list(zip(*lines, strict=True))[:-1]]
    most = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        text = "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1]])
        print(text if most is None or len(text) <= most else f"{text[: most - 1]}…")
    print("\nWhat is wrong and what to do: cityhub quarantine show ID")


def show(settings: Settings, wanted: str, *, json: bool) -> None:
    """Print one message, by id, with its whole payload."""
    message = message_id(wanted)
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
            print(f"{name.replace('_', ' '):12} {_tame(str(value))}")
    if not row.payload:
        print(f"\npayload: {'erased' if row.size else 'empty'}, {row.size} bytes")
        return
    print(f"\npayload, {row.size} bytes{', in hexadecimal' if text is None else ''}:")
    print(row.payload.hex(" ", 4) if text is None else text)


def redrive(settings: Settings, which: Selection, *, seconds: float = ORDER_SECONDS) -> None:
    """Leave the orders for ingest, and tell what came of them within some seconds, or why they wait."""
    parts = Parts(settings)
    done = carried_out(parts, submit(parts, "redrive", which.by_shard(parts.shards()), {}), "redrive", seconds)
    if done:
        print(redriven_words(done))


def purge(settings: Settings, which: Selection, why: str, *, ask: Callable[[str], bool] | None) -> None:
    """Erase payloads by order, after a question that says how many messages it is about."""
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
    parts = Parts(settings)
    orders = submit(parts, "purge", which.by_shard(parts.shards()), {"why": why, "by": getpass.getuser()})
    done = carried_out(parts, orders, "purge")
    if done:
        print(f"the payloads of {total(done, 'purged')} messages are erased")
    state = "purged" if which.where.state == "waiting" else which.where.state or "all"
    print(f"what is purged stays listed with --state {state}")


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
    """Put a foreign device on the list, and tell what became of what waits of it."""
    parts = Parts(settings)
    known = [found.name for found in parts.connectors()]
    if connector not in known:
        raise Invalid(f"no connector {connector!r}; there are {', '.join(known)}", "connector")
    with parts.ledger().open() as ledger:
        orders = ledger.ignored.add(connector, external_id, why=why, by=getpass.getuser())
    print(f"{external_id} of {connector} is ignored from now on")
    done = carried_out(parts, dict(enumerate(orders)), "ignore")
    if done:
        print(f"{total(done, 'ignored')} messages of it waited: dropped, counted as ignored")
        if shared := total(done, "waiting"):
            print(f"{shared} wait on: they also speak for devices that are not ignored")


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
    raise NotFound(f"no message {id_words(message)}; see `cityhub quarantine list --state all`")


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


def _line(number: int, row: Quarantined) -> tuple[str, str, str, str, str]:
    """One line of the list."""
    reason = f"{row.reason} \N{MULTIPLICATION SIGN}{row.stands_for}" if row.stands_for > 1 else row.reason
    return id_words(number), format_instant(row.received)[:19], row.state, reason, _tame(row.topic)


def _tame(text: str) -> str:
    """Text that does nothing to a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _plain(number: int, row: Quarantined) -> dict[str, object]:
    """A message as plain data; the payload as text where it is UTF-8, else as base64."""
    try:
        payload, encoding = row.payload.decode(), "text"
    except UnicodeDecodeError:
        payload, encoding = base64.b64encode(row.payload).decode(), "base64"
    return {
        "id": id_words(number),
        "received": format_instant(row.received),
        "topic": row.topic,
        "connector": row.connector or None,
        "external_id": row.external_id or None,
        "device": row.device or None,
        "reason": row.reason,
        "detail": row.detail,
        "hint": hint_of(row.reason, row.state)["en"],
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
