# SPDX-License-Identifier: EUPL-1.2
"""Numbers that the hub's processes give with their heartbeat, as families for Prometheus.

They count from the start of the process that gives them: a restart begins at 0, as Prometheus expects of counters. A
process that is gone gives none, so its series end instead of standing still.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

Figures = Mapping[str, Mapping[str, float]]  # by process and name


class _Family(NamedTuple):
    name: str
    text: str
    counter: bool = False


FAMILIES: Mapping[str, _Family] = {
    "spool_messages": _Family("cityhub_spool_messages", "Messages that wait on disk for the readings store."),
    "spool_bytes": _Family("cityhub_spool_bytes", "Bytes of the spool on disk."),
    "spool_oldest": _Family("cityhub_spool_oldest_timestamp_seconds", "Arrival of the oldest message in the spool."),
    "ingest_waiting": _Family("cityhub_ingest_waiting", "1 while ingest waits for store, journal or disk."),
    "session_in_hand": _Family("cityhub_session_in_hand_messages", "Messages received and not acknowledged yet."),
    "session_queued_bytes": _Family("cityhub_session_queued_bytes", "Bytes of them that nobody has taken yet."),
    "session_received": _Family("cityhub_session_received_messages", "Messages received from the broker.", True),
    "session_acked": _Family("cityhub_session_acked_messages", "Messages acknowledged to the broker.", True),
    "session_passed": _Family("cityhub_session_passed_messages", "Messages left to other workers.", True),
    "session_reconnects": _Family("cityhub_session_reconnects", "Connections after the first.", True),
    "session_sessions_lost": _Family("cityhub_session_losses", "Times the broker had forgotten the session.", True),
    "session_refused": _Family("cityhub_session_refusals", "Times the broker refused the connection.", True),
    "session_stale_acks": _Family("cityhub_session_stale_acks", "Acknowledgements of earlier connections.", True),
    "session_dropped_stale": _Family(
        "cityhub_session_dropped_stale_messages", "Messages dropped because the broker sends them again.", True
    ),
    "broker_restarts": _Family("cityhub_broker_restarts", "Times the embedded broker was started again.", True),
    "broker_publish_denied": _Family("cityhub_broker_denied_publishes", "Publishes that permissions forbade.", True),
    "broker_subscribe_denied": _Family(
        "cityhub_broker_denied_subscriptions", "Subscriptions that permissions forbade.", True
    ),
    "broker_login_failed": _Family("cityhub_broker_failed_logins", "Clients that were not let in.", True),
    "broker_client_error": _Family("cityhub_broker_client_errors", "Clients that broke the protocol.", True),
}


def families(figures: Figures) -> Iterator[Metric]:
    """One family for each name that some process gives; a name that is not in the table is left out."""
    for key, about in FAMILIES.items():
        values = {process: found[key] for process, found in figures.items() if key in found}
        if not values:
            continue
        make = CounterMetricFamily if about.counter else GaugeMetricFamily
        family = make(about.name, about.text, labels=["process"])
        for process, value in values.items():
            family.add_metric([process], value)
        yield family
