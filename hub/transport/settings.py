# SPDX-License-Identifier: EUPL-1.2
"""How the hub reaches its MQTT broker.

Checked when made: a value that makes no sense raises SettingsError with the name of the setting.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hub.core.errors import SettingsError

NEVER = 0xFFFFFFFF  # MQTT 5, 3.1.2.11.2: a session that does not expire


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerSettings:
    """One broker and the hub's session on it.

    `receive_maximum` bounds the QoS 1 messages in flight; the hub asks for it over MQTT 5 (a 3.1.1 broker has its own
    bound). `max_pending_bytes` bounds what lies unacknowledged in memory: beyond it the hub stops reading.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    tls_ca: Path | None = None  # None: the machine's own authorities
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_insecure: bool = False  # accept any certificate: for trials only
    client_id: str = "cityhub"
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    keepalive: int = 30  # s
    session_expiry: int = (
        NEVER  # s; messages wait that long for a hub that is down (MQTT 5; 3.1.1 leaves it to the broker)
    )
    receive_maximum: int = 20_000  # messages
    max_pending_bytes: int = 64 * 1024 * 1024
    max_batch: int = 5_000  # messages in one batch
    max_wait: float = 0.02  # s that the first message of a batch waits for others
    connect_timeout: float = 5.0  # s
    reconnect_min: float = 0.2  # s; each wait is drawn from 0 to a bound that doubles from here ...
    reconnect_max: float = 20.0  # s; ... to here
    refused_delay: float = 15.0  # s between tries while the broker refuses us

    def __post_init__(self) -> None:
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if not low <= value <= high:
                raise SettingsError(f"broker.{name}", f"{value} is not between {low} and {high}")
        for name in ("host", "client_id"):
            if not getattr(self, name):
                raise SettingsError(f"broker.{name}", "must not be empty")
        if self.protocol not in {"auto", "5", "3.1.1"}:
            raise SettingsError("broker.protocol", f"{self.protocol!r} is none of auto, 5, 3.1.1")
        if self.password is not None and self.username is None:
            raise SettingsError("broker.username", "a password is set, so a user name is needed too")
        if self.reconnect_min > self.reconnect_max:
            raise SettingsError("broker.reconnect_min", "is greater than broker.reconnect_max")
        if (self.tls_ca or self.tls_cert or self.tls_key or self.tls_insecure) and not self.tls:
            raise SettingsError("broker.tls", "TLS options are set but broker.tls is off")
        if (self.tls_key is not None) and self.tls_cert is None:
            raise SettingsError("broker.tls_cert", "broker.tls_key is set, so its certificate is needed too")

    @property
    def address(self) -> str:
        """Host and port, for people."""
        return f"{self.host}:{self.port}"

    def ssl_context(self) -> ssl.SSLContext | None:
        """A fresh TLS context, None without TLS; raises SettingsError naming the file at fault."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=None if self.tls_ca is None else str(self.tls_ca))
        except (OSError, ssl.SSLError) as error:
            raise SettingsError("broker.tls_ca", f"{self.tls_ca} cannot be used: {error}") from error
        if self.tls_insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.tls_cert is not None:
            try:
                context.load_cert_chain(self.tls_cert, self.tls_key)
            except (OSError, ssl.SSLError) as error:
                raise SettingsError("broker.tls_cert", f"{self.tls_cert} cannot be used: {error}") from error
        return context


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("port", 1, 65_535),
    ("keepalive", 2, 65_535),
    ("session_expiry", 0, NEVER),
    ("receive_maximum", 1, 65_534),  # 65,535 is the protocol's bound; Mosquitto takes it for "not given" (20)
    ("max_pending_bytes", 1024, 2**40),
    ("max_batch", 1, 65_535),
    ("max_wait", 0.0, 10.0),
    ("connect_timeout", 0.1, 300.0),
    ("reconnect_min", 0.001, 3600.0),
    ("reconnect_max", 0.001, 3600.0),
    ("refused_delay", 0.001, 3600.0),
)
