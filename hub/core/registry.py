# SPDX-License-Identifier: EUPL-1.2
"""What the registry knows beyond places and devices.

Times in ns since 1970; `subject` is `device:<id>` or `place:<id>`.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct


class Facility(Struct, frozen=True, kw_only=True):
    """What serves people at a place (kind facility or site): a sports hall, a pool, a car park, a waste site.

    `category` is one of `FACILITY_CATEGORIES`; `capacity` in `capacity_unit` (persons, m3...);
    `opening_hours` in the notation of OpenStreetMap (`Mo-Fr 08:00-20:00`), kept as written.
    `owner` is the partner whose it is ("": the city).
    """

    place: str
    category: str
    capacity: float | None = None
    capacity_unit: str = ""
    opening_hours: str = ""
    operator: str = ""
    address: str = ""
    phone: str = ""
    web: str = ""
    owner: str = ""
    revision: int = 0


FACILITY_CATEGORIES: Mapping[str, Mapping[str, str]] = {
    "sports_hall": {"cs": "sportovní hala", "en": "sports hall"},
    "pool": {"cs": "bazén", "en": "swimming pool"},
    "ice_rink": {"cs": "zimní stadion", "en": "ice rink"},
    "playground": {"cs": "hřiště", "en": "playground"},
    "social_service": {"cs": "sociální služba", "en": "social service"},
    "school": {"cs": "škola", "en": "school"},
    "library": {"cs": "knihovna", "en": "library"},
    "health": {"cs": "zdravotnické zařízení", "en": "health facility"},
    "office": {"cs": "úřad", "en": "office"},
    "car_park": {"cs": "parkoviště", "en": "car park"},
    "waste_site": {"cs": "sběrné místo", "en": "waste collection point"},
    "collection_yard": {"cs": "sběrný dvůr", "en": "collection yard"},
    "utility": {"cs": "energetické zařízení", "en": "utility plant"},
    "building": {"cs": "budova", "en": "building"},
    "other": {"cs": "jiné", "en": "other"},
}


class Hardware(Struct, frozen=True, kw_only=True):
    """Which piece of hardware stood behind a device in [start, end): a new meter continues the device's series.

    `reason` says why it was put in. `continued` has, by quantity, what is added to its totals so that they go on where
    the one before ended (kept as corrections).
    """

    device: str
    start: int
    end: int | None = None
    serial: str = ""
    external_id: str = ""
    model: str = ""
    reason: str = ""
    by: str = ""
    continued: Mapping[str, float] = {}


class Certificate(Struct, frozen=True, kw_only=True):
    """A calibration certificate, in force in [valid_from, valid_to): the correction with the id `correction`."""

    id: int
    device: str
    quantity: str
    number: str
    laboratory: str
    issued: str
    valid_from: int
    valid_to: int
    scale: float
    shift: float
    correction: int
    by: str
    at: int
    note: str = ""


class Note(Struct, frozen=True, kw_only=True):
    """A remark on a device or a place."""

    id: int
    subject: str
    text: str
    by: str
    at: int


class Photo(Struct, frozen=True, kw_only=True):
    """A picture of a device or a place; its bytes lie in the data directory under `sha256`, without EXIF."""

    id: int
    subject: str
    sha256: str
    media_type: str
    width: int
    height: int
    size: int
    caption: str
    by: str
    at: int


class Draft(Struct, frozen=True, kw_only=True):
    """A form that somebody has begun: it survives a lost connection and a locked screen."""

    id: str
    kind: str
    document: Mapping[str, object]
    by: str
    made_at: int
    changed_at: int


class AuditEntry(Struct, frozen=True, kw_only=True):
    """`actor` did `action` (such as device.change) to `subject`, whose fields were `before` and are `after` that."""

    id: int
    at: int
    actor: str
    action: str
    subject: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None
    detail: Mapping[str, object]


class ImportRun(Struct, frozen=True, kw_only=True):
    """An import that was done, and can be undone: `counts` by created, changed, unchanged."""

    id: int
    kind: str
    file: str
    by: str
    at: int
    counts: Mapping[str, int]
    undone_at: int | None = None
    undone_by: str = ""


class DeviceFilter(Struct, frozen=True, kw_only=True):
    """Which devices; None or empty means any.

    `place` takes what lies below it too, `text` searches id, title, external id and serial.
    """

    place: str | None = None
    connector: str | None = None
    model: str | None = None
    owner: str | None = None
    tags: Sequence[str] = ()
    text: str = ""
