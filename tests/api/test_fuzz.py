# SPDX-License-Identifier: EUPL-1.2
"""No request that anybody can make up is answered with a 500, and every answer keeps to the OpenAPI document.

Requests are made from the document itself: each parameter gets something valid, something near it or anything.
"""

from collections.abc import Mapping
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import AIR, SITE, World

NEAR = {
    "device": [AIR, "sim-1", "-", "a\x00b"],
    "quantity": ["pm10", "pm100", ""],
    "place": ["havirov", SITE, "havirov/", "%"],
    "indicator": ["pm10_day_mean", "eaqi_2024", "..", "latest"],
    "from": ["2026-11-20T00:00:00Z", "1900-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "9999-99-99T99:99:99Z"],
    "start": ["2026-11-20T00:00:00Z", "2026-11-20T24:00:00Z", "2026-11-20T23:59:60Z"],
    "to": ["2026-11-23T00:00:00Z", "2026-11-23T00:00:00+23:59", "0001-01-01T00:00:00+23:59"],
    "cursor": ["", "W10", "WzFd", "WyJhIl0", "WzEsImEiLCJiIl0", "WzAsMF0", "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OV0", "bnVsbA"],
    "limit": ["1", "1000", "50001", "-1", "1e3", "9" * 5000],
    "since": ["0", "9223372036854775807", "9223372036854775808"],
    "message": ["0-1", "999-999999999999999999", "1-0"],
    "command": ["1", "9223372036854775807", "99999999999999999999"],
    "kind": ["internal", "..%2f"],
    "dialect": ["cs", "plain", "CS"],
    "state": ["any", "waiting"],
    "below": ["true", "maybe"],
    "as_stored": ["1"],
    "as_of": ["2026-11-23T11:00:00Z", "1900-01-01T00:00:00Z", "2026-11-23"],
    "visibility": ["all", "city", "test"],
    "action": ["exclude", "calibrate", "override_flag", "withdraw"],
    "scale": ["1.5", "0", "nan", "1e999"],
    "shift": ["-0.5", "inf"],
    "flag": ["4", "5"],
    "correction": ["1", "9223372036854775807", "9223372036854775808", "-1", "preview"],
}
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "Accept": st.sampled_from(["text/csv", "application/json", "text/csv;q=nan", ";;;", "*/*;q=-1"]),
        "Accept-Language": st.sampled_from(["cs", "q=", "cs;q=1e999", ",,,"]),
        "If-None-Match": st.sampled_from(["*", '"', "W/"]),
    },
)
LIMITS = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def text_for(name: str) -> st.SearchStrategy[str]:
    """Something for a parameter: near to what it means, or any text that can stand in a URL."""
    anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    return st.sampled_from(NEAR[name]) | anything if name in NEAR else anything


@st.composite
def requests(draw: st.DrawFn, document: Mapping[str, Any]) -> httpx.Request:
    """A GET request to some operation."""
    path = draw(st.sampled_from(sorted(path for path, item in document["paths"].items() if "get" in item)))
    query, url = [], path
    for row in document["paths"][path]["get"].get("parameters", ()):
        name = row["name"]
        if row["in"] == "path":
            url = url.replace(f"{{{name}}}", _quoted(draw(text_for(name))))
        elif row["in"] == "query" and (row.get("required") or draw(st.booleans())):
            query += [(name, draw(text_for(name))) for _ in range(draw(st.integers(1, 2)))]
    if draw(st.integers(0, 9)) == 0:
        query.append((draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=5)), "x"))
    return httpx.Request("GET", f"http://127.0.0.1{url}", params=query, headers=draw(HEADERS))


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode()) or "-"


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "device",
                    "time",
                    "readings",
                    "pm10",
                    "value",
                    "unit",
                    "ids",
                    "reason",
                    "place",
                    "interval",
                    "origin",
                ]
            ),
            inner | st.sampled_from([AIR, "2026-11-23T11:00:00Z", "0-1", SITE, "simulated", "K"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@LIMITS
@given(data=st.data())
async def test_no_query_breaks_the_hub(world: World, data: st.DataObject) -> None:
    document = world.app.openapi()
    async with world.client("admin") as client:
        for _ in range(5):
            made = data.draw(requests(document))
            answer = await client.request("GET", made.url, headers=made.headers)
            assert answer.status_code < 500, f"{made.url}: {answer.text}"
            if answer.status_code >= 400:
                assert answer.headers["Content-Type"] == "application/problem+json"


@LIMITS
@given(
    body=BODIES,
    path=st.sampled_from(["devices", "readings", "quarantine/redrive", "corrections", "corrections/1/withdraw"]),
)
async def test_no_body_breaks_the_hub(world: World, body: Any, path: str) -> None:
    content = httpx.Request("POST", "http://x", content=_lax(body)).content
    async with world.client("write") as client:
        answer = await client.post(f"/api/v1/{path}", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text


@LIMITS
@given(body=st.binary(max_size=40) | st.just(b"[" * 100_000) | st.just(b"9" * 10_000))
async def test_no_bytes_break_the_hub(world: World, body: bytes) -> None:
    async with world.client("write") as client:
        answer = await client.post("/api/v1/readings", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["Content-Type"] == "application/problem+json"


def _lax(body: Any) -> bytes:
    """JSON with NaN and Infinity, which Python's parser takes and the hub must not."""
    import json

    return json.dumps(body).encode()
