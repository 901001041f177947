# SPDX-License-Identifier: EUPL-1.2
"""Corrections from the command line; works on the ledger itself, so the file's rights are the credential.

The running engine sees a new correction by itself; without one it is seen at the next start.
"""

import asyncio
from typing import Any

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.corrections import WITHDRAW, check_correction, what
from hub.core.errors import NotFound
from hub.core.indicators import Correction
from hub.core.windows import Calendar, format_instant, parse_label
from hub.indicators.preview import Preview, preview
from hub.settings import Settings
from hub.storage.ledger import Ledger

_NOBODY = "preview"


def add(settings: Settings, device: str, *, reason: str, by: str, **given: Any) -> None:
    """Make a correction."""
    parts = Parts(settings)
    draft = _draft(parts, device, reason=reason, by=by, **given)
    with parts.ledger().open() as ledger:
        made = ledger.corrections.add(
            draft.device, draft.start, draft.end, draft.action, by=by, reason=reason, quantity=draft.quantity,
            flag=draft.flag, scale=draft.scale, shift=draft.shift,
        )  # fmt: skip
    print(f"correction {made.id}: {what(made)}, {_stretch(made)}")
    print(f"take it back with: cityhub corrections withdraw {made.id} --by ... --reason ...")


def withdraw(settings: Settings, correction: int, *, reason: str, by: str) -> None:
    """Take a correction back."""
    with Parts(settings).ledger().open() as ledger:
        made = ledger.corrections.withdraw(correction, by=by, reason=reason)
    print(f"correction {correction} is withdrawn ({made.id}): its readings are read as if it had never been made")


def list_corrections(settings: Settings, device: str | None, *, json: bool) -> None:
    """Print corrections in order of their ids."""
    with Parts(settings).ledger().open() as ledger:
        if device is not None:
            _require_known(ledger, device)
        every = ledger.corrections.after()
    gone = {row.withdraws: row.id for row in every if row.withdraws is not None}
    rows = [_view(row, gone.get(row.id)) for row in every if device in (None, row.device)]
    if json:
        print_json(rows)
        return
    print_table(
        "Corrections",
        ["id", "what", "from", "to", "by, reason", "state"],
        [(r["id"], r["what"], r["from"], r["to"], f"{r['by']}: {r['reason']}", r["state"]) for r in rows],
    )


def show_preview(settings: Settings, device: str, *, json: bool, **given: Any) -> None:
    """Print what a correction would touch."""
    parts = Parts(settings)
    draft = _draft(parts, device, reason=_NOBODY, by=_NOBODY, **given)
    found = asyncio.run(_looked_at(parts, draft))
    if json:
        print_json(
            {
                "what": what(draft),
                "readings": found.readings,
                "concerned": [row._asdict() | _ends(row.first, row.last) for row in found.concerned],
                "touched": [row._asdict() | _ends(row.first, row.last) for row in found.touched],
            }
        )
        return
    print(f"{what(draft)}, {_stretch(draft)}: {found.readings} stored readings")
    print_table(
        "Readings",
        ["quantity", "readings", "removed by others", "first", "last"],
        [(c.quantity, c.readings, c.removed_already, *_ends(c.first, c.last).values()) for c in found.concerned],
    )
    print_table(
        "Windows to compute again",
        ["indicator", "place", "windows", "first", "last"],
        [(t.indicator, t.place, t.windows, *_ends(t.first, t.last).values()) for t in found.touched],
    )


async def _looked_at(parts: Parts, draft: Correction) -> Preview:
    store = parts.store()
    try:
        with parts.ledger().open() as ledger:
            _require_known(ledger, draft.device)
            registry, made = ledger.devices.snapshot(), ledger.corrections.after()
        return await preview(draft, made, registry, parts.catalogue(), Calendar(parts.city().zone), store)
    finally:
        await store.close()


def _draft(
    parts: Parts,
    device: str,
    *,
    action: str,
    start: str,
    end: str,
    quantity: str | None,
    flag: int | None,
    scale: float | None,
    shift: float | None,
    reason: str,
    by: str,
) -> Correction:
    """A checked correction without id."""
    if quantity is not None:
        parts.quantities.get(quantity)
    city = Calendar(parts.city().zone)
    draft = Correction(
        id=0, device=device, quantity=quantity, start=parse_label(start, city), end=parse_label(end, city),
        action=action, flag=flag, by=by, reason=reason, scale=scale, shift=shift,
    )  # fmt: skip
    check_correction(draft)
    return draft


def _require_known(ledger: Ledger, device: str) -> None:
    if device not in ledger.devices.snapshot().known:
        raise NotFound(f"no device {device!r} is registered; `cityhub device list` names them", "device")


def _view(row: Correction, withdrawn_by: int | None) -> dict[str, Any]:
    state = "withdrawal" if row.action == WITHDRAW else f"withdrawn by {withdrawn_by}" if withdrawn_by else "in effect"
    return {
        "id": row.id,
        "what": what(row),
        "device": row.device,
        "quantity": row.quantity,
        "from": format_instant(row.start),
        "to": format_instant(row.end),
        "action": row.action,
        "flag": row.flag,
        "scale": row.scale,
        "shift": row.shift,
        "withdraws": row.withdraws,
        "by": row.by,
        "reason": row.reason,
        "made_at": format_instant(row.made_at),
        "state": state,
    }


def _stretch(c: Correction) -> str:
    return f"{format_instant(c.start)} to {format_instant(c.end)}"


def _ends(first: int, last: int) -> dict[str, str]:
    return {"first": format_instant(first), "last": format_instant(last)}
