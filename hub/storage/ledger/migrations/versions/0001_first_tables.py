# SPDX-License-Identifier: EUPL-1.2
"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything, with the two counters at 0."""
    _registry()
    _values()
    _orders()
    _access()


def _value_columns() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("window_end", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("value", sa.Float(precision=53)),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("definition_version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("band", sa.Integer()),
        sa.Column("score", sa.Float(precision=53)),
        sa.Column("coverage", sa.Float(precision=53)),
        sa.Column("n_valid", sa.Integer(), nullable=False),
        sa.Column("n_expected", sa.Integer()),
        sa.Column("missing", sa.Text()),
        sa.Column("lower_bound", sa.Boolean(), nullable=False),
        sa.Column("components", sa.Text()),
        sa.Column("origin", sa.SmallInteger(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("computed_at", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text()),
        sa.Column("seq", sa.BigInteger(), nullable=False),
    )


def _registry() -> None:
    """Places, devices and where they are mounted."""
    op.create_table(
        "counter",
        sa.Column("name", NAME, nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counter"),
    )
    op.create_table(
        "place",
        sa.Column("id", NAME, nullable=False),
        sa.Column("parent", NAME),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer()),
        sa.Column("population_date", sa.String()),
        sa.Column("latitude", sa.Float()),
        sa.Column("longitude", sa.Float()),
        sa.Column("source", sa.Text()),
        sa.ForeignKeyConstraint(["parent"], ["place.id"], name="fk_place_parent_place"),
        sa.PrimaryKeyConstraint("id", name="pk_place"),
    )
    op.create_table(
        "device",
        sa.Column("id", NAME, nullable=False),
        sa.Column("connector", NAME, nullable=False),
        sa.Column("external_id", NAME, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("interval_s", sa.Integer()),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("origin", sa.SmallInteger(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
    )
    op.create_index(
        "uq_device_connector_external_id",
        "device",
        ["connector", "external_id"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "mounting",
        sa.Column("device", NAME, nullable=False),
        sa.Column("mounted_from", sa.BigInteger(), nullable=False),
        sa.Column("mounted_to", sa.BigInteger()),
        sa.Column("place", NAME, nullable=False),
        sa.ForeignKeyConstraint(["device"], ["device.id"], name="fk_mounting_device_device"),
        sa.ForeignKeyConstraint(["place"], ["place.id"], name="fk_mounting_place_place"),
        sa.PrimaryKeyConstraint("device", "mounted_from", name="pk_mounting"),
    )
    op.execute("INSERT INTO counter (name, value) VALUES ('value_seq', 0), ('registry_version', 0)")


def _values() -> None:
    """Indicator values, their superseded revisions, and readers' positions."""
    op.create_table(
        "value_series",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("indicator", NAME, nullable=False),
        sa.Column("place", NAME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_value_series"),
        sa.UniqueConstraint("indicator", "place", name="uq_value_series_indicator_place"),
    )
    op.create_table(
        "indicator_value",
        sa.Column("series", SERIAL, autoincrement=False, nullable=False),
        sa.Column("window_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *_value_columns(),
        sa.Column("due_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["series"], ["value_series.id"], name="fk_indicator_value_series_value_series"),
        sa.PrimaryKeyConstraint("series", "window_start", name="pk_indicator_value"),
    )
    op.create_index(
        "ix_indicator_value_due_at",
        "indicator_value",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_indicator_value_seq", "indicator_value", ["seq"], unique=True)
    op.create_table(
        "indicator_revision",
        sa.Column("series", SERIAL, autoincrement=False, nullable=False),
        sa.Column("window_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        *_value_columns(),
        sa.ForeignKeyConstraint(["series"], ["value_series.id"], name="fk_indicator_revision_series_value_series"),
        sa.PrimaryKeyConstraint("series", "window_start", "revision", name="pk_indicator_revision"),
    )
    op.create_table(
        "cursor",
        sa.Column("name", NAME, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursor"),
    )


def _orders() -> None:
    """What processes leave for each other, and what people decided."""
    op.create_table(
        "correction",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("device", NAME, nullable=False),
        sa.Column("quantity", NAME),
        sa.Column("applies_from", sa.BigInteger(), nullable=False),
        sa.Column("applies_to", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("flag", sa.SmallInteger()),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_correction"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "command",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("result", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_command"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_command_pending",
        "command",
        ["id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "hold",
        sa.Column("name", NAME, nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_hold"),
    )
    op.create_table(
        "lease",
        sa.Column("name", NAME, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )


def _access() -> None:
    """Keys, and who did what."""
    op.create_table(
        "api_key",
        sa.Column("id", NAME, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "audit",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
