# SPDX-License-Identifier: EUPL-1.2
"""The table of devices. A column that the table lacks leaves a device's field as it is; an empty cell empties it.

`mounted_from` empty means "ever since" for a new device, and "as it is" for a known one. Another place needs a
`mounted_from`: after the present one it is a move; the same as the present one corrects it.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from hub.core.cells import Cell, Grid
from hub.core.errors import Invalid
from hub.core.places import Device, Mounting, Place, PlaceKind, check_device_id, check_place_id
from hub.core.readings import Grade, Origin
from hub.core.windows import format_instant
from hub.devices.exchange._city import check_position
from hub.devices.exchange._columns import Cells, near, rows_of
from hub.devices.exchange._types import Basis, Fault, Plan, RowPlan, State, Wrong
from hub.devices.exchange._write import safe

COLUMNS: Mapping[str, str] = {  # canonical name: Czech name
    "id": "označení",
    "title": "název",
    "model": "typ zařízení",
    "connector": "konektor",
    "external_id": "vnější označení",
    "serial": "výrobní číslo",
    "interval_s": "interval s",
    "grade": "třída",
    "origin": "původ",
    "place": "místo",
    "place_title": "název místa",
    "latitude": "zeměpisná šířka",
    "longitude": "zeměpisná délka",
    "height_m": "výška m",
    "orientation_deg": "orientace",
    "mounted_from": "osazeno od",
    "owner": "vlastník",
    "tags": "štítky",
    "note": "poznámka",
}
W = TypeVar("W", Grade, Origin)
_AHEAD = 86_400_000_000_000
_NOT_COMPARED = {"registered_at", "revision"}


def device_table(basis: Basis, *, czech: bool = False) -> Sequence[Sequence[Cell]]:
    """All registered devices in order of id, under their headings."""
    rows = [_row(device, basis) for _, device in sorted(basis.registry.devices.items())]
    return [list(COLUMNS.values() if czech else COLUMNS), *rows]


def _row(device: Device, basis: Basis) -> Sequence[Cell]:
    mounting = next((m for m in device.mountings if m.end is None), None)
    place = basis.registry.places.get(mounting.place) if mounting else None
    return [
        *(safe(text) for text in (device.id, device.title, device.model, device.connector, device.external_id)),
        safe(device.serial),
        device.interval,
        str(device.grade.name.lower()),
        str(device.origin.name.lower()),
        mounting.place if mounting else "",
        safe(place.title.get("cs", "")) if place else "",
        place.latitude if place else None,
        place.longitude if place else None,
        mounting.height if mounting else None,
        mounting.orientation if mounting else None,
        format_instant(mounting.start) if mounting and mounting.start else "",
        *(safe(text) for text in (device.owner, ", ".join(device.tags), device.note)),
    ]


def plan_devices(grid: Grid, basis: Basis) -> Plan:
    """What becomes of each row; Invalid where the table as a whole is wrong."""
    rows, devices, made = list[RowPlan](), list[Device](), dict[str, Place]()
    first: dict[str, int] = {}
    names = {(d.connector, d.external_id): d.id for d in basis.registry.devices.values()}
    for cells in rows_of(grid, COLUMNS, basis):
        name = cells.text("id")
        try:
            if (same := first.setdefault(name, cells.number)) != cells.number:
                raise Wrong("id", f"{name!r} stands in row {same} already", f"{name!r} je už v řádku {same}")
            before = basis.registry.devices.get(name)
            device, site = _device(cells, name, before, made)
            _refuse_name(device, names)
        except Invalid as error:
            rows.append(RowPlan(row=cells.number, id=name, state=State.ERROR, faults=[_fault(error)]))
            continue
        if site is not None:
            made[site.id] = site
        fields = _differences(before, device)
        state = State.CREATE if before is None else State.CHANGE if fields else State.UNCHANGED
        rows.append(RowPlan(row=cells.number, id=name, state=state, fields=fields))
        devices.append(device)
    return Plan(rows=rows, places=sorted(made.values(), key=lambda p: p.id), devices=devices, notes=grid.notes)


def _device(cells: Cells, name: str, before: Device | None, made: Mapping[str, Place]) -> tuple[Device, Place | None]:
    try:
        check_device_id(name)
    except Invalid as error:
        cs = f"{name!r} není označení zařízení: 1 až 64 znaků A-Z a-z 0-9 _ -"
        raise Wrong("id", error.detail, cs) from error
    old = before or Device(id=name, connector="", external_id="")
    model = _model(cells, old.model)
    connector = _connector(cells, old.connector, model)
    site, mountings = _mountings(cells, old, made)
    return replace(
        old,
        connector=connector,
        external_id=cells.text("external_id", old.external_id) or name,
        title=cells.text("title", old.title),
        model=model,
        serial=cells.text("serial", old.serial),
        interval=_interval(cells, old.interval),
        grade=_word(cells, "grade", Grade, old.grade if before else _grade(cells.basis, model)),
        origin=_word(cells, "origin", Origin, old.origin),
        owner=cells.text("owner", old.owner),
        tags=_tags(cells, old.tags),
        note=cells.text("note", old.note),
        mountings=mountings,
    ), site


def _model(cells: Cells, default: str) -> str:
    model = cells.text("model", default).strip()
    if model and model != default and model not in cells.basis.models:
        hint = near(model, cells.basis.models)
        raise Wrong(
            "model",
            f"there is no model {model!r}" + (f"; did you mean {hint}?" if hint else ": leave it empty or choose one"),
            f"typ {model!r} neexistuje" + (f"; nemysleli jste {hint}?" if hint else ": nechte prázdné nebo vyberte"),
        )
    return model


def _connector(cells: Cells, default: str, model: str) -> str:
    known = cells.basis.models.get(model)
    connector = cells.text("connector", default).strip() or (known.connector if known else "")
    if not connector:
        raise Wrong(
            "connector",
            "is missing: it says how messages of the device are read" + (", and the model has none" if model else ""),
            "chybí: říká, jak se čtou zprávy zařízení" + (", a typ žádný nemá" if model else ""),
        )
    if connector != default and connector not in cells.basis.connectors:
        there = ", ".join(cells.basis.connectors)
        raise Wrong("connector", f"there is no {connector!r}; there are {there}", f"{connector!r} není; jsou {there}")
    return connector


def _grade(basis: Basis, model: str) -> Grade:
    known = basis.models.get(model)
    return known.device_grade if known else Grade.INFORMATIVE


def _interval(cells: Cells, default: int | None) -> int | None:
    interval = cells.whole("interval_s", default)
    if interval is not None and not 0 < interval <= 366 * 86_400:
        raise Wrong(
            "interval_s",
            f"{interval} s is no interval: give seconds above 0, or leave it empty",
            f"{interval} s není interval: uveďte sekundy větší než 0, nebo nechte prázdné",
        )
    return interval


def _word(cells: Cells, column: str, kind: type[W], default: W) -> W:
    text = cells.text(column).strip()
    if not text:
        return default
    try:
        return kind.of(text)
    except ValueError as error:
        words = ", ".join(one.name.lower() for one in kind)
        raise Wrong(column, f"{text!r} is none of {words}", f"{text!r} není nic z: {words}") from error


def _tags(cells: Cells, default: Sequence[str]) -> Sequence[str]:
    if "tags" not in cells.given:
        return default
    return tuple(tag.strip() for tag in cells.text("tags").split(",") if tag.strip())


def _mountings(cells: Cells, old: Device, made: Mapping[str, Place]) -> tuple[Place | None, Sequence[Mounting]]:
    open_ = next((m for m in old.mountings if m.end is None), None)
    place = cells.text("place", open_.place if open_ else "").strip()
    if not place:
        if open_ is not None:
            raise Wrong("place", "is empty, but the device stands somewhere: remove the device, or give its place",
                        "je prázdné, ale zařízení někde stojí: odeberte ho, nebo uveďte místo")  # fmt: skip
        return None, old.mountings
    site = _site(cells, place, made)
    start = cells.instant("mounted_from")
    if start is not None and start > cells.basis.now + _AHEAD:
        raise Wrong("mounted_from", "lies in the future", "leží v budoucnosti")
    if start is None and open_ is not None and open_.place != place:
        raise Wrong("mounted_from", f"is missing: since when is it at {place}?", f"chybí: odkdy je na místě {place}?")
    height = cells.number_in("height_m", open_.height if open_ else None)
    facing = cells.number_in("orientation_deg", open_.orientation if open_ else None)
    if facing is not None and not 0 <= facing < 360:
        raise Wrong("orientation_deg", f"{facing} is not within 0 to 360", f"{facing} není od 0 do 360")
    new = Mounting(place, start if start is not None else open_.start if open_ else 0, None, height, facing)
    closed = [m for m in old.mountings if m.end is not None]
    if open_ is not None and open_.place != place and new.start > open_.start:
        closed.append(Mounting(open_.place, open_.start, new.start, open_.height, open_.orientation))
    if any((m.end or 0) > new.start for m in closed):
        raise Wrong("mounted_from", "the device stood elsewhere then", "zařízení tehdy stálo jinde")
    return site, (*closed, new)


def _site(cells: Cells, place: str, made: Mapping[str, Place]) -> Place | None:
    """The site that has to be made, None when it is there."""
    try:
        check_place_id(place)
    except Invalid as error:
        cs = f"{place!r} není označení místa: obec/část/místo z a-z 0-9 _ -"
        raise Wrong("place", error.detail, cs) from error
    latitude, longitude = cells.number_in("latitude"), cells.number_in("longitude")
    there = cells.basis.registry.places.get(place) or made.get(place)
    if there is not None:
        if latitude is not None and (latitude, longitude) != (there.latitude, there.longitude):
            raise Wrong("latitude", f"{place} lies elsewhere: change it in the table of places",
                        f"{place} leží jinde: změňte to v tabulce míst")  # fmt: skip
        return None
    parent = place.rpartition("/")[0]
    if parent not in cells.basis.registry.places:
        hint = near(place, cells.basis.registry.places)
        raise Wrong(
            "place",
            f"there is no place {place!r}, nor {parent!r} to put it in" + (f"; did you mean {hint}?" if hint else ""),
            f"místo {place!r} neexistuje, ani {parent!r} nad ním" + (f"; nemysleli jste {hint}?" if hint else ""),
        )
    if latitude is None or longitude is None:
        raise Wrong("place", f"{place!r} is new: give its latitude and longitude",
                    f"{place!r} je nové: uveďte zeměpisnou šířku a délku")  # fmt: skip
    check_position(cells.basis, place, latitude, longitude)
    title = cells.text("place_title") or place.rpartition("/")[2]
    return Place(
        id=place, kind=PlaceKind.SITE, title={"cs": title, "en": title}, latitude=latitude, longitude=longitude
    )


def _refuse_name(device: Device, names: dict[tuple[str, str], str]) -> None:
    other = names.setdefault((device.connector, device.external_id), device.id)
    if other != device.id:
        raise Wrong(
            "external_id",
            f"{device.external_id!r} of {device.connector} is that of device {other!r}",
            f"{device.external_id!r} ({device.connector}) už má zařízení {other!r}",
        )


def _fault(error: Invalid) -> Fault:
    return error.fault if isinstance(error, Wrong) else Fault(error.where or "id", error.detail, error.detail)


def _differences(before: Device | None, after: Device) -> Mapping[str, tuple[object, object]]:
    fields = [name for name in after.__struct_fields__ if name not in _NOT_COMPARED]
    old = before or Device(id=after.id, connector="", external_id="")
    pairs = ((name, getattr(old, name), getattr(after, name)) for name in fields)
    return {name: (one, two) for name, one, two in pairs if _plain(one) != _plain(two)}


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
