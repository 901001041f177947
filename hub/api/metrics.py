# SPDX-License-Identifier: EUPL-1.2
"""`/metrics` for Prometheus, made at each scrape from what is durable: journals, ledger, registry.

Nothing is counted in this process, so a restart resets nothing and several API processes agree. What the other
processes give with their heartbeat (`hub.api.figures`) is added. The accounts are
gauges, not counters: a redrive moves messages from `quarantined` to `decoded`. What only ever grows (all deliveries
received, readings stored) is given as counter too. Devices are series of their own only while there are few.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from hub.api.figures import families
from hub.api.services import Services
from hub.core.ports import JournalReader, PartHealth
from hub.core.readings import NS
from hub.devices.state import State

DEVICE_SERIES = 500
LAG_COUNTED = 10_000
DELIVERIES = ("received", "decoded", "quarantined", "refused", "ignored")
READINGS = ("readings", "stored", "duplicate", "conflict", "rejected")

Accounts = Mapping[str, Mapping[str, int]]


class Snapshot(Collector):
    """All families at one scrape; `parts` are the answers of the health checks."""

    def __init__(self, services: Services, parts: Sequence[PartHealth]) -> None:
        self._services = services
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Read and yield."""
        services = self._services
        accounts = accounts_by_connector(services.journals)
        yield _family("cityhub_build_info", "Release of the hub.", ("version",), {(services.version,): 1.0})
        yield _parts(self._parts)
        yield from _accounts(accounts)
        yield _reasons(services.journals)
        yield from _devices(services)
        yield from _engine(services)
        yield from families(services.figures())


def render(services: Services, parts: Sequence[PartHealth], accept: str) -> tuple[bytes, str]:
    """Body and media type of a scrape, in the format that `accept` prefers."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    registry.register(_Made(Snapshot(services, parts)))
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _Made(Collector):
    """Hands on families that were made before, because a registry collects once more to learn their names."""

    def __init__(self, source: Collector) -> None:
        self._families = list(source.collect())

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def accounts_by_connector(journals: Sequence[JournalReader]) -> Accounts:
    """Counts of all time by connector and name, over all devices and journals."""
    totals: dict[str, Counter[str]] = {}
    for journal in journals:
        for connector, _, counts in journal.accounts(0):
            totals.setdefault(connector, Counter()).update(counts)
    return totals


def _accounts(accounts: Accounts) -> Iterator[Metric]:
    yield _family(
        "cityhub_deliveries",
        "Messages by what became of them: received = decoded + quarantined + refused + ignored.",
        ("connector", "outcome"),
        {(connector, name): counts.get(name, 0) for connector, counts in accounts.items() for name in DELIVERIES},
    )
    yield _family(
        "cityhub_readings",
        "Readings by what became of them: readings = stored + duplicate + conflict + rejected.",
        ("connector", "outcome"),
        {(connector, name): counts.get(name, 0) for connector, counts in accounts.items() for name in READINGS},
    )
    received = sum(counts.get("received", 0) for counts in accounts.values())
    yield CounterMetricFamily("cityhub_deliveries_received", "Messages received.", value=received)
    stored = CounterMetricFamily("cityhub_readings_stored", "Readings stored.", labels=["connector"])
    for connector, counts in accounts.items():
        stored.add_metric([connector], counts.get("stored", 0))
    yield stored


def _reasons(journals: Sequence[JournalReader]) -> Metric:
    totals: Counter[tuple[str, str]] = Counter()
    for journal in journals:
        totals.update(journal.reasons())
    family = CounterMetricFamily(
        "cityhub_quarantined", "Messages and readings set aside, of all time.", labels=["connector", "reason"]
    )
    for labels, value in totals.items():
        family.add_metric(labels, value)
    return family


def _devices(services: Services) -> Iterator[Metric]:
    devices = services.book.snapshot().devices
    seen = services.watch.seen()
    findings = services.watch.findings(devices.values(), services.clock_ns())
    states = Counter(finding.state for finding in findings.values())
    yield _family(
        "cityhub_devices",
        "Registered devices by state, as far as can be told without their readings.",
        ("state",),
        {(state,): states[state] for state in State if state is not State.CHECK_READINGS},
    )
    shown = sorted(name for name in devices if name in seen)[:DEVICE_SERIES]
    yield _family(
        "cityhub_device_last_seen_timestamp_seconds",
        f"Arrival of each device's last message; the first {DEVICE_SERIES} devices by id.",
        ("device",),
        {(name,): seen[name].received / NS for name in shown},
    )
    left_out = sum(name in seen for name in devices) - len(shown)
    yield GaugeMetricFamily("cityhub_devices_without_series", "Devices left out of the series above.", left_out)


def _engine(services: Services) -> Iterator[Metric]:
    cursors = [services.values.cursor(f"touch:{number}") for number in range(len(services.journals))]
    waiting = [
        len(journal.touches(cursor, LAG_COUNTED)[0]) for journal, cursor in zip(services.journals, cursors, strict=True)
    ]
    yield _by_journal("cityhub_engine_cursor", "Position of the engine in the touch log.", cursors)
    yield _by_journal(
        "cityhub_engine_lag_touches", f"Touches that the engine has not seen yet, at most {LAG_COUNTED}.", waiting
    )
    holds = services.values.holds(services.clock_ns())
    yield GaugeMetricFamily("cityhub_engine_holds", "Running imports that hold finalisation back.", len(holds))


def _parts(parts: Sequence[PartHealth]) -> Metric:
    return _family("cityhub_part_up", "1 when the part works.", ("part",), {(p.part,): float(p.ok) for p in parts})


def _by_journal(name: str, text: str, values: Sequence[int]) -> Metric:
    return _family(name, text, ("journal",), {(str(number),): value for number, value in enumerate(values)})


def _family(name: str, text: str, labels: Sequence[str], values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
