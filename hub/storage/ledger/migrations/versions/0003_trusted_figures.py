# SPDX-License-Identifier: EUPL-1.2
"""Further figures of a value, digests to compare by, calibrations, entered values, strategies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add columns and tables; values from before have no digest and are compared in full once."""
    for table in ("indicator_value", "indicator_revision"):
        op.add_column(table, sa.Column("details", sa.Text()))
        op.add_column(table, sa.Column("digest", sa.BigInteger()))
    op.add_column("correction", sa.Column("scale", sa.Float(53)))
    op.add_column("correction", sa.Column("shift", sa.Float(53)))
    op.add_column("correction", sa.Column("withdraws", sa.BigInteger()))
    op.create_table(
        "entered_value",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("indicator", NAME, nullable=False),
        sa.Column("place", NAME, nullable=False),
        sa.Column("window_start", sa.BigInteger(), nullable=False),
        sa.Column("window_end", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(53), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("decision", sa.String()),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decision_reason", sa.Text()),
        sa.Column("approval", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_entered_value"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entered_value_approval", "entered_value", ["approval"], unique=True)
    op.create_index(
        "ix_entered_value_indicator_place_window_start", "entered_value", ["indicator", "place", "window_start"]
    )
    op.create_table(
        "strategy",
        sa.Column("id", NAME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "revision", name="pk_strategy"),
    )
