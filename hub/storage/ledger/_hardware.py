# SPDX-License-Identifier: EUPL-1.2
"""Another piece of hardware behind a device, within a writer's transaction.

A new meter begins to count elsewhere than the old one ended. The difference becomes a correction from the moment of the
replacement on: what was stored stays as reported, and every figure sees the totals go on. Corrections add up: one of an
earlier replacement goes on beneath the one of the next, so totals are given as the meters show them.
"""

from collections.abc import Mapping

from msgspec.structs import replace
from sqlalchemy import Connection, insert, update

from hub.core.corrections import CALIBRATE, check_correction
from hub.core.errors import Invalid
from hub.core.indicators import Correction
from hub.core.places import Device
from hub.core.readings import NS
from hub.core.registry import Hardware
from hub.core.windows import format_instant
from hub.storage.ledger import _tables as t
from hub.storage.ledger._corrections import insert_correction
from hub.storage.ledger._device_rows import hardware_row, read_hardware

FOR_EVER = 4_102_444_800 * NS  # 2100-01-01: until then a correction of a replacement goes on


def continue_totals(
    connection: Connection, at: int, hardware: Hardware, totals: Mapping[str, tuple[float, float]], by: str
) -> Mapping[str, float]:
    """Make the corrections by which totals go on; returns what is added, by quantity. Raise Invalid."""
    shifts = {name: last - first for name, (last, first) in sorted(totals.items())}
    for quantity, shift in shifts.items():
        if shift != 0:  # the new meter was set to where the old one ended
            draft = _correction(hardware, quantity, shift, by)
            check_correction(draft)
            insert_correction(connection, at, draft, "correction.add")
    return shifts


def _correction(hardware: Hardware, quantity: str, shift: float, by: str) -> Correction:
    serial = f" (serial number {hardware.serial})" if hardware.serial else ""
    return Correction(
        id=0, device=hardware.device, quantity=quantity, start=hardware.start, end=FOR_EVER, action=CALIBRATE,
        flag=None, by=by or "registry", reason=f"meter replaced{serial}: totals go on", scale=1.0, shift=shift,
    )  # fmt: skip


def put_hardware(connection: Connection, device: Device, new: Hardware) -> None:
    """End the present piece, and begin the new one; raise Invalid when it begins before the present one did."""
    known = read_hardware(connection, device)
    last = known[-1]
    if len(known) == 1 and new.start <= last.start:
        last = replace(last, start=min([0, *(m.start for m in device.mountings)]))  # it was there before it was listed
    if new.start <= last.start:
        raise Invalid(
            f"the hardware of now is there since {format_instant(last.start)}: the new one must come after it", "start"
        )
    if len(known) == 1:
        connection.execute(insert(t.hardware), hardware_row(replace(last, end=new.start)))
    else:
        one = update(t.hardware).where(t.hardware.c.device == device.id, t.hardware.c.used_to.is_(None))
        connection.execute(one.values(used_to=new.start, document=hardware_row(last)["document"]))
    connection.execute(insert(t.hardware), hardware_row(replace(new, end=None)))
