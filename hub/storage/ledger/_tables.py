# SPDX-License-Identifier: EUPL-1.2
"""Tables of the ledger, as the newest migration leaves them (a test compares the two).

Times are BIGINT nanoseconds since 1970 (UTC). Structured details are JSON in TEXT, so that a float comes back bit by
bit on both databases. Ids sort by code point on both (collation "C" on PostgreSQL), which is what a prefix search on
a place path and the order of pages rely on.

A device with `removed_at` is a former one: its row and its mountings stay, because its readings count where it stood;
its name in messages (connector, external_id) is free for another device. `ignored` has such names of devices that
belong to somebody else: no registered device has one of them.

Indicator values are two tables over one `value_series` (indicator, place): `indicator_value` holds the newest revision
of each window, `indicator_revision` those it has superseded. What is read all the time is thus one key look-up in a
narrow index, and never a search for the highest revision. `due_at` is `closes_at` while the window is open and NULL
afterwards, so that the index of due windows holds the open ones only.

`digest` is a 64-bit hash of a value's result (NULL: not known), so that unchanged results are recognised in bulk.

`entered_value` has figures that people enter; `approval` numbers them in the order in which they took effect (NULL:
waiting or rejected). `strategy` has whole documents as JSON, the highest revision counts.

`facility`, `hardware`, `certificate` and `photo` keep what nobody searches by as JSON in `document`.
`import_run.changes` has what was there before each change, so that an import can be undone. `session.hash` is the
SHA-256 of a cookie. `broker_refusal` counts what the broker refused a client.

`counter` has the sequence of the change feed and the registry's version. Sequences of PostgreSQL are no use for either:
they are drawn before the commit, so a reader could see 7, move on, and miss the 6 that commits later.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
VALUE_SEQ = "value_seq"
REGISTRY_VERSION = "registry_version"
CREDENTIAL_VERSION = "credential_version"  # grows with every change of what the broker has to know

metadata = MetaData(naming_convention=NAMING)


def _name() -> TypeEngine[str]:
    return String().with_variant(String(collation="C"), "postgresql")


def _serial() -> TypeEngine[int]:
    return BigInteger().with_variant(Integer, "sqlite")


counter = Table(
    "counter",
    metadata,
    Column("name", _name(), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

place = Table(
    "place",
    metadata,
    Column("id", _name(), primary_key=True),
    Column("parent", _name(), ForeignKey("place.id")),
    Column("kind", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("population", Integer),
    Column("population_date", String),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("source", Text),
    Column("revision", Integer, nullable=False, server_default=text("1")),
)

facility = Table(
    "facility",
    metadata,
    Column("place", _name(), ForeignKey("place.id"), primary_key=True),
    Column("document", Text, nullable=False),
    Column("owner", _name(), nullable=False),
    Column("revision", Integer, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("id", _name(), primary_key=True),
    Column("connector", _name(), nullable=False),
    Column("external_id", _name(), nullable=False),
    Column("title", Text, nullable=False),
    Column("interval_s", Integer),
    Column("grade", SmallInteger, nullable=False),
    Column("origin", SmallInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("model", _name(), nullable=False, server_default=text("''")),
    Column("serial", Text, nullable=False, server_default=text("''")),
    Column("owner", _name(), nullable=False, server_default=text("''")),
    Column("tags", Text, nullable=False, server_default=text("'[]'")),
    Column("note", Text, nullable=False, server_default=text("''")),
    Column("revision", Integer, nullable=False, server_default=text("1")),
)
Index(
    "uq_device_connector_external_id",
    device.c.connector,
    device.c.external_id,
    unique=True,
    sqlite_where=device.c.removed_at.is_(None),
    postgresql_where=device.c.removed_at.is_(None),
)

mounting = Table(
    "mounting",
    metadata,
    Column("device", _name(), ForeignKey("device.id"), primary_key=True),
    Column("mounted_from", BigInteger, primary_key=True),
    Column("mounted_to", BigInteger),
    Column("place", _name(), ForeignKey("place.id"), nullable=False),
    Column("height", Float(53)),
    Column("orientation", Float(53)),
)

hardware = Table(
    "hardware",
    metadata,
    Column("device", _name(), ForeignKey("device.id"), primary_key=True),
    Column("used_from", BigInteger, primary_key=True),
    Column("used_to", BigInteger),
    Column("document", Text, nullable=False),
)

certificate = Table(
    "certificate",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("device", _name(), ForeignKey("device.id"), nullable=False),
    Column("correction", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
Index(None, certificate.c.device)

note = Table(
    "note",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("subject", _name(), nullable=False),
    Column("text", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    sqlite_autoincrement=True,
)
Index(None, note.c.subject)

photo = Table(
    "photo",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("subject", _name(), nullable=False),
    Column("sha256", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    sqlite_autoincrement=True,
)
Index(None, photo.c.subject)

draft = Table(
    "draft",
    metadata,
    Column("id", _name(), primary_key=True),
    Column("kind", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

import_run = Table(
    "import_run",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("file", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("changes", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("undone_by", Text),
    Column("undone_at", BigInteger),
    sqlite_autoincrement=True,
)

credential = Table(
    "credential",
    metadata,
    Column("username", _name(), primary_key=True),
    Column("kind", String, nullable=False),
    Column("hashes", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("allow", Text, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("issued_by", Text, nullable=False),
    Column("disabled_at", BigInteger),
    Column("disabled_why", Text, nullable=False),
)

broker_refusal = Table(
    "broker_refusal",
    metadata,
    Column("username", _name(), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("topic", _name(), primary_key=True),
    Column("text", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("login", _name(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", String, nullable=False),
    Column("partner", _name(), nullable=False),
    Column("language", String, nullable=False),
    Column("password", Text),
    Column("issuer", _name(), nullable=False),
    Column("subject", _name(), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

session = Table(
    "session",
    metadata,
    Column("hash", String, primary_key=True),
    Column("login", _name(), ForeignKey("person.login"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
)
Index(None, session.c.login)

ignored = Table(
    "ignored",
    metadata,
    Column("connector", _name(), primary_key=True),
    Column("external_id", _name(), primary_key=True),
    Column("why", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

value_series = Table(
    "value_series",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("indicator", _name(), nullable=False),
    Column("place", _name(), nullable=False),
    UniqueConstraint("indicator", "place"),
)


def _value_columns() -> tuple[Column[object], ...]:
    """What both tables of values hold beside their key."""
    return (
        Column("window_end", BigInteger, nullable=False),
        Column("period", String, nullable=False),
        Column("value", Float(53)),
        Column("unit", String, nullable=False),
        Column("status", String, nullable=False),
        Column("definition_version", Integer, nullable=False),
        Column("reason", Text),
        Column("band", Integer),
        Column("score", Float(53)),
        Column("coverage", Float(53)),
        Column("n_valid", Integer, nullable=False),
        Column("n_expected", Integer),
        Column("missing", Text),
        Column("lower_bound", Boolean, nullable=False),
        Column("components", Text),
        Column("details", Text),
        Column("digest", BigInteger),
        Column("origin", SmallInteger, nullable=False),
        Column("grade", SmallInteger, nullable=False),
        Column("closed", Boolean, nullable=False),
        Column("computed_at", BigInteger, nullable=False),
        Column("cause", Text),
        Column("seq", BigInteger, nullable=False),
    )


indicator_value = Table(
    "indicator_value",
    metadata,
    Column("series", _serial(), ForeignKey("value_series.id"), primary_key=True, autoincrement=False),
    Column("window_start", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    *_value_columns(),
    Column("due_at", BigInteger),
)
Index(None, indicator_value.c.seq, unique=True)
Index(
    None,
    indicator_value.c.due_at,
    sqlite_where=indicator_value.c.due_at.is_not(None),
    postgresql_where=indicator_value.c.due_at.is_not(None),
)

indicator_revision = Table(
    "indicator_revision",
    metadata,
    Column("series", _serial(), ForeignKey("value_series.id"), primary_key=True, autoincrement=False),
    Column("window_start", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    *_value_columns(),
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", _name(), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

correction = Table(
    "correction",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("device", _name(), nullable=False),
    Column("quantity", _name()),
    Column("applies_from", BigInteger, nullable=False),
    Column("applies_to", BigInteger, nullable=False),
    Column("action", String, nullable=False),
    Column("flag", SmallInteger),
    Column("scale", Float(53)),
    Column("shift", Float(53)),
    Column("withdraws", BigInteger),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

entered_value = Table(
    "entered_value",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("indicator", _name(), nullable=False),
    Column("place", _name(), nullable=False),
    Column("window_start", BigInteger, nullable=False),
    Column("window_end", BigInteger, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("source", Text, nullable=False),
    Column("reason", Text),
    Column("note", Text),
    Column("author", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("decision", String),
    Column("decided_by", Text),
    Column("decided_at", BigInteger),
    Column("decision_reason", Text),
    Column("approval", BigInteger),
    sqlite_autoincrement=True,
)
Index(None, entered_value.c.approval, unique=True)
Index(None, entered_value.c.indicator, entered_value.c.place, entered_value.c.window_start)

strategy = Table(
    "strategy",
    metadata,
    Column("id", _name(), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

api_key = Table(
    "api_key",
    metadata,
    Column("id", _name(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("partner", _name(), nullable=False, server_default=text("''")),
    Column("expires_at", BigInteger),
)

command = Table(
    "command",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("done_at", BigInteger),
    Column("result", Text),
    sqlite_autoincrement=True,
)
Index(
    "ix_command_pending",
    command.c.id,
    sqlite_where=command.c.done_at.is_(None),
    postgresql_where=command.c.done_at.is_(None),
)

hold = Table(
    "hold",
    metadata,
    Column("name", _name(), primary_key=True),
    Column("started", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", _name(), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _serial(), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
