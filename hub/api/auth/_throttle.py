# SPDX-License-Identifier: EUPL-1.2
"""Wrong keys and passwords, counted per client in a bounded memory.

A client over the limit is refused before what it shows is looked at, except with a secret that was right lately: behind
one proxy everybody has the same address, and one forgotten device must not lock the others out.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple


class Throttle:
    """Counts wrong keys per client: more than `limit` within `window` seconds and the client has to wait.

    Holds at most `clients` addresses and as many digests of good secrets (keyed by a random of this process); the
    ones longest unused are forgotten first.
    """

    def __init__(
        self,
        limit: int = 10,
        window: float = 60.0,
        clients: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._window, self._clients, self._clock = limit, window, clients, clock
        self._failures: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._salt = secrets.token_bytes(16)
        self._lock = threading.Lock()

    def wait(self, client: str, secret: str) -> float:
        """Seconds that the client has to wait with this secret, 0 when it may try now."""
        with self._lock:
            began, count = self._failures.get(client, (0.0, 0))
            left = began + self._window - self._clock()
            if count < self._limit or left <= 0 or self._digest(secret) in self._good:
                return 0.0
            return left

    def wrong(self, client: str) -> int:
        """Count a wrong key; returns how many there were in this window."""
        with self._lock:
            now = self._clock()
            began, count = self._failures.pop(client, (now, 0))
            if began + self._window <= now:
                began, count = now, 0
            self._failures[client] = (began, count + 1)
            _trim(self._failures, self._clients)
            return count + 1

    def right(self, secret: str) -> None:
        """Remember that this secret was right lately."""
        with self._lock:
            digest = self._digest(secret)
            self._good[digest] = None
            self._good.move_to_end(digest)
            _trim(self._good, self._clients)

    def _digest(self, secret: str) -> bytes:
        return hmac.digest(self._salt, secret.encode("utf-8", "surrogatepass"), hashlib.sha256)


class Tries(NamedTuple):
    """Wrong passwords at one address: for one login, and for all."""

    of_login: int
    of_client: int


def is_doubling(number: int, first: int) -> bool:
    """Whether it is `first` times 1, 2, 4, 8 ..."""
    times, rest = divmod(number, first)
    return rest == 0 and times.bit_count() == 1


class Attempts:
    """Wrong passwords, counted per login at an address, and per address over all logins; the wait doubles with each.

    Up to `FREE` wrong ones of a login cost nothing (fingers slip), nor up to ten times that of an address (many people
    share one); then the next is looked at after 1 s, 2 s, 4 s ... up to `LONGEST`. A right one forgets that login's
    count there. Counts belong to an address, so a stranger cannot lock somebody out elsewhere, and who has a session
    is never asked. Holds at most `places` counts: those longest untouched are forgotten first.
    """

    FREE, LONGEST = 5, 300.0

    def __init__(self, places: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        self._places, self._clock = places, clock
        self._counts: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, login: str, client: str) -> float:
        """Seconds until the next password is looked at, 0 for now."""
        with self._lock:
            ready = max(self._counts.get(key, (0, 0.0))[1] for key in ((login[:64], client), ("", client)))
            return max(0.0, ready - self._clock())

    def wrong(self, login: str, client: str) -> Tries:
        """Count a wrong one; returns how many there were here, for this login and for all."""
        with self._lock:
            of_client = self._add(("", client), self.FREE * 10)
            return Tries(self._add((login[:64] or "?", client), self.FREE), of_client)

    def right(self, login: str, client: str) -> None:
        """Forget this login's count here."""
        with self._lock:
            self._counts.pop((login[:64], client), None)

    def _add(self, key: tuple[str, str], free: int) -> int:
        count = self._counts.pop(key, (0, 0.0))[0] + 1
        delay = min(self.LONGEST, 2.0 ** min(count - free, 20)) if count >= free else 0.0
        self._counts[key] = (count, self._clock() + delay)
        while len(self._counts) > self._places:
            self._counts.popitem(last=False)
        return count


def _trim(memory: "OrderedDict[str, tuple[float, int]] | OrderedDict[bytes, None]", size: int) -> None:
    while len(memory) > size:
        memory.popitem(last=False)
