# SPDX-License-Identifier: EUPL-1.2
"""From the hub's types to the JSON of `hub.api.schemas`. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from msgspec import to_builtins

from hub.core.corrections import what
from hub.core.indicators import Correction
from hub.core.journal import DeviceSeen, EventRecord
from hub.core.places import Device, Mounting, Place
from hub.core.ports import QualityFinding, VersionSeen
from hub.core.quantities import Quantities, Quantity
from hub.core.readings import Flag, Origin, Reading
from hub.core.windows import format_instant
from hub.devices.state import Finding, describe
from hub.indicators.catalogue import Catalogue
from hub.indicators.definition import Definition
from hub.indicators.preview import Concerned, Preview, TouchedWindows
from hub.indicators.provenance import source_text
from hub.indicators.representation import public_definition

Json = dict[str, Any]


def moment(ns: int | None) -> str | None:
    """RFC 3339, or null."""
    return None if ns is None else format_instant(ns)


def place_view(place: Place) -> Json:
    """JSON of a place."""
    return {
        "id": place.id,
        "parent": place.parent,
        "kind": place.kind,
        "title": dict(place.title),
        "population": place.population,
        "population_date": place.population_date,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "source": place.source,
    }


def quantity_view(quantity: Quantity, units: Sequence[str]) -> Json:
    """JSON of a quantity."""
    return {
        "id": quantity.id,
        "title": dict(quantity.title),
        "domain": quantity.domain,
        "kind": quantity.kind,
        "unit": quantity.unit,
        "symbol": quantity.symbol,
        "units": list(units),
        "minimum": quantity.minimum,
        "maximum": quantity.maximum,
        "source": quantity.source,
        "uncertain": quantity.uncertain,
    }


def device_view(device: Device, seen: DeviceSeen | None, finding: Finding, language: str, zone: tzinfo) -> Json:
    """JSON of a device with its state, in words with times of `zone`."""
    return {
        "id": device.id,
        "title": device.title,
        "connector": device.connector,
        "external_id": device.external_id,
        "place": device.place,
        "mountings": [_mounting(m) for m in device.mountings],
        "interval": device.interval,
        "model": device.model,
        "serial": device.serial,
        "owner": device.owner,
        "tags": list(device.tags),
        "note": device.note,
        "registered_at": moment(device.registered_at),
        "revision": device.revision,
        "grade": device.grade.word,
        "origin": device.origin.word,
        "simulated": device.origin is Origin.SIMULATED,
        "state": finding.state,
        "state_text": describe(finding, language, zone),
        "attention": finding.attention,
        "next_due": moment(finding.next_due),
        "last_seen": moment(seen.received) if seen else None,
        "messages": seen.messages if seen else 0,
    }


def reading_view(
    reading: Reading, device: Device | None, quantities: Quantities, finding: QualityFinding | None = None
) -> Json:
    """JSON of a reading; the place is where `device` was mounted at its time. `finding`: of the quality control."""
    return {
        "device": reading.device,
        "place": place_at(device, reading.time),
        "quantity": reading.quantity,
        "time": format_instant(reading.time),
        "value": reading.value,
        "unit": unit_of(quantities, reading.quantity),
        "flag": int(reading.flag),
        "quality": _QUALITY.get(reading.flag, "unknown"),
        "origin": Origin(reading.origin).word,
        "simulated": reading.origin == Origin.SIMULATED,
        "qc": None if finding is None else finding._asdict(),
    }


def event_view(event: EventRecord) -> Json:
    """JSON of a device event."""
    return {
        "kind": event.kind,
        "level": event.level,
        "reason": event.reason,
        "text": event.text,
        "time": format_instant(event.time),
        "received": format_instant(event.received),
    }


def correction_view(row: Correction, withdrawn_by: int | None = None) -> Json:
    """JSON of a correction; `withdrawn_by` is the one that took it back."""
    return {
        "id": row.id,
        "device": row.device,
        "quantity": row.quantity,
        "from": format_instant(row.start),
        "to": format_instant(row.end),
        "action": row.action,
        "flag": row.flag,
        "scale": row.scale,
        "shift": row.shift,
        "withdraws": row.withdraws,
        "by": row.by,
        "reason": row.reason,
        "made_at": format_instant(row.made_at),
        "in_effect": row.withdraws is None and withdrawn_by is None,
        "withdrawn_by": withdrawn_by,
    }


def preview_view(draft: Correction, found: Preview) -> Json:
    """JSON of what a correction would concern and touch."""
    return {
        "what": what(draft),
        "readings": found.readings,
        "concerned": [_stretch(row) for row in found.concerned],
        "touched": [_stretch(row) for row in found.touched],
    }


def _stretch(row: Concerned | TouchedWindows) -> Json:
    return {**row._asdict(), "first": format_instant(row.first), "last": format_instant(row.last)}


def place_at(device: Device | None, time: int) -> str | None:
    """Where a device was mounted at `time`, None where that is not known."""
    if device is None:
        return None
    return next((m.place for m in device.mountings if m.start <= time and (m.end is None or time < m.end)), None)


def unit_of(quantities: Quantities, quantity: str) -> str:
    """Canonical unit; "" for a quantity that an older table had."""
    return quantities.get(quantity).unit if quantity in quantities else ""


def _mounting(mounting: Mounting) -> Json:
    return {
        "place": mounting.place,
        "from": format_instant(mounting.start),
        "to": moment(mounting.end),
        "height": mounting.height,
        "orientation": mounting.orientation,
    }


_QUALITY: Mapping[int, str] = {int(flag): flag.name.lower() for flag in Flag}


def definition_summary(definition: Definition) -> Json:
    """What an indicator is, in a line."""
    shown = public_definition(definition)
    return {name: shown[name] for name in _SUMMARY}


def definition_view(catalogue: Catalogue, definition: Definition) -> Json:
    """The definition in full, with its examples and the text that it was read from."""
    whole = to_builtins(definition)
    text = source_text(catalogue, definition.id)
    return (
        public_definition(definition)
        | {name: whole[name] for name in _FURTHER}
        | {"text": text, "sha256": None if text is None else hashlib.sha256(text.encode()).hexdigest()}
    )


def version_view(row: VersionSeen, definition: Definition) -> Json:
    """JSON of a version that stored figures were computed by."""
    return {
        "version": row.version,
        "current": row.version == definition.version,
        "revisions": row.revisions,
        "first": format_instant(row.first),
        "last": format_instant(row.last),
    }


_SUMMARY = ("id", "version", "title", "domain", "unit", "window", "level", "direction", "standing", "visibility")
_FURTHER = (
    *("inputs", "parameters", "tables", "calendar", "flags", "lower_bound", "effective", "examples", "min_grade"),
    *("roll_up", "trail", "cap"),
)
