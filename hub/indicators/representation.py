# SPDX-License-Identifier: EUPL-1.2
"""An indicator value as everybody outside sees it: one dict for API, MQTT, change feed and command line.

Never a bare number: value or reason, with unit, window, status, coverage (null: unknown), counts, missing inputs,
revision, definition version, origin and grade. `simulated` repeats the origin so that nobody can overlook it.
"""

from msgspec import json

from hub.core.delivery import Publication
from hub.core.indicators import Component, IndicatorValue
from hub.core.readings import Origin
from hub.core.windows import format_instant
from hub.indicators.definition import Definition

Json = dict[str, object]


def public_value(value: IndicatorValue, definition: Definition | None = None) -> Json:
    """The public dict; with the definition, bands have their labels in both languages."""
    return {
        "indicator": value.indicator,
        "place": value.place,
        "window": {"start": format_instant(value.start), "end": format_instant(value.end), "period": value.period},
        "value": value.value,
        "reason": value.reason,
        "unit": value.unit,
        "status": value.status.value,
        "closed": value.closed,
        "band": public_band(value.band, definition),
        "score": value.score,
        "coverage": value.coverage,
        "n_valid": value.n_valid,
        "n_expected": value.n_expected,
        "missing": list(value.missing),
        "lower_bound": value.lower_bound,
        "components": {name: _component(c) for name, c in value.components.items()},
        "details": dict(value.details),
        "origin": value.origin.word,
        "grade": value.grade.word,
        "simulated": value.origin is Origin.SIMULATED,
        "revision": value.revision,
        "cause": value.cause,
        "definition_version": value.definition_version,
        "computed_at": format_instant(value.computed_at),
        "seq": value.seq,
    }


def public_band(band: int | None, definition: Definition | None) -> Json | None:
    """Number of a band, 1 the first, with its labels where the definition is known."""
    if band is None:
        return None
    if definition is None or band > len(definition.bands):
        return {"index": band}
    found = definition.bands[band - 1]
    shown: Json = {"index": band, "label": {"en": found.label.en, "cs": found.label.cs}}
    return shown | ({"color": found.color} if found.color else {})


def public_definition(d: Definition) -> Json:
    """A definition for those who read its values."""
    return {
        "id": d.id,
        "version": d.version,
        "title": {"en": d.title.en, "cs": d.title.cs},
        "description": None if d.description is None else {"en": d.description.en, "cs": d.description.cs},
        "domain": d.domain.value,
        "unit": d.unit,
        "window": d.window.value,
        "step": d.step.value if d.step else None,
        "level": d.level,
        "spatial": d.spatial,
        "capture": d.capture,
        "grace": d.grace,
        "precision": d.precision,
        "direction": d.direction,
        "formula": d.formula,
        "inputs": {
            name: {"quantity": i.quantity, "indicator": i.indicator, "required": i.required, "bands": list(i.bands)}
            for name, i in d.inputs.items()
        },
        "bands": [
            {
                "index": n,
                "max": b.max,
                "score": b.score,
                "color": b.color,
                "label": {"en": b.label.en, "cs": b.label.cs},
            }
            for n, b in enumerate(d.bands, 1)
        ],
        "reference": [
            {"citation": r.citation, "url": r.url, "effective": r.effective, "uncertain": r.uncertain}
            for r in d.reference
        ],
        "standing": d.standing,
        "visibility": d.visibility,
    }


def publication(value: IndicatorValue, definition: Definition | None = None) -> Publication:
    """The retained MQTT message of a value, on `indicators/{indicator}/{place}`."""
    payload = json.encode(public_value(value, definition))
    return Publication(f"indicators/{value.indicator}/{value.place}", payload, retain=True)


def _component(component: Component) -> Json:
    return {
        "value": component.value,
        "unit": component.unit,
        "band": component.band,
        "coverage": component.coverage,
        "n_valid": component.n_valid,
        "n_expected": component.n_expected,
    }
