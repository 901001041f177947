# SPDX-License-Identifier: EUPL-1.2
"""What the NATS server reads and writes, as pure functions: its configuration, its log lines, subjects for topics.

The server stores an MQTT topic as a NATS subject: levels are joined by `.` instead of `/`, an empty level becomes `/`
and a `.` within a level becomes `//`. Permissions and log lines speak subjects; the rest of the hub speaks topics.
"""

import hashlib
import json
import re
import string
from collections.abc import Iterable, Sequence

from msgspec import Struct

ANONYMOUS = "anonymous"
# Messages in flight per subscription. The server allows 65,535 over all subscriptions of a session, counts `a/#` twice
# (it makes two of it), and refuses what exceeds: this leaves room for eight.
MAX_ACK_PENDING = 8_000
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_INTERNAL = ("$JS.>", "$MQTT.>", "$SYS.>")  # the server's own subjects, reachable as topics `$JS/...`
_BCRYPT = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")
_LINE = re.compile(r"^(?:\[\d+\] )?(?:\S+ \S+ )?\[(?P<level>[A-Z]{3})\] (?P<text>.*)$")
_CLIENT = re.compile(r'^(?P<address>\S+) - mid:\d+ - "(?P<client>[^"]*)" - (?P<rest>.*)$')
_VIOLATION = re.compile(r'(?P<kind>Publish|Subscription) Violation - .*?Subject "(?P<subject>[^"]*)"')


class BrokerUser(Struct, frozen=True, kw_only=True):
    """A user of the embedded broker. `publish` and `subscribe` are MQTT filters; the password is a bcrypt hash."""

    name: str
    password_hash: str
    publish: Sequence[str] = ()
    subscribe: Sequence[str] = ()


class BrokerEvent(Struct, frozen=True):
    """Something in the server's log that concerns one client.

    `kind`: publish_denied, subscribe_denied, login_failed or client_error. `topic` is "" where there is none.
    """

    kind: str
    client: str
    topic: str
    text: str


class LogLine(Struct, frozen=True):
    """One line of the server's log; `level` is INF, WRN, ERR, FTL, DBG or TRC."""

    level: str
    text: str


class ServerConfig(Struct, frozen=True, kw_only=True):
    """All that differs between configurations."""

    host: str
    port: int
    store: str
    log_file: str
    pid_file: str
    sync_interval: str
    ack_wait: int
    max_payload: int
    hub_user: str
    hub_password: str
    anonymous_password: str | None  # None: nobody without credentials
    users: Sequence[BrokerUser] = ()
    monitor_port: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None


def is_bcrypt(text: str) -> bool:
    """Whether the server will take `text` as a bcrypt hash, not as the password itself."""
    return _BCRYPT.fullmatch(text) is not None


def subjects(topic_filter: str) -> list[str]:
    """NATS subjects of an MQTT filter; `a/#` means `a` too, as in MQTT."""
    levels = topic_filter.split("/")
    many = levels[-1] == "#"
    tokens = [_token(level) for level in (levels[:-1] if many else levels)]
    if not many:
        return [".".join(tokens)]
    return [".".join([*tokens, ">"]), *([".".join(tokens)] if tokens else [])]


def _token(level: str) -> str:
    if level == "+":
        return "*"
    return level.replace(".", "//") or "/"


def session_prefix(client_id: str) -> str:
    """What the names of a session's consumers begin with: its client id, hashed by the server."""
    return "".join(_DIGITS[byte % len(_DIGITS)] for byte in hashlib.sha256(client_id.encode()).digest()[:8])


def topic(subject: str) -> str:
    """MQTT topic of a NATS subject."""
    return "/".join("" if level == "/" else level.replace("//", ".") for level in subject.split("."))


def render(config: ServerConfig) -> str:
    """The server's configuration file. JSON strings are valid there, so nothing needs an escape of its own."""
    q = json.dumps
    anonymous = f"no_auth_user: {q(ANONYMOUS)}" if config.anonymous_password else ""
    monitor = "" if config.monitor_port is None else f'http: "127.0.0.1:{config.monitor_port}"'
    tls = f"tls {{ cert_file: {q(config.tls_cert)}, key_file: {q(config.tls_key)} }}" if config.tls_cert else ""
    users = ",\n    ".join(_users(config))
    return f"""# written by cityhub at every start: changes are lost
server_name: "cityhub"
listen: "127.0.0.1:-1"  # the NATS protocol itself is not used, but cannot be switched off
{monitor}
pid_file: {q(config.pid_file)}
log_file: {q(config.log_file)}
logfile_size_limit: 10MB
logfile_max_num: 3
max_payload: {config.max_payload}
max_control_line: 65536  # long topics
jetstream {{
  store_dir: {q(config.store)}
  sync_interval: {config.sync_interval}
  max_memory_store: 64MB
}}
mqtt {{
  listen: {q(f"{config.host}:{config.port}")}
  ack_wait: "{config.ack_wait}s"
  max_ack_pending: {MAX_ACK_PENDING}
  {anonymous}
  {tls}
}}
authorization {{
  users: [
    {users}
  ]
}}
"""


def _users(config: ServerConfig) -> Iterable[str]:
    q = json.dumps
    yield f"{{user: {q(config.hub_user)}, password: {q(config.hub_password)}}}"
    if config.anonymous_password:
        deny = json.dumps(_INTERNAL)
        rights = f"publish: {{deny: {deny}}}, subscribe: {{deny: {json.dumps(_INTERNAL[::2])}}}"
        yield f"{{user: {q(ANONYMOUS)}, password: {q(config.anonymous_password)}, permissions: {{{rights}}}}}"
    for user in config.users:
        publish = json.dumps([s for f in user.publish for s in subjects(f)])
        # QoS 1 subscriptions are delivered through a subject of the server's own
        hear = json.dumps([*(s for f in user.subscribe for s in subjects(f)), "$MQTT.sub.>"])
        rights = f"publish: {{allow: {publish}}}, subscribe: {{allow: {hear}}}"
        yield f"{{user: {q(user.name)}, password: {q(user.password_hash)}, permissions: {{{rights}}}}}"


def parse_line(line: str) -> LogLine:
    """Level and text of one line of the log; what does not look like one keeps its text."""
    match = _LINE.match(line.rstrip())
    return LogLine(match["level"], match["text"]) if match else LogLine("INF", line.rstrip())


def reload_outcome(line: LogLine) -> str | None:
    """What became of a reload: "" when it was done, the fault when not, None when the line is about something else."""
    if line.text.startswith("Reloaded server configuration"):
        return ""
    return line.text if line.text.startswith("Failed to reload server configuration") else None


def parse_event(line: LogLine) -> BrokerEvent | None:
    """What a line says of a client, None when it says nothing an operator needs."""
    if line.level not in {"ERR", "WRN"}:
        return None
    match = _CLIENT.match(line.text)
    if match is None:
        return None
    client, rest = match["client"], match["rest"]
    violation = _VIOLATION.search(rest)
    if violation:
        kind = {"Publish": "publish_denied", "Subscription": "subscribe_denied"}[violation["kind"]]
        return BrokerEvent(kind, client, topic(violation["subject"]), rest)
    if "authentication error" in rest:
        # said twice: once with the user, if there is one, and once as the reason why nobody was let in
        return None if rest.startswith("unable to connect") else BrokerEvent("login_failed", client, "", rest)
    return BrokerEvent("client_error", client, "", rest)
