# SPDX-License-Identifier: EUPL-1.2
"""What an operator sees of a session, whatever codec it runs on: health, counters, log lines and events.

A loss of the session is told once, when CONNACK says so, even if that connection broke before it was subscribed, and
also by the first connection after a restart of the hub (`SessionMemory`). Health names it for a day.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from hub.core.ports import PartHealth
from hub.core.readings import NS
from hub.transport._ends import HINTS, LEVELS, End, Ended
from hub.transport._session_memory import SessionMemory
from hub.transport.settings import BrokerSettings

_LOST_HINT = "Messages published while the hub was away may be missing. See that the broker keeps sessions on disk."


class SessionEvent(Struct, frozen=True):
    """Something an operator should know: `kind` is session_lost, refused or foreign_subscription."""

    kind: str
    detail: str


class SessionStats(Struct, frozen=True):
    """Counts since start; `in_hand` messages wait for ingest now, `queued_bytes` of them nobody has taken yet."""

    connects: int
    reconnects: int
    sessions_lost: int
    refused: int
    received: int
    acked: int
    stale_acks: int
    redelivered_in_hand: int
    dropped_stale: int
    in_hand: int
    queued_bytes: int


class Condition:
    """State of one session; everything on the event loop."""

    def __init__(
        self,
        settings: BrokerSettings,
        memory: SessionMemory,
        notify: Callable[[SessionEvent], None] | None,
        log: logging.Logger,
    ) -> None:
        self.ups = 0
        self.sessions_lost = 0
        self.refused = 0
        self._settings = settings
        self._memory = memory
        self._notify = notify
        self._log = log
        self._foreign = False
        self._judged = False  # whether this connection's session_present was looked at
        self._state = PartHealth("mqtt", ok=False, detail="not started")

    def up(self, *, session_present: bool, spoken: str) -> None:
        """Connected and subscribed with MQTT version `spoken`."""
        self.ups += 1
        self._judge(session_present)
        self._memory.subscribed()
        kept = "session resumed" if session_present else "new session"
        detail = f"connected to {self._settings.address} with MQTT {spoken}, {kept}"
        self._log.info("MQTT: %s", detail, extra={"reason": "connected"})
        self._state = PartHealth("mqtt", ok=True, detail=detail)

    def down(self, ended: Ended) -> None:
        """The connection ended."""
        self._judge(ended.session)
        self._judged = False
        if ended.end is End.CLOSED:
            return
        known = self._state.detail
        detail = f"{self._settings.address}: {ended.end.value}: {ended.detail}"
        self._state = PartHealth("mqtt", ok=False, detail=detail, hint=HINTS[ended.end])
        self.refused += ended.end is End.REFUSED
        if detail == known:  # said already; the next try has nothing new
            return
        self._log.log(
            LEVELS.get(ended.end, logging.WARNING), "MQTT: %s", detail, extra={"reason": ended.end.name.lower()}
        )
        if ended.end is End.REFUSED:
            self._tell("refused", detail)

    def closed(self) -> None:
        """The hub has closed the session."""
        self._state = PartHealth("mqtt", ok=False, detail="closed")

    def foreign(self) -> None:
        """QoS 2 arrives, which the hub never subscribes to."""
        if not self._foreign:
            self._foreign = True
            client = self._settings.client_id
            detail = f"QoS 2 arrives: another program subscribed as {client!r}; give it a client id of its own"
            self._log.warning("MQTT: %s", detail, extra={"reason": "foreign_subscription"})
            self._tell("foreign_subscription", detail)

    def health(self) -> PartHealth:
        """The state now; a loss of the last day is named."""
        lost = self._memory.lost_at()
        if lost is None:
            return self._state
        when = datetime.fromtimestamp(lost // NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        detail = f"{self._state.detail}; at {when} the broker no longer had the hub's session"
        return self._state._replace(detail=detail, hint=self._state.hint or _LOST_HINT)

    def _judge(self, session_present: bool | None) -> None:
        if self._judged or session_present is None:
            return
        self._judged = True
        if not session_present and self._memory.known:
            self._memory.lose()
            self.sessions_lost += 1
            detail = "the broker no longer had the hub's session: messages that waited there are gone"
            self._log.error("MQTT session lost: %s", detail, extra={"reason": "session_lost"})
            self._tell("session_lost", detail)

    def _tell(self, kind: str, detail: str) -> None:
        if self._notify is not None:
            self._notify(SessionEvent(kind, detail))
