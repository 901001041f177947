# SPDX-License-Identifier: EUPL-1.2
"""The OpenAPI document says all that a client needs, and what it says is true; /docs shows it without the internet."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from hub.api.routes.docs import example_of
from hub.api.schemas import common, corrections, coverage, devices, fulfilment, indicators, provenance, readings
from hub.api.schemas import operation as operation_schemas
from hub.api.schemas import strategies as strategy_schemas
from tests.api.conftest import World

MODELS = [
    model
    for module in (
        common,
        corrections,
        coverage,
        devices,
        fulfilment,
        indicators,
        operation_schemas,
        provenance,
        readings,
        strategy_schemas,
    )
    for _, model in inspect.getmembers(module, inspect.isclass)
    if issubclass(model, common.Model) and model is not common.Model and model.__module__ == module.__name__
]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from (value for key, value in node.items() if key == "$ref")
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from references(child)


def test_every_operation_has_summary_description_tag_and_example(world: World) -> None:
    document = world.app.openapi()
    tags = {tag["name"] for tag in document["tags"]}
    lacking = []
    for name, operation in operations(document):
        good = next((body for status, body in operation["responses"].items() if status[0] == "2"), None)
        found = {
            "summary": operation.get("summary"),
            "description": len(operation.get("description", "")) > 40,
            "tag": set(operation.get("tags", ())) & tags,
            "success": good,
            "example": good and ("content" not in good or example_of(good, document) is not None),
            "body": "requestBody" not in operation or example_of(operation["requestBody"], document),
            "500": operation["responses"].get("500"),
        }
        lacking += [f"{name}: {what}" for what, value in found.items() if not value]
    assert lacking == []


def test_every_parameter_is_described(world: World) -> None:
    rows = [
        (name, row) for name, operation in operations(world.app.openapi()) for row in operation.get("parameters", ())
    ]
    assert [f"{name}: {row['name']}" for name, row in rows if not row.get("description")] == []


def test_every_reference_leads_somewhere(world: World) -> None:
    document = world.app.openapi()
    for reference in set(references(document)):
        _, kind, group, name = reference.split("/")
        assert name in document[kind][group], reference


def test_guarded_operations_name_their_keys_and_refusals(world: World) -> None:
    for name, operation in operations(world.app.openapi()):
        if "security" not in operation:
            assert name.startswith(("GET /api/v1/health/live", "GET /api/v1/problems")), name
            continue
        assert {key for option in operation["security"] for key in option} == {"bearer", "key"}, name
        assert {"401", "403", "429"} <= operation["responses"].keys(), name


def test_errors_are_problems_everywhere(world: World) -> None:
    document = world.app.openapi()
    for name, operation in operations(document):
        for status, body in operation["responses"].items():
            if int(status) >= 400 and not (name.endswith("/health/ready") and status == "503"):
                assert body["$ref"].startswith("#/components/responses/"), f"{name} {status}"
    for kind, body in document["components"]["responses"].items():
        assert list(body["content"]) == ["application/problem+json"], kind


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_example_keeps_to_its_schema(model: type[BaseModel]) -> None:
    extra = model.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    model.model_validate(extra["example"])


async def test_the_document_and_its_page_are_served_and_need_nothing_else(world: World) -> None:
    async with world.client() as client:
        document = (await client.get("/openapi.json")).json()
        page = (await client.get("/docs")).text
    assert document["openapi"].startswith("3.1")
    assert "src=" not in page
    assert "<script" not in page
    assert "http://" not in page.replace("http://127.0.0.1", "")
    for name, _ in operations(document):
        assert f"<code>{name}</code>" in page
