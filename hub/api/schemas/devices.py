# SPDX-License-Identifier: EUPL-1.2
"""Devices, places, quantities."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from hub.api.params import Time
from hub.api.schemas.common import Model, Moment, Next, Origin, Simulated, Title, example
from hub.api.schemas.readings import READING, ReadingOut

MOUNTING: dict[str, Any] = {
    "place": "havirov/sumbark",
    "from": "1970-01-01T00:00:00Z",
    "to": None,
    "height": 3.5,
    "orientation": None,
}
DEVICE: dict[str, Any] = {
    "id": "air-sumbark-1",
    "title": "Air, Šumbark school",
    "connector": "native",
    "external_id": "air-sumbark-1",
    "place": "havirov/sumbark",
    "mountings": [MOUNTING],
    "interval": 900,
    "model": "",
    "serial": "SN-1",
    "owner": "",
    "tags": ["school"],
    "note": "",
    "registered_at": "2026-11-01T08:00:00Z",
    "revision": 3,
    "grade": "indicative",
    "origin": "measured",
    "simulated": False,
    "state": "healthy",
    "state_text": "last message 12 min ago, expected every 15 min",
    "attention": False,
    "next_due": "2026-11-23T10:15:04Z",
    "last_seen": "2026-11-23T10:00:04Z",
    "messages": 5120,
    "model_title": None,
    "place_title": {"cs": "Šumbark", "en": "Šumbark"},
    "credential": "active",
    "known_to_broker": True,
}
EVENT: dict[str, Any] = {
    "kind": "join",
    "level": "error",
    "reason": "UPLINK_MIC",
    "text": "join refused: wrong key (MIC)",
    "time": "2026-11-23T09:58:00Z",
    "received": "2026-11-23T09:58:01Z",
}
PLACE: dict[str, Any] = {
    "id": "havirov/sumbark",
    "parent": "havirov",
    "kind": "part",
    "title": {"cs": "Šumbark", "en": "Šumbark"},
    "population": 16133,
    "population_date": "2024-01-01",
    "latitude": None,
    "longitude": None,
    "source": "Havířov v číslech",
}
QUANTITY: dict[str, Any] = {
    "id": "pm10",
    "title": {"cs": "Částice PM10", "en": "Particulate matter PM10"},
    "domain": "air",
    "kind": "arithmetic",
    "unit": "ug/m3",
    "symbol": "µg/m³",
    "units": ["µg/m³", "mg/m³"],
    "minimum": 0.0,
    "maximum": 10000.0,
    "source": "a document",
    "uncertain": False,
}


Tag = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f,;]{1,64}$", description="A word without comma or semicolon.")]
GradeWord = Annotated[str, Field(pattern="^(reference|indicative|informative)$", description="After CEN/TS 17660.")]
Height = Annotated[float | None, Field(ge=-100, le=1000, description="m above the ground.")]
Orientation = Annotated[float | None, Field(ge=0, lt=360, description="Degrees clockwise from north.")]


class DeviceIn(Model):
    """A device to register."""

    model_config = example(
        id="air-sumbark-1", title="Air, Šumbark school", place="havirov/sumbark", interval=900, grade="indicative"
    )

    id: str = Field(pattern="^[A-Za-z0-9_-]{1,64}$", description="1 to 64 of A-Z a-z 0-9 _ -.")
    connector: str | None = Field(
        None, min_length=1, max_length=64, description="Payload family of its messages; else its model's, else native."
    )
    model: str = Field(
        "", max_length=64, description="Id of its model: fills connector, interval and grade where these are left out."
    )
    serial: str = Field("", max_length=100)
    owner: str = Field("", max_length=64, description="The partner whose it is; what a partner registers is its own.")
    tags: list[Tag] = Field([], max_length=50)
    note: str = Field("", max_length=2000)
    height: Height = None
    orientation: Orientation = None
    external_id: str | None = Field(
        None,
        min_length=1,
        max_length=256,
        description="How its messages name it (LoRaWAN: DevEUI in lower case); the same as `id` when left out.",
    )
    title: str = Field("", max_length=200)
    place: str | None = Field(None, max_length=256, description="Where it is mounted.")
    mounted_from: Time | None = Field(
        None,
        description="Since when it stands at `place`. Left out: ever since, so that its waiting messages count there "
        "too; a device that was removed before stands there from its removal on.",
    )
    interval: int | None = Field(
        None, ge=1, le=31_622_400, description="Seconds between its readings; without it coverage stays unknown."
    )
    grade: GradeWord | None = None
    origin: Origin = "measured"

    @model_validator(mode="after")
    def _somewhere(self) -> "DeviceIn":
        if self.mounted_from is not None and self.place is None:
            raise ValueError("mounted_from says since when it stands at a place: give place too")
        return self


class MountingOut(Model):
    """Where a device was, from (inclusive) to (exclusive; null: still there)."""

    model_config = example(**MOUNTING)

    place: str
    from_: Moment = Field(alias="from", description="1970-01-01T00:00:00Z says: ever since.")
    to: Moment | None
    height: float | None = Field(description="m above the ground.")
    orientation: float | None = Field(description="Degrees clockwise from north.")


class DeviceOut(Model):
    """A registered device with its state."""

    model_config = example(**DEVICE)

    id: str
    title: str
    connector: str
    external_id: str
    place: str | None = Field(description="Where it is mounted now.")
    mountings: list[MountingOut]
    interval: int | None = Field(description="Declared seconds between readings; null: unknown.")
    model: str = Field(description="Id of its model, see /models; empty: unknown.")
    serial: str
    owner: str = Field(description="The partner whose it is; empty: the city's.")
    tags: list[str]
    note: str
    registered_at: Moment
    revision: int = Field(description="Grows with every change.")
    grade: str = Field(description="reference, indicative or informative.")
    origin: Origin
    simulated: Simulated
    state: str = Field(
        description="draft, registered (no message yet), joined, first_seen, healthy, overdue, silent, check_readings, "
        "maintenance or retired."
    )
    state_text: str = Field(description="The reason of the state in words, in the language of Accept-Language.")
    attention: bool = Field(description="Somebody should look at it.")
    next_due: Moment | None = Field(description="When its next message is due; null where nobody can tell.")
    last_seen: Moment | None = Field(description="Arrival of the last message.")
    messages: int = Field(description="Messages seen so far.")
    model_title: Title | None = Field(None, description="What its model is called; null: not known.")
    place_title: Title | None = Field(None, description="What its place is called; null: it stands nowhere.")
    credential: Literal["active", "disabled", "none"] | None = Field(
        None, description="Its credential at the broker; null for those who may not change it, or where none are kept."
    )
    known_to_broker: bool | None = Field(
        None, description="Whether the broker has what changed of credentials last; null where the hub cannot tell."
    )


class EventOut(Model):
    """Something that happened to a device."""

    model_config = example(**EVENT)

    kind: str
    level: str
    reason: str
    text: str
    time: Moment
    received: Moment


ReadingsProblem = Annotated[
    str | None,
    Field(description="Null, or that readings could not be looked at now: `state` then follows from messages alone."),
]


class DeviceDetail(DeviceOut):
    """A device with its newest readings and events."""

    model_config = example(**DEVICE, readings=[READING], readings_problem=None, events=[EVENT])

    readings: list[ReadingOut] = Field(description="The newest reading of each quantity.")
    readings_problem: ReadingsProblem
    events: list[EventOut] = Field(description="The newest events first, 20 at most.")


class DevicePage(Model):
    """Devices in order of their ids."""

    model_config = example(items=[DEVICE], next=None, readings_problem=None)

    items: list[DeviceOut]
    next: Next
    readings_problem: ReadingsProblem


class PlaceOut(Model):
    """A node of the tree municipality > part > facility or site."""

    model_config = example(**PLACE)

    id: str
    parent: str | None
    kind: str
    title: Title
    population: int | None
    population_date: str | None
    latitude: float | None
    longitude: float | None
    source: str | None


class PlaceList(Model):
    """Places in order of their ids, with the city they belong to."""

    model_config = example(city="Havířov", time_zone="Europe/Prague", items=[PLACE], next=None)

    city: str
    time_zone: str = Field(description="Zone of the city's days, months and years.")
    items: list[PlaceOut]
    next: Next


class QuantityOut(Model):
    """What can be measured."""

    model_config = example(**QUANTITY)

    id: str
    title: Title
    domain: str
    kind: str = Field(description="How readings aggregate over time.")
    unit: str = Field(description="Canonical unit, UCUM.")
    symbol: str = Field(description="The unit as people read it.")
    units: list[str] = Field(description="Units that a sender may name.")
    minimum: float = Field(description="Readings outside [minimum, maximum] get flag 4 (fail).")
    maximum: float
    source: str = Field(description="Where the bounds come from.")
    uncertain: bool = Field(description="The bounds are a judgement, not a citation.")


class QuantityList(Model):
    """All quantities."""

    model_config = example(items=[QUANTITY])

    items: list[QuantityOut]
