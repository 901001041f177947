# SPDX-License-Identifier: EUPL-1.2
"""Run by Alembic for each upgrade, on the connection and inside the transaction that `_schema.Schema` opened."""

from alembic import context

from hub.storage.ledger._schema import VERSION_TABLE
from hub.storage.ledger._tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
