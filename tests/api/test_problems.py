# SPDX-License-Identifier: EUPL-1.2
"""Every way to fail answers with a problem (RFC 9457) that names the culprit and says what to do."""

from typing import Any

import httpx
import pytest

from hub.api.problems import KINDS, MEDIA_TYPE
from hub.api.schemas.common import ProblemOut
from hub.core.errors import HubError, Invalid, Retry, Stop, UnknownQuantity
from tests.api.conftest import AIR, World

P = "/api/v1"
DEVICE = {"id": "new-1"}
SENT = {"device": AIR, "time": "2026-11-23T11:00:00Z", "readings": {"pm10": 1}}
JSON = {"Content-Type": "application/json"}


def problem_of(answer: httpx.Response) -> dict[str, Any]:
    """The problem, after checking the shape that all share."""
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    ProblemOut.model_validate(answer.json(), by_name=True, by_alias=True)
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    kind = body["type"].removeprefix(f"{P}/problems/")
    assert (KINDS[kind].status, KINDS[kind].title) == (body["status"], body["title"])
    assert body["detail"]
    return body


# (method, path, arguments of the request, kind, words of the detail)
CASES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("GET", "/nothing", {}, "not-found", "nothing at /nothing; GET /openapi.json"),
    ("GET", f"{P}/devices/", {}, "not-found", "nothing at /api/v1/devices/"),
    ("GET", f"{P}/devices/none", {}, "not-found", "no device 'none' is registered"),
    ("DELETE", f"{P}/devices/none", {}, "not-found", "no device 'none' is registered"),
    ("GET", f"{P}/readings?device=none", {}, "not-found", "no device 'none'"),
    ("GET", f"{P}/indicators/none", {}, "not-found", "no indicator 'none'"),
    ("GET", f"{P}/indicators/pm10_day_meen/values", {}, "not-found", "did you mean pm10_day_mean"),
    ("GET", f"{P}/quarantine/0-999", {}, "not-found", "no message '0-999'"),
    ("GET", f"{P}/quarantine/7-1", {}, "not-found", "no message '7-1'"),
    ("GET", f"{P}/commands/999", {}, "not-found", "no order 999"),
    ("GET", f"{P}/problems/none", {}, "not-found", "no kind of problem"),
    ("PUT", f"{P}/devices", {}, "method-not-allowed", "takes"),
    ("DELETE", "/metrics", {}, "method-not-allowed", "takes GET"),
    ("POST", f"{P}/devices", {"json": {"id": AIR}}, "exists", "is registered already"),
    ("POST", f"{P}/devices", {"json": {"id": "x", "external_id": AIR}}, "exists", "as device 'air-sumbark-1'"),
    ("POST", f"{P}/devices", {"json": {"id": "x", "place": "havirov/none"}}, "not-found", "no place 'havirov/none'"),
    ("POST", f"{P}/devices", {"json": {"id": "a b"}}, "validation", "id: String should match pattern"),
    ("POST", f"{P}/devices", {"json": {**DEVICE, "intervall": 9}}, "validation", "intervall: is no field here"),
    ("POST", f"{P}/devices", {"json": {}}, "validation", "id: Field required"),
    ("POST", f"{P}/devices", {"json": {**DEVICE, "interval": 0}}, "validation", "interval: "),
    ("POST", f"{P}/devices", {"json": {**DEVICE, "origin": "guessed"}}, "validation", "origin: "),
    ("POST", f"{P}/devices", {"content": b"{", "headers": JSON}, "validation", "not JSON at character 1"),
    ("POST", f"{P}/devices", {"content": b"id=new-1"}, "media-type", "Content-Type: application/json"),
    ("POST", f"{P}/devices", {"data": {"id": "new-1"}}, "media-type", "Content-Type: application/json"),
    ("POST", f"{P}/devices", {"content": b"\xff{", "headers": JSON}, "bad-request", "body"),
    ("POST", f"{P}/readings", {"json": "x" * 1_100_000}, "too-large", "1048576 bytes"),
    ("POST", f"{P}/quarantine/redrive", {"json": {}}, "validation", "give either ids"),
    ("POST", f"{P}/quarantine/redrive", {"json": {"ids": ["0-999"]}}, "not-found", "no message matches"),
    ("POST", f"{P}/quarantine/redrive", {"json": {"ids": ["9-1"]}}, "validation", "there is no journal 9"),
    ("GET", f"{P}/readings", {}, "validation", "device: Field required"),
    ("GET", f"{P}/readings?device={AIR}&form=2026-11-23T10:00:00Z", {}, "validation", "form: is no parameter here"),
    ("GET", f"{P}/readings?device={AIR}&limit=1&limit=2", {}, "validation", "limit: is given more than once"),
    ("GET", f"{P}/readings?device={AIR}&limit=0", {}, "validation", "limit: "),
    ("GET", f"{P}/readings?device={AIR}&quantity=pm100", {}, "validation", "did you mean pm10"),
    ("GET", f"{P}/readings?device={AIR}&cursor=AAAA", {}, "validation", "cursor: is no cursor of this list"),
    ("GET", f"{P}/devices?cursor=WzFd", {}, "validation", "cursor: is no cursor of this list"),
    ("GET", f"{P}/devices?place=nowhere", {}, "validation", "place: no place 'nowhere'"),
    ("GET", f"{P}/readings?device={AIR}&from=2026-11-23T10:00:00", {}, "validation", "from: '2026-11-23T10:00:00' has"),
    ("GET", f"{P}/readings?device={AIR}&to=2026-11-23T10:00:00+01:00", {}, "validation", "to: '2026-11-23T10:00:00 01"),
    (
        "GET",
        f"{P}/indicators/eaqi_2024/values?from=yesterday",
        {},
        "validation",
        "from: 'yesterday' is no RFC 3339 time",
    ),
    (
        *("GET", f"{P}/indicators/eaqi_2024/values?from=2026-11-23T10:00:00Z&to=2026-11-23T10:00:00Z", {}),
        *("validation", "from: must be before `to`"),
    ),
    ("GET", f"{P}/indicators/eaqi_2024/values?below=true", {}, "validation", "below: goes with `place`"),
    ("GET", f"{P}/indicators/changes?since=-1", {}, "validation", "since: "),
    ("GET", f"{P}/indicators/changes?since=9223372036854775808", {}, "validation", "since: "),
    ("GET", f"{P}/quarantine?state=lost", {}, "validation", "state: "),
    ("GET", f"{P}/places", {"headers": {"Host": "evil.example"}}, "wrong-host", "the header Host must name one of"),
]


