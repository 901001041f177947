# SPDX-License-Identifier: EUPL-1.2
"""The tree of places from the command line; works on the ledger itself, so the file's rights are the credential."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.commands.devices import signed
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.places import Place, PlaceKind
from hub.devices.positions import near_city
from hub.settings import Settings
from hub.storage.ledger import Ledger


def list_places(settings: Settings, *, below: str | None, kind: str | None, json: bool) -> None:
    """Print places in order of their ids."""
    with Parts(settings).ledger().open() as ledger:
        places = ledger.devices.snapshot().places
    rows = [
        {"id": p.id, "kind": str(p.kind), "title": p.title.get("cs", p.id), "latitude": p.latitude,
         "longitude": p.longitude}
        for p in (places[name] for name in sorted(places))
        if kind in (None, p.kind) and (below is None or f"{p.id}/".startswith(f"{below}/"))
    ]  # fmt: skip
    if json:
        print_json(rows)
    else:
        print_table("Places", list(rows[0]) if rows else [], [list(row.values()) for row in rows])


def add_place(settings: Settings, place: str, *, by: str | None, outside_city: bool, **given: Any) -> None:
    """Add a place below one that exists."""
    fields = _fields(given)
    name = fields.pop("title", None) or place.rpartition("/")[2]
    kind = fields.pop("kind", PlaceKind.SITE)
    with Parts(settings).ledger().open() as ledger:
        if place in ledger.devices.snapshot().places:
            raise Exists(f"place {place!r} exists already; `cityhub place change` changes it", "place")
        made = Place(id=place, kind=kind, title={"cs": name, "en": fields.pop("title_en", None) or name}, **fields)
        _put(ledger, made, outside_city=outside_city, by=by)
    print(f"{place} is added")


def change_place(settings: Settings, place: str, *, by: str | None, outside_city: bool, **given: Any) -> None:
    """Change the fields that are given."""
    fields = _fields(given)
    if not fields:
        raise Invalid("nothing to change is given; see cityhub place change --help", "place")
    titles = {"cs": fields.pop("title", None), "en": fields.pop("title_en", None)}
    with Parts(settings).ledger().open() as ledger:
        before = _known(ledger, place)
        title = {**before.title, **{language: name for language, name in titles.items() if name}}
        changed = _put(ledger, replace(before, title=title, **fields), outside_city=outside_city, by=by)
    print(f"{place} is changed" if changed else f"{place} is so already")


def remove_place(settings: Settings, place: str, *, by: str | None, ask: Callable[[str], bool] | None) -> int:
    """Take away a place where nothing ever stood; `ask` confirms. Exit code."""
    with Parts(settings).ledger().open() as ledger:
        found = _known(ledger, place)
        if ask is not None and not ask(f"Remove {place} ({found.title.get('cs', place)})?"):
            print("nothing is changed")
            return 1
        ledger.devices.remove_place(place, by=signed(by))
    print(f"{place} is removed")
    return 0


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in given.items() if value is not None}
    if "kind" in fields:
        try:
            fields["kind"] = PlaceKind(fields["kind"])
        except ValueError as error:
            raise Invalid(f"{fields['kind']!r} is none of {', '.join(PlaceKind)}", "--kind") from error
    return fields


def _put(ledger: Ledger, place: Place, *, outside_city: bool, by: str | None) -> int:
    if not outside_city:
        near_city(place, ledger.devices.snapshot().places)
    return ledger.devices.put_places([place], by=signed(by))


def _known(ledger: Ledger, place: str) -> Place:
    found = ledger.devices.snapshot().places.get(place)
    if found is None:
        raise NotFound(f"no place {place!r}; `cityhub place list` names them", "place")
    return found
