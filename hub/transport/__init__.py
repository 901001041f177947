# SPDX-License-Identifier: EUPL-1.2
"""MQTT in and out, and the embedded broker. Why so: docs/decisions/ (mqtt5-session, paho-mqtt-session, ...)."""

from hub.transport._condition import SessionEvent, SessionStats
from hub.transport._embedded_settings import EmbeddedSettings
from hub.transport._nats import BrokerEvent, BrokerUser, LogLine
from hub.transport._session_memory import SessionMemory
from hub.transport.embedded import EmbeddedBroker
from hub.transport.mqtt5_session import Mqtt5Session
from hub.transport.paho_session import PahoSession
from hub.transport.publisher import MqttPublisher
from hub.transport.session import Session
from hub.transport.settings import BrokerSettings

__all__ = [
    "BrokerEvent",
    "BrokerSettings",
    "BrokerUser",
    "EmbeddedBroker",
    "EmbeddedSettings",
    "LogLine",
    "Mqtt5Session",
    "MqttPublisher",
    "PahoSession",
    "Session",
    "SessionEvent",
    "SessionMemory",
    "SessionStats",
]