@pytest.mark.parametrize(("method", "path", "arguments", "kind", "words"), CASES)
async def test_what_is_wrong_is_named(
    world: World, method: str, path: str, arguments: dict[str, Any], kind: str, words: str
) -> None:
    async with world.client("admin") as client:
        body = problem_of(await client.request(method, path, **arguments))
    assert body["type"] == f"{P}/problems/{kind}"
    assert words in body["detail"]


async def test_errors_list_each_culprit_with_its_place(world: World) -> None:
    async with world.client("admin") as client:
        answer = await client.get(f"{P}/readings?device={AIR}&from=x&limit=0")
        posted = await client.post(f"{P}/readings", json=[SENT, {**SENT, "time": "now", "readings": {"pm10": "high"}}])
    assert [(row["in"], row["name"]) for row in problem_of(answer)["errors"]] == [("query", "from"), ("query", "limit")]
    assert [row["name"] for row in problem_of(posted)["errors"]] == ["1.time", "1.readings.pm10"]


async def test_a_405_says_what_the_path_takes(world: World) -> None:
    async with world.client("admin") as client:
        answer = await client.delete("/metrics")
    assert answer.headers["Allow"] == "GET"


class Failing:
    """A registry that fails as it is told."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def snapshot(self) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "kind", "headers"),
    [
        (Retry("ledger.db is locked", after=2.5), 503, "unavailable", {"Retry-After": "3"}),
        (Retry("ledger.db is locked", after=0), 503, "unavailable", {"Retry-After": "1"}),
        (Stop("password of postgres at /etc/secret is wrong"), 503, "stopped", {}),
        (HubError("something at /etc/secret"), 503, "stopped", {}),
        (Invalid("must be shorter", "title"), 422, "validation", {}),
        (UnknownQuantity("pm100", ["pm10"]), 422, "validation", {}),
        (RuntimeError("a bug in /etc/secret"), 500, "internal", {}),
    ],
)
async def test_errors_of_the_ports(
    world: World, error: Exception, status: int, kind: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with world.client(book=Failing(error)) as client:
        answer = await client.get(f"{P}/places")
    body = problem_of(answer)
    assert (answer.status_code, body["type"]) == (status, f"{P}/problems/{kind}")
    assert {name: answer.headers.get(name) for name in headers} == headers
    assert ("Retry-After" in answer.headers) == ("Retry-After" in headers)
    assert "secret" not in answer.text
    assert (str(error) in caplog.text) == (status >= 500)


async def test_an_incident_of_a_fault_is_found_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async with world.client(book=Failing(RuntimeError("a bug"))) as client:
        incident = problem_of(await client.get(f"{P}/places"))["incident"]
    assert f"incident {incident}: GET /api/v1/places" in caplog.text


async def test_readings_are_refused_for_now_while_the_broker_is_away(world: World) -> None:
    world.outbox.away = True
    async with world.client("write") as client:
        answer = await client.post(f"{P}/readings", json=SENT)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert "try again in 7 s" in problem_of(answer)["detail"]


async def test_every_kind_can_be_read_where_its_type_leads(world: World) -> None:
    async with world.client() as client:
        for row in (await client.get(f"{P}/problems")).json()["items"]:
            assert (await client.get(row["type"])).json() == row
