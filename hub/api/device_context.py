# SPDX-License-Identifier: EUPL-1.2
"""What stands around a device: titles of its model and its place, and whether the broker lets it in.

Credentials are read at once for a whole page, and told to those alone who may change the device.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.api.services import Services
from hub.core.access import Credential, CredentialKind
from hub.core.places import Device, Place
from hub.core.rights import Action, Caller


def around(
    services: Services, caller: Caller, devices: Sequence[Device], places: Mapping[str, Place]
) -> Mapping[str, dict[str, Any]]:
    """By device: model_title, place_title, credential, known_to_broker."""
    credentials, known = _credentials(services, devices)
    told: dict[str, dict[str, Any]] = {}
    for device in devices:
        model, place = services.models.get(device.model), places.get(device.place or "")
        ours = credentials is not None and caller.reaches(Action.DEVICES, device.owner)
        credential = credentials.get(device.id) if credentials is not None else None
        told[device.id] = {
            "model_title": None if model is None else dict(model.title),
            "place_title": None if place is None else dict(place.title),
            "credential": _state(credential) if ours else None,
            "known_to_broker": known if ours and credential is not None else None,
        }
    return told


def _credentials(services: Services, devices: Sequence[Device]) -> tuple[Mapping[str, Credential] | None, bool | None]:
    """Those of devices by name, None where this hub keeps none; whether the broker has all that changed."""
    desk = services.broker
    if desk is None:
        return None, None
    book = desk.credentials
    rows = [book.get(devices[0].id)] if len(devices) == 1 else book.all()
    known = book.applied() >= book.version() if desk.managed else None
    return {row.username: row for row in rows if row is not None and row.kind is CredentialKind.DEVICE}, known


def _state(credential: Credential | None) -> str:
    if credential is None:
        return "none"
    return "active" if credential.disabled_at is None else "disabled"
