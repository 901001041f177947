# SPDX-License-Identifier: EUPL-1.2
"""`/devices`: the registry with the state of each device."""

import logging
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from msgspec.structs import replace

from hub.api import columns
from hub.api.answers import as_list
from hub.api.auth import Reader, ServicesDep, allow, owned, reached
from hub.api.device_context import around
from hub.api.params import CSV_RESPONSE, CsvDialect, Cursor, Limit, decode_cursor, encode_cursor, language_of
from hub.api.revisions import IfMatchAtWill, require_match, tagged
from hub.api.routes.network_servers import disable_there
from hub.api.schemas.devices import DeviceDetail, DeviceIn, DeviceOut, DevicePage
from hub.api.services import Services
from hub.api.tables import Dialect
from hub.api.views import device_view, event_view, reading_view
from hub.core.errors import Invalid, NotFound, Retry
from hub.core.journal import DeviceSeen, EventRecord
from hub.core.places import Device, Mounting, RegistrySnapshot
from hub.core.readings import Grade, Origin, Reading
from hub.core.registry import DeviceFilter
from hub.core.rights import Action, Caller
from hub.core.windows import HOUR
from hub.devices.evidence import batteries
from hub.devices.models import DeviceModel
from hub.devices.state import Battery, FlagCount, flag_counts

logger = logging.getLogger(__name__)
router = APIRouter(prefix="/devices", tags=["devices"])

EVENTS_SHOWN = 20
_READINGS_AWAY = (
    "The store of readings does not answer: readings are not shown, and the state does not take their flags into "
    "account. GET /api/v1/health/ready says more."
)
NATIVE = "native"  # connector of devices that speak the hub's own form
EVER_SINCE = 0  # start of a mounting, ns since 1970
FLAG_HOURS = 6  # how far back the flags of readings count, as in the console

Registrar = Annotated[Caller, Depends(allow(Action.DEVICES))]
DeviceId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Id of the device.")]


