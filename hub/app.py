# SPDX-License-Identifier: EUPL-1.2
"""The composition root: the only module that knows all the others. Settings in, joined parts out.

Nothing here decides anything; each function makes one part or joins several. Processes are made of them in
`hub.commands.workers`.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import connectors
from hub import sdk
from hub.core.errors import NotFound, SettingsError
from hub.core.ports import FlagStore, Provisioner, ReadingStore
from hub.core.quantities import Quantities
from hub.core.strategies import IndicatorFacts
from hub.core.windows import Calendar
from hub.datadir import DataDir
from hub.devices.city import City, load_city
from hub.devices.models import DeviceModel, load_models
from hub.indicators.catalogue import Catalogue, load_catalogue
from hub.indicators.evaluate import check_own
from hub.indicators.frozen import check_keep
from hub.indicators.quality import Rules, load_rules
from hub.ingest.bench import DryRun
from hub.ingest.interpret import Interpreter
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.normalise import Conversions
from hub.ingest.quota import Quota
from hub.ingest.segments import SegmentLimits
from hub.ingest.shard_list import read_list
from hub.ingest.shards import FIRST_CLIENT, Division, Layout, by_connector, filters
from hub.ingest.spool import DiskSpool
from hub.settings import Settings, secret_of
from hub.storage.ledger import Ledger, sqlite_url
from hub.strategy.monitoring import Monitoring
from hub.transport import BrokerEvent, EmbeddedSettings, SessionEvent, SessionMemory
from hub.transport.embedded import EmbeddedBroker
from hub.transport.provisioning import DynamicSecurity, EmbeddedUsers, MosquittoFiles, MosquittoLog
from hub.transport.publisher import MqttPublisher
from hub.transport.session import Session
from hub.transport.settings import BrokerSettings

_EXACT = 200  # filters of single devices in a session; with more a worker hears all devices and drops the others'
_EXACT_EMBEDDED = 6  # the NATS server has room for eight subscriptions of a session

if TYPE_CHECKING:
    from hub.storage._influx_settings import InfluxSettings
    from hub.storage.indicators_influx import InfluxIndicatorSink
    from hub.transport.chirpstack import Chirpstack


class Parts:
    """Parts of one process, made on demand from one set of settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.data = DataDir(settings.data)
        self.quantities = Quantities.load()
        self.clock = time.time_ns

    def city(self) -> City:
        """The city of these settings."""
        return load_city(self.settings.city.file)

    def ledger(self) -> Ledger:
        """The ledger, not opened yet."""
        return Ledger(self.ledger_url(), shards=self.shards())

    def ledger_url(self) -> str:
        """Where the ledger is, with its password."""
        url = self.settings.ledger.url
        return url.get_secret_value() if url else sqlite_url(self.data.ledger)

    def connectors(self) -> tuple[sdk.Connector, ...]:
        """All connectors, with the city's own mappings."""
        return sdk.discover(connectors, {"mapped_json": _texts(self.settings.ingest.mappings)})

    @cached_property
    def models(self) -> Mapping[str, DeviceModel]:
        """All device models, the city's own too, validated."""
        return load_models(self.settings.devices.models, connectors=sdk.families(connectors))

    def network_servers(self) -> Mapping[str, "Chirpstack"]:
        """Network servers in which the hub makes devices, by connector."""
        given = self.settings.chirpstack
        if given.url is None:
            return {}
        from hub.transport.chirpstack import Chirpstack, ChirpstackAccess

        profiles = dict(given.device_profiles)
        access = ChirpstackAccess(
            url=given.url,
            token=secret_of(given.token, given.token_file, "chirpstack.token_file") or "",
            application=given.application_id or "",
            profiles=profiles | ({"": given.device_profile} if given.device_profile else {}),
            ca_file=given.ca_file,
            timeout_s=given.timeout_s,
        )
        return {"chirpstack": Chirpstack(access)}

    @cached_property
    def definitions(self) -> Catalogue:
        """All definitions, validated."""
        extra = self.settings.indicators.definitions
        catalogue = load_catalogue(self.quantities, [extra] if extra else [])
        if extra:
            check_own(catalogue, extra, Calendar(self.city().zone))
        return catalogue

    def catalogue(self) -> Catalogue:
        """The definitions that this hub computes."""
        catalogue, wanted = self.definitions, self.settings.indicators.only
        for indicator in wanted:
            try:
                catalogue.get(indicator)
            except NotFound as error:
                raise SettingsError("indicators.only", error.detail) from error
        catalogue = catalogue.only(wanted) if wanted else catalogue
        check_keep(catalogue, self.settings.keep)
        return catalogue

    def monitoring(self, ledger: Ledger) -> Monitoring:
        """What takes strategies in and judges them; the ledger has to be open."""
        return Monitoring(
            ledger.strategies, ledger.values, ledger.devices, facts_of(self.definitions), self.city().zone
        )

    def flags(self, *, writer: bool = False) -> FlagStore:
        """Findings of quality control beside the readings. `writer`: for the engine."""
        if self.settings.store.kind == "sqlite":
            from hub.storage.flags_sqlite import SqliteFlagStore

            return SqliteFlagStore(self.data.flags, readonly=not writer)
        from hub.storage.flags_influx import InfluxFlagStore

        return InfluxFlagStore(self.influx(), self.quantities, keep=self.settings.keep)

    def rules(self) -> Rules:
        """Thresholds of the quality control, validated."""
        return load_rules(self.quantities, self.settings.indicators.quality)

    def shards(self) -> int:
        """How many journals there are or will be: one a worker, and those that earlier workers left."""
        return max(self.settings.ingest.workers, self.data.shards())

    def processes(self) -> list[str]:
        """Names of the processes that give a heartbeat."""
        mqtt = self.settings.mqtt
        managed = mqtt.host is None or mqtt.dynamic_security or mqtt.password_file_out is not None
        own_broker = ["broker"] if managed else []  # of the supervisor: the embedded broker, credentials at any
        return [*own_broker, *(f"ingest-{shard}" for shard in range(self.shards())), "engine"]

    def journals(self) -> list[SqliteJournalReader]:
        """Readers of all journals; the list's index is the shard."""
        return [SqliteJournalReader(self.data.journal(shard), str(shard)) for shard in range(self.shards())]

    def layout(self) -> Layout:
        """How the settings divide messages among workers; SettingsError where a worker would get nothing."""
        connectors, ingest = self.connectors(), self.settings.ingest
        names = [connector.name for connector in connectors]
        for name in set(ingest.shards) - set(names):
            raise SettingsError("ingest.shards", f"there is no connector {name!r}; there are {', '.join(names)}")
        if ingest.shard_file is not None:
            division = Division(shards=ingest.workers, devices=read_list(ingest.shard_file, ingest.workers, connectors))
        else:
            division = by_connector(ingest.workers, names, ingest.shards)
        most = _EXACT_EMBEDDED if self.settings.mqtt.host is None else _EXACT
        catch_all = self.settings.mqtt.catch_all
        subscribed = [
            tuple(filters(division, shard, connectors, catch_all=catch_all, most=most))
            for shard in range(division.shards)
        ]
        if empty := [shard for shard, of_shard in enumerate(subscribed) if not of_shard]:
            raise SettingsError(
                "ingest.workers",
                f"nothing is left for shard {empty[0]}: take fewer workers, or change "
                + ("ingest.shard_file" if ingest.shard_file else "ingest.shards (or divide by device)"),
            )
        return Layout(division=division, filters=subscribed)

    def spool(self, shard: int = 0) -> DiskSpool:
        """What an ingest worker keeps while the store is away."""
        given = self.settings.spool
        with named("", "spool."):
            limits = SegmentLimits(
                segment_bytes=given.segment_bytes, max_bytes=given.max_bytes, min_free_bytes=given.min_free_bytes
            )
        return DiskSpool(self.data.spool(shard), limits, name=f"spool-{shard}")

    def quota(self) -> Quota:
        """How much an ingest worker keeps in quarantine."""
        given = self.settings.quarantine
        return Quota(given.per_source, given.total_messages, given.total_bytes)

    def interpreter(self, router: sdk.Router | None = None) -> Interpreter:
        """Routing, decoding and normalising."""
        return Interpreter(
            router or sdk.Router(self.connectors()),
            Conversions(self.quantities, self.settings.keep),
            max_payload=self.settings.ingest.max_payload_bytes,
            models={model.id: model.fields for model in self.models.values()},
        )

    def bench(self) -> DryRun:
        """Where messages are tried out: decoded as ingest does, stored nowhere."""
        return DryRun(
            sdk.Router(self.connectors()),
            Conversions(self.quantities, self.settings.keep),
            max_payload=self.settings.ingest.max_payload_bytes,
            models={model.id: model.fields for model in self.models.values()},
        )

    def running_layout(self) -> Layout:
        """What the sessions on the broker were made for; the settings' own before the first run."""
        recorded = self.data.recorded()
        return self.layout() if recorded is None else recorded.current

    def filters(self, shard: int = 0) -> Sequence[str]:
        """What an ingest worker subscribes to."""
        return self.layout().filters[shard]

    def embedded(self, on_event: Callable[[BrokerEvent], None] | None = None) -> EmbeddedBroker:
        """The hub's own broker; making the object starts nothing."""
        port = self.settings.mqtt.port
        running = self.data.endpoints()
        with named("broker.", "mqtt."):
            settings = EmbeddedSettings(
                directory=self.data.broker,
                host=self.settings.mqtt.bind,
                port=running.mqtt_port if running else port,
                max_payload=max(2 * 1024 * 1024, 2 * self.settings.ingest.max_payload_bytes),
                anonymous=self.settings.mqtt.lets_anybody_in,
                tls_cert=self.settings.mqtt.tls_cert,
                tls_key=self.settings.mqtt.tls_key,
            )
        return EmbeddedBroker(settings, on_event=on_event)

    def broker(self, client: str = FIRST_CLIENT) -> BrokerSettings:
        """How the hub's session `client` (see `client_of`) reaches its broker."""
        mqtt, ingest = self.settings.mqtt, self.settings.ingest
        if mqtt.host is None:
            return replace(
                self.embedded().session_settings("" if client == FIRST_CLIENT else client),
                max_batch=ingest.batch_messages,
                max_wait=ingest.batch_ms / 1000,
            )
        with named("broker.", "mqtt."):
            return self._other_broker(mqtt.host, client)

    def _other_broker(self, host: str, client: str) -> BrokerSettings:
        mqtt, ingest = self.settings.mqtt, self.settings.ingest
        return BrokerSettings(
            host=host,
            port=mqtt.port,
            username=mqtt.username,
            password=secret_of(mqtt.password, mqtt.password_file, "mqtt.password_file"),
            tls=mqtt.tls,
            tls_ca=mqtt.ca_file,
            client_id=f"{mqtt.client_id}-{client}",
            protocol=mqtt.protocol,
            receive_maximum=mqtt.receive_maximum,
            max_batch=ingest.batch_messages,
            max_wait=ingest.batch_ms / 1000,
        )

    def provisioner(self, embedded: EmbeddedBroker | None) -> Provisioner | None:
        """What brings credentials to the broker, None where somebody enters them by hand."""
        mqtt = self.settings.mqtt
        if embedded is not None:
            return EmbeddedUsers(embedded)
        if mqtt.password_file_out is not None and mqtt.acl_file_out is not None:
            return MosquittoFiles(
                mqtt.password_file_out, mqtt.acl_file_out, mqtt.pid_file, mqtt.username or mqtt.client_id
            )
        return DynamicSecurity(self.broker()) if mqtt.dynamic_security else None

    def broker_log(self, heard: Callable[[BrokerEvent, str], None]) -> MosquittoLog | None:
        """What tells refusals of a Mosquitto on this machine, None where its log is not named."""
        file = self.settings.mqtt.log_file
        return None if file is None else MosquittoLog(file, heard)

    def session(
        self, notify: Callable[[SessionEvent], None], client: str = FIRST_CLIENT, filters: Sequence[str] | None = None
    ) -> Session:
        """An ingest worker's persistent session; on the embedded broker its subscriptions were made by `prepare`."""
        embedded, settings = self.settings.mqtt.host is None, self.broker(client)
        return Session(
            settings,
            self.filters() if filters is None else filters,
            notify=notify,
            subscribed=embedded,
            memory=SessionMemory.beside(self.data.root, settings),
        )

    def publisher(self, role: str) -> MqttPublisher:
        """A publisher of its own on the broker."""
        return MqttPublisher(self.broker(), f"{self.settings.mqtt.client_id}-{role}")

    def indicator_sink(self) -> "InfluxIndicatorSink":
        """The projection of values and devices into InfluxDB."""
        from hub.storage.indicators_influx import InfluxIndicatorSink

        return InfluxIndicatorSink(self.influx(), language=self.city().languages[0])

    def store(self, *, writer: bool = False, alone: bool = True) -> ReadingStore:
        """The readings store. `writer`: of some devices; `alone`: nobody else writes those."""
        if self.settings.store.kind == "sqlite":
            from hub.storage.readings_sqlite import SqliteReadingStore

            return SqliteReadingStore(self.data.readings, self.quantities, readonly=not writer, keep=self.settings.keep)
        from hub.storage.readings_influx import InfluxReadingStore

        return InfluxReadingStore(self.influx(), self.quantities, keep=self.settings.keep, writer=writer, alone=alone)

    def influx(self) -> "InfluxSettings":
        """How InfluxDB is reached."""
        from hub.storage._influx_settings import InfluxSettings

        given = self.settings.influx
        return InfluxSettings(
            url=given.url,
            version=given.version,
            database=given.database,
            org=given.org,
            bucket=given.bucket,
            retention_policy=given.retention_policy,
            token=secret_of(given.token, given.token_file, "influx.token_file") or "",
            username=given.username,
            password=secret_of(given.password, given.password_file, "influx.password_file") or "",
            ca_file=str(given.ca_file) if given.ca_file else None,
            timeout_s=given.timeout_s,
        )


def facts_of(catalogue: Catalogue) -> Mapping[str, IndicatorFacts]:
    """What strategies have to know of each indicator."""
    return {
        d.id: IndicatorFacts(
            d.unit, d.window.value, d.domain.value, d.level, d.direction, {"cs": d.title.cs, "en": d.title.en}
        )
        for d in catalogue
    }


def _texts(folder: Path | None) -> Mapping[str, str]:
    if folder is None:
        return {}
    try:
        return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yaml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("ingest.mappings", f"{folder}: {error}") from error


@contextmanager
def named(theirs: str, ours: str) -> Iterator[None]:
    """Name a setting as the operator knows it, where a part calls it otherwise."""
    try:
        yield
    except SettingsError as error:
        raise SettingsError(error.setting.replace(theirs, ours, 1), error.detail) from error
