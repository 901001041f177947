# SPDX-License-Identifier: EUPL-1.2
"""Places and devices as everybody sees them.

A place id is its path in the tree `municipality/part/facility or site`, so it always begins with its municipality.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from hub.core.errors import Invalid
from hub.core.readings import Grade, Origin

_DEVICE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLACE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}(/[a-z0-9][a-z0-9_-]{0,62}){0,3}")


class PlaceKind(StrEnum):
    """Level of a place in the tree."""

    MUNICIPALITY = "municipality"
    PART = "part"
    FACILITY = "facility"
    SITE = "site"


class Place(Struct, frozen=True, kw_only=True):
    """A node of the place tree. `title` has the keys `cs` and `en`; coordinates are WGS 84 degrees."""

    id: str
    kind: PlaceKind
    title: Mapping[str, str]
    population: int | None = None
    population_date: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    source: str | None = None

    @property
    def parent(self) -> str | None:
        """Id of the place above, None for a municipality."""
        return self.id.rpartition("/")[0] or None


class Mounting(Struct, frozen=True):
    """Where a device was from `start` (inclusive) to `end` (exclusive, None: still there); ns since 1970.

    `height` in m above the ground, `orientation` in degrees clockwise from north; None where not stated.
    """

    place: str
    start: int
    end: int | None = None
    height: float | None = None
    orientation: float | None = None


class Device(Struct, frozen=True, kw_only=True):
    """A registered device.

    `connector` and `external_id` say how its messages name it (native devices: external_id equals id).
    `interval` is the declared seconds between readings, None when unknown: coverage is then unknown too. `model` is the
    id of a device model, `owner` the partner whose it is ("": the city's). `revision` grows with every change.
    """

    id: str
    connector: str
    external_id: str
    title: str = ""
    interval: int | None = None
    grade: Grade = Grade.INFORMATIVE
    origin: Origin = Origin.MEASURED
    mountings: Sequence[Mounting] = ()
    model: str = ""
    serial: str = ""
    owner: str = ""
    tags: Sequence[str] = ()
    note: str = ""
    registered_at: int = 0
    revision: int = 0

    @property
    def place(self) -> str | None:
        """Where the device is mounted now."""
        return next((m.place for m in self.mountings if m.end is None), None)


class Earlier(NamedTuple):
    """That a device was called otherwise in [start, end) (ns), while other hardware stood behind it, of `model`."""

    device: str
    start: int
    end: int
    model: str = ""


class RegistrySnapshot(Struct, frozen=True):
    """All devices and places at one `version`; the version grows with every change.

    `former` are devices that were removed, with where they stood until then: nobody sends as one of them, but what
    they measured still belongs to its place. No id is in both. `ignored` are foreign devices by (connector, external
    id): what they send is counted and dropped. `bridges` has, for each network server that may bring only some devices
    or stands beside one, its topic filter and the ids of those devices (empty: all). `earlier` has, by (connector,
    external id), whose name that was until its hardware was replaced: what was measured before still counts.
    """

    version: int
    devices: Mapping[str, Device]
    places: Mapping[str, Place]
    former: Mapping[str, Device] = {}
    ignored: frozenset[tuple[str, str]] = frozenset()
    bridges: Sequence[tuple[str, frozenset[str]]] = ()
    earlier: Mapping[tuple[str, str], Sequence[Earlier]] = {}

    @property
    def known(self) -> Mapping[str, Device]:
        """Registered and former devices: all whose readings count."""
        return {**self.former, **self.devices} if self.former else self.devices


def check_device_id(device: str) -> str:
    """Return `device` when it is a valid device id, else raise Invalid."""
    if not _DEVICE_ID.fullmatch(device):
        raise Invalid(
            f"{device!r} is no device id: 1 to 64 of A-Z a-z 0-9 _ - (safe in topics, subjects, tags and URLs)",
            "id",
        )
    return device


def check_place_id(place: str) -> str:
    """Return `place` when it is a valid place id, else raise Invalid."""
    if not _PLACE_ID.fullmatch(place):
        raise Invalid(f"{place!r} is no place id: municipality/part/site in a-z 0-9 _ -, at most four levels", "place")
    return place
