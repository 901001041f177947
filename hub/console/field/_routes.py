# SPDX-License-Identifier: EUPL-1.2
"""Routes of the field pages. A form that is wrong is shown again with what was typed; every step is kept as a draft.

A secret is in the one answer that issues it and nowhere else: sent twice, a registration leads to the page that offers
a new one.
"""

import asyncio
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hub.console._access import everybody
from hub.console._overview import preview
from hub.console._pages import Pages
from hub.console._values import Speaker
from hub.console.field import _views as views
from hub.console.field._answers import DRAFT_KIND, Ignorer, Issuer, Peeker, Technician, access_page, form_of, to
from hub.console.field._forms import Fault, Wrong, fault_of
from hub.console.field._network import network_routes
from hub.console.field._photos import photo_routes
from hub.console.field._register_routes import register_routes
from hub.console.field._registration import DIRECT
from hub.console.field._work import NEEDS, SURE
from hub.console.field._work import change as make_change
from hub.console.field.texts import DEVICE, PROBLEMS
from hub.console.services import ConsoleServices, RegistryPorts
from hub.core.errors import HubError, Invalid
from hub.core.places import Device
from hub.core.quantities import Kind
from hub.core.rights import Action, Caller
from hub.devices.state import Battery

NOTHING: Mapping[str, str] = {}
_FORMS = ("note", "disable", "photos", "move", "hardware", "maintenance", "retire")


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
    async def start(request: Request, caller: Technician, q: str = "") -> HTMLResponse:
        speaker = await asyncio.to_thread(Speaker.of, services, pages.language(request))
        charged = await views.charges(services, speaker.registry.devices.values())
        return await asyncio.to_thread(listed, request, speaker, caller, q, charged)

    def listed(
        request: Request, speaker: Speaker, caller: Caller, q: str, charged: Mapping[str, Battery]
    ) -> HTMLResponse:
        drafts = [
            d for d in ports.records.drafts(by=caller.name) if d.kind == DRAFT_KIND and not d.document.get("device")
        ]
        found = views.rows(speaker, caller, q.strip(), charged)
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
        request: Request,
        template: str,
        found: Device | None,
        caller: Caller,
        *faults: Fault,
        failed: str = "",
        form: Mapping[str, str] = NOTHING,
    ) -> HTMLResponse:
        if found is None:
            return pages.respond(request, "missing.html", 404, simulated=False)
        device = found
        speaker = await asyncio.to_thread(Speaker.of, services, pages.language(request))
        readings = await views.last_readings(services, speaker, device.id)
        totals = await _totals(services, device.id)
        battery = await views.charge(services, speaker, device.id)
        charged = await views.charges(services, [device])

        def gather() -> dict[str, Any]:
            finding = services.watch.finding(device, services.clock_ns(), battery=charged.get(device.id))
            row, model = views.row_of(speaker, device, finding), ports.models.get(device.model)
            history = ports.audit.read(subject=device.id, limit=20)
            places = ports.book.snapshot().places
            language = pages.language(request)
            return {
                "state": row,
                "place": row.place,
                "due": views.due(speaker, device),
                "heard": views.heard(services, device.id),
                "model": model.label if model else device.model,
                "refusals": ports.credentials.refusals(device.id)[:5],
                "events": [e for j in services.journals for e in j.events(device.id, limit=5)],
                "notes": ports.records.notes(f"device:{device.id}"),
                "credential": ports.credentials.get(device.id),
                "history": history,
                "link": finding.link,
                "battery": battery,
                "totals": [(q, speaker.quantity(q)) for q in totals],
                "photos": ports.records.photos(f"device:{device.id}") if ports.photos else None,
                "mountings": [(m, speaker.place(m.place)) for m in reversed(device.mountings)],
                "hardware": ports.book.hardware(device.id),
                "samples": [s for j in services.journals for s in j.samples(device.id)][:5],
                "preview": preview,
                "sites": sorted((p.title.get(language, p.id), p.id) for p in places.values() if p.parent),
                "correct": caller.may(Action.CORRECT),
                "number": speaker.formats.number,
                "access": caller.may(Action.CREDENTIALS),
                "network": device.connector != DIRECT,
                "when": speaker.formats.moment,
            }

        context = await asyncio.to_thread(gather)
        context |= {"device": device, "readings": readings, "faults": faults, "simulated": False, "failed": failed}
        context["forms"] = {**dict.fromkeys(_FORMS, NOTHING), failed: form}  # what was typed stays in its own form
        context["photo_large"] = PROBLEMS["photo_large"][pages.language(request)]
        return pages.respond(request, template, 422 if faults else 200, **context)

    @routes.get("/field/devices/{device}")
    async def device_page(request: Request, device: str, caller: Technician) -> HTMLResponse:
        return await page(request, "field_device.html", find(device, caller), caller)

    @routes.get("/field/devices/{device}/check")
    async def check(request: Request, device: str, caller: Technician) -> HTMLResponse:
        return await page(request, "field_check.html", find(device, caller), caller)

    @routes.get("/field/devices/{device}/protocol")
    async def protocol(request: Request, device: str, caller: Technician) -> HTMLResponse:
        return await page(request, "field_protocol.html", find(device, caller), caller)

    @routes.get("/field/devices/{device}/access", response_model=None)
    def access(request: Request, device: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        found = find(device, caller)
        if found is None:
            return to("/field")
        begun = (d.document for d in ports.records.drafts(by=caller.name) if d.document.get("device") == device)
        label = next((str(document.get("join_eui", "")) for document in begun), "")
        return access_page(pages, ports, request, found, "", join_eui=label)

    @routes.post("/field/devices/{device}/rotate", response_model=None)
    def rotate(request: Request, device: str, caller: Issuer) -> HTMLResponse | RedirectResponse:
        found = find(device, caller, Action.CREDENTIALS)
        if found is None:
            return to("/field")
        change = ports.credentials.rotate if ports.credentials.get(device) else ports.credentials.issue
        return access_page(pages, ports, request, found, change(device, by=caller.name).secret)

    if ports.photos is not None:

        async def again(
            request: Request, found: Device | None, caller: Caller, fault: Fault, typed: Mapping[str, str]
        ) -> HTMLResponse:
            return await page(request, "field_device.html", found, caller, fault, failed="photos", form=typed)

        photo_routes(routes, ports.records, ports.photos, pages, services.clock_ns, find, again)

    network_routes(routes, ports, pages, services.clock_ns, find)

    @routes.post("/field/devices/{device}/{change}", response_model=None)
    async def change(request: Request, device: str, change: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        form, found = await form_of(request), find(device, caller, Action.DEVICES)
        language = pages.language(request)
        needed = NEEDS.get(change)
        if found is None or (needed is not None and not caller.reaches(needed, found.owner)):
            return await page(request, "field_device.html", None, caller)

        async def refused(fault: Fault) -> HTMLResponse:
            return await page(request, "field_device.html", found, caller, fault, failed=change, form=form)

        if change in SURE and form.get("sure") != "1":
            return await refused(Fault("", PROBLEMS["confirm"][language]))
        try:
            given = found, change, form, caller, services.clock_ns(), services.zone
            await asyncio.to_thread(make_change, ports, *given)
        except Wrong as wrong:
            return await refused(wrong.fault(language))
        except Invalid as error:
            return await refused(fault_of(error, {}, language))
        return to("/field" if change == "retire" else f"/field/devices/{device}")


async def _totals(services: ConsoleServices, device: str) -> list[str]:
    """Quantities of the device that are totals: a new meter begins them anew. None while the store is away."""
    try:
        found = await services.readings.series([device])
    except HubError:
        return []
    names = sorted({series.quantity for series in found})
    return [name for name in names if services.quantities.get(name).kind is Kind.COUNTER]
