# SPDX-License-Identifier: EUPL-1.2
"""Why a connection to the broker ended, and what an operator should do about it; the same for every codec."""

import logging
from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

OVERHEAD: Final = 300  # bytes that a delivery costs beside topic and payload, roughly, in CPython
TICK: Final = 1.0  # s between looks at keep-alive
HELD: Final = 5.0  # s after which a connection counts as good and the back-off starts anew


class End(Enum):
    """Why a connection ended."""

    CLOSED = "closed"  # we wanted it
    RESUME = "resume"  # subscribed, with more before SUBACK than fits: connect again, without subscribing, to get it
    UNREACHABLE = "unreachable"  # no TCP or TLS connection
    NO_ANSWER = "no answer"  # connected, but dropped before CONNACK: perhaps a broker that cannot read our version
    WRONG_VERSION = "wrong version"  # the broker says that it does not speak this version of MQTT
    REFUSED = "refused"  # credentials, client id, permissions: only the operator can help
    LOST = "lost"  # it worked, and broke


class Ended(NamedTuple):
    """How a connection ended, how many seconds it had been up, and what CONNACK said of the session (None: none came).

    `up` is 0.0 for a connection that never was subscribed. One without a session that ends so leaves an empty session
    behind: the next one has to subscribe though the broker says that the session is there.
    """

    end: End
    detail: str
    up: float = 0.0
    session: bool | None = None

    def must_subscribe(self, *, before: bool) -> bool:
        """Whether the next connection subscribes whatever the broker says; `before`: whether this one had to."""
        return self.up == 0.0 and self.end is not End.RESUME and (before or self.session is False)


HINTS: Final[Mapping[End, str]] = {
    End.UNREACHABLE: "Check that the broker runs and that broker.host and broker.port are right.",
    End.NO_ANSWER: "Check that broker.port is the MQTT listener (and broker.tls fits it).",
    End.WRONG_VERSION: "Set broker.protocol to what the broker speaks, or to auto.",
    End.RESUME: "Nothing to do: the hub connects again by itself.",
    End.REFUSED: "Check broker.username, broker.password and broker.client_id against the broker's users.",
    End.LOST: "The hub connects again by itself, and what it did not confirm comes again. If this repeats every few "
    "seconds, look in the broker's log, and whether another client uses the same broker.client_id.",
}
LEVELS: Final[Mapping[End, int]] = {End.REFUSED: logging.ERROR, End.RESUME: logging.INFO}
