# SPDX-License-Identifier: EUPL-1.2
"""The city as configuration: one YAML file that another city replaces.

The file is read once at start and checked whole: types, unknown fields, ids, languages, time zone, positions, and that
the parts add up to the stated population. What is wrong is a `SettingsError` naming file and field. Ids in the file are
local (`sumbark`); places carry the municipality in front (`havirov/sumbark`), so that several cities can share a hub.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import DecodeError, Meta, Struct, yaml

from hub.core.errors import Invalid, SettingsError
from hub.core.places import Place, PlaceKind, check_place_id
from hub.core.quantities import Domain

Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Count = Annotated[int, Meta(ge=0)]
Cell = tuple[Count, Count]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the city; `cell` is its column and row in the schematic map of hexagons (odd rows shifted right)."""

    id: str
    title: Mapping[str, str]
    population: Count | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    cell: Cell | None = None


class Authority(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sets the rules or the calendar for the figures of some domains."""

    id: str
    title: Mapping[str, str]
    domains: Sequence[Domain] = ()
    note: Mapping[str, str] = {}


class City(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One municipality with its parts. `languages` are those of every title, the default first."""

    id: str
    title: Mapping[str, str]
    time_zone: str
    languages: Sequence[str]
    parts: Sequence[Part]
    population: Count | None = None
    population_date: date | None = None
    population_source: str = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    position_source: str = ""
    authorities: Sequence[Authority] = ()

    @property
    def zone(self) -> ZoneInfo:
        """Zone of the city's days, months and years."""
        return ZoneInfo(self.time_zone)

    @property
    def places(self) -> Sequence[Place]:
        """The municipality and its parts as places, parents first."""
        head = self._place(self.id, PlaceKind.MUNICIPALITY, self)
        return [head, *(self._place(f"{self.id}/{part.id}", PlaceKind.PART, part) for part in self.parts)]

    @property
    def cells(self) -> Mapping[str, Cell]:
        """Column and row in the schematic map by place id, for the parts that have one."""
        return {f"{self.id}/{part.id}": part.cell for part in self.parts if part.cell is not None}

    def _place(self, place: str, kind: PlaceKind, of: "City | Part") -> Place:
        notes = (self.population_source, self.position_source and f"position {self.position_source}")
        return Place(
            id=place,
            kind=kind,
            title=of.title,
            population=of.population,
            population_date=None if self.population_date is None else self.population_date.isoformat(),
            latitude=of.latitude,
            longitude=of.longitude,
            source="; ".join(filter(None, notes)) or None,
        )


def load_city(path: Path | None = None) -> City:
    """Read and check a city's file, Havířov's without a path; SettingsError names file and field."""
    source = files("hub.devices").joinpath("cities", "havirov.yaml") if path is None else path
    try:
        text = source.read_bytes()
    except OSError as error:
        raise SettingsError(str(path), f"the city's file cannot be read ({error.strerror})") from error
    return parse_city(text, str(path or source.name))


def parse_city(text: bytes, file: str) -> City:
    """Check the text of a city's file; `file` is its name in errors."""
    try:
        city = yaml.decode(text, type=City)
    except DecodeError as error:
        detail, _, field = str(error).partition(" - at ")
        raise SettingsError(f"{file}: {field.strip('`').removeprefix('$.') or 'the file'}", detail) from error
    for field, detail in _faults(city):
        raise SettingsError(f"{file}: {field}", detail)
    return city


def _faults(city: City) -> Iterator[tuple[str, str]]:
    yield from _bad_zone(city)
    yield from _bad_ids(city)
    yield from _bad_titles(city)
    yield from _bad_population(city)
    yield from _bad_cells(city)


def _bad_zone(city: City) -> Iterator[tuple[str, str]]:
    try:
        ZoneInfo(city.time_zone)
    except (OSError, ValueError, KeyError):  # unknown, a path, or a folder of the zone database
        yield "time_zone", f"{city.time_zone!r} is no zone of the IANA database; write one like Europe/Prague"


def _bad_ids(city: City) -> Iterator[tuple[str, str]]:
    named = [("id", city.id, city.id), *((f"{at}.id", p.id, f"{city.id}/{p.id}") for at, p in _parts(city))]
    for field, id_, place in named:
        try:
            check_place_id(place)
        except Invalid as error:
            yield field, error.detail
        if "/" in id_:
            yield field, f"{id_!r} must be a single name; the hub puts the municipality in front"
    yield from _repeated([(f"{at}.id", part.id) for at, part in _parts(city)])


def _bad_titles(city: City) -> Iterator[tuple[str, str]]:
    if not city.languages:
        yield "languages", "name at least one language, the default first"
    titled = [("title", city.title)]
    titled += [(f"{at}.title", part.title) for at, part in _parts(city)]
    titled += [(f"authorities[{i}].title", authority.title) for i, authority in enumerate(city.authorities)]
    for field, title in titled:
        for language in city.languages:
            if not title.get(language, "").strip():
                yield f"{field}.{language}", "the title in this language is missing"


def _bad_population(city: City) -> Iterator[tuple[str, str]]:
    counted = [part.population for part in city.parts if part.population is not None]
    if city.population is None or len(counted) < len(city.parts) or not counted:
        return
    if sum(counted) != city.population:
        yield "population", f"{city.population} is stated, but the parts add up to {sum(counted)}"


def _bad_cells(city: City) -> Iterator[tuple[str, str]]:
    yield from _repeated([(f"{at}.cell", part.cell) for at, part in _parts(city) if part.cell is not None])


def _repeated(fields: Sequence[tuple[str, object]]) -> Iterator[tuple[str, str]]:
    first: dict[object, str] = {}
    for field, value in fields:
        if first.setdefault(value, field) != field:
            yield field, f"{value!r} stands at {first[value]} already"


def _parts(city: City) -> Iterator[tuple[str, Part]]:
    yield from ((f"parts[{i}]", part) for i, part in enumerate(city.parts))