@router.get("", response_model=DevicePage, responses=dict(CSV_RESPONSE), summary="Devices with their state")
async def list_devices(
    request: Request,
    response: Response,
    services: ServicesDep,
    caller: Reader,
    place: Annotated[
        str | None, Query(max_length=256, description="Only devices mounted at this place or below it.")
    ] = None,
    connector: Annotated[str | None, Query(max_length=64, description="Only devices of this connector.")] = None,
    model: Annotated[str | None, Query(max_length=64, description="Only devices of this model.")] = None,
    owner: Annotated[str | None, Query(max_length=64, description="Only devices of this partner.")] = None,
    tag: Annotated[list[str] | None, Query(max_length=20, description="Only devices with all of these.")] = None,
    text: Annotated[str, Query(max_length=200, description="In id, title, external id or serial.")] = "",
    state: Annotated[str | None, Query(max_length=32, description="Only devices in this state.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
    dialect: CsvDialect = Dialect.PLAIN,
) -> Response:
    """List registered devices in order of their ids, each with its state in words.

    The state follows from the declared interval, the last message and the flags of the last hours' readings.
    `Accept: text/csv` gives rows as CSV, the next page is then in the header `Link`.
    """
    after = decode_cursor(cursor, tuple[str])[0] if cursor else ""
    snapshot, seen = await run_in_threadpool(_registry, services, caller)
    if place is not None and place not in snapshot.places:
        raise Invalid(f"no place {place!r}; GET /api/v1/places lists them", "place")
    where = DeviceFilter(
        place=place, connector=connector, model=model, owner=owner, tags=tag or (), text=text.casefold()
    )
    chosen = sorted(d.id for d in snapshot.devices.values() if d.id > after and _fits(d, where))
    asked = chosen if state else chosen[:limit]  # the state is known only once it is worked out
    devices = [snapshot.devices[name] for name in asked]
    lately = await recent(services, devices)
    findings = await run_in_threadpool(
        services.watch.findings, devices, services.clock_ns(), flags=lately.flags, batteries=lately.batteries
    )
    language, zone = _speak(request, response), ZoneInfo(services.time_zone)
    beside = await run_in_threadpool(around, services, caller, devices, snapshot.places)
    rows = [device_view(d, seen.get(d.id), findings[d.id], language, zone) | beside[d.id] for d in devices]
    found = [row for row in rows if state in (None, row["state"])]
    more = len(found) > limit or len(chosen) > len(asked)
    cursor_on = encode_cursor(found[:limit][-1]["id"]) if more else None
    body = {"items": found[:limit], "next": cursor_on, "readings_problem": lately.problem}
    headers = {"Content-Language": language, "Vary": "Accept, Accept-Language"}
    return as_list(request, body, columns.DEVICES, dialect, headers)


@router.post("", status_code=201, response_model=DeviceOut, summary="Register a device")
def add_device(
    request: Request, response: Response, services: ServicesDep, device: DeviceIn, caller: Registrar
) -> Mapping[str, Any]:
    """Register a device. Its messages that wait in quarantine are then taken in by themselves.

    The place, where one is given, has to exist. The device counts as mounted there ever since, or from `mounted_from`
    on. A device that was removed before continues: what it measured stays where it stood then.
    """
    owner = caller.partner if caller.bounded(Action.DEVICES) else ""
    added = services.book.add_device(
        replace(device_of(device, services.models), owner=owner or device.owner), by=caller.name
    )
    response.headers["Location"] = f"/api/v1/devices/{quote(added.id)}"
    finding = services.watch.finding(added, services.clock_ns())
    seen = services.watch.seen().get(added.id)
    view = device_view(added, seen, finding, _speak(request, response), ZoneInfo(services.time_zone))
    return view | around(services, caller, [added], services.book.snapshot().places)[added.id]


@router.get("/{device}", response_model=DeviceDetail, summary="One device")
async def get_device(
    request: Request, response: Response, services: ServicesDep, caller: Reader, device: DeviceId
) -> Response:
    """A device with its state, the newest reading of each quantity, and its newest events.

    While the store of readings does not answer, the rest is shown, and `readings_problem` says so.
    """
    snapshot, seen = await run_in_threadpool(_registry, services, caller)
    row = snapshot.devices.get(device)
    if row is None:
        raise NotFound(f"no device {device!r} is registered; GET /api/v1/devices lists all")
    newest, no_readings = await _latest(services, device)
    lately = await recent(services, [row])
    events = await run_in_threadpool(_events, services, device)
    finding = await run_in_threadpool(
        services.watch.finding,
        row,
        services.clock_ns(),
        flags=lately.flags.get(device),
        battery=lately.batteries.get(device),
    )
    view = device_view(row, seen.get(device), finding, _speak(request, response), ZoneInfo(services.time_zone))
    beside = await run_in_threadpool(around, services, caller, [row], snapshot.places)
    shown = [reading_view(reading, row, services.quantities) for reading in newest]
    body = {
        **view,
        **beside[device],
        "readings": shown,
        "readings_problem": no_readings or lately.problem,
        "events": [event_view(event) for event in events],
    }
    return tagged(body, row.revision, dict(response.headers))


@router.delete("/{device}", status_code=204, summary="Retire a device")
async def remove_device(
    services: ServicesDep,
    device: DeviceId,
    caller: Registrar,
    response: Response,
    reason: Annotated[str, Query(max_length=1000, description="Why; stays in the record of changes.")] = "",
    if_match: IfMatchAtWill = None,
) -> None:
    """Take a device out of the registry. Its readings and the values made of them stay, for the place where it stood.

    Messages that it still sends wait in quarantine as `unknown_device`. In a network server in which the hub
    makes devices it is disabled too; the header `Network-Server` says `disabled`, or `failed`: then do it by hand.
    """
    row = (await run_in_threadpool(services.book.snapshot)).devices.get(device)
    if row is not None:
        owned(caller, Action.DEVICES, row.owner, f"device {device!r}")
    expected = None
    if row is not None and if_match is not None:
        require_match(if_match, row.revision, f"/api/v1/devices/{device}")
        expected = row.revision
    await run_in_threadpool(services.book.remove_device, device, by=caller.name, why=reason, expected=expected)
    told = None if row is None else await disable_there(services, row, caller.name)
    if told is not None:
        response.headers["Network-Server"] = told


def _registry(services: Services, caller: Caller) -> tuple[RegistrySnapshot, Mapping[str, DeviceSeen]]:
    return reached(caller, services.book.snapshot()), services.watch.seen()


def _events(services: Services, device: str) -> Sequence[EventRecord]:
    rows = [row for journal in services.journals for row in journal.events(device, EVENTS_SHOWN)]
    return sorted(rows, key=lambda row: -row.received)[:EVENTS_SHOWN]


def _fits(device: Device, where: DeviceFilter) -> bool:
    wanted = ((where.connector, device.connector), (where.model, device.model), (where.owner, device.owner))
    if any(word is not None and word != has for word, has in wanted) or not set(where.tags) <= set(device.tags):
        return False
    said = "\n".join((device.id, device.title, device.external_id, device.serial)).casefold()
    stands = device.place
    below = where.place is None or (stands is not None and f"{stands}/".startswith(f"{where.place}/"))
    return below and where.text in said


async def _latest(services: Services, device: str) -> tuple[Sequence[Reading], str | None]:
    """The newest reading of each quantity, in order of quantity; none, and why, while the store is away."""
    try:
        found = await services.readings.latest(await services.readings.series([device]))
    except Retry as error:
        return [], _away(error)
    return [found[series] for series in sorted(found)], None


class Lately(NamedTuple):
    """What readings say of devices: flags of the last hours, last batteries; `problem` where they cannot be read."""

    flags: Mapping[str, FlagCount] = {}
    batteries: Mapping[str, Battery] = {}
    problem: str | None = None


async def recent(services: Services, devices: Sequence[Device]) -> Lately:
    """Of these devices; a store that is away must not hide the registry, so then nothing, and why."""
    if not devices:
        return Lately()
    now, readings = services.clock_ns(), services.readings
    try:
        series = await readings.series([device.id for device in devices])
        found = await readings.scan(series, now - FLAG_HOURS * HOUR, now + HOUR)
        return Lately(flag_counts(found), await batteries(readings, devices, services.models))
    except Retry as error:
        return Lately(problem=_away(error))


def _away(error: Retry) -> str:
    """What the caller is told; the store's own words, which may name hosts, go to the log."""
    logger.warning("devices are shown without readings: %s", error)
    return _READINGS_AWAY


def device_of(posted: DeviceIn, models: Mapping[str, DeviceModel]) -> Device:
    """What was posted; what it leaves out comes from its model."""
    model = models.get(posted.model)
    if posted.model and model is None:
        raise Invalid(f"no model {posted.model!r}; leave it out, or choose one of the table of models", "model")
    if model is not None and not model.connector and posted.connector is None:
        raise Invalid(
            f"no connector takes in what {model.label} sends yet: name one, or choose another model", "connector"
        )
    if posted.place is None and (posted.height is not None or posted.orientation is not None):
        raise Invalid("height and orientation say how it stands at a place: give place too", "place")
    mounting = Mounting(posted.place or "", posted.mounted_from or EVER_SINCE, None, posted.height, posted.orientation)
    return Device(
        id=posted.id,
        connector=posted.connector or (model.connector if model else NATIVE),
        external_id=posted.external_id or posted.id,
        title=posted.title,
        interval=posted.interval or (model.interval if model else None),
        grade=Grade.of(posted.grade or (model.grade if model else "informative")),
        origin=Origin.of(posted.origin),
        mountings=[mounting] if posted.place else [],
        model=posted.model,
        serial=posted.serial,
        tags=tuple(posted.tags),
        note=posted.note,
    )


def _speak(request: Request, response: Response) -> str:
    """The language of the answer, said in its headers too."""
    language = language_of(request)
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return language
