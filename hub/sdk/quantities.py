# SPDX-License-Identifier: EUPL-1.2
"""Checks of quantities and units for connectors that are configured, at start-up.

Decoders do not need this: what they name is checked where it is converted, reading by reading.
"""

from hub.core.errors import Reject
from hub.core.quantities import Quantities


def check_quantity(quantity: str, unit: str | None = None) -> None:
    """ValueError when the hub does not know the quantity, or the quantity does not take the unit."""
    try:
        Quantities.load().factor(quantity, unit)
    except Reject as error:
        raise ValueError(error.detail) from error
