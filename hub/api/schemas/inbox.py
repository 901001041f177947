# SPDX-License-Identifier: EUPL-1.2
"""Newcomers, the test bench, raw messages, and states of all devices at once."""

from typing import Any, Literal

from pydantic import Field

from hub.api.schemas.common import Model, Moment, Title, example
from hub.api.schemas.devices import DEVICE, DeviceIn, DeviceOut
from hub.api.schemas.quarantine import PayloadOut

PAYLOAD: dict[str, Any] = {
    "encoding": "text",
    "content": '{"readings": {"pm10": 20.3}}',
    "bytes": 28,
    "truncated": False,
}
TRIED_READING: dict[str, Any] = {
    "device": "new-1",
    "quantity": "pm10",
    "value": 20.3,
    "unit": "ug/m3",
    "time": "2026-11-23T10:00:00Z",
    "flag": 1,
}
TRIED: dict[str, Any] = {
    "connector": "native",
    "devices": ["new-1"],
    "verdict": "decoded",
    "readings": [TRIED_READING],
    "faults": [],
    "events": [],
    "signal": None,
}
GUESS: dict[str, Any] = {
    "model": "generic_air",
    "score": 0.4,
    "reason": {"cs": "posílá pm10", "en": "it sends pm10"},
}
NEWCOMER: dict[str, Any] = {
    "connector": "native",
    "external_id": "new-1",
    "waiting": 3,
    "refused": 0,
    "first": "2026-11-23T09:30:00Z",
    "last": "2026-11-23T10:00:04Z",
    "topics": ["devices/new-1/readings"],
    "payload": PAYLOAD,
    "decoded": TRIED,
    "guesses": [GUESS],
}
OUTAGE: dict[str, Any] = {
    "kind": "gateway",
    "what": "7276ff002e062e5f",
    "devices": ["lora-1", "lora-2", "lora-3"],
    "since": "2026-11-23T09:10:00Z",
    "behind": 4,
    "text": "3 of 4 devices behind gateway 7276ff002e062e5f fell silent together: check its power and connection",
}


class SignalOut(Model):
    """How a message came over the air; null or empty where its network does not tell."""

    model_config = example(frame=12, rssi=-97.0, snr=7.5, spreading_factor=9, gateways=["7276ff002e062e5f"])

    frame: int | None
    rssi: float | None
    snr: float | None
    spreading_factor: int | None
    gateways: list[str] = Field(description="Ids, the best first.")


class TriedReading(Model):
    """A reading that a message would give."""

    model_config = example(**TRIED_READING)

    device: str = Field(description="As the connector names it.")
    quantity: str
    value: float
    unit: str = Field(description="Canonical unit of the quantity.")
    time: Moment
    flag: int = Field(description="QARTOD: 1 good, 3 suspect, 4 fail.")


class FaultOut(Model):
    """Why something of a message cannot be used, and what to do."""

    model_config = example(
        reason="unknown_quantity",
        title="Unknown quantity",
        detail="no quantity 'pm100'",
        hint="Add the quantity, or correct its name in the mapping.",
    )

    reason: str = Field(description="Stable code.")
    title: str
    detail: str
    hint: str


class TriedOut(Model):
    """What ingest would make of a message, were its devices registered."""

    model_config = example(**TRIED)

    connector: str = Field(description="Payload family that the topic leads to; empty where none does.")
    devices: list[str] = Field(description="Devices that it names, as the connector calls them.")
    verdict: str = Field(description="decoded, quarantined, refused or ignored.")
    readings: list[TriedReading]
    faults: list[FaultOut] = Field(description="What of it cannot be used.")
    events: list[str] = Field(description="Events of the device, in words.")
    signal: SignalOut | None


class GuessOut(Model):
    """A model that a newcomer may be, and why: a guess, for a person to confirm."""

    model_config = example(**GUESS)

    model: str
    score: float = Field(description="0 to 1; an order, no probability.")
    reason: Title


