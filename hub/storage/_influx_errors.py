# SPDX-License-Identifier: EUPL-1.2
"""What an answer of InfluxDB asks for: `reaction` is the whole table from HTTP status to error.

    408, 429, 5xx     Retry, after what Retry-After says (seconds) or a default
    400, 413, 422     Refused: rows in the request are at fault; a part of it may have been stored
    401, 403, 404     Stop, naming the setting that is wrong
    anything else     Stop, with the server's words

InfluxQL reports most errors inside an answer of status 200: `query_error` is the same table for those.
"""

import re
from collections.abc import Mapping

import msgspec

from hub.core.errors import HubError, Reject, Retry, SettingsError, Stop
from hub.storage._influx_settings import InfluxSettings

_REFUSED = {400, 413, 422}
_RETRY = {408, 429}
_DEFAULT_AFTER_S = {429: 5.0, 503: 5.0}
_LONGEST_AFTER_S = 300.0


class Refused(Reject):
    """The server refuses at least one line of a write for good; `detail` has its words."""

    def __init__(self, words: str) -> None:
        super().__init__("rejected_by_store", words)


def words_of(body: bytes | str, headers: Mapping[str, str]) -> str:
    """The server's own explanation: of a JSON body, else of its error header, else the body's beginning."""
    try:
        answer = msgspec.json.decode(body, type=dict[str, object])
    except msgspec.DecodeError:
        answer = {}
    said = answer.get("message") or answer.get("error") or headers.get("X-Influxdb-Error")
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    return str(said or text[:300]).strip()


def reaction(status: int, headers: Mapping[str, str], words: str, settings: InfluxSettings, version: str) -> HubError:
    """The error that an answer with this status means; call it for statuses of 400 and above only."""
    if status in _REFUSED:
        return Refused(words)
    if status in _RETRY or status >= 500:
        return Retry(f"InfluxDB at {settings.url} answers {status}: {words}", _after(status, headers))
    if status in (401, 403):
        culprit = "influx.token" if version == "2" else "influx.username, influx.password"
        return SettingsError(culprit, f"InfluxDB at {settings.url} refuses them ({status}): {words}")
    if status == 404:
        culprit, name = (
            ("influx.bucket", settings.bucket_name) if version == "2" else ("influx.database", settings.database)
        )
        return SettingsError(culprit, f"InfluxDB at {settings.url} has no {name!r} (404): {words}")
    return Stop(f"influx.url: {settings.url} answers {status}: {words}")


def away(error: Exception, settings: InfluxSettings) -> Retry:
    """What a broken or unanswered request means."""
    return Retry(f"InfluxDB at {settings.url} does not answer: {type(error).__name__} {error}".rstrip())


def _after(status: int, headers: Mapping[str, str]) -> float:
    said = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    seconds = float(said) if re.fullmatch(r"\d{1,9}(\.\d+)?", said) else _DEFAULT_AFTER_S.get(status, 1.0)
    return min(seconds, _LONGEST_AFTER_S)


_QUERY_ERRORS: tuple[tuple[str, str], ...] = (  # a part of the server's words, and the setting that is wrong
    ("database not found", "influx.database"),
    ("retention policy not found", "influx.retention_policy"),
    ("not authorized", "influx.username, influx.password"),
    ("unauthorized", "influx.token"),
    ("no dbrp", "influx.database"),
    ("dbrp mapping not found", "influx.database"),
)
_QUERY_FOR_GOOD = ("error parsing query", "max-select")


def query_error(words: str, settings: InfluxSettings) -> HubError:
    """The error that words inside an answer to a query mean."""
    lower = words.lower()
    for part, setting in _QUERY_ERRORS:
        if part in lower:
            return SettingsError(setting, f"InfluxDB at {settings.url} says: {words}")
    if any(part in lower for part in _QUERY_FOR_GOOD):
        return Stop(f"InfluxDB at {settings.url} cannot answer a query: {words}")
    return Retry(f"InfluxDB at {settings.url} could not answer a query now: {words}")
