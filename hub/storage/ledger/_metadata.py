# SPDX-License-Identifier: EUPL-1.2
"""What all tables of the ledger share: their collection, the names of keys and indices, and types of both databases."""

from sqlalchemy import BigInteger, Integer, MetaData, String
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


def name() -> TypeEngine[str]:
    """Text that sorts by code point on both."""
    return String().with_variant(String(collation="C"), "postgresql")


def serial() -> TypeEngine[int]:
    """A number given by the database."""
    return BigInteger().with_variant(Integer, "sqlite")
