# SPDX-License-Identifier: EUPL-1.2
"""Registered devices from the command line; works on the ledger itself, so the file's rights are the credential."""

import getpass
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from msgspec import to_builtins
from msgspec.structs import replace

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid, NotFound
from hub.core.places import Device, Mounting, Place, PlaceKind, check_place_id
from hub.core.ports import DeviceBook
from hub.core.readings import Grade, Origin
from hub.core.registry import Hardware
from hub.core.windows import Calendar, format_instant, parse_label
from hub.settings import Settings
from hub.storage.ledger import Ledger

T = TypeVar("T", Grade, Origin)
NATIVE = "native"


def signed(by: str | None) -> str:
    """Who makes a change, for the record: what is said, else the login."""
    return by or getpass.getuser()


def list_devices(settings: Settings, *, json: bool, **wanted: str | None) -> None:
    """Print the devices that fit, with place, interval, grade and origin; `wanted` by field, `place` with all below."""
    with Parts(settings).ledger().open() as ledger:
        devices = [d for d in ledger.devices.snapshot().devices.values() if _fits(d, wanted)]
    rows = [_row(device) for device in devices]
    if json:
        print_json(rows)
    else:
        print_table("Devices", list(rows[0]) if rows else [], [list(row.values()) for row in rows])


def show_device(settings: Settings, device: str, *, json: bool) -> None:
    """Print all that is known of a device: its fields, where it stood, its hardware, certificates and remarks."""
    with Parts(settings).ledger().open() as ledger:
        found = _registered(ledger, device)
        subject = f"device:{device}"
        beside: Mapping[str, Sequence[Any]] = {
            "mountings": found.mountings,
            "hardware": ledger.devices.hardware(device),
            "certificates": ledger.records.certificates(device),
            "notes": ledger.records.notes(subject),
            "photos": ledger.records.photos(subject),
        }
    fields = _row(found) | {
        "model": found.model,
        "serial": found.serial,
        "owner": found.owner,
        "tags": list(found.tags),
        "note": found.note,
        "registered_at": format_instant(found.registered_at),
        "revision": found.revision,
    }
    rows = {name: [_timed(row) for row in kept] for name, kept in beside.items()}
    if json:
        print_json({**fields, **rows})
        return
    print_table(device, ["field", "value"], [(name, _cell(value)) for name, value in fields.items()])
    for name, kept in rows.items():
        if kept:
            print_table(name.capitalize(), list(kept[0]), [[_cell(value) for value in row.values()] for row in kept])


def add_device(
    settings: Settings, device: str, *, place: str | None, by: str | None, height: float | None,
    orientation: float | None, **given: Any,
) -> None:  # fmt: skip
    """Register one device, making its site when only that is missing; what is not given comes from its model."""
    parts = Parts(settings)
    if place is None and (height is not None or orientation is not None):
        raise Invalid("height and orientation say how it stands at a place: give --place too", "--place")
    fields = _of_model(parts, given.get("model")) | _fields(parts, given)
    mountings = (Mounting(place, 0, None, height, orientation),) if place else ()
    whole = {"connector": NATIVE, "external_id": device, **fields}
    with parts.ledger().open() as ledger:
        if place:
            ensure_site(ledger.devices, place, by=signed(by))
        ledger.devices.add_device(Device(id=device, mountings=mountings, **whole), by=signed(by))
    where = f" at {place}" if place else ""
    print(f"{device} is registered{where}; messages that wait for it are taken in now")


def change_device(settings: Settings, device: str, *, by: str | None, **given: Any) -> None:
    """Change the fields that are given."""
    parts = Parts(settings)
    fields = _fields(parts, given)
    if not fields:
        raise Invalid("nothing to change is given; see cityhub device change --help", "device")
    with parts.ledger().open() as ledger:
        before = _registered(ledger, device)
        after = ledger.devices.change_device(replace(before, **fields), by=signed(by), expected=before.revision)
    print(f"{device} is changed" if after != before else f"{device} is so already")


def move_device(
    settings: Settings, device: str, place: str, *, since: str | None, height: float | None,
    orientation: float | None, by: str | None,
) -> None:  # fmt: skip
    """Let a device stand at another place from a moment on."""
    parts = Parts(settings)
    with parts.ledger().open() as ledger:
        before = _registered(ledger, device)
        mounting = Mounting(place, _instant(parts, since), None, height, orientation)
        ledger.devices.mount(device, mounting, by=signed(by), expected=before.revision)
    print(f"{device} stands at {place} from {format_instant(mounting.start)} on")


def replace_device(
    settings: Settings, device: str, *, at: str | None, totals: Sequence[str], reason: str, serial: str,
    external_id: str | None, model: str | None, by: str | None,
) -> None:  # fmt: skip
    """Put another piece of hardware behind a device; its series and totals go on."""
    parts = Parts(settings)
    figures = dict(_total(parts, text) for text in totals)
    _of_model(parts, model)
    with parts.ledger().open() as ledger:
        before = _registered(ledger, device)
        hardware = Hardware(
            device=device,
            start=_instant(parts, at),
            serial=serial,
            external_id=external_id or before.external_id,
            model=before.model if model is None else model,
            reason=reason,
        )
        ledger.devices.replace_hardware(hardware, figures, by=signed(by), expected=before.revision)
    print(f"{device} has new hardware from {format_instant(hardware.start)} on; its series goes on")


