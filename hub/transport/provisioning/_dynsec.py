# SPDX-License-Identifier: EUPL-1.2
"""Users of a remote Mosquitto, through its dynamic security plugin (`$CONTROL/dynamic-security/v1`).

The plugin of Mosquitto 2.0 makes its own hashes and takes passwords in plain text only (it has no way to give it a
hash), and it has no patterns, so each device is a client with a role of its own. What follows from that:

- A secret has to be there when the broker is told. It is kept in the memory of the process that issued it, in no file,
  and handed over at once (`provision`); when the broker is away, the secret is lost and has to be issued anew.
- What needs no secret is brought to full state as with the other brokers (`apply`): clients that are disabled or no
  longer there are disabled, which ends their sessions. A client that the broker does not know is named.
- Only clients whose text name says that the hub made them are touched.

`mosquitto_ctrl dynsec init` gives the hub's user the right to manage and to read, not to publish. The hub gives itself
what it lacks, as a role of its own; the broker then ends the user's sessions once.
"""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import aiomqtt

from hub.core.access import Credential, CredentialKind
from hub.core.errors import Retry, Stop
from hub.core.ports import Issued, Provisioner
from hub.transport.settings import BrokerSettings

CONTROL = "$CONTROL/dynamic-security/v1"
MARK = "cityhub"  # text name of the clients that are ours
_BATCH = 200  # commands in one message
_SECONDS = 30.0  # for an answer
Answer = Mapping[str, Any]
Commands = Sequence[Answer]


class DynamicSecurity(Provisioner):
    """`Provisioner` of a Mosquitto with the plugin; the hub's user there is the one that `dynsec init` made."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings

    async def apply(self, credentials: Sequence[Credential]) -> Sequence[str]:
        """Shut out who should not be in; returns who should be in and is not known. Raise Retry, Stop."""
        there = await self._clients()
        if (name := self._settings.username or "") in there and not has_rights(there[name]):
            there = await self._take_rights(name)
        await self._ask(corrections(there, credentials))
        return sorted({one.username for one in credentials if one.disabled_at is None} - set(there))

    async def provision(self, issued: Sequence[Issued]) -> None:
        """Make or renew clients with these secrets. Raise Retry: then the secrets have to be issued again."""
        await self._ask([command for one in issued for command in creation(one)])

    async def _clients(self) -> Mapping[str, Mapping[str, Any]]:
        """Whom the broker knows, by user name."""
        (listed,) = await self._ask([{"command": "listClients", "verbose": True, "count": -1, "offset": 0}])
        if "error" in listed:
            raise Stop(f"dynamic security refuses to list its clients: {listed['error']}")
        return {one["username"]: one for one in listed["data"]["clients"]}

    async def _take_rights(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """Let the hub publish and read everything; whom the broker knows then."""
        kinds = ("publishClientSend", "publishClientReceive", "subscribePattern", "unsubscribePattern")
        acls = [{"acltype": kind, "topic": "#", "priority": 0, "allow": True} for kind in kinds]
        await self._ask([{"command": "createRole", "rolename": MARK, "acls": acls}])
        with contextlib.suppress(Retry):  # the broker ends the connection of whom it gives a role: also this one
            await self._ask([{"command": "addClientRole", "username": name, "rolename": MARK, "priority": 0}], qos=0)
        there = await self._clients()
        if not has_rights(there.get(name, {})):
            raise Stop(f"dynamic security does not give {name!r} the role {MARK!r}, without which it cannot publish")
        return there

    async def _ask(self, commands: Commands, qos: int = 1) -> Sequence[Answer]:
        """The answers to commands, in their order, a batch at a time."""
        s, answers = self._settings, list[Answer]()
        if not commands:
            return answers
        try:
            async with (
                asyncio.timeout(_SECONDS + len(commands) / 50),
                aiomqtt.Client(
                    s.host,
                    s.port,
                    username=s.username,
                    password=s.password,
                    identifier=f"{s.client_id}-provisioning-{secrets.token_hex(3)}",
                    tls_context=s.ssl_context(),
                    timeout=s.connect_timeout,
                ) as client,
            ):
                await client.subscribe(f"{CONTROL}/response", qos=1)
                for first in range(0, len(commands), _BATCH):
                    batch = commands[first : first + _BATCH]
                    await client.publish(CONTROL, json.dumps({"commands": batch}), qos=qos)
                    answers += await _answers(client, len(batch))
        except (aiomqtt.MqttError, TimeoutError) as error:
            raise Retry(
                f"dynamic security at {s.address} does not answer ({error or 'no answer'}): does the plugin run, and "
                "has the hub's user there its role admin?",
                after=10.0,
            ) from error
        _judge(answers)
        return answers


def creation(issued: Issued) -> Commands:
    """Commands that make one client, or renew its password where it is there (the failing ones do no harm)."""
    one, secret = issued
    role = f"{MARK}-{one.username}"
    acls: list[Mapping[str, Any]] = [
        {"acltype": "publishClientSend", "topic": _topic(one), "priority": 0, "allow": True}
    ]
    if one.kind is CredentialKind.DEVICE:
        own = f"devices/{one.username}/commands"
        acls.append({"acltype": "subscribeLiteral", "topic": own, "priority": 0, "allow": True})
    return [
        {"command": "createRole", "rolename": role, "acls": acls},
        {
            "command": "createClient",
            "username": one.username,
            "password": secret,
            "textname": MARK,
            "roles": [{"rolename": role, "priority": 0}],
        },
        {"command": "setClientPassword", "username": one.username, "password": secret},
        {"command": "enableClient", "username": one.username},
    ]


def corrections(there: Mapping[str, Mapping[str, Any]], credentials: Sequence[Credential]) -> Commands:
    """Commands that disable who should not be in; clients of others are left alone."""
    active = {one.username for one in credentials if one.disabled_at is None}
    return [
        {"command": "disableClient", "username": name}
        for name, client in there.items()
        if client.get("textname") == MARK and name not in active and not client.get("disabled")
    ]


def has_rights(client: Answer) -> bool:
    """Whether this client has the hub's own role."""
    return any(role["rolename"] == MARK for role in client.get("roles", ()))


def _topic(one: Credential) -> str:
    return one.prefix if one.kind is CredentialKind.BRIDGE else f"devices/{one.username}/#"


async def _answers(client: aiomqtt.Client, count: int) -> list[Answer]:
    """The next answers; Mosquitto gives one message for each, or for all of a batch."""
    found = list[Answer]()
    async for message in client.messages:
        found += json.loads(bytes(message.payload))["responses"]
        if len(found) >= count:
            break
    return found


def _judge(answers: Iterable[Answer]) -> None:
    for answer in answers:
        error = answer.get("error")
        if error and "already exists" not in error:
            raise Stop(f"dynamic security refuses {answer.get('command')}: {error}")
