# SPDX-License-Identifier: EUPL-1.2
"""JSON log lines, rate-limited per reason. Payloads and secrets are never logged.

`extra={"reason": code}` and `extra={"fields": {...}}` of a record become members of its JSON object, one a line.
`RateLimited` lets one line a reason through every interval and says how many it held back, so that a flood of bad
messages cannot flood the log; counters count every one of them all the same.
"""

import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hub.core.readings import NS


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the record's `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({"reason": reason} if (reason := getattr(record, "reason", None)) is not None else {}),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = "".join(traceback.format_exception(record.exc_info[1]))
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure_logging(level: str = "INFO", file: Path | None = None) -> None:
    """Send everything to standard error, or to a file, as JSON lines."""
    handler = logging.StreamHandler(sys.stderr) if file is None else logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("httpx", "httpcore"):  # a line for every write to InfluxDB
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at the schema


class RateLimited:
    """A logger that passes one line per `code` every `interval` seconds. `clock` gives ns."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], int], interval: float = 10.0) -> None:
        self._logger = logger
        self._clock = clock
        self._interval = int(interval * NS)
        self._state: dict[str, tuple[int, int]] = {}

    def warning(self, code: str, message: str, **fields: object) -> None:
        """Log a warning under `code`, or only count it."""
        self._pass(logging.WARNING, code, message, fields)

    def error(self, code: str, message: str, **fields: object) -> None:
        """Log an error under `code`, or only count it."""
        self._pass(logging.ERROR, code, message, fields)

    def _pass(self, level: int, code: str, message: str, fields: dict[str, object]) -> None:
        now = self._clock()
        due, held = self._state.get(code, (0, 0))
        if now < due:
            self._state[code] = (due, held + 1)
            return
        self._state[code] = (now + self._interval, 0)
        if held:
            fields["held_back"] = held
        self._logger.log(level, message, extra={"fields": fields})
