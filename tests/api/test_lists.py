# SPDX-License-Identifier: EUPL-1.2
"""Lists of the registry as CSV and as JSON, place filters, and what stands around a device."""

import csv
import io
from collections.abc import Mapping, Sequence

import pytest

from hub.api import columns
from hub.api.schemas.common import Model
from hub.api.schemas.devices import DevicePage, PlaceList
from hub.api.schemas.registry import AuditPage, FacilityPage
from hub.core.places import Place, PlaceKind
from hub.core.registry import Facility
from tests.api.conftest import AIR, SITE, World

P = "/api/v1"
LISTS: Mapping[str, tuple[Sequence[str], type[Model]]] = {
    "devices": (columns.DEVICES, DevicePage),
    "places": (columns.PLACES, PlaceList),
    "facilities": (columns.FACILITIES, FacilityPage),
    "audit": (columns.AUDIT, AuditPage),
}


def put_pool(world: World) -> None:
    pool = Place(id=f"{SITE}/pool", kind=PlaceKind.FACILITY, title={"cs": "Bazén", "en": "=Pool"})
    world.ledger.devices.put_places([pool], by="jana")
    world.ledger.devices.put_facility(Facility(place=pool.id, category="pool", capacity=2.5), by="jana")


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_is_the_same_as_json_and_as_csv_page_by_page(world: World, name: str) -> None:
    put_pool(world)
    wanted, model = LISTS[name]
    async with world.client("admin") as client:
        body = (await client.get(f"{P}/{name}?limit=1")).json()
        answer = await client.get(f"{P}/{name}?limit=1&dialect=cs", headers={"Accept": "text/csv"})
    model.model_validate(body)
    assert answer.text.startswith("\ufeff")
    (row,) = csv.DictReader(io.StringIO(answer.text[1:]), delimiter=";")
    assert list(row) == list(wanted)
    assert row[next(iter(wanted))] == str(
        next(iter(body["items"][0].values() if name != "audit" else [body["items"][0]["id"]]))
    )
    assert ('rel="next"' in answer.headers.get("link", "")) is (body["next"] is not None)


FILTERS = {
    "kind=facility": [f"{SITE}/pool"],
    f"below={SITE}": [SITE, f"{SITE}/pool"],
    "text=baz%C3%89n": [f"{SITE}/pool"],
    f"below={SITE}&kind=part": [SITE],
}


@pytest.mark.parametrize("query", FILTERS)
async def test_places_are_found_by_kind_by_what_they_lie_below_and_by_text(world: World, query: str) -> None:
    put_pool(world)
    async with world.client() as client:
        body = (await client.get(f"{P}/places?{query}")).json()
        wrong = await client.get(f"{P}/places?below=nowhere")
    assert [row["id"] for row in body["items"]] == FILTERS[query]
    assert wrong.status_code == 422


async def test_the_cursor_of_places_leads_through_all_of_them(world: World) -> None:
    found, cursor = [], ""
    async with world.client() as client:
        every = (await client.get(f"{P}/places")).json()
        while cursor is not None:
            page = (await client.get(f"{P}/places?limit=4{cursor and f'&cursor={cursor}'}")).json()
            found += page["items"]
            cursor = page["next"]
    assert found == every["items"]
    assert every["next"] is None


async def test_a_device_tells_the_name_of_its_place(world: World) -> None:
    async with world.client("admin") as client:
        one = (await client.get(f"{P}/devices/{AIR}")).json()
        rows = (await client.get(f"{P}/devices")).json()["items"]
    assert one["place_title"]["cs"] == "Šumbark"
    assert one["model_title"] is None
    told = next(row for row in rows if row["id"] == AIR)
    assert {name: told[name] for name in ("place_title", "credential", "known_to_broker")} == {
        name: one[name] for name in ("place_title", "credential", "known_to_broker")
    }
