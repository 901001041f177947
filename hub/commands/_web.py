# SPDX-License-Identifier: EUPL-1.2
"""The process that serves API and console; it reads stores and journals, and writes the ledger alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import uvicorn

from hub import __version__
from hub.api import Services, create_app
from hub.app import Parts
from hub.commands.credentials import desk as broker_desk
from hub.console import ConsoleServices
from hub.console import install as install_console
from hub.console.desk import DeskServices, mount_desk
from hub.console.services import RegistryPorts
from hub.core.ports import PartHealth
from hub.ingest.quota import PART as QUARANTINE
from hub.settings import secret_of
from hub.settings_sections import is_loopback
from hub.status import read_figures, read_status, remedy
from hub.storage.photos import PhotoFiles

if TYPE_CHECKING:
    from hub.console import oidc


async def serve(parts: Parts, stop: asyncio.Event) -> None:
    """Serve until SIGTERM or SIGINT; `stop` is set when one came before the server listened to them."""
    ledger = parts.ledger().open()
    store, flags = parts.store(), parts.flags()
    journals = parts.journals()
    publisher = parts.publisher("api")
    city, catalogue, settings = parts.city(), parts.catalogue(), parts.settings.api
    title = city.title[city.languages[0]]
    private = is_loopback(settings.host)
    broker = broker_desk(parts, ledger.credentials)
    services = Services(
        book=ledger.devices,
        ignored=ledger.ignored,
        values=ledger.values,
        corrections=ledger.corrections,
        definition_texts=ledger.definitions.of,
        entries=ledger.entries,
        monitoring=parts.monitoring(ledger),
        readings=store,
        records=ledger.records,
        audit=ledger.audit,
        photos=PhotoFiles(parts.data.root / "photos"),
        models=parts.models,
        network_servers=parts.network_servers(),
        imports=ledger.imports,
        connectors=[connector.name for connector in parts.connectors()],
        journals=journals,
        commands=ledger.commands,
        keys=ledger.keys,
        people=ledger.people,
        broker=broker,
        bench=parts.bench(),
        publisher=publisher,
        quantities=parts.quantities,
        definitions=catalogue,
        city_title=title,
        time_zone=city.time_zone,
        version=__version__,
        flags=flags,
        health=[_sync("ledger", ledger.check), store.check, *_processes(parts)],
        figures=lambda: {name: read_figures(parts.data.status(name)) for name in parts.processes()},
        read_requires_key=not (private if settings.public_reads is None else settings.public_reads),
        allowed_hosts=None if private else ("*",),
    )
    console = ConsoleServices(
        registry=ledger.devices,
        values=ledger.values,
        readings=store,
        journals=journals,
        quantities=parts.quantities,
        definitions={definition.id: definition for definition in catalogue},
        city_title=city.title,
        zone=city.zone,
        layout=city.cells,
        oidc=_oidc(parts, ledger.people),
        ports=RegistryPorts(
            book=ledger.devices,
            records=ledger.records,
            credentials=ledger.credentials,
            corrections=ledger.corrections,
            audit=ledger.audit,
            ignored=ledger.ignored,
            photos=services.photos,
            mqtt=_reached(parts),
            inbox=services.inbox,
            network_servers=services.network_servers,
            models=parts.models,
        ),
    )
    app = create_app(services)
    install_console(app, console)
    desk = mount_desk(
        app,
        DeskServices(
            console=console,
            gate=app.state.gate,
            book=ledger.devices,
            corrections=ledger.corrections,
            commands=ledger.commands,
            catalogue=catalogue,
            audit=ledger.audit,
            people=ledger.people,
            keys=ledger.keys,
            imports=ledger.imports,
            orders=ledger.commands,
            connectors=services.connectors,
            bench=parts.bench(),
            hand_over=broker.hand_over,
        ),
    )
    app.openapi()  # made once, here: the first caller does not wait for it
    server = uvicorn.Server(
        uvicorn.Config(
            app, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False
        )
    )
    await asyncio.sleep(0)  # a signal that came while all this was made is heard now
    if not stop.is_set():
        await server.serve()  # listens to SIGTERM and SIGINT itself from here on
    await desk.close()
    await publisher.close()
    await store.close()
    await flags.close()
    for journal in journals:
        journal.close()
    ledger.close()


def _oidc(parts: Parts, people: "oidc.People") -> "oidc.SignIn | None":
    """Signing in at the city's provider, if the settings name one."""
    given = parts.settings.oidc
    if given.issuer is None:
        return None
    from hub.console import oidc

    provider = oidc.ProviderSettings(
        issuer=given.issuer,
        client_id=given.client_id,
        client_secret=secret_of(given.client_secret, given.client_secret_file, "oidc.client_secret_file") or "",
        scopes=given.scopes,
        ca_file=str(given.ca_file or ""),
    )
    rules = oidc.Rules(
        roles_claim=given.roles_claim,
        roles=given.roles,
        default_role=given.default_role or "",
        partner_claim=given.partner_claim,
        create=given.create,
    )
    admission = oidc.Admission(people, rules)
    return oidc.SignIn(oidc.Provider(provider), admission, title=given.title, public_url=given.public_url)


def _reached(parts: Parts) -> tuple[str, int, bool]:
    """How devices reach the broker, as the settings say."""
    mqtt = parts.settings.mqtt
    return mqtt.host or mqtt.bind, mqtt.port, mqtt.tls


def _sync(name: str, check: Callable[[], PartHealth]) -> Callable[[], Awaitable[PartHealth]]:
    async def asked() -> PartHealth:
        return await asyncio.to_thread(check)

    asked.__qualname__ = name  # what the API calls a check that does not answer
    return asked


def _processes(parts: Parts) -> list[Callable[[], Awaitable[PartHealth]]]:
    """One check per other process: the worst of its parts. A quarantine that refuses is told, but does not count.

    It refuses what one source sends beyond its quota, or what is too large; all else is taken in, so the hub is ready.
    """

    def of(name: str) -> Callable[[], Awaitable[PartHealth]]:
        async def asked() -> PartHealth:
            found = read_status(parts.data.status(name), name, remedy(parts.settings.ingest, name))
            bad = [part for part in found if not part.ok]
            ok = all(part.part == QUARANTINE for part in bad)
            shown = bad or found
            detail = "; ".join(f"{part.part}: {part.detail}" for part in shown)
            return PartHealth(name, ok, detail, "; ".join(part.hint for part in shown if part.hint))

        asked.__qualname__ = name
        return asked

    return [of(name) for name in parts.processes()]
