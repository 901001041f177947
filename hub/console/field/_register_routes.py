# SPDX-License-Identifier: EUPL-1.2
"""Routes of a registration. Every step is kept as a draft of the person before it is judged: nothing typed is lost.

A secret is in the one answer that issues it and nowhere else: sent twice, a registration leads to the page that offers
a new one.
"""

import asyncio
import secrets
from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from msgspec import structs

from hub.console._pages import Pages
from hub.console.field import _registration as registration
from hub.console.field._answers import DRAFT_KIND, Technician, access_page, form_of, to
from hub.console.field._forms import Fault, Wrong, fault_of
from hub.console.field._label import read_label, wish
from hub.console.field._steps import Form, device_form, site_form
from hub.console.services import ConsoleServices, RegistryPorts
from hub.core.errors import Invalid, NotFound
from hub.core.registry import Draft

_DEVICE_ERRORS = frozenset(registration.DEVICE_FIELDS)


def register_routes(routes: APIRouter, services: ConsoleServices, ports: RegistryPorts, pages: Pages) -> None:
    def save(draft: Draft, form: dict[str, str]) -> Draft:
        document = {**draft.document, **form}
        changed = structs.replace(draft, document=document, changed_at=services.clock_ns())
        return ports.records.save_draft(changed)

    @routes.post("/field/register")
    async def begin(request: Request, caller: Technician) -> RedirectResponse:
        form, now = await form_of(request), services.clock_ns()
        given = {key: form[key] for key in ("connector", "external_id") if form.get(key)}
        draft = Draft(
            id=secrets.token_hex(8), kind=DRAFT_KIND, document=given, by=caller.name, made_at=now, changed_at=now
        )
        await asyncio.to_thread(ports.records.save_draft, draft)
        return to(f"/field/register/{draft.id}/device")

    @routes.post("/field/register/{draft}/drop")
    def drop(draft: str, caller: Technician) -> RedirectResponse:
        ports.records.drop_draft(draft, by=caller.name)
        return to("/field")

    def device_page(request: Request, form: Form, faults: Sequence[Fault]) -> HTMLResponse:
        shown = device_form(ports.models, pages.language(request), form, faults)
        return pages.respond(request, "field_device_step.html", 422 if faults else 200, **shown)

    def site_page(request: Request, form: Form, faults: Sequence[Fault]) -> HTMLResponse:
        shown = site_form(ports.book.snapshot(), pages.language(request), form, faults)
        return pages.respond(request, "field_site_step.html", 422 if shown["faults"] else 200, **shown)

    @routes.get("/field/register/{draft}/{step}", response_model=None)
    def show(request: Request, draft: str, step: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        try:
            begun = ports.records.draft(draft, by=caller.name)
        except NotFound:
            return to("/field")
        if done := begun.document.get("device"):
            return to(f"/field/devices/{done}/access")
        return (site_page if step == "site" else device_page)(request, begun.document, [])

    @routes.post("/field/register/{draft}/device", response_model=None)
    async def device_step(request: Request, draft: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        sent, language = await form_of(request), pages.language(request)
        form = {key: sent.get(key, "") for key in registration.DEVICE_FIELDS}

        def work() -> HTMLResponse | RedirectResponse:
            try:
                begun = ports.records.draft(draft, by=caller.name)
                wanted, begun = wish(sent, begun.document), save(begun, form)
                if wanted == "label":
                    begun = save(begun, read_label(form, ports.models))
                if wanted != "next":
                    return device_page(request, begun.document, [])
                registration.device_of(form, ports.models, ports.book.snapshot())
            except NotFound:
                return to("/field")
            except Wrong as wrong:
                return device_page(request, begun.document, [wrong.fault(language)])
            return to(f"/field/register/{draft}/site")

        return await asyncio.to_thread(work)

    @routes.post("/field/register/{draft}/site", response_model=None)
    async def site_step(request: Request, draft: str, caller: Technician) -> HTMLResponse | RedirectResponse:
        sent, language = await form_of(request), pages.language(request)
        form = {key: sent.get(key, "") for key in registration.SITE_FIELDS}

        def work() -> HTMLResponse | RedirectResponse:
            try:
                begun = ports.records.draft(draft, by=caller.name)
            except NotFound:
                return to("/field")
            if done := begun.document.get("device"):
                return to(f"/field/devices/{done}/access")
            begun = save(begun, form)
            whole = {key: str(value) for key, value in begun.document.items()}
            if sent.get("action") == "locate":
                return site_page(request, whole, [])
            try:
                made = registration.register(ports, whole, ports.models, caller, services.clock_ns())
            except (Wrong, Invalid) as error:
                fault = (
                    error.fault(language)
                    if isinstance(error, Wrong)
                    else fault_of(error, registration.LEDGER_FIELDS, language)
                )
                page = device_page if fault.field in _DEVICE_ERRORS else site_page
                return page(request, whole, [fault])
            save(begun, {"device": made.device.id})
            return access_page(
                pages,
                ports,
                request,
                made.device,
                made.issued.secret if made.issued else "",
                join_eui=whole.get("join_eui", ""),
            )

        return await asyncio.to_thread(work)
