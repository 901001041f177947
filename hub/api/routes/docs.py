# SPDX-License-Identifier: EUPL-1.2
"""`/docs`: the reference for people, made from the OpenAPI document; no script, nothing from the internet."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hub.api.auth import everybody

router = APIRouter(include_in_schema=False, dependencies=[Depends(everybody)])

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "h2{border-bottom:1px solid #767676;margin-top:2.5rem}h3 code{background:#eee;padding:.1rem .3rem}"
    "table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}"
    "pre{background:#f4f4f4;padding:.6rem;overflow:auto}p.text{white-space:pre-line}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """One page with every operation, its parameters and an example of its answer."""
    page = "".join(_page(request.app.openapi()))
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})


def _page(document: Mapping[str, Any]) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
    yield f'<h1>{title}: API {escape(document["info"]["version"])}</h1><p class="text">'
    yield f"{escape(document['info']['description'])}</p>"
    yield '<p>For programs: <a href="/openapi.json">openapi.json</a></p>'
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if tag["name"] in operation.get("tags", ()):
                    yield from _operation(method.upper(), path, operation, document)
    yield "</body></html>"


def _operation(method: str, path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3><code>{method} {escape(path)}</code> {escape(operation['summary'])}</h3>"
    yield f'<p class="text">{escape(operation["description"])}</p>'
    if parameters := operation.get("parameters"):
        yield "<table><tr><th>parameter</th><th>in</th><th>meaning</th></tr>"
        for row in parameters:
            need = " (required)" if row.get("required") else ""
            yield f"<tr><td>{escape(row['name'])}{need}</td><td>{row['in']}</td>"
            yield f"<td>{escape(row.get('description', ''))}</td></tr>"
        yield "</table>"
    for name, content in (("Request", operation.get("requestBody", {})), ("Answer", _success(operation))):
        if (example := example_of(content, document)) is not None:
            text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False, indent=2)
            yield f"<p>{name}:</p><pre>{escape(text)}</pre>"


def _success(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((body for status, body in operation["responses"].items() if status.startswith("2")), {})


def example_of(content: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """The example of a body: its own, or that of its schema or of the first of several; None without one."""
    for media in content.get("content", {}).values():
        if "example" in media:
            return media["example"]
        schema = media.get("schema", {})
        for part in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())):
            found = document["components"]["schemas"].get(part.get("$ref", "").rpartition("/")[2], part)
            if "example" in found:
                return found["example"]
    return None
