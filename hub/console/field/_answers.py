# SPDX-License-Identifier: EUPL-1.2
"""What the routes of the field pages share: guards, forms as text, redirects, and the page that shows a secret once."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.console._access import require
from hub.console._pages import Pages
from hub.console.field._registration import DIRECT
from hub.console.field._views import qr
from hub.console.services import RegistryPorts
from hub.core.places import Device
from hub.core.rights import Action, Caller

Technician = Annotated[Caller, Depends(require(Action.DEVICES))]
Issuer = Annotated[Caller, Depends(require(Action.CREDENTIALS))]
Peeker = Annotated[Caller, Depends(require(Action.RAW))]
Ignorer = Annotated[Caller, Depends(require(Action.REDRIVE))]
DRAFT_KIND = "register"


def access_page(pages: Pages, ports: RegistryPorts, request: Request, device: Device, secret: str) -> HTMLResponse:
    """How the device shows who it is; with a secret this is the one answer that has it."""
    return pages.respond(
        request,
        "field_access.html",
        device=device,
        secret=secret,
        qr=qr(device.id, secret, ports.mqtt) if secret else "",
        mqtt=ports.mqtt,
        network=device.connector != DIRECT,
        simulated=False,
    )


async def form_of(request: Request) -> dict[str, str]:
    """What was typed; files are left out."""
    async with request.form() as form:
        return {key: value for key, value in form.items() if isinstance(value, str)}


def to(path: str) -> RedirectResponse:
    """Where to go after a form was taken."""
    return RedirectResponse(path, 303, headers={"Cache-Control": "no-store"})
