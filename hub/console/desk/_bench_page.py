# SPDX-License-Identifier: EUPL-1.2
"""Test bench: what ingest would make of a message, one that came or one that is pasted. Nothing is stored."""

import asyncio
from functools import partial

from nicegui import ui

from hub.console._values import Speaker
from hub.console.desk._frame import Visit, frame, heading, table
from hub.console.desk._lists import Line, listing
from hub.core.errors import Invalid, NotFound
from hub.core.journal import RawSample
from hub.core.ports import Bench, Tried
from hub.core.reasons import REASONS
from hub.core.rights import Action, Caller


class BenchPage:
    """What stands on one opened page."""

    def __init__(self, v: Visit, bench: Bench, speaker: Speaker) -> None:
        self._v, self._bench, self._speaker = v, bench, speaker
        named = {
            d.id: speaker.named(d)[0]
            for d in speaker.registry.devices.values()
            if v.caller.reaches(Action.RAW, d.owner)
        }
        self._devices = dict(sorted(named.items(), key=lambda row: row[1]))
        ui.label(v.t("bench_note")).classes("desk-note")
        device = ui.select(self._devices, label=v.t("samples"), with_input=True)
        device.props("outlined dense clearable").style("max-width:30rem;margin-top:.4rem")
        device.on_value_change(lambda e: v.act(Action.RAW, partial(self._samples, e.value)))
        self._kept = ui.element("div").classes("w-full")
        with ui.element("div").classes("desk-row").style("margin-top:.6rem"):
            self._topic = ui.input(v.t("topic")).props("outlined dense").style("min-width:30rem")
            self._notation = (
                ui.select({key: v.t(key) for key in ("text", "hex")}, value="text", label=v.t("notation"))
                .props("outlined dense")
                .style("min-width:8rem")
            )
            button = ui.button(v.t("decode"), color=None).props("outline no-caps")
            button.on_click(lambda: v.act(Action.RAW, self.decode))
        self._payload = ui.textarea(v.t("payload")).props("outlined dense autogrow input-style=font-family:monospace")
        self._payload.style("width:100%;margin-top:.6rem")
        self._result = ui.element("div").classes("w-full").props("role=status")

    async def _samples(self, device: str | None, caller: Caller) -> None:
        """List the last messages of a device."""
        self._kept.clear()
        if not device:
            return
        registered = (await asyncio.to_thread(self._v.desk.book.snapshot)).devices.get(device)
        if registered is None or not caller.reaches(Action.RAW, registered.owner):
            raise NotFound(self._v.t("refused"))
        journals = self._v.desk.console.journals
        found = [row for journal in journals for row in await asyncio.to_thread(journal.samples, device)]
        v, formats = self._v, self._speaker.formats
        with self._kept:
            listing(
                [v.t(key) for key in ("when", "topic", "payload", "state", "actions")],
                [
                    Line(
                        [
                            formats.moment(row.received, seconds=True),
                            row.topic,
                            beginning(row.payload),
                            verdict(v, row),
                        ],
                        [(v.t("decode"), partial(self.take, row))],
                    )
                    for row in sorted(found, key=lambda row: -row.received)
                ],
                v.t("no_samples"),
            )

    async def take(self, row: RawSample) -> None:
        """Put a message into the fields, and try it."""
        text, notation = written(row.payload)
        self._topic.set_value(row.topic)
        self._notation.set_value(notation)
        self._payload.set_value(text)
        if row.size > len(row.payload):
            ui.notify(self._v.t("cut_sample", kept=len(row.payload), size=row.size), type="warning")
        await self._v.act(Action.RAW, partial(self.decode, received=row.received))

    async def decode(self, _: Caller, received: int | None = None) -> None:
        """What ingest would make of what stands in the fields."""
        v, topic = self._v, (self._topic.value or "").strip()
        if not topic:
            raise Invalid(v.t("give_value"), v.t("topic"))
        payload = payload_of(v, self._payload.value or "", str(self._notation.value))
        at = v.desk.console.clock_ns() if received is None else received
        tried = await asyncio.to_thread(self._bench.decode, topic, payload, at)
        self._result.clear()
        with self._result:
            self._show(tried)

    def _show(self, tried: Tried) -> None:
        v, speaker = self._v, self._speaker
        ui.label(v.t("tried", connector=tried.connector or "–", n=len(tried.readings))).style("font-weight:700")
        if tried.faults or tried.doubts:
            heading(v.t("words"))
            told = [*tried.faults, *((code, "") for code in tried.doubts)]
            table([v.t(key) for key in ("what", "detail", "hint")], [_fault(v, *row) for row in told])
        rows = []
        for row in tried.readings:
            quantity = v.desk.console.quantities.get(row.quantity)
            value = speaker.formats.quantity(row.value, quantity.unit, 4)
            when = speaker.formats.moment(row.time, seconds=True)
            rows.append(
                [speaker.device(row.device), speaker.quantity(row.quantity), value, when, v.t(f"flag_{row.flag}")]
            )
        if rows:
            heading(v.t("result"))
            table([v.t(key) for key in ("name", "quantity", "value", "time", "flag")], rows)
        for event in tried.events:
            ui.label(f"{event.reason}: {event.text}")


def _fault(v: Visit, code: str, detail: str) -> list[str]:
    reason = REASONS.get(code)
    return [reason.title[v.language], detail, reason.hint[v.language]] if reason else [code, detail, ""]


def verdict(v: Visit, row: RawSample) -> str:
    """What became of a message when it came."""
    reason = REASONS.get(row.reason)
    return (reason.title[v.language] if reason else row.reason) or v.t("made", n=row.readings)


def beginning(payload: bytes) -> str:
    """As much of a message as a table needs."""
    text, _ = written(payload)
    return text if len(text) <= 120 else f"{text[:120]}…"


def written(payload: bytes) -> tuple[str, str]:
    """A payload as somebody may edit it, and its notation: text where all of it can be seen, else hexadecimal."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return payload.hex(), "hex"
    plain = all(letter.isprintable() or letter in "\r\n\t" for letter in text)
    return (text, "text") if plain else (payload.hex(), "hex")


def payload_of(v: Visit, text: str, notation: str) -> bytes:
    """The bytes that are meant. Raise Invalid."""
    if notation == "text":
        return text.encode()
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Invalid(v.t("bad_hex"), v.t("payload")) from error


async def bench_page(v: Visit) -> None:
    """Show it."""
    speaker = await asyncio.to_thread(Speaker.of, v.desk.console, v.language)
    with frame(v, simulated=False):
        if v.desk.bench is None:
            ui.label(v.t("no_bench"))
            return
        BenchPage(v, v.desk.bench, speaker)
