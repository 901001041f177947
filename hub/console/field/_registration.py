# SPDX-License-Identifier: EUPL-1.2
"""From a form that somebody began to a registered device. The draft is kept on the server after every step.

What is checked here are forms; what makes a registry (double ids, known places) is checked by the ledger alone. A new
site is made just before its device, and taken away again where the device is refused.
"""

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import structs

from hub.console.field._forms import Wrong, line, number, slug, whole
from hub.console.field._sites import Position, outside
from hub.console.services import RegistryPorts
from hub.core.errors import Invalid
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot, check_device_id
from hub.core.ports import Issued
from hub.core.readings import Grade
from hub.core.rights import Action, Caller
from hub.devices.models import DeviceModel

DIRECT = "native"
DEVICE_FIELDS = ("sticker", "find", "model", "title", "id", "connector", "external_id", "serial", "interval")
SITE_FIELDS = ("place", "site_name", "part", "latitude", "longitude", "height", "orientation")
LEDGER_FIELDS = {"id": "id", "external_id": "external_id", "interval": "interval", "place": "place", "model": "model"}
_EUI_DIGITS = 16

Form = Mapping[str, str]


class Registered(NamedTuple):
    """A device that was registered, and the secret that it shows from now on (None behind a network server)."""

    device: Device
    issued: Issued | None


def position(form: Form, registry: RegistrySnapshot) -> Position | None:
    """Where the form says it is; Wrong where that is not in the city."""
    latitude = number(form.get("latitude", ""), "latitude", -90, 90)
    longitude = number(form.get("longitude", ""), "longitude", -180, 180)
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise Wrong("latitude", "position_half")
    at = Position(latitude, longitude)
    if (far := outside(at, registry.places.values())) is not None:
        raise Wrong("latitude", "outside", distance=f"{far:.0f}")
    return at


def device_of(form: Form, models: Mapping[str, DeviceModel], registry: RegistrySnapshot) -> Device:
    """The device that the first step describes, mounted nowhere yet."""
    title = line(form.get("title", ""), "title", 100, needed=True)
    model = models.get(form.get("model", ""))
    connector = form.get("connector", "") or (model.connectors[0] if model else DIRECT)
    external = line(form.get("external_id", ""), "external_id", 256, needed=connector != DIRECT)
    id_ = line(form.get("id", ""), "id", 200) or slug(title, registry.known.keys())
    try:
        check_device_id(id_)
    except Invalid as error:
        raise Wrong("id", "bad_id") from error
    if id_ in registry.known:
        raise Wrong("id", "exists")
    interval = whole(form.get("interval", ""), "interval", 1, 32 * 86_400)
    return Device(
        id=id_,
        connector=connector,
        external_id=_name(external, connector) or id_,
        title=title,
        interval=interval or (model.interval if model else None),
        grade=Grade.of(model.grade) if model else Grade.INFORMATIVE,
        model=model.id if model else "",
        serial=line(form.get("serial", ""), "serial", 100),
    )


def _name(external: str, connector: str) -> str:
    """How messages name the device: a DevEUI without separators, in lower case, for the LoRaWAN network servers."""
    if connector not in {"chirpstack", "ttn"}:
        return external
    digits = "".join(letter for letter in external.lower() if letter not in " -:")
    if connector == "chirpstack" and (len(digits) != _EUI_DIGITS or set(digits) - set("0123456789abcdef")):
        raise Wrong("external_id", "bad_eui")
    return digits if connector == "chirpstack" else external


def site_of(form: Form, registry: RegistrySnapshot) -> tuple[str, Place | None]:
    """Id of the chosen site, and the place to make where it is a new one."""
    name, at = line(form.get("site_name", ""), "site_name", 100), position(form, registry)
    if not name:
        chosen = form.get("place", "")
        if not chosen:
            raise Wrong("place", "site_needed")
        if chosen not in registry.places:
            raise Wrong("place", "site_unknown")
        return chosen, None
    part = form.get("part", "")
    if part not in registry.places:
        raise Wrong("part", "part_needed")
    taken = {id_.rpartition("/")[2] for id_ in registry.places if id_.startswith(f"{part}/")}
    place = f"{part}/{slug(name, taken, 60)}"
    latitude, longitude = (at.latitude, at.longitude) if at else (None, None)
    title = {"cs": name, "en": name}
    return place, Place(id=place, kind=PlaceKind.SITE, title=title, latitude=latitude, longitude=longitude)


def register(
    ports: RegistryPorts, form: Form, models: Mapping[str, DeviceModel], caller: Caller, now: int
) -> Registered:
    """Make the site where it is new, the device, and its secret where it connects directly. Raise Wrong, Invalid."""
    registry = ports.book.snapshot()
    device = device_of(form, models, registry)
    place, new = site_of(form, registry)
    mounting = Mounting(
        place,
        now,
        None,
        number(form.get("height", ""), "height", -100, 500),
        number(form.get("orientation", ""), "orientation", 0, 360),
    )
    owner = caller.partner if caller.bounded(Action.DEVICES) else ""
    if new is not None:
        ports.book.put_places([new], by=caller.name)
    try:
        made = ports.book.add_device(_with(device, mounting, owner), by=caller.name)
    except Invalid:
        if new is not None:
            ports.book.remove_place(new.id, by=caller.name)
        raise
    issue = device.connector == DIRECT and caller.may(Action.CREDENTIALS)
    return Registered(made, ports.credentials.issue(made.id, by=caller.name) if issue else None)


def _with(device: Device, mounting: Mounting, owner: str) -> Device:
    return structs.replace(device, mountings=[mounting], owner=owner)
