# SPDX-License-Identifier: EUPL-1.2
"""Routes of the field pages. A form that is wrong is shown again with what was typed; every step is kept as a draft.

A secret is in the one answer that issues it and nowhere else: sent twice, a registration leads to the page that offers
a new one.
"""

import asyncio
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hub.console._access import everybody
from hub.console._pages import Pages
from hub.console._values import Speaker
from hub.console.field import _views as views
from hub.console.field._answers import DRAFT_KIND, Ignorer, Issuer, Peeker, Technician, access_page, form_of, to
from hub.console.field._forms import Fault, fault_of
from hub.console.field._register_routes import register_routes
from hub.console.field._registration import DIRECT
from hub.console.field.texts import DEVICE, PROBLEMS
from hub.console.services import ConsoleServices, RegistryPorts
from hub.core.errors import Invalid, NotFound
from hub.core.places import Device
from hub.core.rights import Action, Caller


def field_router(services: ConsoleServices, ports: RegistryPorts, pages: Pages) -> APIRouter:
    """All field pages."""
    routes = APIRouter(include_in_schema=False)
    _start(routes, services, ports, pages)
    register_routes(routes, services, ports, pages)
    _device(routes, services, ports, pages)
    return routes


def _start(routes: APIRouter, services: ConsoleServices, ports: RegistryPorts, pages: Pages) -> None:
    script = files("hub.console.field").joinpath("field.js").read_text("utf-8")

    @routes.get("/field/field.js", dependencies=[Depends(everybody)])
    def field_script() -> Response:
        return Response(script, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    @routes.get("/field")
    def start(request: Request, caller: Technician, q: str = "") -> HTMLResponse:
        speaker = Speaker.of(services, pages.language(request))
        drafts = [d for d in ports.records.drafts(by=caller.name) if d.kind == DRAFT_KIND]
        found = views.rows(speaker, caller, q.strip())
        return pages.respond(request, "field_start.html", rows=found, drafts=drafts, q=q, simulated=False)

    @routes.get("/field/inbox")
    def inbox(request: Request, caller: Peeker) -> HTMLResponse:  # noqa: ARG001 asking for the caller is the guard
        speaker = Speaker.of(services, pages.language(request))
        return pages.respond(request, "field_inbox.html", rows=views.inbox(speaker), simulated=False)

    @routes.post("/field/inbox/ignore")
    async def ignore(request: Request, caller: Ignorer) -> RedirectResponse:
        form, why = await form_of(request), DEVICE["ignored_why"][pages.language(request)]
        names = form.get("connector", ""), form.get("external_id", "")
        await asyncio.to_thread(ports.ignored.add, *names, why=why, by=caller.name)
        return to("/field/inbox")


def _device(routes: APIRouter, services: ConsoleServices, ports: RegistryPorts, pages: Pages) -> None:
    def find(device: str, caller: Caller, action: Action = Action.READ) -> Device | None:
        found = ports.book.snapshot().devices.get(device)
        return found if found and caller.reaches(action, found.owner) else None

    async def page(
        request: Request, template: str, found: Device | None, caller: Caller, *faults: Fault
    ) -> HTMLResponse:
        if found is None:
            return pages.respond(request, "missing.html", 404, simulated=False)
        device = found
        speaker = await asyncio.to_thread(Speaker.of, services, pages.language(request))
        readings = await views.last_readings(services, speaker, device.id)

        def gather() -> dict[str, Any]:
            row, model = views.row_of(speaker, device), ports.models.get(device.model)
            return {
                "state": row,
                "place": row.place,
                "due": views.due(speaker, device),
                "heard": views.heard(services, device.id),
                "model": f"{model.vendor} {model.name}" if model else device.model,
                "refusals": ports.credentials.refusals(device.id)[:5],
                "events": [e for j in services.journals for e in j.events(device.id, limit=5)],
                "notes": ports.records.notes(f"device:{device.id}"),
                "credential": ports.credentials.get(device.id),
                "history": ports.audit.read(subject=device.id, limit=20),
                "access": caller.may(Action.CREDENTIALS),
                "network": device.connector != DIRECT,
                "when": speaker.formats.moment,
            }

        context = await asyncio.to_thread(gather)
        status = 422 if faults else 200
        return pages.respond(
            request, template, status, device=device, readings=readings, faults=list(faults), simulated=False, **context
        )

    @routes.get("/field/devices/{device}")
    async def device_page(request: Request, device: str, caller: Technician) -> HTMLResponse:
        return await page(request, "field_device.html", find(device, caller), caller)

    @routes.get("/field/devices/{device}/check")
    async def check(request: Request, device: str, caller: Technician) -> HTMLResponse:
        return await page(request, "field_check.html", find(device, caller), caller)

    @routes.get("/field/devices/{device}/access", response_model=None)
    def access(request: Request, device: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        found = find(device, caller)
        return access_page(pages, ports, request, found, "") if found else to("/field")

    @routes.post("/field/devices/{device}/rotate", response_model=None)
    def rotate(request: Request, device: str, caller: Issuer) -> HTMLResponse | RedirectResponse:
        found = find(device, caller, Action.CREDENTIALS)
        if found is None:
            return to("/field")
        change = ports.credentials.rotate if ports.credentials.get(device) else ports.credentials.issue
        return access_page(pages, ports, request, found, change(device, by=caller.name).secret)

    @routes.post("/field/devices/{device}/{change}", response_model=None)
    async def change(request: Request, device: str, change: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        form, found = await form_of(request), find(device, caller, Action.DEVICES)
        language = pages.language(request)
        if found is None or (change == "disable" and not caller.may(Action.CREDENTIALS)):
            return await page(request, "field_device.html", None, caller)
        if change in {"disable", "retire"} and form.get("sure") != "1":
            return await page(request, "field_device.html", found, caller, Fault("", PROBLEMS["confirm"][language]))
        try:
            await asyncio.to_thread(_change, ports, device, change, form, caller.name)
        except Invalid as error:
            return await page(request, "field_device.html", found, caller, fault_of(error, {}, language))
        return to("/field" if change == "retire" else f"/field/devices/{device}")


def _change(ports: RegistryPorts, device: str, change: str, form: dict[str, str], by: str) -> None:
    why = form.get("why", "").strip()
    if change == "note":
        ports.records.add_note(f"device:{device}", form.get("text", "").strip(), by=by)
    elif change == "disable":
        ports.credentials.disable(device, by=by, why=why)
    elif change == "retire":
        ports.book.remove_device(device, by=by, why=why)
    else:
        raise NotFound(f"there is no action {change!r}")
