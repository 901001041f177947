# SPDX-License-Identifier: EUPL-1.2
"""What devices, places and facilities have to be like: all pure. Invalid names the field at fault."""

import math
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from hub.core.errors import Invalid
from hub.core.places import Device, Mounting, Place, PlaceKind, check_device_id, check_place_id
from hub.core.registry import FACILITY_CATEGORIES, Facility
from hub.storage.ledger._mountings import check_mountings

_ABOVE: Mapping[PlaceKind, frozenset[PlaceKind]] = {
    PlaceKind.MUNICIPALITY: frozenset(),
    PlaceKind.PART: frozenset({PlaceKind.MUNICIPALITY, PlaceKind.PART}),
    PlaceKind.FACILITY: frozenset({PlaceKind.MUNICIPALITY, PlaceKind.PART, PlaceKind.FACILITY}),
    PlaceKind.SITE: frozenset({PlaceKind.MUNICIPALITY, PlaceKind.PART, PlaceKind.FACILITY, PlaceKind.SITE}),
}
_LONGEST: Mapping[str, int] = {
    "connector": 64, "external_id": 200, "title": 200, "model": 100, "serial": 100, "owner": 100, "note": 4000
}  # fmt: skip
_LONGEST_FACILITY: Mapping[str, int] = {
    "capacity_unit": 50, "opening_hours": 500, "operator": 200, "address": 300, "phone": 100, "web": 500, "owner": 100
}  # fmt: skip
_TAGS, _TAG = 50, 50
_HIGHEST = 1_000.0  # m above or below the ground


def check_device(device: Device) -> None:
    """Raise Invalid that names the field at fault."""
    check_device_id(device.id)
    for name in ("connector", "external_id"):
        if not getattr(device, name):
            raise Invalid("must not be empty: it is how messages of the device are recognised", name)
    for name, most in _LONGEST.items():
        _check_text(getattr(device, name), name, most, lines=name == "note")
    if device.interval is not None and device.interval <= 0:
        raise Invalid(f"{device.interval} s is no interval: give seconds above 0, or leave it out", "interval")
    _check_tags(device.tags)
    check_mountings(device.mountings)
    for mounting in device.mountings:
        check_stand(mounting)


def check_stand(mounting: Mounting) -> None:
    """Raise Invalid unless height and orientation can be."""
    height, orientation = mounting.height, mounting.orientation
    if height is not None and not abs(height) <= _HIGHEST:  # NaN fails too
        raise Invalid(f"{height} m is no height above the ground: -1000 to 1000", "height")
    if orientation is not None and not 0 <= orientation < 360:
        raise Invalid(f"{orientation} is no orientation: 0 <= degrees < 360, clockwise from north", "orientation")


def _check_tags(tags: Sequence[str]) -> None:
    if len(tags) > _TAGS:
        raise Invalid(f"{len(tags)} tags; at most {_TAGS}", "tags")
    for tag in tags:
        _check_text(tag, "tags", _TAG)
        if not tag.strip() or "," in tag:
            raise Invalid(f"{tag!r} is no tag: some text without comma", "tags")


def _check_text(text: str, name: str, most: int, *, lines: bool = False) -> None:
    if len(text) > most:
        raise Invalid(f"has {len(text)} characters; at most {most}", name)
    if any(unicodedata.category(c) in {"Cc", "Cs"} and not (lines and c in "\n\r\t") for c in text):
        raise Invalid(f"{text!r} holds a control character: take it out", name)


def check_place(place: Place) -> None:
    """Raise Invalid unless the place can be, whatever lies around it."""
    check_place_id(place.id)
    if (place.parent is None) != (place.kind == PlaceKind.MUNICIPALITY):
        raise Invalid(
            f"{place.id!r} is a {place.kind}: the first part of a place id is the municipality, and only that", "place"
        )
    for title in place.title.values():
        _check_text(title, "title", 200)
    for name, degrees, most in (("latitude", place.latitude, 90), ("longitude", place.longitude, 180)):
        if degrees is not None and not abs(degrees) <= most:
            raise Invalid(f"{degrees} is no {name} (WGS 84 degrees, -{most} to {most})", name)
    if place.population is not None and place.population < 0:
        raise Invalid(f"{place.population} people cannot live at {place.id!r}", "population")


def check_tree(changed: Mapping[str, Place], tree: Mapping[str, Place]) -> None:
    """Raise Invalid unless places that change lie below kinds they may lie below; `tree` has all as they will be.

    A part of the city lies in a municipality, never in a site; what lies below a changed place is looked at too.
    """
    for place in (*changed.values(), *_children(changed, tree)):
        above = tree[place.parent] if place.parent is not None else None
        if above is not None and above.kind not in _ABOVE[place.kind]:
            allowed = " or ".join(sorted(_ABOVE[place.kind]))
            raise Invalid(
                f"{place.id!r} is a {place.kind} and lies in {above.id!r}, a {above.kind}: "
                f"a {place.kind} lies in a {allowed}",
                "kind",
            )


def _children(changed: Mapping[str, Place], tree: Mapping[str, Place]) -> Iterator[Place]:
    if changed:
        yield from (p for p in tree.values() if p.parent in changed and p.id not in changed)


def check_facility(facility: Facility, place: Place) -> None:
    """Raise Invalid unless this can be at the place."""
    if place.kind not in {PlaceKind.FACILITY, PlaceKind.SITE}:
        raise Invalid(f"{place.id!r} is a {place.kind}: people are served at a facility or a site", "place")
    if facility.category not in FACILITY_CATEGORIES:
        raise Invalid(f"{facility.category!r} is none of {', '.join(FACILITY_CATEGORIES)}", "category")
    capacity = facility.capacity
    if capacity is not None and not (math.isfinite(capacity) and capacity >= 0):
        raise Invalid(f"{capacity} is no capacity: 0 or more", "capacity")
    for name, most in _LONGEST_FACILITY.items():
        _check_text(getattr(facility, name), name, most, lines=name in {"opening_hours", "address"})
