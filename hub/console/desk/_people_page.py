# SPDX-License-Identifier: EUPL-1.2
"""People and API keys: added, changed, disabled, revoked. A password or a key is shown once, when it is made."""

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace
from nicegui import ui

from hub.console._sign_in import ROLES
from hub.console.desk._dialogs import confirmed, show_once
from hub.console.desk._frame import Visit, frame, heading
from hub.console.desk._lists import Line, listing
from hub.console.formats import Formats
from hub.core.access import Person
from hub.core.errors import Invalid
from hub.core.ports import ApiKey, KeyRing, People
from hub.core.rights import Action, Caller, Role


class PeoplePage:
    """What stands on one opened page."""

    def __init__(self, v: Visit, people: People, keys: KeyRing) -> None:
        self._v, self._people, self._keys = v, people, keys
        self._roles = {role.value: ROLES[role.value][v.language] for role in Role}
        heading(v.t("people_head"))
        self._add_person()
        self._persons = ui.element("div").classes("w-full")
        heading(v.t("keys_head"))
        self._add_key()
        self._ring = ui.element("div").classes("w-full")

    async def show(self) -> None:
        """Both lists as they are now."""
        v, formats = self._v, Formats(self._v.language, self._v.desk.console.zone)
        people, keys = await asyncio.to_thread(self._people.all), await asyncio.to_thread(self._keys.keys)
        self._persons.clear()
        with self._persons:
            head = [v.t(key) for key in ("login", "person_name", "roles", "partner", "state", "actions")]
            listing(head, [self._person(person) for person in people], v.t("no_people"))
        self._ring.clear()
        with self._ring:
            head = [v.t(key) for key in ("key_name", "roles", "partner", "when", "actions")]
            listing(head, [self._key(key, formats) for key in keys], v.t("no_keys"))

    def _words(self, roles: Sequence[str] | frozenset[str]) -> str:
        return ", ".join(self._roles.get(role, role) for role in sorted(roles))

    def _person(self, person: Person) -> Line:
        v, off = self._v, person.disabled_at is not None
        state = v.t("disabled" if off else "must_change" if person.must_change else "active")
        turn = "enable" if off else "disable"
        buttons = [(v.t("change"), partial(self.edit, person)), (v.t(turn), partial(self.turn, person))]
        if not person.issuer and not off:
            buttons.append((v.t("reset"), partial(self.reset, person)))
        return Line([person.login, person.name, self._words(person.roles), person.partner, state], buttons)

    def _key(self, key: ApiKey, formats: Formats) -> Line:
        made = formats.moment(key.created_at) if key.created_at else ""
        return Line(
            [key.name, self._words(key.scopes), key.partner, made],
            [(self._v.t("revoke"), partial(self.revoke, key))],
        )

    def _choice(self, value: Sequence[str] = ()) -> ui.select:
        choice = ui.select(self._roles, label=self._v.t("roles"), multiple=True, value=list(value))
        choice.props("outlined dense use-chips").style("min-width:16rem")
        return choice

    def _text(self, key: str, value: str = "") -> ui.input:
        return ui.input(self._v.t(key), value=value).props("outlined dense")

    def _add_person(self) -> None:
        v = self._v
        with ui.element("div").classes("desk-row").style("margin-bottom:.6rem"):
            login, name = self._text("login"), self._text("person_name")
            roles, owner = self._choice(), self._text("partner")

            async def add(caller: Caller) -> None:
                person = Person(login=(login.value or "").strip(), name=(name.value or "").strip(),
                                roles=self._given(roles), partner=(owner.value or "").strip())  # fmt: skip
                password = one_time()
                await asyncio.to_thread(self._people.add, person, password, by=caller.name, once=True)
                await self.show()
                show_once(v, v.t("one_time", who=person.login), password)
                for field in (login, name, owner):
                    field.set_value("")
                roles.set_value([])

            button = ui.button(v.t("add_person"), color=None).props("outline no-caps")
            button.on_click(lambda: v.act(Action.ACCESS, add))

    def _add_key(self) -> None:
        v = self._v
        with ui.element("div").classes("desk-row").style("margin-bottom:.6rem"):
            name, roles, owner = self._text("key_name"), self._choice(), self._text("partner")

            async def add(caller: Caller) -> None:
                called, given = (name.value or "").strip(), self._given(roles)
                if not called:
                    raise Invalid(v.t("give_value"), v.t("key_name"))
                own = (owner.value or "").strip()
                key, secret = await asyncio.to_thread(self._keys.create, called, given, partner=own, by=caller.name)
                await self.show()
                show_once(v, v.t("key_secret", who=key.name), secret)
                for field in (name, owner):
                    field.set_value("")
                roles.set_value([])

            button = ui.button(v.t("add_key"), color=None).props("outline no-caps")
            button.on_click(lambda: v.act(Action.ACCESS, add))

    def _given(self, roles: ui.select) -> frozenset[str]:
        if not roles.value:
            raise Invalid(self._v.t("give_value"), self._v.t("roles"))
        return frozenset(roles.value)

    async def edit(self, person: Person) -> None:
        """Change name, roles and partner."""
        v = self._v
        with ui.dialog() as dialog, ui.card():
            ui.label(person.login).style("font-weight:700")
            name, roles = self._text("person_name", person.name), self._choice(sorted(person.roles))
            owner = self._text("partner", person.partner)
            with ui.element("div").classes("desk-row"):
                ui.button(v.t("confirm"), on_click=lambda: dialog.submit(True), color=None).props("outline no-caps")
                ui.button(v.t("cancel"), on_click=lambda: dialog.submit(False), color=None).props("flat no-caps")

        async def change(caller: Caller) -> None:
            present = await asyncio.to_thread(self._people.get, person.login)
            after = replace(present, name=(name.value or "").strip(), roles=self._given(roles),
                            partner=(owner.value or "").strip())  # fmt: skip
            await asyncio.to_thread(self._people.change, after, by=caller.name)
            await self.show()

        if await dialog:
            await v.act(Action.ACCESS, change)
        dialog.delete()

    async def turn(self, person: Person) -> None:
        """Disable somebody, or let him in again."""
        off, clock = person.disabled_at is None, self._v.desk.console.clock_ns

        async def change(caller: Caller) -> None:
            present = await asyncio.to_thread(self._people.get, person.login)
            after = replace(present, disabled_at=clock() if off else None)
            await asyncio.to_thread(self._people.change, after, by=caller.name)
            await self.show()

        if await confirmed(self._v, [self._v.t("sure_disable" if off else "sure_enable", who=person.login)]):
            await self._v.act(Action.ACCESS, change)

    async def reset(self, person: Person) -> None:
        """Give a one-time password."""

        async def change(caller: Caller) -> None:
            password = one_time()
            await asyncio.to_thread(self._people.set_password, person.login, password, by=caller.name, once=True)
            await self.show()
            show_once(self._v, self._v.t("one_time", who=person.login), password)

        if await confirmed(self._v, [self._v.t("sure_reset", who=person.login)]):
            await self._v.act(Action.ACCESS, change)

    async def revoke(self, key: ApiKey) -> None:
        """Make a key useless."""

        async def change(caller: Caller) -> None:
            await asyncio.to_thread(self._keys.revoke, key.id, by=caller.name)
            await self.show()

        if await confirmed(self._v, [self._v.t("sure_revoke", who=key.name)]):
            await self._v.act(Action.ACCESS, change)


def one_time() -> str:
    """A password that is changed at the first sign-in, as the API makes it."""
    return secrets.token_hex(12)


async def people_page(v: Visit) -> None:
    """Show it."""
    with frame(v, simulated=False):
        if v.desk.people is None or v.desk.keys is None:
            ui.label(v.t("no_people"))
            return
        page = PeoplePage(v, v.desk.people, v.desk.keys)
        await page.show()
