# SPDX-License-Identifier: EUPL-1.2
"""What a transport hands over, and what it is given to publish."""

from msgspec import Struct


class Delivery(Struct, frozen=True, gc=False):
    """One MQTT message as received.

    `received` is the arrival in nanoseconds since 1970 (UTC). `token` acknowledges it and carries the connection's
    epoch: a token of an earlier connection is stale, and acknowledging it does nothing.
    """

    topic: str
    payload: bytes
    received: int
    qos: int
    retain: bool
    dup: bool
    token: int


class Publication(Struct, frozen=True, gc=False):
    """One message to publish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
