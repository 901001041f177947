# SPDX-License-Identifier: EUPL-1.2
"""All settings of the hub: from `cityhub.toml`, the environment (`CITYHUB_<SECTION>__<NAME>`), and secret files.

The environment wins over the file. A secret may stand in a file of its own: `..._file` settings name it. Everything is
validated before anything starts, and a setting that makes no sense is named with its section.
"""

import os
import tomllib
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from hub.core.errors import SettingsError
from hub.core.quantities import Domain
from hub.core.readings import NS
from hub.settings_sections import (
    ApiSettings,
    ChirpstackSettings,
    CitySettings,
    DaysKept,
    DeviceSettings,
    IndicatorSettings,
    InfluxSettings,
    IngestSettings,
    LedgerSettings,
    MqttSettings,
    OidcSettings,
    QuarantineSettings,
    SpoolSettings,
    StoreSettings,
    StrategySettings,
    is_loopback,
)


class Settings(BaseSettings):
    """Everything, validated."""

    model_config = SettingsConfigDict(
        env_prefix="CITYHUB_", env_nested_delimiter="__", extra="forbid", frozen=True, toml_file="cityhub.toml"
    )

    data: Path = Field(Path("data"), description="Directory of the hub's own files")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    city: CitySettings = CitySettings()
    mqtt: MqttSettings = MqttSettings()
    store: StoreSettings = StoreSettings()
    influx: InfluxSettings = InfluxSettings()
    ledger: LedgerSettings = LedgerSettings()
    ingest: IngestSettings = IngestSettings()
    spool: SpoolSettings = SpoolSettings()
    quarantine: QuarantineSettings = QuarantineSettings()
    retention: dict[Domain, DaysKept] = Field({}, description="Days to keep readings, by domain; default: for ever")
    indicators: IndicatorSettings = IndicatorSettings()
    strategies: StrategySettings = StrategySettings()
    api: ApiSettings = ApiSettings()
    devices: DeviceSettings = DeviceSettings()
    chirpstack: ChirpstackSettings = ChirpstackSettings()
    oidc: OidcSettings = OidcSettings()

    @property
    def keep(self) -> Mapping[str, int]:
        """How long readings are kept, in ns by domain; a domain that is not in it is kept for ever."""
        return {str(domain): days * 86_400 * NS for domain, days in self.retention.items()}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the signature is pydantic's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 the signature is pydantic's
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Read and validate; SettingsError names the first setting at fault. `file` must exist when it is given."""
    if file is not None and not file.is_file():
        raise SettingsError("config", f"{file} is not a file")
    named = os.environ.get("CITYHUB_CONFIG")
    if file is None and named is not None and not Path(named).is_file():
        raise SettingsError("CITYHUB_CONFIG", f"{named} is not a file")
    path = file or Path(named or "cityhub.toml")

    class _FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=path)

    unknown = [
        name
        for name in os.environ
        if name.startswith("CITYHUB_") and name.removeprefix("CITYHUB_").split("__")[0].lower() not in _KNOWN
    ]
    if unknown:
        raise SettingsError(unknown[0], f"no such setting; sections are {', '.join(sorted(Settings.model_fields))}")
    try:
        settings = _FromFile(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"] if part != "[key]") or path.name
        raise SettingsError(where, f"{_words(first)} (given: {_shown(first)})") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(path.name, str(error)) from error
    _check_files(settings)
    return settings


_KNOWN = {*Settings.model_fields, "config", "fail_at"}  # fail_at: hub.ingest.fail_points


_WORDS = {
    "extra_forbidden": "there is no such setting; docs/operating.md lists all",
    "missing": "is missing",
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
}


def _words(error: Any) -> str:
    """What is wrong, in our own words where pydantic's are for programmers."""
    return str(_WORDS.get(error["type"]) or error["msg"].removeprefix("Value error, "))


def _shown(error: Any) -> str:
    """The offending input, unless it may be a secret."""
    secret = any(word in str(part) for part in error["loc"] for word in ("password", "token", "url", "secret"))
    return "hidden" if secret else repr(error.get("input"))[:80]


_FILES = (  # noqa: SIM905 as a list it would take a line for each
    "city.file ingest.shard_file indicators.quality oidc.client_secret_file oidc.ca_file chirpstack.token_file "
    "chirpstack.ca_file mqtt.password_file mqtt.ca_file mqtt.tls_cert mqtt.tls_key influx.token_file "
    "influx.password_file influx.ca_file"
).split()
_FOLDERS = ("ingest.mappings", "indicators.definitions", "strategies.catalogue", "devices.models")


def _check_files(settings: Settings) -> None:
    for setting in (*_FILES, *_FOLDERS):
        path, kind = attrgetter(setting)(settings), "directory" if setting in _FOLDERS else "file"
        if path is not None and not (path.is_dir() if kind == "directory" else path.is_file()):
            raise SettingsError(setting, f"{path} is not a {kind}")


def secret_of(value: SecretStr | None, file: Path | None, setting: str) -> str | None:
    """A secret given directly or in a file; surrounding white space of a file is dropped."""
    if value is not None:
        return value.get_secret_value()
    if file is None:
        return None
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(setting, f"{file} cannot be read: {error}") from error
    if not text:
        raise SettingsError(setting, f"{file} is empty")
    return text


def check_exposure(settings: Settings, has_key: bool) -> None:
    """Promise 8: without keys nothing listens beyond loopback."""
    if not is_loopback(settings.api.host) and not has_key:
        problem = f"{settings.api.host} is beyond loopback and there is no API key: run `cityhub init`"
        raise SettingsError("api.host", problem)


def check_broker(settings: Settings) -> None:
    """The embedded broker lets clients without credentials in on loopback only, and there alone goes without TLS."""
    mqtt = settings.mqtt
    if mqtt.host is None and not is_loopback(mqtt.bind) and mqtt.lets_anybody_in:
        raise SettingsError(
            "mqtt.anonymous", f"{mqtt.bind} is beyond loopback: nobody gets in there without credentials; set it false"
        )
