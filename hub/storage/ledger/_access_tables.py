# SPDX-License-Identifier: EUPL-1.2
"""Tables of access: people and their sessions, keys, what clients show the broker.

`session.hash` is the SHA-256 of a cookie. `broker_refusal` counts what the broker refused a client.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from hub.storage.ledger._metadata import metadata, name

credential = Table(
    "credential",
    metadata,
    Column("username", name(), primary_key=True),
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
    Column("username", name(), primary_key=True),
    Column("kind", String, primary_key=True),
    Column("topic", name(), primary_key=True),
    Column("text", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("login", name(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("roles", String, nullable=False),
    Column("partner", name(), nullable=False),
    Column("language", String, nullable=False),
    Column("password", Text),
    Column("issuer", name(), nullable=False),
    Column("subject", name(), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

session = Table(
    "session",
    metadata,
    Column("hash", String, primary_key=True),
    Column("login", name(), ForeignKey("person.login"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("agent", Text, nullable=False),
)
Index(None, session.c.login)

api_key = Table(
    "api_key",
    metadata,
    Column("id", name(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("scopes", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("partner", name(), nullable=False, server_default=text("''")),
    Column("expires_at", BigInteger),
)
