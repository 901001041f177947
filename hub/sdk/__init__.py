# SPDX-License-Identifier: EUPL-1.2
"""The whole surface that a connector may import. See docs/adding-a-connector.md."""

from hub.core.errors import DecodeError, SettingsError
from hub.sdk._types import (
    ConfigurableConnector,
    Connector,
    Decoded,
    DeviceEvent,
    Field,
    RawMessage,
    Reading,
    ReadingSet,
    Uplink,
    singly,
)
from hub.sdk.codec_fields import CODEC_FIELDS
from hub.sdk.discovery import configured, discover, families
from hub.sdk.lorawan import (
    TRUTH,
    UNIT_NOT_STATED,
    best_gateway,
    device_eui,
    link_readings,
    object_readings,
    plain_unit,
    printed_eui,
    uplink,
)
from hub.sdk.payloads import describe, load_json, load_object, number, section, sections, shorten, text, text_number
from hub.sdk.quantities import check_quantity
from hub.sdk.samples import Sample, find_samples, render
from hub.sdk.times import AMBIGUOUS, local_ns, rfc3339, rfc3339_ns, unix_ns
from hub.sdk.topics import Route, Router, compile_template, overlaps

__all__ = [
    "AMBIGUOUS",
    "CODEC_FIELDS",
    "TRUTH",
    "UNIT_NOT_STATED",
    "ConfigurableConnector",
    "Connector",
    "DecodeError",
    "Decoded",
    "DeviceEvent",
    "Field",
    "RawMessage",
    "Reading",
    "ReadingSet",
    "Route",
    "Router",
    "Sample",
    "SettingsError",
    "Uplink",
    "best_gateway",
    "check_quantity",
    "compile_template",
    "configured",
    "describe",
    "device_eui",
    "discover",
    "families",
    "find_samples",
    "link_readings",
    "load_json",
    "load_object",
    "local_ns",
    "number",
    "object_readings",
    "overlaps",
    "plain_unit",
    "printed_eui",
    "render",
    "rfc3339",
    "rfc3339_ns",
    "section",
    "sections",
    "shorten",
    "singly",
    "text",
    "text_number",
    "unix_ns",
    "uplink",
]
