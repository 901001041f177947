# SPDX-License-Identifier: EUPL-1.2
"""Messages that are a function of their number alone, so that what was confirmed can be recomputed from its numbers.

Number n is of device n modulo devices, in its turn n // devices, a minute after the turn before: device and time are a
key that no other message has. Its five values are hundredths drawn from n by a linear congruence, so that a value in
the wrong place is seen. `Numbered.expected` says the same for arrays of numbers.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import orjson

from benchmarks.load import QUANTITIES, Message, device_id

INTERVAL = 60  # s
_FACTORS = (7_919, 104_729, 15_485_863, 32_452_843, 49_979_687)  # primes, one for each quantity
_LOW = tuple(round(low * 100) for _, low, _ in QUANTITIES)
_SPAN = tuple(round((high - low) * 100) for _, low, high in QUANTITIES)
_NAMES = tuple(quantity for quantity, *_ in QUANTITIES)


class Numbered(NamedTuple):
    """All messages of one run; `start` (s since 1970) is the time of turn 0."""

    messages: int
    devices: int
    seed: int
    start: int

    @classmethod
    def ending(cls, messages: int, devices: int, seed: int, end: int) -> "Numbered":
        """Such that every reading lies before `end` (s since 1970)."""
        turns = -(-messages // devices)
        return cls(messages, devices, seed, end - (turns + 1) * INTERVAL)

    def message(self, number: int) -> Message:
        """Topic and payload of message `number`."""
        turn, device = divmod(number, self.devices)
        time = datetime.fromtimestamp(self.start + turn * INTERVAL, UTC)
        values = {
            name: (low + (number * factor + self.seed) % span) / 100
            for name, low, factor, span in zip(_NAMES, _LOW, _FACTORS, _SPAN, strict=True)
        }
        payload = orjson.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "readings": values})
        return Message(f"devices/{device_id(device)}/readings", payload)

    def numbers(self, device: int, times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of the messages of `device` at these times (ns); -1 where there is none."""
        turn, rest = np.divmod(times - self.start * 1_000_000_000, INTERVAL * 1_000_000_000)
        number = turn * self.devices + device
        return np.where((rest == 0) & (turn >= 0) & (number < self.messages), number, -1)

    def expected(self, quantity: int, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Values of the messages `numbers` for the quantity of this index."""
        drawn: npt.NDArray[np.int64] = _LOW[quantity] + (numbers * _FACTORS[quantity] + self.seed) % _SPAN[quantity]
        return drawn / 100

    def hours(self, device: int) -> range:
        """Starts of the hours (ns) in which `device` has readings."""
        turns = len(range(device, self.messages, self.devices))
        first, last = (((self.start + turn * INTERVAL) // 3600) * 3600 for turn in (0, max(0, turns - 1)))
        return range(first * 1_000_000_000, last * 1_000_000_000 + 1, 3600 * 1_000_000_000) if turns else range(0)
