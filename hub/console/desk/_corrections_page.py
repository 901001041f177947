# SPDX-License-Identifier: EUPL-1.2
"""Corrections: listed with filters, made after a preview of what they touch, taken back with a reason."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from nicegui import ui

from hub.console._values import Speaker
from hub.console.desk._dialogs import asked, confirmed, moment
from hub.console.desk._frame import Visit, frame, heading
from hub.console.desk._lists import Line, listing
from hub.core.corrections import CALIBRATE, MADE, OVERRIDE, WITHDRAW, check_correction, in_effect
from hub.core.errors import Invalid
from hub.core.indicators import Correction
from hub.core.readings import Flag
from hub.core.rights import Action, Caller
from hub.core.windows import Calendar
from hub.indicators.preview import Preview, preview

_SHOWN = 200
_WINDOWS_SHOWN = 6


class CorrectionsPage:
    """What stands on one opened page."""

    def __init__(self, v: Visit, speaker: Speaker) -> None:
        self._v, self._speaker = v, speaker
        devices = {
            d.id: speaker.named(d)[0]
            for d in speaker.registry.known.values()
            if v.caller.reaches(Action.CORRECT, d.owner)
        }
        self._devices = dict(sorted(devices.items(), key=lambda row: row[1]))
        self._quantities = {q.id: q.title.get(v.language, q.id) for q in v.desk.console.quantities}
        heading(v.t("new_correction"))
        self._form()
        heading(v.t("made_corrections"))
        with ui.element("div").classes("desk-row").style("margin-bottom:.6rem"):
            self._device = self._choice({"": v.t("all"), **self._devices}, "device", 18, "")
            self._quantity = self._choice({"": v.t("all"), **self._quantities}, "quantity", 14, "")
            self._only = ui.checkbox(v.t("only_in_effect"), value=True)
        for control in (self._device, self._quantity, self._only):
            control.on_value_change(self.show)
        self._list = ui.element("div").classes("w-full")

    def _choice(self, options: Mapping[str, str], key: str, width: int, value: str | None = None) -> ui.select:
        choice = ui.select(dict(options), label=self._v.t(key), with_input=len(options) > 8, value=value)
        choice.props("outlined dense").style(f"min-width:{width}rem")
        return choice

    def _form(self) -> None:
        v = self._v
        with ui.element("div").classes("desk-row"):
            self._new_device = self._choice(self._devices, "device", 18)
            self._new_quantity = self._choice({"": v.t("all_quantities"), **self._quantities}, "quantity", 14, "")
            self._action = self._choice({name: v.t(name) for name in MADE}, "correction", 12, "exclude")
            flags = {str(int(flag)): v.t(f"flag_{int(flag)}") for flag in Flag}
            self._flag = self._choice(flags, "flag", 9, str(int(Flag.FAIL)))
            self._flag.bind_visibility_from(self._action, "value", value=OVERRIDE)
            self._scale = ui.number(v.t("scale"), value=1.0).props("outlined dense step=any")
            self._shift = ui.number(v.t("shift"), value=0.0).props("outlined dense step=any")
            for figure in (self._scale, self._shift):
                figure.bind_visibility_from(self._action, "value", value=CALIBRATE)
        with ui.element("div").classes("desk-row").style("margin-top:.6rem"):
            self._from = ui.input(v.t("from")).props("outlined dense type=datetime-local stack-label")
            self._to = ui.input(v.t("to")).props("outlined dense type=datetime-local stack-label")
            self._reason = ui.input(v.t("reason")).props("outlined dense").style("min-width:20rem")
            button = ui.button(v.t("preview"), color=None).props("outline no-caps")
            button.on_click(lambda: v.act(Action.CORRECT, self.ask))

    def draft(self, by: str) -> Correction:
        """What the form says. Raise Invalid."""
        v, action = self._v, str(self._action.value)
        if not self._new_device.value:
            raise Invalid(v.t("give_value"), v.t("device"))
        made = Correction(
            id=0, device=self._new_device.value, quantity=self._new_quantity.value or None,
            start=moment(v, self._from.value, "from", "earlier"), end=moment(v, self._to.value, "to", "later"),
            action=action, flag=int(self._flag.value) if action == OVERRIDE else None,
            scale=self._scale.value if action == CALIBRATE else None,
            shift=self._shift.value if action == CALIBRATE else None, by=by, reason=(self._reason.value or "").strip(),
        )  # fmt: skip
        check_correction(made)
        return made

    async def ask(self, caller: Caller) -> None:
        """Say what the correction would touch, and make it when that is confirmed."""
        v, draft = self._v, self.draft(caller.name)
        desk, snapshot = v.desk, await asyncio.to_thread(v.desk.book.snapshot)
        owner = snapshot.known[draft.device].owner if draft.device in snapshot.known else None
        if owner is None or not caller.reaches(Action.CORRECT, owner):
            raise Invalid(v.t("refused"), v.t("device"))
        made = await asyncio.to_thread(desk.corrections.after)
        city = Calendar(desk.console.zone)
        found = await preview(draft, made, snapshot, desk.catalogue, city, desk.console.readings)
        if await confirmed(v, [self.what(draft), *told(v, self._speaker, found)]):
            await v.act(Action.CORRECT, partial(self._save, draft))

    async def _save(self, draft: Correction, caller: Caller) -> None:
        row = await asyncio.to_thread(
            self._v.desk.corrections.add, draft.device, draft.start, draft.end, draft.action, by=caller.name,
            reason=draft.reason, quantity=draft.quantity, flag=draft.flag, scale=draft.scale, shift=draft.shift,
        )  # fmt: skip
        await self.show()
        self._reason.set_value("")
        ui.notify(self._v.t("saved_correction", id=row.id), type="positive")

    def what(self, row: Correction) -> str:
        """A correction in words."""
        v, formats = self._v, self._speaker.formats
        figures = {
            OVERRIDE: f": {v.t(f'flag_{row.flag}')}" if row.flag else "",
            CALIBRATE: f" (× {formats.number(row.scale or 1.0, 4)} + {formats.number(row.shift or 0.0, 4)})",
        }
        quantity = self._quantities.get(row.quantity or "", row.quantity) or v.t("all_quantities")
        return f"{v.t(row.action)}{figures.get(row.action, '')}, {quantity}, {self._name(row.device)}"

    def _name(self, device: str) -> str:
        return self._devices.get(device, device)

    async def show(self) -> None:
        """The list as it is now."""
        v = self._v
        every = await asyncio.to_thread(v.desk.corrections.after)
        valid = {row.id for row in in_effect(every)}
        rows = wanted(every, self._devices, self._device.value or "", self._quantity.value or "")
        rows = [row for row in rows if row.id in valid or not self._only.value]
        self._list.clear()
        with self._list:
            head = [
                "#",
                *(v.t(key) for key in ("correction", "from", "to", "reason", "who", "when", "state", "actions")),
            ]
            listing(head, [self._line(row, row.id in valid) for row in rows[:_SHOWN]], v.t("no_corrections"))
            if len(rows) > _SHOWN:
                ui.label(v.t("more_corrections", shown=_SHOWN, n=len(rows)))

    def _line(self, row: Correction, valid: bool) -> Line:
        v, formats = self._v, self._speaker.formats
        times = [formats.moment(t) for t in (row.start, row.end)]
        made = formats.moment(row.made_at) if row.made_at else ""
        cells = [
            str(row.id),
            self.what(row),
            *times,
            row.reason,
            row.by,
            made,
            v.t("in_effect" if valid else "withdrawn"),
        ]
        return Line(cells, [(v.t("withdraw"), partial(self.withdraw, row))] if valid else [])

    async def withdraw(self, row: Correction) -> None:
        """Take a correction back."""
        v = self._v
        reason = await asked(v, [v.t("sure_withdraw", id=row.id, what=self.what(row))], v.t("reason"))
        if reason is None:
            return

        async def work(caller: Caller) -> None:
            await asyncio.to_thread(v.desk.corrections.withdraw, row.id, by=caller.name, reason=reason)
            await self.show()
            ui.notify(v.t("done_withdraw", id=row.id), type="positive")

        await v.act(Action.CORRECT, work)


def wanted(every: Sequence[Correction], mine: Mapping[str, str], device: str, quantity: str) -> Sequence[Correction]:
    """What was made of one's own devices, the newest first; withdrawals show in what they withdrew."""
    return [
        row
        for row in reversed(every)
        if row.action != WITHDRAW
        and row.device in mine
        and device in {"", row.device}
        and (not quantity or row.quantity in {None, quantity})
    ]


def told(v: Visit, speaker: Speaker, found: Preview) -> list[str]:
    """A preview in words."""
    if not found.readings:
        return [v.t("touches_none")]
    gone = sum(row.removed_already for row in found.concerned)
    windows = sum(row.windows for row in found.touched)
    named = [
        v.t("touched_window", indicator=speaker.indicator(row.indicator), place=speaker.place(row.place), n=row.windows)
        for row in found.touched[:_WINDOWS_SHOWN]
    ]
    more = len(found.touched) - len(named)
    return [v.t("touches", n=found.readings, gone=gone, windows=windows), *named,
            *([v.t("and_more", n=more)] if more else [])]  # fmt: skip


async def corrections_page(v: Visit) -> None:
    """Show it."""
    speaker = await asyncio.to_thread(Speaker.of, v.desk.console, v.language)
    with frame(v, simulated=False):
        await CorrectionsPage(v, speaker).show()