def note_device(settings: Settings, device: str, text: str, *, by: str | None) -> None:
    """Leave a remark on a device."""
    with Parts(settings).ledger().open() as ledger:
        made = ledger.records.add_note(f"device:{device}", text, by=signed(by))
    print(f"note {made.id} on {device}")


def retire_device(
    settings: Settings, device: str, *, why: str, by: str | None, ask: Callable[[str], bool] | None
) -> int:
    """Take a device out of the registry; `ask` confirms. Exit code."""
    with Parts(settings).ledger().open() as ledger:
        found = _registered(ledger, device)
        called = f" ({found.title})" if found.title else ""
        if ask is not None and not ask(f"Retire {device}{called}? Its credential at the broker ends too."):
            print("nothing is changed")
            return 1
        ledger.devices.remove_device(device, by=signed(by), why=why)
    print(f"{device} is no longer registered; its readings and values stay")
    return 0


def ensure_site(book: DeviceBook, place: str, *, by: str = "") -> None:
    """Make a site below a known place; Invalid when the place above is missing too."""
    check_place_id(place)
    places = book.snapshot().places
    if place in places:
        return
    parent, _, name = place.rpartition("/")
    if parent not in places:
        known = ", ".join(sorted(p for p in places if p.count("/") <= 1))
        raise Invalid(f"there is no place {parent or place!r} to put it in; there are {known}", "--place")
    book.put_places([Place(id=place, kind=PlaceKind.SITE, title={"cs": name, "en": name})], by=by)


def word_of(kind: type[T], word: str, option: str) -> T:
    """Grade or origin by its word; Invalid names the option."""
    try:
        return kind.of(word)
    except ValueError as error:
        raise Invalid(str(error), option) from error


def _registered(ledger: Ledger, device: str) -> Device:
    found = ledger.devices.snapshot().devices.get(device)
    if found is None:
        raise NotFound(f"no device {device!r} is registered; `cityhub device list` names them", "device")
    return found


def _fits(device: Device, wanted: Mapping[str, str | None]) -> bool:
    below, tag, text = wanted.get("place"), wanted.get("tag"), wanted.get("text")
    exact = all(wanted.get(name) in (None, getattr(device, name)) for name in ("connector", "model", "owner"))
    said = "\n".join((device.id, device.title, device.external_id, device.serial)).casefold()
    return (
        exact
        and (below is None or f"{device.place or ''}/".startswith(f"{below}/"))
        and (tag is None or tag in device.tags)
        and (text is None or text.casefold() in said)
    )


def _row(device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "title": device.title,
        "connector": device.connector,
        "external_id": device.external_id,
        "place": device.place,
        "interval": device.interval,
        "grade": device.grade.word,
        "origin": device.origin.word,
    }


def _timed(row: Any) -> dict[str, Any]:
    """A record with its times in words and without what is the same in all rows."""
    times = ("start", "end", "at", "valid_from", "valid_to")
    fields = {name: value for name, value in to_builtins(row).items() if name not in ("device", "subject", "sha256")}
    return {n: format_instant(v) if n in times and v is not None else v for n, v in fields.items()}


def _cell(value: object) -> object:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _fields(parts: Parts, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given (None: not given), checked, as fields of a device."""
    fields = {name: value for name, value in given.items() if value is not None}
    names = [known.name for known in parts.connectors()]
    if fields.get("connector", names[0]) not in names:
        raise Invalid(f"no connector {fields['connector']!r}; there are {', '.join(names)}", "--connector")
    _of_model(parts, fields.get("model"))
    if "grade" in fields:
        fields["grade"] = word_of(Grade, fields["grade"], "--grade")
    if "origin" in fields:
        fields["origin"] = word_of(Origin, fields["origin"], "--origin")
    if "tags" in fields:
        fields["tags"] = tuple(tag for tag in fields["tags"] if tag)
    return fields


def _of_model(parts: Parts, model: str | None) -> dict[str, Any]:
    """What follows from a model; Invalid where there is none of this id."""
    if not model:
        return {}
    found = parts.models.get(model)
    if found is None:
        raise Invalid(f"no model {model!r}; `cityhub model list` names them", "--model")
    known = {"connector": found.connector or None, "interval": found.interval}
    fields = {name: value for name, value in known.items() if value is not None}
    return fields | {"grade": Grade.of(found.grade)}


def _instant(parts: Parts, text: str | None) -> int:
    return time.time_ns() if text is None else parse_label(text, Calendar(parts.city().zone))


def _total(parts: Parts, text: str) -> tuple[str, tuple[float, float]]:
    """`water_volume=1523.4:0` is the last total of the old meter and the first of the new one."""
    quantity, _, pair = text.partition("=")
    parts.quantities.get(quantity)
    try:
        old, new = (float(part) for part in pair.split(":"))
    except ValueError as error:
        raise Invalid(f"{text!r} is not <quantity>=<last of the old>:<first of the new>", "--total") from error
    return quantity, (old, new)
