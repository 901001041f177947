# SPDX-License-Identifier: EUPL-1.2
"""Foreign devices that are ignored on purpose."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

NAME = sa.String().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table; nothing is ignored so far."""
    op.create_table(
        "ignored",
        sa.Column("connector", NAME, nullable=False),
        sa.Column("external_id", NAME, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connector", "external_id", name="pk_ignored"),
    )
