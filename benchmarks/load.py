# SPDX-License-Identifier: EUPL-1.2
"""The messages of a benchmark: a pure function of shape and end.

Each message is the native short form with five readings of two domains, as an air station with a weather sensor sends
it. Devices take turns; the readings of one device are a minute apart and all lie before `end`.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

QUANTITIES = (  # quantity, lowest and highest value drawn
    ("pm10", 5.0, 60.0),
    ("pm2_5", 3.0, 40.0),
    ("no2", 2.0, 80.0),
    ("air_temperature", -10.0, 30.0),
    ("relative_humidity", 20.0, 100.0),
)
READINGS = len(QUANTITIES)
_INTERVAL = 60  # s


class Shape(NamedTuple):
    """How many messages of how many devices."""

    messages: int = 150_000
    devices: int = 1_000
    seed: int = 1


class Message(NamedTuple):
    """Topic and payload of one QoS 1 message."""

    topic: str
    payload: bytes


def device_id(number: int) -> str:
    """Id of a device."""
    return f"bench-{number:05d}"


def messages(shape: Shape, end: int) -> Iterator[Message]:
    """All messages in order of sending; `end` is in seconds since 1970."""
    rng = random.Random(shape.seed)
    turns = -(-shape.messages // shape.devices)
    for number in range(shape.messages):
        turn, device = divmod(number, shape.devices)
        time = datetime.fromtimestamp(end - (turns - turn) * _INTERVAL, UTC)
        readings = {quantity: round(rng.uniform(low, high), 2) for quantity, low, high in QUANTITIES}
        payload = orjson.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "readings": readings})
        yield Message(f"devices/{device_id(device)}/readings", payload)
