# SPDX-License-Identifier: EUPL-1.2
"""/entries over HTTP: the same rules as everywhere, with the key's name as the person."""

import inspect
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from hub.api.schemas import common, entries
from tests.api.conftest import World
from tests.indicators.entered import catalogue, workbook

P = "/api/v1/entries"
GOOD = {"indicator": "budget", "place": "havirov", "period": "2025", "value": 100, "source": "Rozpočet 2025"}
HEAD = ("indicator", "place", "period", "value", "source")
TABLE = "indicator,place,period,value,source\r\nbudget,havirov,2024,90,Rozpočet 2024\r\n"
CSV = {"Content-Type": "text/csv"}
XLSX = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
MODELS = [
    model
    for _, model in inspect.getmembers(entries, inspect.isclass)
    if issubclass(model, common.Model) and model.__module__ == entries.__name__
]


@pytest.fixture
async def dana(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key `write`, in a hub with a few entered indicators."""
    async with world.client("write", definitions=catalogue()) as client:
        yield client


@pytest.fixture
async def petr(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key `admin`."""
    async with world.client("admin", definitions=catalogue()) as client:
        yield client


async def enter(client: httpx.AsyncClient, **change: Any) -> int:
    """Hand one figure in; returns its id."""
    answer = await client.post(P, json={**GOOD, **change})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["rows"][0]["entry"]
    return number


async def test_a_figure_waits_until_another_key_approves_it(dana: httpx.AsyncClient, petr: httpx.AsyncClient) -> None:
    number = await enter(dana, note="in thousands before")
    own = await dana.post(f"{P}/{number}/approve")
    assert (own.status_code, own.json()["detail"]) == (
        422, f"by: entry {number} is write's own: a second person decides about it",
    )  # fmt: skip
    assert (await petr.post(f"{P}/{number}/approve")).json()["state"] == "approved"
    entry = (await dana.get(f"{P}/{number}")).json()
    assert entry == {
        "id": number,
        **GOOD,
        "window": {"start": "2024-12-31T23:00:00Z", "end": "2025-12-31T23:00:00Z"},
        "unit": "CZK",
        "reason": None,
        "note": "in thousands before",
        "approved_value": 100.0,
        "approved_entry": number,
        "origin": "entered",
        "author": "write",
        "entered_at": "2026-11-23T12:00:00Z",
        "state": "approved",
        "decided_by": "admin",
        "decided_at": "2026-11-23T12:00:00Z",
        "decision_reason": None,
    }


async def test_rejecting_and_withdrawing_need_a_reason_and_the_right_key(
    dana: httpx.AsyncClient, petr: httpx.AsyncClient
) -> None:
    number = await enter(dana)
    why = {"reason": "page 7 says 99"}
    assert (await petr.post(f"{P}/{number}/reject", json={"reason": " "})).status_code == 422
    assert (await dana.post(f"{P}/{number}/reject", json=why)).status_code == 422
    assert (await petr.post(f"{P}/{number}/withdraw", json=why)).status_code == 422
    rejected = (await petr.post(f"{P}/{number}/reject", json=why)).json()
    assert (rejected["state"], rejected["decision_reason"]) == ("rejected", "page 7 says 99")
    other = await enter(dana, value=99)
    assert (await dana.post(f"{P}/{other}/withdraw", json=why)).json()["state"] == "withdrawn"
    assert (await petr.post(f"{P}/{other}/approve")).status_code == 422
    assert (await petr.post(f"{P}/999/approve")).status_code == 404


async def test_a_correction_needs_its_reason_and_a_single_duplicate_is_refused(
    dana: httpx.AsyncClient, petr: httpx.AsyncClient
) -> None:
    await petr.post(f"{P}/{await enter(dana)}/approve")
    twice = await dana.post(P, json=GOOD)
    assert (twice.status_code, twice.json()["detail"]) == (409, "handed in before as entry 1 (approved)")
    bare = await dana.post(P, json={**GOOD, "value": 101})
    assert (bare.status_code, bare.json()["errors"]) == (
        422,
        [
            {
                "in": "body",
                "name": "reason",
                "detail": "101 differs from the approved 100 (entry 1): a correction needs its reason",
            }
        ],
    )
    assert await enter(dana, value=101, reason="audit") == 2
    shown = (await petr.get(f"{P}?state=waiting")).json()["items"]
    assert [(row["value"], row["approved_value"], row["approved_entry"]) for row in shown] == [(101, 100, 1)]


async def test_a_list_names_each_wrong_row_and_stores_nothing(dana: httpx.AsyncClient) -> None:
    rows = [GOOD, {**GOOD, "period": "2025-01"}, {**GOOD, "place": "brno"}]
    answer = await dana.post(P, json=rows)
    assert (answer.status_code, [error["name"] for error in answer.json()["errors"]]) == (422, ["1.period", "2.place"])
    assert (await dana.get(P)).json()["items"] == []
    first, again = [await dana.post(P, json=[GOOD]) for _ in range(2)]
    assert [(a.status_code, a.json()["new"], a.json()["duplicates"]) for a in (first, again)] == [
        (201, 1, 0), (200, 0, 1),
    ]  # fmt: skip


BOOK = workbook(HEAD, ("budget", "Havířov", 2024, 90, "Rozpočet 2024"))


async def test_a_table_is_taken_in_once_whatever_its_form_and_a_dry_run_stores_nothing(dana: httpx.AsyncClient) -> None:
    preview = await dana.post(f"{P}/import?dry_run=true", content=BOOK, headers=XLSX)
    stored = await dana.post(f"{P}/import", content=BOOK, headers=XLSX)
    again = await dana.post(f"{P}/import", content=TABLE.encode(), headers=CSV)
    assert [(a.status_code, a.json()["stored"], a.json()["new"]) for a in (preview, stored, again)] == [
        (200, False, 1), (201, True, 1), (200, True, 0),
    ]  # fmt: skip
    assert [row["value"] for row in (await dana.get(P)).json()["items"]] == [90]


async def test_a_wrong_table_names_row_column_and_cure(dana: httpx.AsyncClient) -> None:
    body = (TABLE + "budget,havirov,2023,many,x\r\n").encode()
    answer = await dana.post(f"{P}/import", content=body, headers=CSV)
    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"in": "body", "name": "row 3.value", "detail": "'many' is no number: write it like 1234.5"}],
    )
    partial = (await dana.post(f"{P}/import?partial=true", content=body, headers=CSV)).json()
    assert (partial["stored"], partial["new"], partial["refused"]) == (True, 1, 1)


