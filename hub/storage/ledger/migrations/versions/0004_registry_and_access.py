# SPDX-License-Identifier: EUPL-1.2
"""The registry for technicians, credentials at the broker, people and their sessions, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add columns and tables; what is registered has revision 1 and no model."""
    _columns()
    _registry()
    _access()


def _columns() -> None:
    op.add_column("place", sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")))
    for name in ("model", "owner"):
        op.add_column("device", sa.Column(name, NAME, nullable=False, server_default=sa.text("''")))
    for name, default in (("serial", "''"), ("tags", "'[]'"), ("note", "''")):
        op.add_column("device", sa.Column(name, sa.Text(), nullable=False, server_default=sa.text(default)))
    op.add_column("device", sa.Column("revision", sa.Integer(), nullable=False, server_default=sa.text("1")))
    for name in ("height", "orientation"):
        op.add_column("mounting", sa.Column(name, sa.Float(53)))
    op.add_column("api_key", sa.Column("partner", NAME, nullable=False, server_default=sa.text("''")))
    op.add_column("api_key", sa.Column("expires_at", sa.BigInteger()))
    op.execute("INSERT INTO counter (name, value) VALUES ('credential_version', 0)")


def _registry() -> None:
    op.create_table(
        "facility",
        sa.Column("place", NAME, nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("owner", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["place"], ["place.id"], name="fk_facility_place_place"),
        sa.PrimaryKeyConstraint("place", name="pk_facility"),
    )
    op.create_table(
        "hardware",
        sa.Column("device", NAME, nullable=False),
        sa.Column("used_from", sa.BigInteger(), nullable=False),
        sa.Column("used_to", sa.BigInteger()),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_hardware_device_device"),
        sa.PrimaryKeyConstraint("device", "used_from", name="pk_hardware"),
    )
    op.create_table(
        "certificate",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("device", NAME, nullable=False),
        sa.Column("correction", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_certificate_device_device"),
        sa.PrimaryKeyConstraint("id", name="pk_certificate"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "note",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_note"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "photo",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_photo"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "draft",
        sa.Column("id", NAME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_draft"),
    )
    op.create_table(
        "import_run",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("undone_by", sa.Text()),
        sa.Column("undone_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_certificate_device", "certificate", ["device"])
    op.create_index("ix_note_subject", "note", ["subject"])
    op.create_index("ix_photo_subject", "photo", ["subject"])
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _access() -> None:
    op.create_table(
        "credential",
        sa.Column("username", NAME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("hashes", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("allow", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.Column("disabled_why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("username", name="pk_credential"),
    )
    op.create_table(
        "broker_refusal",
        sa.Column("username", NAME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("topic", NAME, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("username", "kind", "topic", name="pk_broker_refusal"),
    )
    op.create_table(
        "person",
        sa.Column("login", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("partner", NAME, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("password", sa.Text()),
        sa.Column("issuer", NAME, nullable=False),
        sa.Column("subject", NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("login", name="pk_person"),
    )
    op.create_table(
        "session",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("login", NAME, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["person.login"], name="fk_session_login_person"),
        sa.PrimaryKeyConstraint("hash", name="pk_session"),
    )
    op.create_index("ix_session_login", "session", ["login"])
