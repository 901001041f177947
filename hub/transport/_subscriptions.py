# SPDX-License-Identifier: EUPL-1.2
"""What the hub has subscribed to on its embedded broker, remembered so that a start need not connect to find out.

A connection only to look would be sent up to `MAX_ACK_PENDING` messages of a backlog, and the server would keep those
back for `ack_wait` before it sends them to the session that wants them.

The note (`subscriptions.json`) names client id, filters and the server's own durable consumers, one or two a filter.
It counts only while all of them still lie in the server's store: whoever deleted or replaced store, identity or
filters gets a session made anew. Invariant: when in doubt, the answer is that nothing is known.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.transport._nats import session_prefix
from hub.transport._process import write_secret


class _Note(Struct, frozen=True):
    client_id: str
    filters: Sequence[str]
    consumers: Sequence[str]


class Subscriptions:
    """The note in `file` about the store of a server."""

    def __init__(self, file: Path, store: Path) -> None:
        self._file = file
        self._consumers = store / "jetstream" / "$G" / "streams" / "$MQTT_msgs" / "obs"

    def hold(self, client_id: str, filters: Sequence[str]) -> bool:
        """Whether the session of `client_id` is there with exactly these filters."""
        try:
            note = msgspec.json.decode(self._file.read_bytes(), type=_Note)
        except (OSError, msgspec.MsgspecError):  # none yet, or one that is damaged
            return False
        asked = note.client_id == client_id and list(note.filters) == list(filters)
        return asked and bool(note.consumers) and set(note.consumers) <= set(self._found(client_id))

    def _found(self, client_id: str) -> list[str]:
        pattern = f"{session_prefix(client_id)}_*/meta.inf"
        return sorted(meta.parent.name for meta in self._consumers.glob(pattern) if meta.stat().st_size)

    def note(self, client_id: str, filters: Sequence[str]) -> None:
        """Remember what has just been subscribed to."""
        note = _Note(client_id, list(filters), self._found(client_id))
        write_secret(self._file, msgspec.json.encode(note).decode())
