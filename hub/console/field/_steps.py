# SPDX-License-Identifier: EUPL-1.2
"""What the forms of a registration show: pure, from draft and registry to a template's context."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from hub.console.field import _registration as registration
from hub.console.field._forms import Fault, Wrong
from hub.console.field._label import choices, proposed
from hub.console.field._sites import sites_near, sketch
from hub.console.field.texts import CONNECTOR
from hub.console.language import Language
from hub.core.places import PlaceKind, RegistrySnapshot
from hub.devices.models import DeviceModel

Form = Mapping[str, Any]
_SITES = 30


def device_form(
    models: Mapping[str, DeviceModel], language: Language, form: Form, faults: Sequence[Fault]
) -> dict[str, Any]:
    """The first step: what it is."""
    known = sorted({c for m in models.values() for c in m.connectors} | {registration.DIRECT})
    return {
        "form": form,
        "base": _base(form),
        "faults": faults,
        "connectors": [("", "–"), *((c, CONNECTOR[c][language] if c in CONNECTOR else c) for c in known)],
        "proposed": proposed(form, models, language),
        "groups": choices(models, form, language),
        "simulated": False,
    }


def site_form(registry: RegistrySnapshot, language: Language, form: Form, faults: Sequence[Fault]) -> dict[str, Any]:
    """The second step: where it stands. A position that cannot be is a fault of its own."""
    try:
        at = registration.position({key: str(value) for key, value in form.items()}, registry)
    except Wrong as wrong:
        at, faults = None, faults or [wrong.fault(language)]
    parts = [(p.id, p.title.get(language, p.id)) for p in registry.places.values() if p.kind is PlaceKind.PART]
    return {
        "form": form,
        "base": _base(form),
        "faults": faults,
        "sites": sites_near(at, registry.places, language)[:_SITES],
        "sketch": sketch(registry.places, at, str(form.get("place", "")), language),
        "parts": parts,
        "simulated": False,
    }


def _base(form: Form) -> str:
    """What the page was made of: the browser gives back what it kept only to a form that has not changed since."""
    return sha256(repr(sorted(form.items())).encode()).hexdigest()[:16]
