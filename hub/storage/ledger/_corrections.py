# SPDX-License-Identifier: EUPL-1.2
"""Corrections: rows that change how stored readings are read. Append-only, so an id is a reader's position."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, select

from hub.core.errors import Invalid, NotFound
from hub.core.indicators import Correction
from hub.core.readings import Flag
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database
from hub.storage.ledger._rows import Row

ACTIONS = frozenset({"override_flag", "exclude"})
_C = t.correction.c


def check_correction(action: str, flag: int | None, start: int, end: int, by: str, reason: str) -> None:
    """Raise Invalid that names the field at fault."""
    flags = {int(known) for known in Flag}
    if action not in ACTIONS:
        raise Invalid(f"{action!r} is none of {', '.join(sorted(ACTIONS))}", "action")
    if action == "override_flag" and flag not in flags:
        raise Invalid(f"{flag!r} is none of {', '.join(map(str, sorted(flags)))}", "flag")
    if action == "exclude" and flag is not None:
        raise Invalid("exclude takes no flag", "flag")
    if end <= start:
        raise Invalid("must be after the start", "end")
    for name, text in (("by", by), ("reason", reason)):
        if not text.strip():
            raise Invalid("must not be empty: a correction says who made it and why", name)


class Corrections:
    """Adds and reads corrections."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        device: str,
        start: int,
        end: int,
        action: str,
        *,
        by: str,
        reason: str,
        quantity: str | None = None,
        flag: int | None = None,
    ) -> Correction:
        """Correct readings of a registered or former device in [start, end); all quantities unless one is named."""
        check_correction(action, flag, start, end, by, reason)
        row = {
            "device": device,
            "quantity": quantity,
            "applies_from": int(start),
            "applies_to": int(end),
            "action": action,
            "flag": None if flag is None else int(flag),
            "made_by": by,
            "reason": reason,
        }
        with self._database.write() as connection:
            _require_device(connection, device)
            now = self._clock()
            added = insert(t.correction).values(**row, made_at=now).returning(_C.id)
            number = int(connection.execute(added).scalar_one())
            record(connection, now, by, "correction.add", device, {"correction": number})
        return _correction({**row, "id": number})

    def after(self, after: int = 0) -> Sequence[Correction]:
        """Corrections with id greater than `after`, in order of id."""
        statement = select(t.correction).where(_C.id > after).order_by(_C.id)
        with self._database.read() as connection:
            return [_correction(row) for row in connection.execute(statement).mappings()]


def _require_device(connection: Connection, device: str) -> None:
    if connection.execute(select(t.device.c.id).where(t.device.c.id == device)).first() is None:
        raise NotFound(f"no device {device!r} is registered: check the id", "device")


def _correction(row: Row) -> Correction:
    return Correction(
        id=row["id"],
        device=row["device"],
        quantity=row["quantity"],
        start=row["applies_from"],
        end=row["applies_to"],
        action=row["action"],
        flag=row["flag"],
        by=row["made_by"],
        reason=row["reason"],
    )
