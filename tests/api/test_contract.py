# SPDX-License-Identifier: EUPL-1.2
"""The API keeps to its OpenAPI document, for requests made from it: status, content type and shape of every answer.

Few examples of each operation, the same ones in every run. One app answers them all, as an administrator: what they
change or take away is a copy made for this test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import httpx
import requests
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api import create_app
from tests.api.conftest import World

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance, content_type_conformance]
ORIGIN = "http://127.0.0.1:8000"
PARTS = {"method", "url", "headers", "params", "cookies", "json", "data", "files"}  # what requests makes a body of
FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    # How fast or how often data could be made says nothing of the answers; machines are slow.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)

AnyCase = Case[Any]


class Send(Protocol):
    """Sends a made-up request to the app."""

    def __call__(self, case: AnyCase) -> httpx.Response: ...


@contextmanager
def sender(world: World) -> Iterator[Send]:
    """The app in an event loop of another thread: Hypothesis knows no coroutines."""
    ledger = world.ledger
    app = create_app(replace(world.services, people=ledger.people, imports=ledger.imports))
    app.openapi_schema = world.app.openapi()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url=ORIGIN)

    def send(case: AnyCase) -> httpx.Response:
        _, key = ledger.keys.create("contract", frozenset({"admin"}))  # its own: requests revoke keys too
        words = case.as_transport_kwargs(base_url=ORIGIN, headers={"Authorization": f"Bearer {key}"})
        made = requests.Request(**{name: words[name] for name in PARTS & words.keys()}).prepare()
        body = made.body.encode() if isinstance(made.body, str) else made.body
        assert body is None or isinstance(body, bytes)
        headers = {name: value for name, value in made.headers.items() if isinstance(value, str)}
        request = client.build_request(made.method or "", made.url or "", headers=headers, content=body)
        answer = portal.call(client.send, request)
        assert answer.status_code != 401, "an administrator asks"
        return answer

    with start_blocking_portal() as portal:
        yield send
        portal.call(client.aclose)


def contradictions(send: Send, operation: APIOperation[Any, Any, Any, Any]) -> list[str]:
    """What answers of one operation say against the document."""
    found: dict[str, str] = {}

    @FEW
    @given(case=operation.as_strategy())
    def ask(case: AnyCase) -> None:
        answer = send(case)
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for failure in group.exceptions:
                asked = f"{answer.request.method} {answer.request.url} {answer.request.content[:300]!r}"
                found.setdefault(str(failure)[:600], f"{asked}: {answer.text[:300]}")

    ask()
    return [f"{failure} for {asked}" for failure, asked in found.items()]


def test_answers_keep_to_the_document(world: World) -> None:
    """No 500, no status, content type or shape that the document does not name."""
    document = world.app.openapi()
    broken, asked = [], 0
    with sender(world) as send:
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            assert isinstance(found, Ok), found
            broken += contradictions(send, found.ok())
            asked += 1
    assert broken == []
    assert asked >= len(document["paths"])
