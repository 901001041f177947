# SPDX-License-Identifier: EUPL-1.2
"""JSON kept in text columns, and sets of keys handed to a statement as one JSON parameter.

A look-up of thousands of keys is one statement with one parameter on both databases: no limit on the number of
parameters, and one text for the statement cache instead of one per size.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import FromClause, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def dump(value: object) -> str:
    """JSON text; NumPy scalars count as numbers."""
    return _ENCODER.encode(value).decode()


def load(text: str) -> Any:
    """What `dump` was given, in dicts and lists."""
    return msgspec.json.decode(text)


def rows_of(dialect: str, parameter: str, columns: Sequence[tuple[str, TypeEngine[Any]]]) -> FromClause:
    """A table of the rows that `parameter` lists: a JSON array of arrays, one element per column."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(parameter)).table_valued("value")
        parts = [func.json_extract(each.c.value, f"$[{i}]").label(name) for i, (name, _) in enumerate(columns)]
    else:
        given = cast(bindparam(parameter, type_=Text), JSONB)
        each = func.jsonb_array_elements(given).table_valued(column("value", JSONB))
        parts = [cast(each.c.value[i].astext, kind).label(name) for i, (name, kind) in enumerate(columns)]
    return select(*parts).subquery(parameter)
