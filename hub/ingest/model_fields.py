# SPDX-License-Identifier: EUPL-1.2
"""What a payload codec's fields mean, by the model of the device. Pure.

A network server hands on what a manufacturer's codec has read, under that codec's names, and a name such as
`temperature` is the air in one device and a pipe in the next: only the model of the registered device can tell. What no
model names goes on under its own name, and waits in quarantine unless it is one of the hub's quantities.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from hub import sdk

# by the codec's name of a field: quantity and unit, None for what is no measurement
Fields = Mapping[str, tuple[str, str | None] | None]


def as_told(item: sdk.Reading, fields: Fields | None) -> sdk.Reading | None:
    """A codec's field as its device's model says, None for what is no measurement.

    A unit that the payload itself gives counts more. True and false count only where the model names them.
    """
    if fields is None or item.quantity not in fields:
        return None if item.unit == sdk.TRUTH else item
    told = fields[item.quantity]
    if told is None:
        return None
    quantity, unit = told
    unstated = item.unit is None or item.unit in (sdk.UNIT_NOT_STATED, sdk.TRUTH)
    return replace(item, quantity=quantity, unit=unit if unstated else item.unit)
