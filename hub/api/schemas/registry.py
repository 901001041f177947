# SPDX-License-Identifier: EUPL-1.2
"""Changes of devices and places, and what is kept beside them."""

from typing import Annotated, Any

from pydantic import Field

from hub.api.params import Time
from hub.api.schemas.common import Model, Moment, Next, Origin, Title, example
from hub.api.schemas.devices import MOUNTING, GradeWord, Height, MountingOut, Orientation, Tag

_FIELDS: dict[str, Any] = {
    "title": "Air, Šumbark school",
    "connector": "native",
    "external_id": "air-sumbark-1",
    "interval": 900,
    "grade": "indicative",
    "origin": "measured",
    "model": "",
    "serial": "SN-1",
    "owner": "",
    "tags": ["school"],
    "note": "",
}
CHANGED: dict[str, Any] = {
    "id": "air-sumbark-1", "revision": 4, "place": "havirov/sumbark", "mountings": [MOUNTING], **_FIELDS,
}  # fmt: skip
HARDWARE: dict[str, Any] = {
    "from": "2026-11-23T10:00:00Z", "to": None, "serial": "SN-2", "external_id": "0102030405060708", "model": "",
    "reason": "battery empty", "by": "jana", "continued": {"water_volume": 1523.4},
}  # fmt: skip
NOTE: dict[str, Any] = {"id": 3, "text": "key at the porter's", "by": "jana", "at": "2026-11-23T10:00:00Z"}
PHOTO: dict[str, Any] = {
    "id": 5, "caption": "north wall", "width": 2048, "height": 1536, "size": 412345, "by": "jana",
    "at": "2026-11-23T10:00:00Z", "url": "/api/v1/devices/air-sumbark-1/photos/5",
}  # fmt: skip
DRAFT: dict[str, Any] = {
    "id": "d-1", "kind": "device", "document": {"title": "Air"}, "made_at": "2026-11-23T10:00:00Z",
    "changed_at": "2026-11-23T10:05:00Z",
}  # fmt: skip
FACILITY: dict[str, Any] = {
    "place": "havirov/sumbark/pool", "category": "pool", "capacity": 200.0, "capacity_unit": "persons",
    "opening_hours": "Mo-Su 06:00-20:00", "operator": "", "address": "", "phone": "", "web": "", "owner": "",
    "revision": 1,
}  # fmt: skip
AUDIT: dict[str, Any] = {
    "id": 12, "at": "2026-11-23T10:00:00Z", "actor": "jana", "action": "device.change", "subject": "air-sumbark-1",
    "before": {"title": "Air"}, "after": {"title": "Air, school"}, "detail": {},
}  # fmt: skip
Line = Annotated[str, Field(max_length=200)]


class DeviceChange(Model):
    """All fields of a device but its id and where it stands."""

    model_config = example(**_FIELDS)

    title: Line = ""
    connector: str = Field("native", min_length=1, max_length=64)
    external_id: str | None = Field(None, min_length=1, max_length=256)
    interval: int | None = Field(None, ge=1, le=31_622_400)
    grade: GradeWord = "informative"
    origin: Origin = "measured"
    model: str = Field("", max_length=64)
    serial: str = Field("", max_length=100)
    owner: str = Field("", max_length=64)
    tags: list[Tag] = Field([], max_length=50)
    note: str = Field("", max_length=2000)


class DevicePatch(Model):
    """Fields to change; null puts one back to its default."""

    model_config = example(title="Air, Šumbark school", tags=["school"])

    title: Line | None = None
    connector: str | None = Field(None, min_length=1, max_length=64)
    external_id: str | None = Field(None, min_length=1, max_length=256)
    interval: int | None = Field(None, ge=1, le=31_622_400)
    grade: GradeWord | None = None
    origin: Origin | None = None
    model: str | None = Field(None, max_length=64)
    serial: str | None = Field(None, max_length=100)
    owner: str | None = Field(None, max_length=64)
    tags: list[Tag] | None = Field(None, max_length=50)
    note: str | None = Field(None, max_length=2000)


class Changed(DeviceChange):
    """A device as it is registered after a change; its state is told by GET."""

    model_config = example(**CHANGED)

    id: str
    revision: int
    place: str | None
    mountings: list[MountingOut]


class MountIn(Model):
    """Where a device stands from now on."""

    model_config = example(place="havirov/sumbark", height=3.5)

    place: str = Field(max_length=256)
    from_: Time | None = Field(None, alias="from", description="Left out: now.")
    height: Height = None
    orientation: Orientation = None


class MountingIn(Model):
    """Where a device stood, [from, to)."""

    model_config = example(**MOUNTING)

    place: str = Field(max_length=256)
    from_: Time = Field(alias="from")
    to: Time | None = None
    height: Height = None
    orientation: Orientation = None


class MountingsIn(Model):
    """The whole history, oldest first."""

    model_config = example(mountings=[MOUNTING])

    mountings: list[MountingIn] = Field(max_length=1000)


class TotalsIn(Model):
    """Last total of the old meter, first of the new one."""

    model_config = example(old_last=1523.4, new_first=0.0)

    old_last: float = Field(allow_inf_nan=False)
    new_first: float = Field(allow_inf_nan=False)


