# SPDX-License-Identifier: EUPL-1.2
"""Credentials at the broker."""

from typing import Annotated, Any

from pydantic import Field

from hub.api.schemas.common import Model, Moment, example

_SHOWN: dict[str, Any] = {
    "username": "air-sumbark-1",
    "kind": "device",
    "state": "active",
    "known_to_broker": True,
    "prefix": "devices/air-sumbark-1/#",
    "allow": [],
    "issued_at": "2026-11-23T10:00:00Z",
    "issued_by": "jana",
    "disabled_at": None,
    "disabled_why": "",
    "refusals": [],
}

DeviceName = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]


class RefusalOut(Model):
    """What the broker refused this client, counted."""

    kind: str = Field(description="publish_denied, subscribe_denied, login_failed or client_error.")
    topic: str
    count: int
    first: Moment
    last: Moment


class CredentialOut(Model):
    """A credential without its secret."""

    model_config = example(**_SHOWN)

    username: str
    kind: str = Field(description="device or bridge.")
    state: str = Field(description="active or disabled.")
    known_to_broker: bool | None = Field(description="Null where somebody enters credentials at the broker by hand.")
    prefix: str = Field(description="Topics below which it may publish.")
    allow: list[str] = Field(description="Of a bridge: the devices that count; empty: all registered ones.")
    issued_at: Moment
    issued_by: str
    disabled_at: Moment | None
    disabled_why: str
    refusals: list[RefusalOut]


class IssuedOut(CredentialOut):
    """A new secret with all that is entered in the device. The secret is shown this once."""

    model_config = example(
        **_SHOWN,
        secret="shown-this-once",  # noqa: S106 - an example
        host="mqtt.example.org",
        port=8883,
        tls=True,
        client_id="air-sumbark-1",
        topic="devices/air-sumbark-1/readings",
        payload='{"readings": {"pm10": 20.3}}',
        text="host: mqtt.example.org",
        problem=None,
    )

    secret: str
    host: str
    port: int
    tls: bool
    client_id: str
    topic: str
    payload: str = Field(description="Example of a message.")
    text: str = Field(description="All of it as text, for a QR code.")
    problem: str | None = Field(description="Why the broker could not be told, and what to do.")


class DisableIn(Model):
    """Why somebody is shut out."""

    model_config = example(why="stolen")

    why: str = Field("", max_length=500)


class AllowIn(Model):
    """Which devices a bridge may bring."""

    model_config = example(allow=["air-sumbark-1"])

    allow: list[DeviceName] = Field(max_length=20_000)


class BridgeIn(AllowIn):
    """A network server."""

    model_config = example(username="chirpstack", prefix="application/#", allow=[])

    username: DeviceName
    prefix: str = Field(min_length=1, max_length=256, description="Topic filter below which it publishes.")
    allow: list[DeviceName] = Field(default=[], max_length=20_000)


class BridgeList(Model):
    """All bridges."""

    model_config = example(
        items=[{**_SHOWN, "username": "chirpstack", "kind": "bridge", "prefix": "application/+/device/+/event/+"}]
    )

    items: list[CredentialOut]
