# SPDX-License-Identifier: EUPL-1.2
"""Tables of the registry.

A device with `removed_at` is a former one: its row and its mountings stay, because its readings count where it stood;
its name in messages (connector, external_id) is free for another device. `ignored` has such names of devices that
belong to somebody else: no registered device has one of them.

`facility`, `hardware`, `certificate` and `photo` keep what nobody searches by as JSON in `document`. `hardware` has
rows from the first replacement on. `import_run.changes` has what was there before each change, so that an import can
be undone.
"""

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, SmallInteger, String, Table, Text, text

from hub.storage.ledger._metadata import metadata, name, serial

place = Table(
    "place",
    metadata,
    Column("id", name(), primary_key=True),
    Column("parent", name(), ForeignKey("place.id")),
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
    Column("place", name(), ForeignKey("place.id"), primary_key=True),
    Column("document", Text, nullable=False),
    Column("owner", name(), nullable=False),
    Column("revision", Integer, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("id", name(), primary_key=True),
    Column("connector", name(), nullable=False),
    Column("external_id", name(), nullable=False),
    Column("title", Text, nullable=False),
    Column("interval_s", Integer),
    Column("grade", SmallInteger, nullable=False),
    Column("origin", SmallInteger, nullable=False),
    Column("registered_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger),
    Column("model", name(), nullable=False, server_default=text("''")),
    Column("serial", Text, nullable=False, server_default=text("''")),
    Column("owner", name(), nullable=False, server_default=text("''")),
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
    Column("device", name(), ForeignKey("device.id"), primary_key=True),
    Column("mounted_from", BigInteger, primary_key=True),
    Column("mounted_to", BigInteger),
    Column("place", name(), ForeignKey("place.id"), nullable=False),
    Column("height", Float(53)),
    Column("orientation", Float(53)),
)

hardware = Table(
    "hardware",
    metadata,
    Column("device", name(), ForeignKey("device.id"), primary_key=True),
    Column("used_from", BigInteger, primary_key=True),
    Column("used_to", BigInteger),
    Column("document", Text, nullable=False),
)

certificate = Table(
    "certificate",
    metadata,
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("device", name(), ForeignKey("device.id"), nullable=False),
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
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("subject", name(), nullable=False),
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
    Column("id", serial(), primary_key=True, autoincrement=True),
    Column("subject", name(), nullable=False),
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
    Column("id", name(), primary_key=True),
    Column("kind", String, nullable=False),
    Column("document", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

import_run = Table(
    "import_run",
    metadata,
    Column("id", serial(), primary_key=True, autoincrement=True),
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

ignored = Table(
    "ignored",
    metadata,
    Column("connector", name(), primary_key=True),
    Column("external_id", name(), primary_key=True),
    Column("why", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)
