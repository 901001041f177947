# SPDX-License-Identifier: EUPL-1.2
"""Texts of the definitions by which figures were computed, so that a figure of years ago can still be explained.

They stand in the audit, where rows are never changed or deleted: one entry for each text that an engine started with
and that was not there yet. So a definition's history is also a record of when it changed.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import select

from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import load

SEEN = "definition.seen"
_ACTOR = "hub"
_A = t.audit.c


class DefinitionTexts:
    """Remembers and finds texts by indicator and version."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def remember(self, texts: Mapping[str, tuple[int, str]]) -> int:
        """Keep (version, text) of each indicator unless it is kept already; returns how many were new."""
        known = self._read()
        fresh = {i: row for i, row in texts.items() if known.get(i, {}).get(row[0]) != row[1]}
        if fresh:
            with self._database.write() as connection:
                for indicator, (version, text) in sorted(fresh.items()):
                    record(connection, self._clock(), _ACTOR, SEEN, indicator, {"version": version, "text": text})
        return len(fresh)

    def of(self, indicator: str) -> Mapping[int, str]:
        """Text by version; the newest where only what does not bear on figures was changed within a version."""
        return self._read(indicator).get(indicator, {})

    def _read(self, indicator: str | None = None) -> Mapping[str, Mapping[int, str]]:
        wanted = select(_A.subject, _A.detail).where(_A.action == SEEN).order_by(_A.id)
        if indicator is not None:
            wanted = wanted.where(_A.subject == indicator)
        found: dict[str, dict[int, str]] = {}
        with self._database.read() as connection:
            for subject, detail in connection.execute(wanted):
                row = load(detail)
                found.setdefault(subject, {})[int(row["version"])] = str(row["text"])
        return found
