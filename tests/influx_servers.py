# SPDX-License-Identifier: EUPL-1.2
"""Real InfluxDB 1.x and VictoriaMetrics for tests, on free loopback ports, and a front that can misbehave.

    with influxd(tmp_path) as server: ...         # server.url; server.kill(); server.start(); server.stop()
    with victoria(tmp_path) as server: ...        # server.url
    with front(server.url) as answers: ...        # answers.url; answers.script.append(Canned(503))

No package of InfluxDB 2.x can be had for these tests. The front stands in for its HTTP surface before a real influxd
1.x: `/ping` says v2.7, `/api/v2/write` becomes `/write`, buckets and DBRP mappings are answered from memory (a bucket
mapped to a further policy of a database is such a policy of the real one), every request needs the token. It shows
that the hub speaks this surface, not how 2.x stores. A server missing from the machine skips the test, saying so, and
fails it where CI is set.
"""

import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from tests.servers import Server, free_port, require_binary, running

TOKEN = "test-token"
ORG = "city"


class DatabaseServer(Server):
    """A server with an HTTP address."""

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: str) -> bytes:
        """Body of a GET, past the hub."""
        return self._ask(urllib.request.Request(self._address(path, parameters)))

    def post(self, path: str, body: bytes = b"", **parameters: str) -> bytes:
        """Body of a POST, past the hub."""
        return self._ask(urllib.request.Request(self._address(path, parameters), data=body, method="POST"))

    def query(self, database: str, influxql: str) -> list[dict[str, object]]:
        """Rows of all series of an InfluxQL answer, as {column or tag: value}, past the hub."""
        answer = json.loads(self.post("/query", db=database, epoch="ns", q=influxql))
        rows = []
        for result in answer["results"]:
            for series in result.get("series", ()):
                tags = series.get("tags", {})
                rows += [tags | dict(zip(series["columns"], row, strict=True)) for row in series["values"]]
        return rows

    def _address(self, path: str, parameters: Mapping[str, str]) -> str:
        return f"{self.url}{path}?{urllib.parse.urlencode(parameters)}"

    def _ask(self, request: urllib.request.Request) -> bytes:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as answer:
            return bytes(answer.read())


@contextmanager
def influxd(directory: Path, *, auth: bool = False) -> Iterator[DatabaseServer]:
    """A running InfluxDB 1.x with its data in `directory`; `auth` asks for user and password."""
    binary = require_binary("influxd")
    port = free_port()
    config = directory / "influxdb.conf"
    config.write_text(f"""
        reporting-disabled = true
        bind-address = "127.0.0.1:{free_port()}"
        [meta]
        dir = "{directory}/meta"
        [data]
        dir = "{directory}/data"
        wal-dir = "{directory}/wal"
        [monitor]
        store-enabled = false
        [continuous_queries]
        enabled = false
        [http]
        bind-address = "127.0.0.1:{port}"
        auth-enabled = {str(auth).lower()}
        log-enabled = false
    """)
    server = DatabaseServer([str(binary), "-config", str(config)], port, directory / "influxd.log")
    with running(server):
        yield server


