# SPDX-License-Identifier: EUPL-1.2
"""Where ingest can be killed on purpose, to show that nothing is lost at the worst moments.

`CITYHUB_FAIL_AT=stored:7` ends the process with SIGKILL the seventh time that a batch is durable in the store and not
journalled yet: no handler runs, no buffer is flushed, as in a crash. Several may be given, with commas between. A name
or count that makes no sense is refused at the start, so that a test never passes because its kill did not happen.
Without the variable a point costs one look at an empty dict.
"""

import os
import signal
from collections.abc import Callable, Mapping

from hub.core.errors import SettingsError

VARIABLE = "CITYHUB_FAIL_AT"

FAIL_POINTS: Mapping[str, str] = {
    "noted": "the opening of a batch is noted, and nothing of it is in the store yet",
    "stored": "a batch is durable in the store, and not journalled yet",
    "journalled": "a batch is durable and journalled, and its PUBACKs are not sent yet",
    "spooled": "a batch is durable in the spool, and its PUBACKs are not sent yet",
}


class FailPoints:
    """Counts down to each point that was asked for; `end` is what happens there."""

    def __init__(self, counts: Mapping[str, int], end: Callable[[], None]) -> None:
        self._left = dict(counts)
        self._end = end

    @classmethod
    def from_env(cls, environment: Mapping[str, str] = os.environ) -> "FailPoints":
        """The points that the environment asks for; SettingsError when it asks for nonsense."""
        return cls(parse(environment.get(VARIABLE, "")), _kill)

    def at(self, name: str) -> None:
        """The pipeline is at this point now."""
        if self._left and name in self._left:
            self._left[name] -= 1
            if self._left[name] == 0:
                self._end()


def parse(text: str) -> Mapping[str, int]:
    """`stored:7,journalled:3` as counts by name; the empty text asks for nothing."""
    counts: dict[str, int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, count = part.partition(":")
        if name not in FAIL_POINTS:
            raise SettingsError(VARIABLE, f"no fail point {name!r}; there are {', '.join(FAIL_POINTS)}")
        if not (count.isascii() and count.isdigit() and int(count) > 0):
            raise SettingsError(VARIABLE, f"{part!r}: give a count from 1 on, such as {name}:1")
        counts[name] = int(count)
    return counts


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
