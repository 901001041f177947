# SPDX-License-Identifier: EUPL-1.2
"""The bar over the list of devices by which many are changed: choose what, fill in, look at it, confirm."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from nicegui import ui

from hub.console.desk._bulk import KINDS, Order, Outcome, carry_out, check, secrets_csv
from hub.console.desk._dialogs import confirmed, show_once
from hub.console.desk._frame import Visit
from hub.core.errors import HubError
from hub.core.rights import Caller

_NAMED = 5


class BulkBar:
    """`chosen` gives the ids that are selected, `changed` shows the list anew."""

    def __init__(
        self,
        v: Visit,
        places: Mapping[str, str],
        chosen: Callable[[], Awaitable[Sequence[str]]],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._v, self._chosen, self._changed = v, chosen, changed
        ports = v.desk.console.ports
        found = sorted(ports.models.items()) if ports else []
        models = {name: model.title[v.language] for name, model in found}
        self._options: Mapping[str, Mapping[str, str]] = {"model": models, "move": places}
        kinds = {name: v.t(f"bulk_{name}") for name, kind in KINDS.items() if v.may(kind.action)}
        if not models:
            kinds.pop("model", None)
        if ports is None:
            kinds.pop("rotate", None)
        self._kind = ui.select(kinds, value=next(iter(kinds), None), label=v.t("bulk"), on_change=self._field)
        self._kind.props("outlined dense").style("min-width:14rem")
        self._slot = ui.element("div")
        button = ui.button(v.t("go_on"), color=None).props("outline no-caps")
        button.on_click(self.ask)
        self._value: ui.input | ui.select | None = None
        self._field()

    def _field(self) -> None:
        """The field that the chosen change needs."""
        kind = str(self._kind.value)
        name = KINDS[kind].field
        self._slot.clear()
        self._value = None
        if not name:
            return
        with self._slot:
            if options := self._options.get(kind):
                self._value = ui.select(dict(options), label=self._v.t(name), with_input=True)
                self._value.style("min-width:20rem")
            else:
                self._value = ui.input(self._v.t(name))
            self._value.props("outlined dense")

    async def ask(self) -> None:
        """Say what would be done, and do it when it is confirmed."""
        v, kind = self._v, str(self._kind.value)
        devices = await self._chosen()
        if not devices:
            ui.notify(v.t("select_first"), type="warning")
            return
        given = str(self._value.value or "").strip() if self._value else ""
        order = Order(kind, given, devices)

        async def look(caller: Caller) -> None:
            found = await asyncio.to_thread(check, v, caller, order)
            names = ", ".join(device.title or device.id for device in found[:_NAMED])
            more = " …" if len(found) > _NAMED else ""
            shown = self._options.get(kind, {}).get(given, given)
            if await confirmed(v, [v.t(f"sure_{kind}", given=shown, n=len(found), names=names + more)]):
                await v.act(KINDS[kind].action, lambda caller: self._do(caller, order))

        await v.act(KINDS[kind].action, look)

    async def _do(self, caller: Caller, order: Order) -> None:
        v = self._v
        outcome = await asyncio.to_thread(carry_out, v, caller, order)
        if outcome.secrets:
            await self._hand_over(outcome)
        if outcome.stopped:
            name, why = outcome.stopped
            words = v.t("bulk_stopped", n=outcome.done, all=len(order.devices), name=name, why=why)
            ui.notify(words, type="negative", timeout=0, close_button=v.t("close"))
        else:
            ui.notify(v.t("bulk_done", n=outcome.done), type="positive")
        await self._changed()

    async def _hand_over(self, outcome: Outcome) -> None:
        """Show the secrets once; where the broker wants them in plain text, it gets them here."""
        v = self._v
        show_once(v, v.t("secrets"), secrets_csv(outcome.secrets), file="secrets.csv")
        if v.desk.hand_over is not None:
            try:
                await v.desk.hand_over(outcome.secrets)
            except HubError as error:
                ui.notify(v.t("not_handed_over", why=error), type="negative", timeout=0, close_button=v.t("close"))
