# SPDX-License-Identifier: EUPL-1.2
"""All that is known of one device, in a drawer beside the list. Credentials are for those who issue them."""

import asyncio
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from nicegui import ui

from hub.console._values import Speaker
from hub.console.desk._frame import Visit, heading, table
from hub.console.desk._rows import Row
from hub.core.errors import HubError, NotFound
from hub.core.places import Device
from hub.core.readings import Flag
from hub.core.rights import Action, Caller

_NOTES = 10
_REFUSALS = 10


class Detail(NamedTuple):
    """The tables of the drawer; `credential` is None for those who may not see it."""

    facts: Sequence[tuple[str, str]]
    mountings: Sequence[tuple[str, str, str]]
    notes: Sequence[tuple[str, str, str]]
    credential: str | None
    refusals: Sequence[tuple[str, str, str]]


def known_of(v: Visit, speaker: Speaker, device: Device, caller: Caller) -> Detail:
    """Gather it from registry, records and credentials."""
    ports, formats = v.desk.console.ports, speaker.formats
    model = ports.models.get(device.model) if ports else None
    facts = [
        (v.t("model"), model.title[v.language] if model else device.model),
        (v.t("serial"), device.serial),
        (v.t("connector"), device.connector),
        (v.t("external_id"), device.external_id),
        (v.t("partner"), device.owner),
        (v.t("tags"), ", ".join(device.tags)),
        (v.t("notes"), device.note),
    ]
    stood = [
        (speaker.place(m.place), formats.moment(m.start), v.t("until_now") if m.end is None else formats.moment(m.end))
        for m in reversed(device.mountings)
    ]
    notes = ports.records.notes(f"device:{device.id}")[:_NOTES] if ports else ()
    told = [(formats.moment(note.at), note.by, note.text) for note in notes]
    credential, refusals = None, list[tuple[str, str, str]]()
    if ports and caller.may(Action.CREDENTIALS) and caller.reaches(Action.CREDENTIALS, device.owner):
        credential = _credential(v, speaker, device)
        found = ports.credentials.refusals(device.id)[:_REFUSALS]
        refusals = [
            (formats.moment(r.last), f"{r.kind} {r.topic}".strip(), f"{r.count}× {r.text}".strip()) for r in found
        ]
    return Detail([row for row in facts if row[1]], stood, told, credential, refusals)


def _credential(v: Visit, speaker: Speaker, device: Device) -> str:
    ports = v.desk.console.ports
    one = ports.credentials.get(device.id) if ports else None
    if one is None:
        return v.t("no_credential")
    if one.disabled_at is not None:
        return f"{v.t('disabled')} ({speaker.formats.moment(one.disabled_at)}) {one.disabled_why}".strip()
    return f"{v.t('active')}, {v.t('issued', by=one.issued_by, at=speaker.formats.moment(one.issued_at))}"


async def newest(v: Visit, speaker: Speaker, device: str) -> Sequence[list[str]]:
    """The last reading of each quantity: its name, value, flag and time; nothing while the store is away."""
    readings = v.desk.console.readings
    try:
        found = await readings.latest(await readings.series([device]))
    except HubError:
        return []
    formats, quantities = speaker.formats, v.desk.console.quantities
    return [
        [
            speaker.quantity(series.quantity),
            formats.quantity(reading.value, quantities.get(series.quantity).unit, 2),
            v.t(f"flag_{int(Flag(reading.flag))}"),
            formats.moment(reading.time, seconds=True),
        ]
        for series, reading in sorted(found.items())
    ]


async def open_detail(v: Visit, row: Row, caller: Caller) -> None:
    """Open the drawer. Raise NotFound where the device is gone, or not the caller's to see."""
    speaker = await asyncio.to_thread(Speaker.of, v.desk.console, v.language)
    device = speaker.registry.devices.get(row.id)
    if device is None or not caller.reaches(Action.READ, device.owner):
        raise NotFound(v.t("no_detail"), row.name)
    detail = await asyncio.to_thread(known_of, v, speaker, device, caller)
    values = await newest(v, speaker, device.id)
    card = "width:44rem;max-width:95vw;height:100%;overflow:auto;align-items:stretch;gap:.2rem;flex-wrap:nowrap"
    with ui.dialog().props("position=right full-height") as dialog:
        dialog.props["aria-label"] = row.name
        with ui.card().classes("desk-main").style(card):  # headings look as on the page
            with ui.element("div").classes("desk-row").style("justify-content:space-between;flex-wrap:nowrap"):
                heading(row.name)
                ui.button(v.t("close"), on_click=dialog.close, color=None).props("outline no-caps")
            ui.label(f"{row.word}. {row.words}")
            ui.label(f"{row.place}. {row.origin}").classes("desk-note")
            if v.desk.console.ports is not None and v.may(Action.DEVICES):
                link = f'<a href="/field/devices/{escape(device.id)}">{escape(v.t("field_page"))}</a>'
                ui.html(link, sanitize=False)
            _tables(v, detail, values)
    dialog.on("hide", dialog.delete)
    dialog.open()


def _tables(v: Visit, detail: Detail, values: Sequence[list[str]]) -> None:
    _table(v, "last_readings", ("quantity", "value", "flag", "time"), values)
    _table(v, "facts", ("what", "value"), detail.facts)
    _table(v, "mountings", ("place", "from", "to"), detail.mountings)
    if detail.credential is not None:
        heading(v.t("credential"))
        ui.label(detail.credential)
        _table(v, "refusals", ("when", "what", "words"), detail.refusals)
    _table(v, "notes", ("when", "who", "words"), detail.notes)


def _table(v: Visit, title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    heading(v.t(title))
    if rows:
        table([v.t(key) for key in head], [list(row) for row in rows])
    else:
        ui.label(v.t("nothing"))
