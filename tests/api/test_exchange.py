# SPDX-License-Identifier: EUPL-1.2
"""Import and export over the API: a table in, the same table out, and undone."""

from tests.api.conftest import World

TABLE = b"id,connector,title\nnew-1,native,One\nnew-2,native,Two\n"


async def test_an_import_is_tried_done_exported_and_undone(world: World) -> None:
    changes = {"imports": world.ledger.imports, "connectors": ("native",)}
    headers = {"Content-Type": "text/csv"}
    async with world.client("write", **changes) as client:
        before = (await client.get("/api/v1/devices/export")).content
        tried = await client.post("/api/v1/devices/import?dry_run=true", content=TABLE, headers=headers)
        assert (tried.status_code, tried.json()["counts"]["create"], tried.json()["run"]) == (200, 2, None)
        assert (await client.get("/api/v1/devices/export")).content == before
        wrong = await client.post("/api/v1/devices/import", content=TABLE + b"a/b,native,x\n", headers=headers)
        assert wrong.status_code == 422
        assert "row 4" in wrong.text
        done = await client.post("/api/v1/devices/import?filename=a.csv", content=TABLE, headers=headers)
        exported = (await client.get("/api/v1/devices/export")).content
        assert b"new-2" in exported
        again = await client.post("/api/v1/devices/import?dry_run=true", content=exported, headers=headers)
        assert set(again.json()["counts"].items()) >= {("create", 0), ("change", 0), ("error", 0)}
        undone = await client.post(f"/api/v1/imports/{done.json()['run']['id']}/undo")
        assert undone.json()["undone_by"]
        assert (await client.get("/api/v1/devices/export")).content == before
