# SPDX-License-Identifier: EUPL-1.2
"""What a technician changes on a device's page: remarks, access, moves, hardware, maintenance. One table of changes."""

from collections.abc import Mapping
from datetime import datetime, tzinfo

from hub.console.field._forms import Wrong, line, number
from hub.console.services import RegistryPorts
from hub.core.corrections import MAINTENANCE
from hub.core.errors import NotFound
from hub.core.places import Device, Mounting
from hub.core.readings import NS
from hub.core.registry import Hardware
from hub.core.rights import Action, Caller

Form = Mapping[str, str]
TOTAL_LIMIT = 1e15
NEEDS: Mapping[str, Action] = {"disable": Action.CREDENTIALS, "maintenance": Action.CORRECT}  # beside DEVICES
SURE = frozenset({"disable", "retire"})


def moment(text: str, field: str, zone: tzinfo, otherwise: int | None = None) -> int:
    """Local time of a form in ns; `otherwise` for nothing typed."""
    if not text.strip():
        if otherwise is None:
            raise Wrong(field, "needed")
        return otherwise
    try:
        given = datetime.fromisoformat(text.strip())
        local = given if given.tzinfo else given.replace(tzinfo=zone)
        return int(local.timestamp()) * NS
    except (ValueError, OverflowError) as error:
        raise Wrong(field, "no_time") from error


def change(ports: RegistryPorts, device: Device, what: str, form: Form, caller: Caller, now: int, zone: tzinfo) -> None:
    """Do it. Raise Wrong at the form's field, Invalid where the ledger refuses, NotFound for an unknown change."""
    why, by = form.get("why", "").strip(), caller.name
    if what == "note":
        ports.records.add_note(f"device:{device.id}", form.get("text", "").strip(), by=by)
    elif what == "disable":
        ports.credentials.disable(device.id, by=by, why=why)
    elif what == "retire":
        ports.book.remove_device(device.id, by=by, why=why)
    elif what == "move":
        _move(ports, device, form, by, now, zone)
    elif what == "hardware":
        _hardware(ports, device, form, by, now, zone)
    elif what == "maintenance":
        start, end = moment(form.get("from", ""), "from", zone, now), moment(form.get("to", ""), "to", zone)
        reason = line(form.get("maintenance_reason", ""), "maintenance_reason", 1000, needed=True)
        ports.corrections.add(device.id, start, end, MAINTENANCE, by=by, reason=reason)
    else:
        raise NotFound(f"there is no action {what!r}")


def _move(ports: RegistryPorts, device: Device, form: Form, by: str, now: int, zone: tzinfo) -> None:
    place = form.get("place", "")
    if place not in ports.book.snapshot().places:
        raise Wrong("place", "site_unknown" if place else "site_needed")
    mounting = Mounting(
        place,
        moment(form.get("moved_at", ""), "moved_at", zone, now),
        None,
        number(form.get("height", ""), "height", -100, 500),
        number(form.get("orientation", ""), "orientation", 0, 360),
    )
    ports.book.mount(device.id, mounting, by=by)


def _hardware(ports: RegistryPorts, device: Device, form: Form, by: str, now: int, zone: tzinfo) -> None:
    totals = {}
    for field in [name for name in form if name.startswith("last-")]:
        quantity = field.removeprefix("last-")
        last = number(form[field], field, -TOTAL_LIMIT, TOTAL_LIMIT)
        first = number(form.get(f"first-{quantity}", ""), f"first-{quantity}", -TOTAL_LIMIT, TOTAL_LIMIT)
        if (last is None) != (first is None):
            raise Wrong(field, "total_half")
        if last is not None and first is not None:
            totals[quantity] = (last, first)
    new = Hardware(
        device=device.id,
        start=moment(form.get("replaced_at", ""), "replaced_at", zone, now),
        serial=line(form.get("new_serial", ""), "new_serial", 100, needed=True),
        external_id=line(form.get("new_external_id", ""), "new_external_id", 256) or device.external_id,
        model=device.model,
        reason=line(form.get("reason", ""), "reason", 1000, needed=True),
        by=by,
    )
    ports.book.replace_hardware(new, totals, by=by)
