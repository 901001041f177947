# SPDX-License-Identifier: EUPL-1.2
"""Making a LoRaWAN device in its network server from a phone; step by step in words where the hub has no access to it.

An AppKey passes through: no draft, page, error or audit entry holds it. Who is refused types it again.
"""

import asyncio
import re
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.console._pages import Pages
from hub.console.field._answers import Technician, access_page, form_of, to
from hub.console.field._forms import Fault, Wrong
from hub.console.field.texts import PROBLEMS
from hub.console.services import RegistryPorts
from hub.core.errors import Invalid, Retry, Stop
from hub.core.places import Device
from hub.core.rights import Action, Caller

Find = Callable[[str, Caller, Action], Device | None]
_NO_JOIN_EUI = "0" * 16


def network_routes(
    routes: APIRouter, ports: RegistryPorts, pages: Pages, clock_ns: Callable[[], int], find: Find
) -> None:
    """The route below the device's page."""

    @routes.post("/field/devices/{device}/network", response_model=None)
    async def make(request: Request, device: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        found, form, language = find(device, caller, Action.DEVICES), await form_of(request), pages.language(request)
        server = ports.network_servers.get(found.connector) if found else None
        if found is None or server is None:
            return to("/field" if found is None else f"/field/devices/{device}/access")
        typed = form.get("join_eui", "")
        try:
            join_eui = _digits(typed, 16, "join_eui", "bad_join_eui") or _NO_JOIN_EUI
            key = _digits(form.get("app_key", ""), 32, "app_key", "bad_app_key")
            if not key:
                raise Wrong("app_key", "needed")
            eui = _digits(found.external_id, 16, "", "bad_eui")
            outcome = await server.add(eui, join_eui, key, name=found.title or found.id, model=found.model, profile="")
        except Wrong as wrong:
            return access_page(pages, ports, request, found, "", join_eui=typed, faults=[wrong.fault(language)])
        except (Retry, Stop, Invalid) as error:
            fault = Fault("", f"{PROBLEMS['network_away'][language]} ({error})")
            return access_page(pages, ports, request, found, "", join_eui=typed, faults=[fault])
        detail = {"connector": found.connector, "outcome": outcome, "join_eui": join_eui}
        await asyncio.to_thread(ports.audit.note, clock_ns(), caller.name, "device.network_server", device, detail)
        return access_page(pages, ports, request, found, "", outcome=outcome)


def _digits(text: str, count: int, field: str, code: str) -> str:
    """Hexadecimal digits without separators, in lower case; "" for nothing typed. Never quotes what was typed."""
    plain = re.sub(r"[\s:-]", "", text).lower()
    if plain and not re.fullmatch(f"[0-9a-f]{{{count}}}", plain):
        raise Wrong(field, code)
    return plain
