# SPDX-License-Identifier: EUPL-1.2
"""paho's client on a socket of ours, with QoS 2 confirmed when ingest has it.

The hub subscribes with QoS 1; QoS 2 comes only from a subscription that another program made under the hub's client id.
paho would answer PUBREC at once and hand the message over after PUBREL: what was in between at a crash would be lost.
Here it is handed over at PUBLISH, PUBREC goes out when ingest confirms (`store`), and each PUBREL is answered.

paho has no public hooks for this nor for the transport; tests fail when a release drops the ones used here.
"""

import socket
import ssl
from collections.abc import Callable

import paho.mqtt.client as mqtt
from paho.mqtt.enums import MQTTErrorCode

from hub.transport._socket import BufferedSocket
from hub.transport.settings import BrokerSettings


class Client(mqtt.Client):
    """`opener` connects it."""

    opener: Callable[[], BufferedSocket]

    def store(self, mid: int) -> None:
        """Send PUBREC: the QoS 2 message is safe here."""
        super()._send_pubrec(mid)

    def _create_socket(self) -> BufferedSocket:
        return self.opener()

    def _send_pubrec(self, mid: int) -> MQTTErrorCode:  # noqa: ARG002 -- paho's signature
        return MQTTErrorCode.MQTT_ERR_SUCCESS  # `store` does it

    def _handle_publish(self) -> MQTTErrorCode:
        result = super()._handle_publish()
        while self._in_messages:  # QoS 2, held back for PUBREL
            _, message = self._in_messages.popitem()
            self._handle_on_message(message)
        return result

    def _handle_pubrel(self) -> MQTTErrorCode:
        mid = int.from_bytes(self._in_packet["packet"][:2])
        return self._send_pubcomp(mid)


def open_socket(settings: BrokerSettings, context: ssl.SSLContext | None) -> BufferedSocket:
    """Connect, with TLS where there is a context; raises OSError, and leaves nothing open then."""
    sock = socket.create_connection((settings.host, settings.port), settings.connect_timeout)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return BufferedSocket(sock if context is None else context.wrap_socket(sock, server_hostname=settings.host))
    except BaseException:
        sock.close()
        raise
