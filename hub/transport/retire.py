# SPDX-License-Identifier: EUPL-1.2
"""Two things a session that is given up needs, and a session in use never: to be subscribed to nothing, and to go.

`unsubscribe` leaves on the broker what waits in the session (Mosquitto keeps it; the NATS server would drop it, so it
is not for the embedded broker). `forget` removes the session with all that waits in it. Neither confirms a message.
Both block, and try for `patience` seconds; then they raise Retry.
"""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from threading import Event

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from hub.core.errors import Retry
from hub.transport.settings import BrokerSettings

_PATIENCE = 20.0  # s
_MOST = 100  # filters in one packet


def unsubscribe(settings: BrokerSettings, filters: Sequence[str], patience: float = _PATIENCE) -> None:
    """Have the session receive nothing more; filters that it does not have do no harm."""

    def act(client: mqtt.Client) -> None:
        answered: dict[int | None, Event] = {}
        client.on_unsubscribe = lambda _client, _userdata, mid, *_rest: answered.setdefault(mid, Event()).set()
        for first in range(0, len(filters), _MOST):
            _, mid = client.unsubscribe(list(filters[first : first + _MOST]))
            if not answered.setdefault(mid, Event()).wait(settings.connect_timeout):
                raise OSError("no answer to UNSUBSCRIBE")

    _insist(settings, act, clean=False, patience=patience)


def forget(settings: BrokerSettings, patience: float = _PATIENCE) -> None:
    """Remove the session."""
    _insist(settings, lambda _: None, clean=True, patience=patience)


def _insist(settings: BrokerSettings, act: Callable[[mqtt.Client], None], *, clean: bool, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            with _connected(settings, clean=clean) as client:
                return act(client)
        except OSError as error:
            if time.monotonic() > deadline:
                raise Retry(f"broker {settings.address}, session {settings.client_id}: {error}") from error
            time.sleep(0.5)


@contextlib.contextmanager
def _connected(settings: BrokerSettings, *, clean: bool) -> Iterator[mqtt.Client]:
    five = settings.protocol == "5"
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        settings.client_id,
        clean_session=None if five else clean,
        protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
    )
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password)
    if (context := settings.ssl_context()) is not None:
        client.tls_set_context(context)
    client.connect_timeout = settings.connect_timeout
    up, answer = Event(), list[str]()

    def connected(_client: object, _userdata: object, _flags: object, reason: object, _properties: object) -> None:
        answer.append(str(reason))
        up.set()

    client.on_connect = connected
    if five:
        expiry = _expiry(settings, clean=clean)
        client.connect(settings.host, settings.port, settings.keepalive, clean_start=clean, properties=expiry)
    else:
        client.connect(settings.host, settings.port, settings.keepalive)
    client.loop_start()
    try:
        if not up.wait(settings.connect_timeout) or answer[0] != "Success":
            raise OSError(f"not connected: {answer[0] if answer else 'no answer'}")
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _expiry(settings: BrokerSettings, *, clean: bool) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho leaves it untyped
    properties.SessionExpiryInterval = 0 if clean else settings.session_expiry
    return properties
