# SPDX-License-Identifier: EUPL-1.2
"""The registry as tables: what goes out comes in unchanged, and every fault names row, column and cure."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from hub.core.cells import guarded, read_csv, unguarded
from hub.core.places import Device, Mounting, Place, PlaceKind, RegistrySnapshot
from hub.core.registry import Facility
from hub.devices.exchange import Basis, State, csv_text, device_table, place_table, plan_devices, plan_places

NS = 1_000_000_000
TITLE = {"cs": "Podlesí", "en": "Podlesi"}
CITY = Place(id="havirov", kind=PlaceKind.MUNICIPALITY, title=TITLE, latitude=49.78, longitude=18.43, population=68947)
SITE = Place(id="havirov/hala", kind=PlaceKind.SITE, title={"cs": "=Hala", "en": "Hall"}, latitude=49.8, longitude=18.4)
AIR = Device(
    id="-air", connector="chirpstack", external_id="24e1", title="=1+1", interval=900, tags=("a", "b"),
    note="'@x\n\"y\"",
    mountings=(Mounting("havirov", 0, 5 * NS), Mounting(SITE.id, 5 * NS, None, 2.5, 0.0)), serial="007",
)  # fmt: skip
LOOSE = Device(id="loose", connector="native", external_id="loose")
HALL = Facility(place=SITE.id, category="sports_hall", capacity=12.5, opening_hours="Mo-Fr 08:00-20:00", phone="+420 1")
BASIS = Basis(
    RegistrySnapshot(1, {"-air": AIR, "loose": LOOSE}, {"havirov": CITY, SITE.id: SITE}),
    {SITE.id: HALL}, {}, ("native", "chirpstack"), ZoneInfo("Europe/Prague"), 1_795_000_000 * NS,
)  # fmt: skip


@pytest.mark.parametrize("czech", [False, True])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_is_exported_comes_in_unchanged(czech: bool, coding: str) -> None:
    for table, plan in ((device_table, plan_devices), (place_table, plan_places)):
        text = csv_text(table(BASIS, czech=czech), czech=czech)
        found = plan(read_csv(text.removeprefix("\ufeff").encode(coding), 100), BASIS)
        assert [row.state for row in found.rows] == [State.UNCHANGED, State.UNCHANGED]
        assert [list(found.devices), list(found.places)] in ([[AIR, LOOSE], []], [[], [CITY, SITE]])


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "'=1", "''=1", "'a", "\t", "plain", ""])
def test_a_text_that_looks_like_a_formula_is_defused_and_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t"))


def plan(*lines: str) -> Sequence[tuple[State, str, str]]:
    """State, column and English words of each row."""
    found = plan_devices(read_csv("\n".join(lines).encode(), 100), BASIS)
    return [(r.state, *((r.faults[0].column, r.faults[0].en) if r.faults else ("", ""))) for r in found.rows]


FAULTS = {
    "id with a slash": ("id,connector", "a/b,native", "id", "is no device id"),
    "id with a space": ("id,connector", "a b,native", "id", "is no device id"),
    "no connector": ("id,title", "new,x", "connector", "is missing"),
    "unknown connector": ("id,connector", "new,nativ", "connector", "there is no 'nativ'"),
    "unknown model": ("id,connector,model", "new,native,zzz", "model", "there is no model 'zzz'"),
    "unknown place": ("id,connector,place", "new,native,havirow/hala", "place", "did you mean havirov/hala"),
    "new site without position": ("id,connector,place", "new,native,havirov/x", "place", "give its latitude"),
    "outside of the city": (
        "id,connector,place,latitude,longitude", "new,native,havirov/x,18.4,49.8", "latitude", "outside of the city"
    ),
    "one coordinate": ("id,connector,place,latitude", "new,native,havirov/x,49.8", "place", "latitude and longitude"),
    "no number": ("id,connector,interval_s", "new,native,often", "interval_s", "is no number"),
    "interval 0": ("id,connector,interval_s", "new,native,0", "interval_s", "is no interval"),
    "half a second": ("id,connector,interval_s", "new,native,0.5", "interval_s", "no whole number"),
    "no date": ("id,connector,place,mounted_from", "new,native,havirov,32.1.2026", "mounted_from", "is no time"),
    "of the future": ("id,connector,place,mounted_from", "new,native,havirov,2030-01-01", "mounted_from", "future"),
    "moved without date": ("id,place", "-air,havirov", "mounted_from", "since when"),
    "name of another": ("id,connector,external_id", "new,native,loose", "external_id", "that of device 'loose'"),
    "grade": ("id,connector,grade", "new,native,best", "grade", "none of"),
    "orientation": ("id,connector,place,orientation_deg", "new,native,havirov,400", "orientation_deg", "0 to 360"),
}  # fmt: skip


@pytest.mark.parametrize(("heading", "line", "column", "words"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_its_column_and_the_cure(heading: str, line: str, column: str, words: str) -> None:
    ((state, where, said),) = plan(heading, line)
    assert (state, where) == (State.ERROR, column)
    assert words in said


def test_the_same_id_twice_is_a_fault_of_the_second_row() -> None:
    assert [state for state, *_ in plan("id,connector", "new,native", "new,native")] == [State.CREATE, State.ERROR]


def test_a_new_site_is_made_once_and_a_move_ends_where_the_device_stood() -> None:
    text = (
        "Označení;Konektor;Místo;Název místa;Zeměpisná šířka;Zeměpisná délka;Osazeno od\n"
        "n1;native;havirov/x;Škola;49,79;18,41;23.11.2020\n"
        "n2;native;havirov/x;Škola;49,79;18,41;\n"
        "-air;;havirov;;;;2020-01-01T00:00:00Z\n"
    )
    found = plan_devices(read_csv(text.encode("cp1250"), 100), BASIS)
    assert [row.faults for row in found.rows[:2]] == [(), ()]
    assert [(p.id, p.title["cs"], p.latitude) for p in found.places] == [("havirov/x", "Škola", 49.79)]
    assert found.devices[0].mountings == (Mounting("havirov/x", 1_606_086_000 * NS),)
    assert found.rows[2].faults[0].column == "connector"


def test_places_come_in_any_order_and_one_without_parent_is_a_fault() -> None:
    text = "id,kind,title_cs\nhavirov/a/b,site,B\nhavirov/a,part,A\nbrno/x,site,X\n"
    found = plan_places(read_csv(text.encode(), 100), BASIS)
    assert [p.id for p in found.places] == ["havirov/a", "havirov/a/b"]
    assert [(row.row, row.faults[0].column) for row in found.faulty] == [(4, "id")]
