# SPDX-License-Identifier: EUPL-1.2
"""The factory: routers, guards and layers joined to one FastAPI app. Its only state is the gate's memory of wrong keys.

FastAPI's own documentation pages load scripts from the internet; they are switched off, `/docs` is made here.
"""

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute

from hub.api import openapi, problems
from hub.api.answers import release_of
from hub.api.auth import KeyGate
from hub.api.etags import ETags
from hub.api.params import json_body, known_parameters
from hub.api.problems import PREFIX
from hub.api.routes import (
    calibration,
    catalogue,
    composites,
    corrections,
    credentials,
    device_changes,
    devices,
    docs,
    drafts,
    entries,
    exchange,
    health,
    inbox,
    indicators,
    metrics,
    models,
    network_servers,
    operation,
    people,
    places,
    quarantine,
    readings,
    records,
    states,
    strategies,
)
from hub.api.services import Services
from hub.api.shield import Shield

RESOURCES = (
    health,
    exchange,
    states,  # before devices, whose ids would take its name
    devices,
    inbox,
    device_changes,
    credentials,
    network_servers,
    records,
    calibration,
    places,
    models,
    drafts,
    catalogue,
    readings,
    corrections,
    composites,
    indicators,
    entries,
    strategies,
    quarantine,
    operation,
    people,
)


def create_app(services: Services) -> FastAPI:
    """The API over the ports given. Serve it with an ASGI server; mount further pages beside its prefix."""
    app = FastAPI(
        title=f"City hub {services.city_title}".strip(),
        version=services.version,
        description=openapi.DESCRIPTION,
        openapi_tags=[dict(tag) for tag in openapi.TAGS],
        license_info={"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.services = services
    app.state.gate = KeyGate(
        services.keys, services.people, open_reads=not services.read_requires_key, audit=services.audit
    )
    app.state.release = release_of(services.version, services.definitions)
    guards = [Depends(json_body), Depends(known_parameters)]
    for resource in RESOURCES:
        app.include_router(resource.router, prefix=PREFIX, dependencies=guards)
    app.include_router(records.pictures, prefix=PREFIX, dependencies=[Depends(known_parameters)])
    app.include_router(exchange.files, prefix=PREFIX, dependencies=[Depends(known_parameters)])
    app.include_router(entries.files, prefix=PREFIX, dependencies=[Depends(known_parameters)])
    app.include_router(strategies.documents, prefix=PREFIX, dependencies=[Depends(known_parameters)])
    app.include_router(metrics.router, dependencies=guards)
    app.include_router(docs.router)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(ETags)
    app.add_middleware(Shield, max_body_bytes=services.max_body_bytes, hosts=services.hosts)
    return app


def _operation_id(route: APIRoute) -> str:
    """The function's own name: unique over all routers, and what generated clients call the operation."""
    return route.name
