# SPDX-License-Identifier: EUPL-1.2
"""That the hub left a session on a broker, remembered across restarts, and when the broker was found to have lost it.

Without this a hub that starts cannot tell "first time here" from "the broker forgot me, with all that waited". The note
is a small file in the hub's data directory, one for each broker address and client id, written after the first
subscription. It says that there was a session, not what waited in it. A loss stays in it, so that a restart does not
hide the alarm; whoever means to begin anew deletes the file.

Invariant: a note that cannot be read or written never keeps the hub from working; it is logged, and counts as unknown.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.core.readings import NS
from hub.transport._process import write_secret
from hub.transport.settings import BrokerSettings

log = logging.getLogger(__name__)

SHOWN_NS = 24 * 3600 * NS  # a loss counts as seen by its operator after a day


class _Note(Struct, frozen=True):
    """`since` and `lost` in ns; `lost` is 0 where the session never was."""

    broker: str
    client_id: str
    since: int
    lost: int = 0


class SessionMemory:
    """The note of one session. Without `file` it lasts as long as the process."""

    def __init__(self, settings: BrokerSettings, file: Path | None = None, clock: Callable[[], int] = time.time_ns):
        self._broker, self._client_id = settings.address, settings.client_id
        self._file = file
        self._clock = clock
        self._note = self._read()

    @classmethod
    def beside(cls, directory: Path, settings: BrokerSettings) -> "SessionMemory":
        """The note in the data directory `directory`."""
        key = f"{settings.address} {settings.client_id}".encode()
        return cls(settings, directory / f"mqtt-session-{hashlib.sha256(key).hexdigest()[:12]}.json")

    @property
    def known(self) -> bool:
        """Whether this client id had a session on this broker before."""
        return self._note is not None

    def subscribed(self) -> None:
        """The session is there now."""
        if self._note is None:
            self._keep(_Note(self._broker, self._client_id, self._clock()))

    def lose(self) -> None:
        """The broker no longer has the session."""
        now = self._clock()
        self._keep(_Note(self._broker, self._client_id, self._note.since if self._note else now, now))

    def lost_at(self) -> int | None:
        """When (ns) the last loss was noticed, None when there was none within the last day."""
        lost = self._note.lost if self._note else 0
        return lost if lost and self._clock() - lost < SHOWN_NS else None

    def _read(self) -> _Note | None:
        if self._file is None:
            return None
        try:
            note = msgspec.json.decode(self._file.read_bytes(), type=_Note)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError) as error:
            log.warning("MQTT: %s cannot be read: %s", self._file, error, extra={"reason": "session_note"})
            return None
        return note if (note.broker, note.client_id) == (self._broker, self._client_id) else None

    def _keep(self, note: _Note) -> None:
        self._note = note
        if self._file is None:
            return
        try:
            write_secret(self._file, msgspec.json.encode(note).decode())
        except OSError as error:
            log.warning("MQTT: %s cannot be written: %s", self._file, error, extra={"reason": "session_note"})
