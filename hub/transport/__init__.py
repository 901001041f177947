# SPDX-License-Identifier: EUPL-1.2
"""MQTT in and out, and the embedded broker. See docs/decisions/paho-mqtt-session.md and embedded-nats-broker.md."""

from hub.transport._nats import BrokerEvent, BrokerUser, LogLine
from hub.transport.embedded import EmbeddedBroker, EmbeddedSettings
from hub.transport.paho_session import PahoSession, SessionEvent, SessionStats
from hub.transport.publisher import MqttPublisher
from hub.transport.settings import BrokerSettings

__all__ = [
    "BrokerEvent",
    "BrokerSettings",
    "BrokerUser",
    "EmbeddedBroker",
    "EmbeddedSettings",
    "LogLine",
    "MqttPublisher",
    "PahoSession",
    "SessionEvent",
    "SessionStats",
]
