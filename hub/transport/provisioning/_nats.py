# SPDX-License-Identifier: EUPL-1.2
"""Users of the embedded broker: written to its configuration, which it then reads again.

The reload ends the sessions of users who are gone, disabled or have a new secret, and leaves all others alone. A user
without right of subscription hears nothing: a device gets commands below its own name only.
"""

from collections.abc import Sequence

from hub.core.access import Credential, CredentialKind
from hub.core.ports import Provisioner
from hub.transport._nats import BrokerUser
from hub.transport.embedded import EmbeddedBroker


class EmbeddedUsers(Provisioner):
    """`Provisioner` of the embedded broker."""

    def __init__(self, broker: EmbeddedBroker) -> None:
        self._broker = broker

    async def apply(self, credentials: Sequence[Credential]) -> Sequence[str]:
        """Return when the server has taken them, all of them. Raise Retry."""
        await self._broker.set_users(broker_users(credentials))
        return ()


def broker_users(credentials: Sequence[Credential]) -> list[BrokerUser]:
    """The users that these credentials mean; none for a disabled one."""
    return [
        BrokerUser(
            name=one.username,
            password_hash=one.hashes["bcrypt"],
            publish=[one.prefix] if one.kind is CredentialKind.BRIDGE else [f"devices/{one.username}/#"],
            subscribe=[] if one.kind is CredentialKind.BRIDGE else [f"devices/{one.username}/commands"],
        )
        for one in credentials
        if one.disabled_at is None
    ]
