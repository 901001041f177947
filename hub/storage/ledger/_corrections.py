# SPDX-License-Identifier: EUPL-1.2
"""Corrections: rows that change how stored readings are read. Append-only, so an id is a reader's position.

The rules are those of `hub.core.corrections`; what needs the rows that are there is checked here, under the writer's
lock: whether the device exists, whether the same correction is in effect already (a request that was sent twice must
not calibrate twice), and whether what is withdrawn can be.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, insert, select

from hub.core.corrections import WITHDRAW, check_correction, in_effect, same_effect, statement_problems
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.indicators import Correction
from hub.core.ports import CorrectionBook
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database
from hub.storage.ledger._rows import Row

_C = t.correction.c
_NEW = 0  # an id is given by the database


class Corrections(CorrectionBook):
    """`CorrectionBook` on the ledger's database."""

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
        scale: float | None = None,
        shift: float | None = None,
    ) -> Correction:
        """Correct readings of a registered or former device in [start, end); all quantities unless one is named.

        Raises Invalid, NotFound (device), Exists (the same is in effect).
        """
        draft = Correction(
            id=_NEW, device=device, quantity=quantity, start=int(start), end=int(end), action=action,
            flag=None if flag is None else int(flag), by=by, reason=reason, scale=scale, shift=shift,
        )  # fmt: skip
        check_correction(draft)
        with self._database.write() as connection:
            _require_device(connection, device)
            for known in in_effect(_of_device(connection, device)):
                if same_effect(known, draft):
                    raise Exists(f"correction {known.id} of {known.by} does this already", "correction")
            return insert_correction(connection, self._clock(), draft, "correction.add")

    def withdraw(self, correction: int, *, by: str, reason: str) -> Correction:
        """Take a correction back; returns the row that does so. Raises NotFound, Exists (withdrawn before), Invalid."""
        for field, problem in statement_problems(by, reason):
            raise Invalid(problem, field)
        with self._database.write() as connection:
            target = _get(connection, correction)
            if target.action == WITHDRAW:
                raise Invalid(f"correction {target.id} is a withdrawal: make the correction anew instead", "correction")
            for known in _of_device(connection, target.device):
                if known.withdraws == target.id:
                    raise Exists(f"correction {target.id} was withdrawn by {known.by} ({known.id})", "correction")
            draft = Correction(
                id=_NEW, device=target.device, quantity=target.quantity, start=target.start, end=target.end,
                action=WITHDRAW, flag=None, by=by, reason=reason, withdraws=target.id,
            )  # fmt: skip
            return insert_correction(connection, self._clock(), draft, "correction.withdraw")

    def get(self, correction: int) -> Correction:
        """One correction; raises NotFound."""
        with self._database.read() as connection:
            return _get(connection, correction)

    def after(self, after: int = 0) -> Sequence[Correction]:
        """Corrections with id greater than `after`, in order of id."""
        statement = select(t.correction).where(_C.id > after).order_by(_C.id)
        with self._database.read() as connection:
            return [_correction(row) for row in connection.execute(statement).mappings()]


def insert_correction(connection: Connection, now: int, draft: Correction, action: str) -> Correction:
    """Write a correction that was checked, within the writer's transaction; returns it with its id."""
    row = {
        "device": draft.device,
        "quantity": draft.quantity,
        "applies_from": draft.start,
        "applies_to": draft.end,
        "action": draft.action,
        "flag": draft.flag,
        "scale": draft.scale,
        "shift": draft.shift,
        "withdraws": draft.withdraws,
        "made_by": draft.by,
        "reason": draft.reason,
        "made_at": now,
    }
    number = int(connection.execute(insert(t.correction).values(**row).returning(_C.id)).scalar_one())
    detail = {"correction": number} | ({"withdraws": draft.withdraws} if draft.withdraws else {})
    record(connection, now, draft.by, action, draft.device, detail)
    return _correction({**row, "id": number})


def _of_device(connection: Connection, device: str) -> Sequence[Correction]:
    statement = select(t.correction).where(_C.device == device).order_by(_C.id)
    return [_correction(row) for row in connection.execute(statement).mappings()]


def _get(connection: Connection, correction: int) -> Correction:
    row = connection.execute(select(t.correction).where(_C.id == correction)).mappings().first()
    if row is None:
        raise NotFound(f"there is no correction {correction}", "correction")
    return _correction(row)


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
        scale=row["scale"],
        shift=row["shift"],
        withdraws=row["withdraws"],
        made_at=row["made_at"],
    )
