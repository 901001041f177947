# SPDX-License-Identifier: EUPL-1.2
"""Randomness without state: numbers that are a function of a key and an index.

A generator with a state would make a value depend on all values before it, and so on where a run began. Here each
number is a hash (the finaliser of SplitMix64) of key, channel and index.
"""

import math
from hashlib import blake2b

from msgspec import Struct

_MASK = (1 << 64) - 1


class Noise(Struct, frozen=True):
    """A source of numbers; channels of one key are independent of each other."""

    key: int

    @classmethod
    def of(cls, *names: object) -> "Noise":
        """Source for a seed and names, equal for equal names on every machine."""
        text = "\x1f".join(str(name) for name in names)
        return cls(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big"))

    def uniform(self, index: int, channel: int = 0) -> float:
        """A number in [0, 1)."""
        return _mix(self.key ^ _mix((index * 0x9E3779B97F4A7C15 + channel * 0xD1B54A32D192ED03) & _MASK)) / 2**64

    def signed(self, index: int, channel: int = 0) -> float:
        """A number in [-1, 1)."""
        return 2 * self.uniform(index, channel) - 1

    def smooth(self, t: float, period: float, channel: int = 0) -> float:
        """A curve in [-1, 1] over time that turns about once in `period`; its slope is at most pi / period."""
        index, part = divmod(t / period, 1)
        before, after = self.signed(int(index), channel), self.signed(int(index) + 1, channel)
        return before + (after - before) * (1 - math.cos(math.pi * part)) / 2


def _mix(x: int) -> int:
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)