REFUSED = {
    "JSON": (b"[]", "application/json", 415),
    "a form": (b"a=b", "application/x-www-form-urlencoded", 415),
    "no type": (b"x", "", 415),
    "no table": (b"PK\x03\x04", "text/csv", 422),
    "empty": (b"", "text/csv", 422),
}


async def test_a_body_that_is_no_table_is_a_problem(dana: httpx.AsyncClient) -> None:
    for case, (body, media, status) in REFUSED.items():
        answer = await dana.post(f"{P}/import", content=body, headers={"Content-Type": media} if media else {})
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), case


async def test_the_list_is_filtered_paged_and_served_as_csv_for_excel(
    dana: httpx.AsyncClient, petr: httpx.AsyncClient
) -> None:
    await dana.post(P, json=[{**GOOD, "period": str(year), "value": year + 0.0} for year in (2022, 2023, 2024)])
    await petr.post(f"{P}/1/approve")
    page = (await dana.get(f"{P}?limit=2")).json()
    rest = (await dana.get(f"{P}?limit=2&cursor={page['next']}")).json()
    assert ([row["period"] for row in page["items"] + rest["items"]], rest["next"]) == (["2024", "2023", "2022"], None)
    waiting = (await dana.get(f"{P}?state=waiting&indicator=budget&place=havirov")).json()["items"]
    assert [row["id"] for row in waiting] == [3, 2]
    csv = (await dana.get(f"{P}?limit=1&dialect=cs", headers={"Accept": "text/csv"})).text
    assert csv.splitlines()[1].startswith("3;budget;havirov;2024;2024,0;CZK;Rozpočet 2025;")
    tag = (await dana.get(P)).headers["ETag"]
    assert (await dana.get(P, headers={"If-None-Match": tag})).status_code == 304


async def test_a_template_that_is_filled_in_comes_back_without_a_fault(dana: httpx.AsyncClient) -> None:
    czech = (await dana.get(f"{P}/template?indicator=welfare&dialect=cs")).text
    head, first, *others = czech.splitlines()
    filled = first.replace(";;%;;", ";62,4;%;Zpráva;")
    answer = await dana.post(f"{P}/import", content="\r\n".join([head, filled, *others]).encode(), headers=CSV)
    assert (answer.status_code, answer.json()["new"], answer.json()["empty"]) == (201, 1, len(others))
    assert (await dana.get(f"{P}/template?indicator=budget_share")).status_code == 422


async def test_writing_needs_a_key_that_may_write(world: World) -> None:
    for key, status in ((None, 401), ("read", 403)):
        async with world.client(key, definitions=catalogue()) as client:
            answers = [
                await client.post(P, json=GOOD),
                await client.post(f"{P}/import", content=TABLE.encode(), headers=CSV),
                await client.post(f"{P}/1/approve"),
                await client.post(f"{P}/1/reject", json={"reason": "x"}),
                await client.post(f"{P}/1/withdraw", json={"reason": "x"}),
            ]
        assert [answer.status_code for answer in answers] == [status] * 5


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_example_keeps_to_its_schema(model: type[BaseModel]) -> None:
    extra = model.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    model.model_validate(extra["example"])
