# SPDX-License-Identifier: EUPL-1.2
"""The sections of the settings: names, bounds and defaults. How they are read and joined: `hub.settings`."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from hub.core.rights import Role


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach a listener on `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CitySettings(_Section):
    """Which city this is."""

    file: Path | None = Field(None, description="City configuration (YAML); default: Havířov")


class MqttSettings(_Section):
    """The broker. Without `host` the embedded one is started."""

    host: str | None = Field(None, description="Broker to use; none: start the embedded broker")
    port: int = Field(1883, ge=1, le=65535, description="Port of the broker, or of the embedded one's listener")
    bind: str = Field("127.0.0.1", description="Address the embedded broker listens on")
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    tls: bool = False
    ca_file: Path | None = Field(None, description="Certificate authority to trust, PEM")
    client_id: str = Field(
        "cityhub", pattern=r"^[A-Za-z0-9_-]{1,40}$", description="Begin of all client ids of the hub"
    )
    protocol: Literal["auto", "5", "3.1.1"] = "auto"
    catch_all: bool = Field(True, description="Subscribe to everything, so that messages on wrong topics are seen")
    receive_maximum: int = Field(20_000, ge=1, le=65_534, description="Messages in flight before acknowledgement")
    anonymous: bool | None = Field(
        None, description="Embedded broker: clients without credentials; default: while it listens on loopback only"
    )
    tls_cert: Path | None = Field(None, description="Embedded broker: certificate (PEM); it then speaks TLS alone")
    tls_key: Path | None = Field(None, description="Embedded broker: key of the certificate (PEM)")
    public_host: str = Field("", description="Name or address that devices use, shown with their credentials")
    password_file_out: Path | None = Field(None, description="Mosquitto here: password file that the hub writes")
    acl_file_out: Path | None = Field(None, description="Mosquitto here: ACL file that the hub writes")
    pid_file: Path | None = Field(None, description="Mosquitto here: its pid file, to have it read the files again")
    log_file: Path | None = Field(None, description="Mosquitto here: its log, for what it refused to devices")
    dynamic_security: bool = Field(False, description="Mosquitto elsewhere: provision through dynamic security")

    @model_validator(mode="after")
    def _one_password(self) -> "MqttSettings":
        if self.password is not None and self.password_file is not None:
            raise ValueError("give password or password_file, not both")
        if (self.password_file_out is None) != (self.acl_file_out is None):
            raise ValueError("password_file_out and acl_file_out go together")
        if self.dynamic_security and self.password_file_out is not None:
            raise ValueError("dynamic_security or password_file_out, not both")
        if self.host is None and (self.dynamic_security or self.password_file_out is not None):
            raise ValueError("password_file_out and dynamic_security are for another broker: set host")
        if self.host is None and self.log_file is not None:
            raise ValueError("log_file is that of another broker: set host")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key go together")
        return self

    @property
    def lets_anybody_in(self) -> bool:
        """Whether the embedded broker takes clients without credentials."""
        return is_loopback(self.bind) if self.anonymous is None else self.anonymous


class StoreSettings(_Section):
    """Where readings are kept."""

    kind: Literal["sqlite", "influx"] = "sqlite"


class InfluxSettings(_Section):
    """InfluxDB, used when store.kind is influx."""

    url: str = Field("http://127.0.0.1:8086", pattern=r"^https?://")
    version: Literal["auto", "1", "2"] = "auto"
    database: str = Field("cityhub", min_length=1, description="Database (1.x), or the bucket's DBRP mapping (2.x)")
    retention_policy: str = Field("", description="Of the database or the mapping; default: its own default")
    bucket: str = Field("", description="Bucket to write to (2.x); default: the database's name")
    org: str = "cityhub"
    token: SecretStr | None = None
    token_file: Path | None = None
    username: str = ""
    password: SecretStr | None = None
    password_file: Path | None = None
    ca_file: Path | None = Field(None, description="Certificate authority to trust, PEM")
    timeout_s: float = Field(10.0, gt=0, le=120)


class LedgerSettings(_Section):
    """The relational ledger."""

    url: SecretStr | None = Field(None, description="SQLAlchemy URL; default: SQLite in the data directory")


class IngestSettings(_Section):
    """How messages are taken in."""

    max_payload_bytes: int = Field(256 * 1024, ge=1024, le=64 * 1024 * 1024)
    batch_messages: int = Field(5000, ge=1, le=50_000)
    batch_ms: float = Field(20.0, gt=0, le=5000)
    mappings: Path | None = Field(None, description="Directory of YAML mappings for the mapped_json connector")
    samples: int = Field(5, ge=0, le=50, description="Last raw messages kept of each device; 0: none, and none stays")
    samples_every_s: float = Field(60.0, ge=0, le=86_400, description="At most one such message of a device in so long")
    workers: int = Field(1, ge=1, le=64, description="Ingest processes among which messages are divided: shards")
    shard_by: Literal["connector", "device"] = Field("connector", description="What the messages are divided by")
    shards: dict[str, Annotated[int, Field(ge=0, le=63)]] = Field(
        {}, description="Shard by connector; the others are dealt out in turn"
    )
    shard_file: Path | None = Field(None, description="List of devices and shards (YAML, CSV), with shard_by = device")
    own_shards: list[Annotated[int, Field(ge=0, le=63)]] | None = Field(
        None,
        min_length=1,
        description="Shards that `cityhub run` starts; default: all. `cityhub ingest --shard` starts the others",
    )

    @model_validator(mode="after")
    def _divided_one_way(self) -> "IngestSettings":
        if (self.shard_by == "device") != (self.shard_file is not None):
            raise ValueError("shard_by = 'device' and shard_file (a list of devices) go together")
        if self.shard_by == "device" and self.shards:
            raise ValueError("shards divides by connector: leave it out with shard_by = 'device'")
        beyond = [n for n in (*self.shards.values(), *(self.own_shards or ())) if n >= self.workers]
        if beyond:
            raise ValueError(f"shard {beyond[0]} is not one of 0 to {self.workers - 1} (workers is {self.workers})")
        return self


class SpoolSettings(_Section):
    """Where messages go while the readings store does not answer; of each ingest worker."""

    max_bytes: int = Field(1 << 30, ge=1 << 20, le=1 << 44, description="Beyond that, messages wait in the broker")
    segment_bytes: int = Field(64 << 20, ge=1 << 16, le=1 << 32, description="Size of one file")
    min_free_bytes: int = Field(256 << 20, ge=0, description="What stays free on the disk")
    after_s: float = Field(2.0, ge=0, le=3600, description="How long the store may be silent before")

    @model_validator(mode="after")
    def _room_for_a_segment(self) -> "SpoolSettings":
        if self.max_bytes < self.segment_bytes:
            raise ValueError("max_bytes is less than segment_bytes")
        return self


class QuarantineSettings(_Section):
    """How much of what cannot be used is kept, and how long; beyond it messages are refused and counted."""

    per_source: int = Field(1000, ge=1, le=1_000_000, description="Waiting messages of one source for one reason")
    total_messages: int = Field(100_000, ge=1, le=10_000_000, description="Waiting messages of each ingest worker")
    total_bytes: int = Field(1 << 30, ge=1 << 20, le=1 << 40, description="Bytes of them, for each ingest worker")
    keep_days: int = Field(30, ge=1, le=3650, description="After that payloads are erased: they may hold personal data")


class IndicatorSettings(_Section):
    """How indicators are computed."""

    definitions: Path | None = Field(None, description="Directory of further definitions (YAML)")
    only: tuple[str, ...] = Field((), description="Compute these indicators and what they are made of; default: all")
    quality: Path | None = Field(None, description="Own thresholds of the quality control (YAML)")
    debounce_s: float = Field(1.0, ge=0.05, le=60)
    publish: bool = Field(True, description="Publish values to indicators/{indicator}/{place}")


class StrategySettings(_Section):
    """Strategies of the city."""

    catalogue: Path | None = Field(None, description="Directory of strategies (YAML); default: Havířov's")


class ApiSettings(_Section):
    """The web server of API and console."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_reads: bool | None = Field(None, description="Reading without key; default: on loopback only")


