# SPDX-License-Identifier: EUPL-1.2
"""How to reach InfluxDB. Secrets never show in a repr, so they cannot slip into a log."""

from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from hub.core.errors import SettingsError

Version = Literal["auto", "1", "2"]
_SECRET = ("token", "password")


class InfluxSettings(Struct, frozen=True, kw_only=True):
    """Section `influx` of the settings.

    `version`: 1 writes through `/write` and signs in with user name and password; 2 (and later) writes through
    `/api/v2/write` and signs in with a token; auto asks the server. Reading is InfluxQL at `/query` everywhere: on 2.x
    `database` and `retention_policy` name the DBRP mapping of the bucket. `bucket` "" means the same as `database`;
    `retention_policy` "" the database's default. `prepare` makes the database (1.x) or checks bucket and DBRP mapping
    (2.x) on connecting. `timeout_s`: seconds until a request counts as unanswered. `ca_file`: PEM file of an own CA.
    """

    url: str = "http://127.0.0.1:8086"
    version: Version = "auto"
    database: str = "cityhub"
    retention_policy: str = ""
    bucket: str = ""
    org: str = ""
    token: str = ""
    username: str = ""
    password: str = ""
    prepare: bool = True
    timeout_s: float = 10.0
    ca_file: str | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingsError("influx.url", f"{self.url!r} is no address such as http://127.0.0.1:8086")
        if self.version not in {"auto", "1", "2"}:
            raise SettingsError("influx.version", f"{self.version!r} is none of auto, 1, 2")
        if not self.database:
            raise SettingsError("influx.database", "is empty")
        if not self.timeout_s > 0:
            raise SettingsError("influx.timeout_s", f"{self.timeout_s} is not above 0 seconds")

    @property
    def bucket_name(self) -> str:
        """The bucket to write to on 2.x."""
        return self.bucket or self.database

    def __repr__(self) -> str:
        shown = {name: "***" if name in _SECRET and getattr(self, name) else getattr(self, name) for name in _FIELDS}
        return f"InfluxSettings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


_FIELDS = InfluxSettings.__struct_fields__
