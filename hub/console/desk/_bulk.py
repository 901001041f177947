# SPDX-License-Identifier: EUPL-1.2
"""Changes of many devices: what each needs to be given, what it is called when it is asked for, and how it is done.

Whether the caller may change every one of the devices is asked before the first is touched. Then they are changed one
at a time, so that each stands in the audit log and none waits for all; where one cannot be changed, the work stops and
says how far it came. New secrets are the exception: those made are handed out, however far it came.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from hub.console.desk._frame import Visit
from hub.core.corrections import MAINTENANCE
from hub.core.errors import HubError, Invalid, NotFound
from hub.core.places import Device, Mounting
from hub.core.ports import Issued
from hub.core.rights import Action, Caller
from hub.core.windows import HOUR

_MOST_HOURS = 8760


class Order(NamedTuple):
    """What is to be done: `given` is the tag, model, place, hours or reason."""

    kind: str
    given: str
    devices: Sequence[str]


class Outcome(NamedTuple):
    """How far it came; `stopped` is (device, why) where it could not go on."""

    done: int
    secrets: Sequence[Issued] = ()
    stopped: tuple[str, str] | None = None


class Kind(NamedTuple):
    """A kind of change: the right that it needs, the field to fill in ("" for none), how one device is changed."""

    action: Action
    field: str
    change: Callable[[Visit, Caller, Device, str], Issued | None]


def _tag(v: Visit, caller: Caller, device: Device, given: str) -> None:
    if given not in device.tags:
        after = replace(device, tags=[*device.tags, given])
        v.desk.book.change_device(after, by=caller.name, expected=device.revision)


def _model(v: Visit, caller: Caller, device: Device, given: str) -> None:
    if given != device.model:
        v.desk.book.change_device(replace(device, model=given), by=caller.name, expected=device.revision)


def _move(v: Visit, caller: Caller, device: Device, given: str) -> None:
    if given != device.place:
        mounting = Mounting(given, v.desk.console.clock_ns())
        v.desk.book.mount(device.id, mounting, by=caller.name, expected=device.revision)


def _maintenance(v: Visit, caller: Caller, device: Device, given: str) -> None:
    now = v.desk.console.clock_ns()
    end = now + int(float(given) * HOUR)
    v.desk.corrections.add(device.id, now, end, MAINTENANCE, by=caller.name, reason=v.t("bulk_maintenance"))


def _retire(v: Visit, caller: Caller, device: Device, given: str) -> None:
    v.desk.book.remove_device(device.id, by=caller.name, why=given)


def _rotate(v: Visit, caller: Caller, device: Device, _: str) -> Issued:
    ports = v.desk.console.ports
    if ports is None or ports.credentials.get(device.id) is None:
        raise NotFound(v.t("without_credential"), "credential")
    return ports.credentials.rotate(device.id, by=caller.name)


KINDS: Mapping[str, Kind] = {
    "tag": Kind(Action.DEVICES, "tag", _tag),
    "model": Kind(Action.DEVICES, "model", _model),
    "move": Kind(Action.DEVICES, "place", _move),
    "maintenance": Kind(Action.CORRECT, "hours", _maintenance),
    "retire": Kind(Action.DEVICES, "reason", _retire),
    "rotate": Kind(Action.CREDENTIALS, "", _rotate),
}


def check(v: Visit, caller: Caller, order: Order) -> Sequence[Device]:
    """The devices of an order as they are now. Raise NotFound, Invalid where one, or what is given, is wrong."""
    kind, registered = KINDS[order.kind], v.desk.book.snapshot().devices
    if kind.field and not order.given:
        raise Invalid(v.t("give_value"), v.t(kind.field))
    if order.kind == "maintenance":
        _check_hours(v, order.given)
    for name in order.devices:
        if name not in registered:
            raise NotFound(v.t("no_detail"), name)
        if not caller.reaches(kind.action, registered[name].owner):
            raise Invalid(v.t("refused"), registered[name].title or name)
    found = [registered[name] for name in order.devices]
    if order.kind == "rotate":
        _check_credentials(v, found)
    return found


def _check_hours(v: Visit, given: str) -> None:
    try:
        fits = 1 <= float(given) <= _MOST_HOURS
    except ValueError:
        fits = False
    if not fits:
        raise Invalid(v.t("bad_hours"), v.t("hours"))


def _check_credentials(v: Visit, devices: Sequence[Device]) -> None:
    ports = v.desk.console.ports
    known = {one.username for one in ports.credentials.all()} if ports else set()
    lacking = next((device for device in devices if device.id not in known), None)
    if lacking is not None:
        raise Invalid(v.t("without_credential"), lacking.title or lacking.id)


def carry_out(v: Visit, caller: Caller, order: Order) -> Outcome:
    """Do it. Raise what `check` raises before anything is changed."""
    change, secrets, done = KINDS[order.kind].change, list[Issued](), 0
    for device in check(v, caller, order):
        try:
            issued = change(v, caller, device, order.given)
        except HubError as error:
            return Outcome(done, secrets, (device.title or device.id, str(error)))
        secrets += [issued] if issued else []
        done += 1
    return Outcome(done, secrets)


def secrets_csv(secrets: Sequence[Issued]) -> str:
    """User names and secrets as a table."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(["username", "secret"])
    rows.writerows([issued.credential.username, issued.secret] for issued in secrets)
    return out.getvalue()