@contextmanager
def victoria(directory: Path) -> Iterator[DatabaseServer]:
    """A running VictoriaMetrics with its data in `directory`."""
    binary = require_binary("victoria-metrics")
    port = free_port()
    command = [str(binary), f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={directory}/victoria"]
    server = DatabaseServer([*command, "-retentionPeriod=100y"], port, directory / "victoria.log")
    with running(server):
        yield server


class Canned(NamedTuple):
    """An answer that the front gives instead of the real one; `after`: the real one happens, but nobody hears of it."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b'{"message": "canned", "error": "canned"}'
    after: bool = False


class Front:
    """The 2.x surface before `upstream`; the answers in `script` come first, one for each write."""

    def __init__(self, upstream: str, buckets: Mapping[str, str]) -> None:
        self.upstream = upstream
        self.buckets = dict(buckets)
        self.mappings: list[dict[str, object]] = []
        self.rules: dict[str, list[dict[str, int]]] = {}  # retention rules by id of the bucket
        self.policies: dict[str, tuple[str, str]] = {}  # database and policy of buckets that are not the default one
        self.script: list[Canned] = []
        self.writes: list[bytes] = []
        self.url = ""


@contextmanager
def front(upstream: str, *buckets: str) -> Iterator[Front]:
    """A running front that has these buckets."""
    state = Front(upstream, {name: f"{i:016x}" for i, name in enumerate(buckets, start=1)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(state: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets: without this every answer waits 40 ms

        def do_GET(self) -> None:
            self._serve(b"")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def do_PATCH(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the standard library's name
            pass

        def _serve(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            asked = dict(urllib.parse.parse_qsl(query))
            if path == "/ping":
                self._answer(204, {"X-Influxdb-Version": "v2.7.12", "X-Influxdb-Build": "OSS"}, b"")
            elif self.headers.get("Authorization") != f"Token {TOKEN}":
                self._answer(401, {}, b'{"code":"unauthorized","message":"unauthorized access"}')
            elif path == "/api/v2/write":
                self._write(asked, body)
            elif path == "/query":
                self._forward("/query", body, self.headers.get("Content-Type", ""))
            else:
                self._answer(*_administer(state, path, asked, body))

        def _write(self, asked: Mapping[str, str], body: bytes) -> None:
            state.writes.append(body)
            canned = state.script.pop(0) if state.script else None
            if canned is not None and not canned.after:
                self._answer(canned.status, canned.headers, canned.body)
            elif asked["bucket"] not in state.buckets or asked["org"] != ORG:
                self._answer(404, {}, b'{"code":"not found","message":"bucket not found"}')
            else:
                database, policy = state.policies.get(asked["bucket"], (asked["bucket"], ""))
                query = urllib.parse.urlencode({"db": database, "rp": policy, "precision": asked["precision"]})
                self._forward(f"/write?{query}", body, "text/plain", canned)

        def _forward(self, path: str, body: bytes, kind: str, canned: Canned | None = None) -> None:
            request = urllib.request.Request(state.upstream + path, data=body, headers={"Content-Type": kind})
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(request, timeout=20) as answer:
                    status, said = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    status, said = error.code, error.read()
            if canned is not None:
                status, said = canned.status, canned.body
            self._answer(422 if status == 400 and path.startswith("/write") else status, {}, said)

        def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

    return Handler


def _administer(state: Front, path: str, asked: Mapping[str, str], body: bytes) -> tuple[int, Mapping[str, str], bytes]:
    if path == "/api/v2/buckets":
        if body:
            name = json.loads(body)["name"]
            state.buckets[name] = f"{len(state.buckets) + 1:016x}"
            return _change_bucket(state, name, json.loads(body))
        found = [_bucket(state, n) for n in state.buckets if n == asked.get("name")]
        return 200, {}, json.dumps({"buckets": found}).encode()
    if path.startswith("/api/v2/buckets/"):
        name = next(name for name, id_ in state.buckets.items() if path.endswith(f"/{id_}"))
        return _change_bucket(state, name, json.loads(body) if body else {})
    if path == "/api/v2/dbrps" and body:
        state.mappings.append({"id": f"{len(state.mappings):016x}", **json.loads(body)})
        _keep_upstream(state)
        return 201, {}, json.dumps(state.mappings[-1]).encode()
    if path == "/api/v2/dbrps":
        wanted = [m for m in state.mappings if m["database"] == asked.get("db")]
        return 200, {}, json.dumps({"content": wanted}).encode()
    return 404, {}, b'{"code":"not found","message":"no such path"}'


def _bucket(state: Front, name: str) -> dict[str, object]:
    rules = state.rules.get(state.buckets[name], [])
    return {"id": state.buckets[name], "orgID": "0" * 16, "name": name, "retentionRules": rules}


def _change_bucket(
    state: Front, name: str, change: Mapping[str, list[dict[str, int]]]
) -> tuple[int, dict[str, str], bytes]:
    if "retentionRules" in change:
        state.rules[state.buckets[name]] = change["retentionRules"]
        _keep_upstream(state)
    return 200, {}, json.dumps(_bucket(state, name)).encode()


def _keep_upstream(state: Front) -> None:
    """Let the real database have the policies that buckets stand for."""
    names = {id_: name for name, id_ in state.buckets.items()}
    for mapping in [m for m in state.mappings if not m["default"]]:
        database, policy, bucket = (str(mapping[key]) for key in ("database", "retention_policy", "bucketID"))
        known = names[bucket] in state.policies
        state.policies[names[bucket]] = (database, policy)
        [rule] = state.rules[bucket]
        verb, copies = ("ALTER", "") if known else ("CREATE", "REPLICATION 1 ")
        duration = f"{rule['everySeconds']}s" if rule["everySeconds"] else "INF"
        q = f'{verb} RETENTION POLICY "{policy}" ON "{database}" DURATION {duration} {copies}'
        q += f"SHARD DURATION {rule['shardGroupDurationSeconds']}s"
        address = f"{state.upstream}/query?{urllib.parse.urlencode({'q': q})}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(urllib.request.Request(address, method="POST"), timeout=20) as answer:
            assert b"error" not in answer.read()
