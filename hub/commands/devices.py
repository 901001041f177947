# SPDX-License-Identifier: EUPL-1.2
"""Registered devices from the command line; works on the ledger itself, so the file's rights are the credential."""

from typing import TypeVar

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid
from hub.core.places import Device, Mounting, Place, PlaceKind, check_place_id
from hub.core.ports import DeviceBook
from hub.core.readings import Grade, Origin
from hub.settings import Settings

T = TypeVar("T", Grade, Origin)


def list_devices(settings: Settings, *, json: bool) -> None:
    """Print all devices with place, interval, grade and origin."""
    with Parts(settings).ledger().open() as ledger:
        devices = ledger.devices.snapshot().devices.values()
    rows = [
        {
            "id": device.id,
            "title": device.title,
            "connector": device.connector,
            "external_id": device.external_id,
            "place": device.place,
            "interval": device.interval,
            "grade": device.grade.word,
            "origin": device.origin.word,
        }
        for device in devices
    ]
    if json:
        print_json(rows)
    else:
        print_table("Devices", list(rows[0]) if rows else [], [list(row.values()) for row in rows])


def add_device(
    settings: Settings,
    device: str,
    *,
    place: str,
    title: str,
    connector: str,
    external_id: str | None,
    interval: int | None,
    grade: str,
    origin: str,
) -> None:
    """Register one device, making its site when only that is missing."""
    parts = Parts(settings)
    names = [known.name for known in parts.connectors()]
    if connector not in names:
        raise Invalid(f"no connector {connector!r}; there are {', '.join(names)}", "--connector")
    with parts.ledger().open() as ledger:
        ensure_site(ledger.devices, place)
        ledger.devices.add_device(
            Device(
                id=device,
                connector=connector,
                external_id=external_id or device,
                title=title,
                interval=interval,
                grade=word_of(Grade, grade, "--grade"),
                origin=word_of(Origin, origin, "--origin"),
                mountings=(Mounting(place, 0),),
            )
        )
    print(f"{device} is registered at {place}; messages that wait for it are taken in now")


def remove_device(settings: Settings, device: str) -> None:
    """Forget a registration."""
    with Parts(settings).ledger().open() as ledger:
        ledger.devices.remove_device(device)
    print(f"{device} is no longer registered; its readings and values stay")


def ensure_site(book: DeviceBook, place: str) -> None:
    """Make a site below a known place; Invalid when the place above is missing too."""
    check_place_id(place)
    places = book.snapshot().places
    if place in places:
        return
    parent, _, name = place.rpartition("/")
    if parent not in places:
        known = ", ".join(sorted(p for p in places if p.count("/") <= 1))
        raise Invalid(f"there is no place {parent or place!r} to put it in; there are {known}", "--place")
    book.put_places([Place(id=place, kind=PlaceKind.SITE, title={"cs": name, "en": name})])


def word_of(kind: type[T], word: str, option: str) -> T:
    """Grade or origin by its word; Invalid names the option."""
    try:
        return kind.of(word)
    except ValueError as error:
        raise Invalid(str(error), option) from error
