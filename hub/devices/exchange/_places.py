# SPDX-License-Identifier: EUPL-1.2
"""The table of places, and of what serves people there (the columns from `category` on).

A column that the table lacks leaves a field as it is; an empty cell empties it. Parents may come in any row.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from hub.core.cells import Cell, Grid
from hub.core.errors import Invalid
from hub.core.places import Place, PlaceKind, check_place_id
from hub.core.registry import FACILITY_CATEGORIES, Facility
from hub.devices.exchange._city import check_position
from hub.devices.exchange._columns import Cells, rows_of
from hub.devices.exchange._types import Basis, Fault, Plan, RowPlan, State, Wrong
from hub.devices.exchange._write import safe

COLUMNS: Mapping[str, str] = {  # canonical name: Czech name
    "id": "označení",
    "kind": "druh",
    "title_cs": "název česky",
    "title_en": "název anglicky",
    "population": "počet obyvatel",
    "population_date": "obyvatelé ke dni",
    "latitude": "zeměpisná šířka",
    "longitude": "zeměpisná délka",
    "source": "zdroj",
    "category": "kategorie",
    "capacity": "kapacita",
    "capacity_unit": "jednotka kapacity",
    "opening_hours": "otevírací doba",
    "operator": "provozovatel",
    "address": "adresa",
    "phone": "telefon",
    "web": "web",
    "owner": "vlastník",
}
_TEXTS = ("capacity_unit", "opening_hours", "operator", "address", "phone", "web", "owner")


def place_table(basis: Basis, *, czech: bool = False) -> Sequence[Sequence[Cell]]:
    """All places in order of id, under their headings."""
    rows = [_row(p, basis.facilities.get(name)) for name, p in sorted(basis.registry.places.items())]
    return [list(COLUMNS.values() if czech else COLUMNS), *rows]


def _row(p: Place, f: Facility | None) -> Sequence[Cell]:
    return [
        p.id,
        str(p.kind),
        safe(p.title.get("cs", "")),
        safe(p.title.get("en", "")),
        p.population,
        p.population_date or "",
        p.latitude,
        p.longitude,
        safe(p.source or ""),
        f.category if f else "",
        f.capacity if f else None,
        *(safe(getattr(f, name)) if f else "" for name in _TEXTS),
    ]


def plan_places(grid: Grid, basis: Basis) -> Plan:
    """What becomes of each row; Invalid where the table as a whole is wrong."""
    found = rows_of(grid, COLUMNS, basis)
    there = {*basis.registry.places, *(cells.text("id") for cells in found)}
    rows, places, facilities = list[RowPlan](), list[Place](), list[Facility]()
    first: dict[str, int] = {}
    for cells in found:
        name = cells.text("id")
        try:
            if (same := first.setdefault(name, cells.number)) != cells.number:
                raise Wrong("id", f"{name!r} stands in row {same} already", f"{name!r} je už v řádku {same}")
            place, facility = _place(cells, name, there), _facility(cells, name)
        except Invalid as error:
            fault = error.fault if isinstance(error, Wrong) else Fault(error.where or "id", error.detail, error.detail)
            rows.append(RowPlan(row=cells.number, id=name, state=State.ERROR, faults=[fault]))
            continue
        before = basis.registry.places.get(name)
        fields = {**_differences(before, place), **_differences(basis.facilities.get(name), facility)}
        state = State.CREATE if before is None else State.CHANGE if fields else State.UNCHANGED
        rows.append(RowPlan(row=cells.number, id=name, state=state, fields=fields))
        places.append(place)
        facilities += [facility] if facility else []
    in_order = sorted(places, key=lambda p: p.id.split("/"))
    return Plan(rows=rows, places=in_order, facilities=facilities, notes=grid.notes)


def _place(cells: Cells, name: str, there: set[str]) -> Place:
    try:
        check_place_id(name)
    except Invalid as error:
        cs = f"{name!r} není označení místa: obec/část/místo z a-z 0-9 _ -"
        raise Wrong("id", error.detail, cs) from error
    parent = name.rpartition("/")[0]
    if parent and parent not in there:
        raise Wrong("id", f"lies in {parent!r}, which does not exist: add a row for it",
                    f"leží v {parent!r}, které neexistuje: přidejte pro ně řádek")  # fmt: skip
    before = cells.basis.registry.places.get(name)
    kind = cells.text("kind", str(before.kind) if before else "site").strip()
    if kind not in list(PlaceKind):
        words = ", ".join(PlaceKind)
        raise Wrong("kind", f"{kind!r} is none of {words}", f"{kind!r} není nic z: {words}")
    old = before or Place(id=name, kind=PlaceKind(kind), title={})
    latitude = cells.number_in("latitude", old.latitude)
    longitude = cells.number_in("longitude", old.longitude)
    if (latitude, longitude) != (old.latitude, old.longitude):
        check_position(cells.basis, name, latitude, longitude)
    return replace(
        old,
        kind=PlaceKind(kind),
        title=_title(cells, old),
        population=cells.whole("population", old.population),
        population_date=cells.text("population_date", old.population_date or "") or None,
        latitude=latitude,
        longitude=longitude,
        source=cells.text("source", old.source or "") or None,
    )


def _title(cells: Cells, old: Place) -> Mapping[str, str]:
    words = {code: cells.text(f"title_{code}", old.title.get(code, "")) for code in ("cs", "en")}
    given = {code: word for code, word in words.items() if word or code in old.title}
    if not any(given.values()) and not old.title:
        raise Wrong("title_cs", "is missing: people know places by name", "chybí: lidé znají místa podle jména")
    return {**old.title, **given}


def _facility(cells: Cells, name: str) -> Facility | None:
    before = cells.basis.facilities.get(name)
    category = cells.text("category", before.category if before else "").strip()
    if not category:
        if before is not None:
            raise Wrong("category", "is empty, but a facility is there: remove it there first",
                        "je prázdná, ale provoz tu je: nejdřív ho odeberte")  # fmt: skip
        return None
    if category not in FACILITY_CATEGORIES:
        words = ", ".join(FACILITY_CATEGORIES)
        raise Wrong("category", f"{category!r} is none of {words}", f"{category!r} není nic z: {words}")
    old = before or Facility(place=name, category=category)
    texts = {column: cells.text(column, getattr(old, column)) for column in _TEXTS}
    return replace(old, category=category, capacity=cells.number_in("capacity", old.capacity), **texts)


def _differences(
    before: Place | Facility | None, after: Place | Facility | None
) -> Mapping[str, tuple[object, object]]:
    if after is None:
        return {}
    pairs = ((name, getattr(before, name, None), getattr(after, name)) for name in after.__struct_fields__)
    return {name: (one, two) for name, one, two in pairs if one != two}
