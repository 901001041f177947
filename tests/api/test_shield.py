# SPDX-License-Identifier: EUPL-1.2
"""What holds for every request: hosts, size, HEAD, headers, ETags."""

from collections.abc import AsyncIterator

import pytest
from starlette.types import Message, Receive, Scope, Send

from hub.api.shield import Shield
from tests.api.conftest import AIR, World

P = "/api/v1"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]:8000", "[::1]"])
async def test_loopback_names_are_answered(world: World, host: str) -> None:
    async with world.client() as client:
        assert (await client.get(f"{P}/places", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000", ""])
async def test_other_names_are_refused_while_reads_are_open(world: World, host: str) -> None:
    """A page in a browser must not reach the hub through a name of its own (DNS rebinding)."""
    async with world.client() as client:
        assert (await client.get(f"{P}/places", headers={"Host": host})).status_code == 400


async def test_any_name_is_answered_when_reads_need_a_key_or_by_setting(world: World) -> None:
    headers = {"Host": "hub.havirov.example"}
    async with world.client("read", read_requires_key=True) as client:
        assert (await client.get(f"{P}/places", headers=headers)).status_code == 200
    async with world.client(allowed_hosts=["hub.havirov.example"]) as client:
        assert (await client.get(f"{P}/places", headers=headers)).status_code == 200
        assert (await client.get(f"{P}/places")).status_code == 400


async def test_a_body_without_length_is_cut_off_at_the_limit(world: World) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b" " * 65_536

    async with world.client("write") as client:
        answer = await client.post(f"{P}/readings", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert sent <= 1_048_576 + 2 * 65_536


async def test_head_is_get_without_body(world: World) -> None:
    async with world.client() as client:
        get, head = await client.get(f"{P}/places"), await client.head(f"{P}/places")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == get.headers


async def test_every_answer_has_security_headers_errors_too(world: World) -> None:
    async with world.client() as client:
        for path in (f"{P}/places", f"{P}/nothing", f"{P}/devices?x=1", "/metrics", "/docs", "/openapi.json"):
            headers = (await client.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] == "no-referrer", path
            assert "default-src 'none'" in headers["Content-Security-Policy"], path
            assert "script" not in headers["Content-Security-Policy"], path


@pytest.mark.parametrize(
    "path", [f"{P}/devices/{AIR}", f"{P}/places", f"{P}/readings?device={AIR}", f"{P}/indicators/latest"]
)
async def test_what_has_not_changed_is_not_sent_again(world: World, path: str) -> None:
    async with world.client() as client:
        first = await client.get(path)
        tag = first.headers["ETag"]
        again = await client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        other = await client.get(path, headers={"If-None-Match": '"other"'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in again.headers
    assert (other.status_code, other.content) == (200, first.content)


async def test_a_change_changes_the_tag(world: World) -> None:
    async with world.client("write") as client:
        before = (await client.get(f"{P}/devices")).headers["ETag"]
        await client.post(f"{P}/devices", json={"id": "new-1"})
        after = await client.get(f"{P}/devices", headers={"If-None-Match": before})
    assert after.status_code == 200
    assert after.headers["ETag"] != before


async def test_errors_have_no_tag(world: World) -> None:
    async with world.client() as client:
        assert "ETag" not in (await client.get(f"{P}/devices/none")).headers


async def test_a_fault_after_the_answer_began_closes_the_connection() -> None:
    """A second head cannot be sent: the exception goes on to the server, which drops the connection."""
    sent: list[Message] = []

    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("half way")

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    with pytest.raises(RuntimeError, match="half way"):
        await Shield(half, 10, ["localhost"])(scope, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start"]