class ReplaceIn(Model):
    """Another piece of hardware behind the same device."""

    model_config = example(
        serial="SN-2", reason="battery empty", totals={"water_volume": {"old_last": 1523.4, "new_first": 0.0}}
    )

    serial: str = Field("", max_length=100)
    external_id: str | None = Field(None, min_length=1, max_length=256, description="Left out: the same.")
    model: str | None = Field(None, max_length=64, description="Left out: the same.")
    at: Time | None = Field(None, description="Left out: now.")
    reason: str = Field(min_length=1, max_length=1000)
    totals: dict[str, TotalsIn] = Field({}, max_length=20)


class HardwareOut(Model):
    """A piece of hardware and when it stood behind the device."""

    model_config = example(**HARDWARE)

    from_: Moment = Field(alias="from")
    to: Moment | None
    serial: str
    external_id: str
    model: str
    reason: str
    by: str
    continued: dict[str, float] = Field(description="By quantity: what is added to its totals.")


class HardwareList(Model):
    """Oldest first."""

    model_config = example(items=[HARDWARE])

    items: list[HardwareOut]


class NoteIn(Model):
    """A remark."""

    model_config = example(text="key at the porter's")

    text: str = Field(min_length=1, max_length=4000)


class NoteOut(Model):
    """A remark, by whom and when."""

    model_config = example(**NOTE)

    id: int
    text: str
    by: str
    at: Moment


class NoteList(Model):
    """Newest first."""

    model_config = example(items=[NOTE])

    items: list[NoteOut]


class PhotoOut(Model):
    """A picture; its bytes are at `url`."""

    model_config = example(**PHOTO)

    id: int
    caption: str
    width: int
    height: int
    size: int = Field(description="Bytes.")
    by: str
    at: Moment
    url: str


class PhotoList(Model):
    """Newest first."""

    model_config = example(items=[PHOTO])

    items: list[PhotoOut]


class DraftIn(Model):
    """A form that somebody has begun."""

    model_config = example(kind="device", document={"title": "Air"})

    kind: str = Field(pattern="^[a-z_]{1,32}$")
    document: dict[str, Any]


class DraftOut(Model):
    """A form as it was left."""

    model_config = example(**DRAFT)

    id: str
    kind: str
    document: dict[str, Any]
    made_at: Moment
    changed_at: Moment


class DraftList(Model):
    """The caller's own, newest change first."""

    model_config = example(items=[DRAFT])

    items: list[DraftOut]


class AuditOut(Model):
    """Who changed what."""

    model_config = example(**AUDIT)

    id: int
    at: Moment
    actor: str
    action: str
    subject: str
    before: dict[str, Any] | None = Field(description="null: it was not there.")
    after: dict[str, Any] | None = Field(description="null: it is gone.")
    detail: dict[str, Any]


class AuditPage(Model):
    """Newest first."""

    model_config = example(items=[AUDIT], next=None)

    items: list[AuditOut]
    next: Next


class PlaceIn(Model):
    """A place of the tree."""

    model_config = example(id="havirov/sumbark/school", kind="site", title={"cs": "Škola", "en": "School"})

    id: str = Field(max_length=256)
    kind: str = Field(pattern="^(municipality|part|facility|site)$")
    title: Title
    population: int | None = Field(None, ge=0, le=2**31 - 1)
    population_date: str | None = Field(None, max_length=10)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    source: str | None = Field(None, max_length=500)
    outside_city: bool = Field(False, description="The coordinates are meant to lie outside the municipality.")


class PlacePatch(Model):
    """Fields of a place to change; null takes one away."""

    model_config = example(population=16133)

    kind: str | None = Field(None, pattern="^(municipality|part|facility|site)$")
    title: Title | None = None
    population: int | None = Field(None, ge=0, le=2**31 - 1)
    population_date: str | None = Field(None, max_length=10)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    source: str | None = Field(None, max_length=500)
    outside_city: bool = Field(False, description="The coordinates are meant to lie outside the municipality.")


class FacilityPatch(Model):
    """Fields of a facility to change; null takes one away."""

    model_config = example(capacity=250.0)

    category: str | None = Field(None, max_length=64)
    capacity: float | None = Field(None, ge=0, allow_inf_nan=False)
    capacity_unit: Line | None = None
    opening_hours: Line | None = None
    operator: Line | None = None
    address: Line | None = None
    phone: Line | None = None
    web: Line | None = None
    owner: str | None = Field(None, max_length=64)


class FacilityIn(Model):
    """What serves people at a place."""

    model_config = example(category="pool", capacity=200.0, capacity_unit="persons")

    category: str = Field(max_length=64)
    capacity: float | None = Field(None, ge=0, allow_inf_nan=False)
    capacity_unit: Line = ""
    opening_hours: Line = ""
    operator: Line = ""
    address: Line = ""
    phone: Line = ""
    web: Line = ""
    owner: str = Field("", max_length=64)


class FacilityOut(FacilityIn):
    """A facility."""

    model_config = example(**FACILITY)

    place: str
    revision: int


class FacilityPage(Model):
    """Facilities in order of their places."""

    model_config = example(items=[FACILITY], next=None)

    items: list[FacilityOut]
    next: Next
