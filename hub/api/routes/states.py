# SPDX-License-Identifier: EUPL-1.2
"""`/devices/states` and `/devices/{device}/raw`: all devices at a glance, and one as it really talks."""

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.auth import Reader, ServicesDep, allow, reached
from hub.api.params import language_of
from hub.api.routes.device_changes import DeviceId, seen_device
from hub.api.routes.devices import recent
from hub.api.schemas.inbox import RawList, StatesOut
from hub.core.places import RegistrySnapshot
from hub.core.rights import Action, Caller
from hub.core.windows import format_instant
from hub.devices.outages import Outage, members_of, outages, words
from hub.devices.set_aside import payload_view

router = APIRouter(prefix="/devices", tags=["devices"])

Peeker = Annotated[Caller, Depends(allow(Action.RAW))]


@router.get("/states", response_model=StatesOut, summary="States of all devices, and what failed together")
async def states(request: Request, response: Response, services: ServicesDep, caller: Reader) -> Mapping[str, Any]:
    """How many devices are in each state, and outages: devices that fell silent at one moment and have a cause in
    common, such as a gateway.
    """
    snapshot = reached(caller, await run_in_threadpool(services.book.snapshot))
    devices = list(snapshot.devices.values())
    lately = await recent(services, devices)
    findings = await run_in_threadpool(
        services.watch.findings, devices, services.clock_ns(), flags=lately.flags, batteries=lately.batteries
    )
    language = language_of(request)
    response.headers.update({"Content-Language": language, "Vary": "Accept-Language"})
    return {
        "states": Counter(finding.state.value for finding in findings.values()),
        "attention": sum(finding.attention for finding in findings.values()),
        "outages": [_outage(one, snapshot, language) for one in outages(members_of(snapshot, findings))],
        "readings_problem": lately.problem,
    }


@router.get("/{device}/raw", response_model=RawList, summary="Last messages of a device, as they came")
def raw(services: ServicesDep, caller: Peeker, device: DeviceId) -> Mapping[str, Any]:
    """The last raw messages of a registered device, with what became of each. They may hold personal data.

    How many are kept is a setting (`ingest.samples`); none are where it is 0.
    """
    seen_device(services, caller, device)
    rows = sorted((row for j in services.journals for row in j.samples(device)), key=lambda row: -row.received)
    return {
        "items": [
            {
                "received": format_instant(row.received),
                "topic": row.topic,
                "payload": payload_view(row.payload, len(row.payload), row.size),
                "verdict": row.verdict,
                "readings": row.readings,
                "reason": row.reason,
                "detail": row.detail,
            }
            for row in rows
        ]
    }


def _outage(outage: Outage, registry: RegistrySnapshot, language: str) -> Mapping[str, Any]:
    place = registry.places.get(outage.what) if outage.kind == "part" else None
    text = words(outage, language, place.title.get(language) if place else None)
    return {**outage._asdict(), "since": format_instant(outage.since), "text": text}