class NewcomerOut(Model):
    """Somebody who talks without being registered."""

    model_config = example(**NEWCOMER)

    connector: str
    external_id: str
    waiting: int = Field(description="Messages that wait in quarantine.")
    refused: int = Field(description="Messages beyond its quota, of which samples are kept only.")
    first: Moment | None
    last: Moment | None
    topics: list[str]
    payload: PayloadOut | None = Field(description="Beginning of its last waiting message.")
    decoded: TriedOut | None = Field(description="What this message would give.")
    guesses: list[GuessOut] = Field(description="The best first.")


class NewcomerList(Model):
    """Newcomers, who spoke last first."""

    model_config = example(items=[NEWCOMER], more=False)

    items: list[NewcomerOut]
    more: bool = Field(description="There are more; ask with a larger limit, or claim and ignore these first.")


class ProposalOut(Model):
    """What to begin a registration with."""

    model_config = example(id="new-1", title="new-1", model="", interval=900, newcomer=NEWCOMER)

    id: str = Field(description="A free id that reads like the device's own name.")
    title: str
    model: str = Field(description="The best guess; empty where nothing speaks for any.")
    interval: int | None = Field(
        description="Seconds, by the arrivals of its messages, else as its model is delivered."
    )
    newcomer: NewcomerOut


class ClaimIn(DeviceIn):
    """A newcomer to register: a device whose connector and external id are those of the inbox."""

    model_config = example(id="new-1", connector="native", external_id="new-1", place="havirov/sumbark", interval=900)

    connector: str = Field(min_length=1, max_length=64, description="As the inbox names it.")
    external_id: str = Field(min_length=1, max_length=256, description="As the inbox names it.")


class ClaimOut(Model):
    """The new device, and what becomes of its waiting messages."""

    model_config = example(device=DEVICE, waiting=3, commands=[12])

    device: DeviceOut
    waiting: int = Field(description="Messages that waited; ingest takes them in now.")
    commands: list[int] = Field(description="Orders that do so; GET /api/v1/commands/{id} says what came of each.")


class BenchIn(Model):
    """A message to try out."""

    model_config = example(topic="devices/new-1/readings", payload='{"readings": {"pm10": 20.3}}')

    topic: str = Field(min_length=1, max_length=1024)
    payload: str = Field(max_length=262_144, description="As text, or base64.")
    encoding: Literal["text", "base64"] = "text"
    model: str = Field("", max_length=64, description="Read it as a device of this model; empty: of none.")


class RawOut(Model):
    """One of the last messages of a device, as it came."""

    model_config = example(
        received="2026-11-23T10:00:04Z",
        topic="devices/air-sumbark-1/readings",
        payload=PAYLOAD,
        verdict="decoded",
        readings=1,
        reason="",
        detail="",
    )

    received: Moment
    topic: str
    payload: PayloadOut
    verdict: str = Field(description="decoded, quarantined, refused or ignored.")
    readings: int = Field(description="How many readings it gave.")
    reason: str = Field(description="Stable code of what was at fault; empty where nothing was.")
    detail: str


class RawList(Model):
    """The last messages of a device, newest first."""

    model_config = example(items=[RawOut.model_config["json_schema_extra"]["example"]])  # type: ignore[index]  # ours

    items: list[RawOut]


class OutageOut(Model):
    """Devices that fell silent together, and what they have in common."""

    model_config = example(**OUTAGE)

    kind: str = Field(description="gateway, part (of the city) or connector.")
    what: str
    devices: list[str]
    since: Moment
    behind: int = Field(description="How many devices there are behind it, late or not.")
    text: str = Field(description="In words, in the language of Accept-Language.")


class StatesOut(Model):
    """How the devices are."""

    model_config = example(states={"healthy": 41, "silent": 3}, attention=3, outages=[OUTAGE], readings_problem=None)

    states: dict[str, int] = Field(description="How many devices are in each state that any is in.")
    attention: int = Field(description="How many somebody should look at.")
    outages: list[OutageOut] = Field(description="The largest first.")
    readings_problem: str | None = Field(description="Why readings are not taken into account; null where they are.")