_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
Uuid = Annotated[str, Field(pattern=_UUID)]


class ChirpstackSettings(_Section):
    """A ChirpStack v4 network server in which the hub creates devices, through its REST service."""

    url: str | None = Field(None, pattern=r"^https?://", description="Of chirpstack-rest-api; none: say what to enter")
    token: SecretStr | None = None
    token_file: Path | None = None
    application_id: Uuid | None = Field(None, description="Application that gets the devices (UUID)")
    device_profile: Uuid | None = Field(None, description="Device profile for models without one of their own (UUID)")
    device_profiles: dict[str, Uuid] = Field({}, description="Device profile (UUID) by device model")
    ca_file: Path | None = Field(None, description="Certificate authority to trust, PEM")
    timeout_s: float = Field(10.0, gt=0, le=120)

    @model_validator(mode="after")
    def _all_or_nothing(self) -> "ChirpstackSettings":
        if self.url is not None and self.application_id is None:
            raise ValueError("url needs application_id: the application that gets the devices")
        if self.url is not None and (self.token is None) == (self.token_file is None):
            raise ValueError("url needs token or token_file (an API key of the tenant), one of them")
        return self


class DeviceSettings(_Section):
    """Device models."""

    models: Path | None = Field(None, description="Directory of further device models (YAML)")


class OidcSettings(_Section):
    """OpenID Connect provider at which people sign in; without `issuer` there is none."""

    issuer: str | None = Field(None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])")
    client_id: str = Field("cityhub", min_length=1)
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    title: str = Field("OpenID Connect", min_length=1, max_length=60, description="On the button")
    scopes: str = Field("openid profile email", pattern=r"\bopenid\b")
    roles_claim: str = Field("", description="Claim of the ID token with roles, a path with dots; none: ours stay")
    roles: dict[str, Role] = Field({}, description="Our role by value of that claim")
    default_role: Role | None = Field(None, description="For who has none of those")
    partner_claim: str = Field("", description="Claim that names a partner's owner")
    create: bool = Field(False, description="Make a person of who is not known yet")
    public_url: str = Field("", pattern=r"^(https?://[^/]+)?/?$", description="The hub's own address for people")
    ca_file: Path | None = Field(None, description="Certificate authority to trust, PEM")

    @model_validator(mode="after")
    def _one_secret(self) -> "OidcSettings":
        if None not in (self.client_secret, self.client_secret_file):
            raise ValueError("give client_secret or client_secret_file, not both")
        return self


DaysKept = Annotated[int, Field(ge=2, le=36_500)]  # two at least: a day that is open must never be cut off
