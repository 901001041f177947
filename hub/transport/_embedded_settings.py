# SPDX-License-Identifier: EUPL-1.2
"""Settings of the embedded broker, checked when made: SettingsError names what makes no sense."""

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from hub.core.errors import SettingsError
from hub.transport._nats import BrokerUser, is_bcrypt

_DURATION = re.compile(r"always|[1-9]\d*(ms|s|m)")


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedSettings:
    """The embedded broker. Everything it writes lies in `directory`."""

    directory: Path
    host: str = "127.0.0.1"
    port: int = 1883
    sync_interval: str = "250ms"  # Go duration: so much of what was confirmed can go with the power; or "always"
    ack_wait: int = 15  # s after which the server sends an unconfirmed message again; fixed when first subscribed
    max_payload: int = 2 * 1024 * 1024  # bytes; a client that sends more is disconnected
    anonymous: bool = True  # clients without credentials; on loopback only
    users: Sequence[BrokerUser] = ()
    tls_cert: Path | None = None  # PEM, with its chain; the listener then speaks TLS alone
    tls_key: Path | None = None
    monitor_port: int | None = None  # the server's own HTTP pages, loopback only
    binary: Path | None = None

    def __post_init__(self) -> None:
        for name, low, high in (("port", 1, 65_535), ("ack_wait", 1, 3600), ("max_payload", 1024, 64 * 1024 * 1024)):
            if not low <= getattr(self, name) <= high:
                raise SettingsError(f"broker.{name}", f"{getattr(self, name)} is not between {low} and {high}")
        if self.anonymous and not _is_loopback(self.host):
            raise SettingsError(
                "broker.host",
                f"{self.host} is not loopback, and clients without credentials are allowed; "
                "create users and set broker.anonymous to false, or stay on 127.0.0.1",
            )
        if not _DURATION.fullmatch(self.sync_interval):
            raise SettingsError(
                "broker.sync_interval", f"{self.sync_interval!r} is neither always nor like 250ms, 2s, 1m"
            )
        refuse_plain(self.users)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise SettingsError("broker.tls_cert", "broker.tls_cert and broker.tls_key go together")


def refuse_plain(users: Sequence[BrokerUser]) -> None:
    """Raise SettingsError unless all passwords are hashes: the server would take others as they stand."""
    for user in users:
        if not is_bcrypt(user.password_hash):
            raise SettingsError("broker.users", f"the password of {user.name!r} is not a bcrypt hash")


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
