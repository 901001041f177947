# SPDX-License-Identifier: EUPL-1.2
"""paho-mqtt's types, as far as a connection has to make or read them; nothing here keeps state or does I/O."""

from collections.abc import Sequence
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from hub.transport.settings import BrokerSettings


def wishes(settings: BrokerSettings) -> Any:
    """What CONNECT asks for, MQTT 5 only."""
    properties: Any = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.SessionExpiryInterval = settings.session_expiry
    properties.ReceiveMaximum = settings.receive_maximum
    return properties


def subscriptions(filters: Sequence[str], *, five: bool) -> Any:
    """What SUBSCRIBE asks for, in paho's shape for the version of MQTT."""
    if not five:
        return [(topic, 1) for topic in filters]
    # retained messages come with a new subscription only, not with each renewal
    options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
    return [(topic, options) for topic in filters]


def topic_of(message: mqtt.MQTTMessage) -> str:
    """The topic, readable whatever its bytes are."""
    try:
        return message.topic
    except UnicodeDecodeError as error:  # brokers refuse such topics; if one does not, ingest sets it aside by name
        return bytes(error.object).decode("utf-8", "replace")
