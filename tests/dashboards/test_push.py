# SPDX-License-Identifier: EUPL-1.2
"""Pushing dashboards: the real client against a stand-in for Grafana's API, as no Grafana can run here."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from dashboards.build import render
from dashboards.push import push
from hub.core.errors import Invalid, Retry
from hub.devices.city import load_city
from tests.servers import free_port

FILES = render(load_city())


@contextmanager
def grafana(status: int, answer: object) -> Iterator[tuple[str, list[tuple[str, str | None, dict[str, object]]]]]:
    """Answers every POST alike and remembers path, authorization and body."""
    asked: list[tuple[str, str | None, dict[str, object]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers.get("Authorization"), body))
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_each_dashboard_is_replaced_by_its_uid() -> None:
    with grafana(200, {"url": "/d/x", "status": "success"}) as (url, asked):
        assert push(url, "secret", FILES) == ["/d/x"] * len(FILES)
    [(path, authorization, body)] = asked
    assert path == "/api/dashboards/db"
    assert authorization == "Bearer secret"
    assert body["overwrite"] is True
    assert body["dashboard"] == json.loads(FILES["air-by-part.json"])


@pytest.mark.parametrize(
    ("status", "error", "word"),
    [(401, Invalid, "token"), (412, Invalid, "air-by-part"), (503, Retry, "503")],
)
def test_what_grafana_refuses_is_said(status: int, error: type[Exception], word: str) -> None:
    with grafana(status, {"message": "no"}) as (url, _), pytest.raises(error, match=word):
        push(url, "secret", FILES)


def test_a_grafana_that_is_not_there_may_be_tried_again() -> None:
    with pytest.raises(Retry, match="127"):
        push(f"http://127.0.0.1:{free_port()}", "secret", FILES)
