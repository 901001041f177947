# SPDX-License-Identifier: EUPL-1.2
"""Device models as data. See docs/device-models.md and docs/adding-a-device-model.md."""

from hub.devices.models._load import load_models, parse_models
from hub.devices.models._types import (
    BatteryRule,
    DeviceModel,
    Link,
    Lorawan,
    Measured,
    MountingHint,
    Sample,
    Source,
    Sticker,
)

__all__ = [
    "BatteryRule",
    "DeviceModel",
    "Link",
    "Lorawan",
    "Measured",
    "MountingHint",
    "Sample",
    "Source",
    "Sticker",
    "load_models",
    "parse_models",
]
