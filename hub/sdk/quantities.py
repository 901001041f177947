# SPDX-License-Identifier: EUPL-1.2
"""Checks of quantities and units for connectors that are configured, at start-up.

Decoders do not need this: what they name is checked where it is converted, reading by reading.
"""

from functools import cache

from hub.core.errors import Reject
from hub.core.quantities import Quantities


def check_quantity(quantity: str, unit: str | None = None) -> None:
    """ValueError when the hub does not know the quantity, or the quantity does not take the unit."""
    try:
        _table().factor(quantity, unit)
    except Reject as error:
        raise ValueError(error.detail) from error


@cache  # an immutable packaged table, read at the first configuration file
def _table() -> Quantities:
    return Quantities.load()
