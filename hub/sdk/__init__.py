# SPDX-License-Identifier: EUPL-1.2
"""The whole surface that a connector may import. See docs/adding-a-connector.md."""

from hub.core.errors import DecodeError
from hub.sdk._types import (
    ConfigurableConnector,
    Connector,
    Decoded,
    DeviceEvent,
    Field,
    RawMessage,
    Reading,
)

__all__ = [
    "ConfigurableConnector",
    "Connector",
    "DecodeError",
    "Decoded",
    "DeviceEvent",
    "Field",
    "RawMessage",
    "Reading",
]
