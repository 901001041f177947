# SPDX-License-Identifier: EUPL-1.2
"""All tables of the ledger, as the newest migration leaves them (a test compares the two).

Those of registry and access stand in modules of their own, and are found here too.

Times are BIGINT nanoseconds since 1970 (UTC). Structured details are JSON in TEXT, so that a float comes back bit by
bit on both databases. Ids sort by code point on both (collation "C" on PostgreSQL), which is what a prefix search on
a place path and the order of pages rely on.

Indicator values are two tables over one `value_series` (indicator, place): `indicator_value` holds the newest revision
of each window, `indicator_revision` those it has superseded. What is read all the time is thus one key look-up in a
narrow index, and never a search for the highest revision. `due_at` is `closes_at` while the window is open and NULL
afterwards, so that the index of due windows holds the open ones only.

`digest` is a 64-bit hash of a value's result (NULL: not known), so that unchanged results are recognised in bulk.

`entered_value` has figures that people enter; `approval` numbers them in the order in which they took effect (NULL:
waiting or rejected). `strategy` has whole documents as JSON, the highest revision counts.

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
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from hub.storage.ledger._access_tables import api_key, broker_refusal, credential, person, session
from hub.storage.ledger._metadata import CREDENTIAL_VERSION, REGISTRY_VERSION, VALUE_SEQ, metadata, name, serial
from hub.storage.ledger._registry_tables import (
    certificate,
    device,
    draft,
    facility,
    hardware,
    ignored,
    import_run,
    mounting,
    note,
    photo,
    place,
)

__all__ = [
    "CREDENTIAL_VERSION",
    "REGISTRY_VERSION",
    "VALUE_SEQ",
    "api_key",
    "audit",
    "broker_refusal",
    "certificate",
    "command",
    "correction",
    "counter",
    "credential",
    "cursor",
    "device",
    "draft",
    "entered_value",
    "facility",
    "hardware",
    "hold",
    "ignored",
    "import_run",
    "indicator_revision",
    "indicator_value",
    "lease",
    "metadata",
    "mounting",
    "note",
    "person",
    "photo",
    "place",
    "session",
    "strategy",
    "value_series",
]

counter = Table(
    "counter",
    metadata,
    Column("name", name(), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

value_series = Table(
    "value_series",
    metadata,
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("indicator", name(), nullable=False),
    Column("place", name(), nullable=False),
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
    Column("series", serial(), ForeignKey("value_series.id"), primary_key=True, autoincrement=False),
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
    Column("series", serial(), ForeignKey("value_series.id"), primary_key=True, autoincrement=False),
    Column("window_start", BigInteger, primary_key=True, autoincrement=False),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    *_value_columns(),
)

cursor = Table(
    "cursor",
    metadata,
    Column("name", name(), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

correction = Table(
    "correction",
    metadata,
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("device", name(), nullable=False),
    Column("quantity", name()),
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
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("indicator", name(), nullable=False),
    Column("place", name(), nullable=False),
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
    Column("id", name(), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

command = Table(
    "command",
    metadata,
    Column("id", serial(), primary_key=True, autoincrement=True),
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
    Column("name", name(), primary_key=True),
    Column("started", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", name(), primary_key=True),
    Column("owner", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", String, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_autoincrement=True,
)
Index(None, audit.c.subject)
