# SPDX-License-Identifier: EUPL-1.2
"""What the hub knows of a kind of device: data, with the source of each fact.

`null` means that no evidence was found, `uncertain` that a figure is a judgement or could not be checked. A model says
under which `field` a payload codec (the manufacturer's, at the network server) hands out each quantity: names such as
`temperature` mean the air in one device and a pipe in the next, so only the model can tell. Ingest reads them by it.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.core.quantities import Domain
from hub.core.readings import Grade

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Words = Mapping[str, str]
Hex = Annotated[str, Meta(pattern=r"^([0-9a-f]{2})+$")]
Prefix = Annotated[str, Meta(pattern=r"^[0-9a-f]{6,16}$")]


class Link(StrEnum):
    """How a device talks."""

    LORAWAN = "lorawan"
    MQTT = "mqtt"
    CELLULAR = "cellular"  # NB-IoT, LTE-M, LTE, GSM
    WMBUS = "wmbus"
    MBUS = "mbus"
    MODBUS = "modbus"
    ETHERNET = "ethernet"
    WIFI = "wifi"
    RF_MESH = "rf_mesh"
    CLOUD = "cloud"  # through the manufacturer's service
    FILE = "file"  # figures come as tables


class Measured(Struct, frozen=True, forbid_unknown_fields=True):
    """A quantity that a device reports in `unit` (None: the quantity's own), under the name `field` of its codec.

    `typical` is a value as one would expect it, in `unit`.
    """

    quantity: str
    unit: str | None = None
    field: str = ""
    typical: float | None = None
    uncertain: bool = False


class BatteryRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a battery is low and critical, in % (kind level) or V (kind voltage). `cell` is its type as published."""

    kind: Literal["level", "voltage", "none"] = "none"
    low: float | None = None
    critical: float | None = None
    cell: str = ""
    uncertain: bool = False

    @property
    def unit(self) -> str:
        """Unit of both limits."""
        return {"level": "%", "voltage": "V"}.get(self.kind, "")


class Lorawan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a network server's device profile needs."""

    device_class: Literal["A", "B", "C"] | None = None
    region: str = "EU868"
    mac_version: str | None = None
    regional_parameters: str | None = None
    activation: Literal["otaa", "abp"] = "otaa"


class Sticker(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a label gives the manufacturer away: its LoRa Alliance VendorID, and how its EUIs begin (IEEE)."""

    vendor_id: Annotated[int, Meta(ge=1, le=0xFFFF)] | None = None
    eui_prefixes: Sequence[Prefix] = ()


class MountingHint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where it should hang: height above the ground in m (from, to), and what else counts."""

    height: tuple[float, float] | None = None
    note: Words = {}
    source: str = ""


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Where facts come from; `retrieved` None: only where to look, nobody has read it for this table."""

    url: str
    title: str
    retrieved: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")] | None = None


class Sample(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A published test vector: `decoded` is what the codec makes of `frame` on `port`.

    `readings` are what comes out of it, in the quantities' own units. A device without a network server has
    `topic` and `payload` instead of `decoded`.
    """

    source: str
    readings: Mapping[str, float]
    decoded: Mapping[str, object] | None = None
    frame: Hex | None = None
    port: int | None = None
    topic: str = ""
    payload: object = None


class DeviceModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of device. `connectors` can take in what it sends, the usual one first; none: nobody has built one yet.

    `interval` is how often it reports as delivered, in s (None: configured by the user, or no evidence). `ignored` are
    fields of its codec that are no measurement. `sources` begins with what is said of the whole model.
    """

    id: Name
    vendor: str
    name: str
    title: Words
    domains: Sequence[Domain]
    link: Link
    connectors: Sequence[str]
    quantities: Sequence[Measured]
    sources: Sequence[Source]
    ignored: Sequence[str] = ()
    codec: str = ""
    interval: Annotated[int, Meta(ge=1, le=32 * 86_400)] | None = None
    interval_uncertain: bool = False
    battery: BatteryRule = BatteryRule()
    lorawan: Lorawan | None = None
    grade: Literal["reference", "indicative", "informative"] = "informative"
    evidence: str = "no evidence known"
    mounting: MountingHint = MountingHint()
    sticker: Sticker = Sticker()
    install: Words = {}
    notes: str = ""
    samples: Sequence[Sample] = ()

    @property
    def connector(self) -> str:
        """The usual one, "" where there is none."""
        return self.connectors[0] if self.connectors else ""

    @property
    def label(self) -> str:
        """Manufacturer and name, as people say it."""
        return f"{self.vendor} {self.name}".strip()

    @property
    def device_grade(self) -> Grade:
        """The grade that its devices begin with."""
        return Grade.of(self.grade)

    @property
    def fields(self) -> Mapping[str, tuple[str, str | None] | None]:
        """What the codec's fields mean: quantity and unit, None for those that are no measurement."""
        known = {row.field: (row.quantity, row.unit) for row in self.quantities if row.field}
        return {**dict.fromkeys(self.ignored), **known}
