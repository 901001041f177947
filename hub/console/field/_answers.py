# SPDX-License-Identifier: EUPL-1.2
"""What the routes of the field pages share: guards, forms as text, redirects, and the page that shows a secret once."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.console._access import require
from hub.console._pages import Pages
from hub.console.field._forms import Fault
from hub.console.field._registration import DIRECT
from hub.console.field._views import qr
from hub.console.services import RegistryPorts
from hub.core.places import Device
from hub.core.rights import Action, Caller
from hub.devices.onboarding import instructions

Technician = Annotated[Caller, Depends(require(Action.DEVICES))]
Issuer = Annotated[Caller, Depends(require(Action.CREDENTIALS))]
Peeker = Annotated[Caller, Depends(require(Action.RAW))]
Ignorer = Annotated[Caller, Depends(require(Action.REDRIVE))]
DRAFT_KIND = "register"


def access_page(  # what the page shows, one each
    pages: Pages, ports: RegistryPorts, request: Request, device: Device, secret: str,
    *, join_eui: str = "", outcome: str = "", faults: Sequence[Fault] = (),
) -> HTMLResponse:  # fmt: skip
    """How the device shows who it is; with a secret this is the one answer that has it."""
    language = pages.language(request)
    steps = [step[language] for step in instructions(device, ports.models.get(device.model), join_eui)]
    return pages.respond(
        request,
        "field_access.html",
        422 if faults else 200,
        device=device,
        secret=secret,
        qr=qr(device.id, secret, ports.mqtt) if secret else "",
        mqtt=ports.mqtt,
        network=device.connector != DIRECT,
        join_eui=join_eui,
        outcome=outcome,
        faults=faults,
        steps=steps,
        server=device.connector in ports.network_servers,
        simulated=False,
    )


async def form_of(request: Request) -> dict[str, str]:
    """What was typed; files are left out."""
    async with request.form() as form:
        return {key: value for key, value in form.items() if isinstance(value, str)}


def to(path: str) -> RedirectResponse:
    """Where to go after a form was taken."""
    return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})
