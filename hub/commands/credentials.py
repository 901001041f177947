# SPDX-License-Identifier: EUPL-1.2
"""Credentials at the broker from the command line, and what of them the API is given."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from hub.app import Parts
from hub.commands._output import print_table
from hub.core.access import CredentialKind
from hub.core.ports import Credentials, Issued
from hub.settings import Settings
from hub.settings_sections import MqttSettings
from hub.transport.provisioning import DynamicSecurity

_PAYLOAD = '{"readings": {"air_temperature": 21.5}}'


@dataclass(frozen=True)
class Desk:
    """Credentials at this hub's broker, and how devices reach it."""

    credentials: Credentials
    mqtt: MqttSettings
    managed: bool
    hand_over: Callable[[Sequence[Issued]], Awaitable[None]] | None

    def entry(self, issued: Issued) -> Mapping[str, object]:
        """All that is entered in a device, and the same as text (for a QR code)."""
        one, mqtt = issued.credential, self.mqtt
        tls = mqtt.tls if mqtt.host else mqtt.tls_cert is not None
        given: dict[str, object] = {
            "host": mqtt.public_host or mqtt.host or mqtt.bind,
            "port": mqtt.port,
            "tls": tls,
            "client_id": one.username,
            "username": one.username,
            "secret": issued.secret,
            "topic": one.prefix or f"devices/{one.username}/readings",
            "payload": "" if one.kind is CredentialKind.BRIDGE else _PAYLOAD,
        }
        text = "\n".join(
            f"{name}: {'yes' if value is True else 'no' if value is False else value}"
            for name, value in given.items()
            if value != ""
        )
        return {**given, "text": text}


def desk(parts: Parts, credentials: Credentials) -> Desk:
    """The desk of these settings."""
    mqtt = parts.settings.mqtt
    managed = mqtt.host is None or mqtt.dynamic_security or mqtt.password_file_out is not None
    hand_over = DynamicSecurity(parts.broker()).provision if mqtt.dynamic_security else None
    return Desk(credentials, mqtt, managed, hand_over)


def device_credentials(settings: Settings, device: str, *, rotate: bool, disable: bool, by: str) -> None:
    """Issue, rotate or disable what a device shows the broker."""
    _change(settings, device, rotate=rotate, disable=disable, by=by)


def add_bridge(settings: Settings, username: str, prefix: str, allow: Sequence[str], *, by: str) -> None:
    """Issue a credential for a network server."""
    _show(settings, lambda credentials: credentials.issue(username, by=by, bridge=prefix, allow=allow))


def change_bridge(settings: Settings, username: str, *, rotate: bool, by: str) -> None:
    """A new secret for a bridge, or shut it out."""
    _change(settings, username, rotate=rotate, disable=not rotate, by=by)


def allow_devices(settings: Settings, username: str, devices: Sequence[str], *, by: str) -> None:
    """Say which devices a bridge may bring."""
    with Parts(settings).ledger().open() as ledger:
        changed = ledger.credentials.allow(username, devices, by=by)
    print(f"{username} may bring {', '.join(changed.allow) or 'all registered devices'}")


def list_bridges(settings: Settings) -> None:
    """Print all bridges."""
    with Parts(settings).ledger().open() as ledger:
        bridges = [one for one in ledger.credentials.all() if one.kind is CredentialKind.BRIDGE]
    rows = [(b.username, b.prefix, "disabled" if b.disabled_at else "active", len(b.allow) or "all") for b in bridges]
    print_table("Bridges", ["name", "prefix", "state", "devices"], rows)


def _change(settings: Settings, username: str, *, rotate: bool, disable: bool, by: str) -> None:
    if disable:
        with Parts(settings).ledger().open() as ledger:
            ledger.credentials.disable(username, by=by)
        print(f"{username} is shut out; its session ends")
        return
    _show(
        settings,
        lambda credentials: credentials.rotate(username, by=by) if rotate else credentials.issue(username, by=by),
    )


def _show(settings: Settings, make: Callable[[Credentials], Issued]) -> None:
    """Print a new secret this once; a broker that takes plain text only is given it now."""
    parts = Parts(settings)
    with parts.ledger().open() as ledger:
        made = desk(parts, ledger.credentials)
        issued = make(ledger.credentials)
    print(f"{made.entry(issued)['text']}\nThe secret is shown this once.")
    if not made.managed:
        print("The hub does not manage this broker: enter user and secret there (docs/credentials.md).")
    if made.hand_over is not None:
        asyncio.run(_hand_over(made.hand_over, issued))


async def _hand_over(hand_over: Callable[[Sequence[Issued]], Awaitable[None]], issued: Issued) -> None:
    await hand_over([issued])
