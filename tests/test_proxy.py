# SPDX-License-Identifier: EUPL-1.2
"""The bad network does what it says: tests of failures are worth as much as the failures are real."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from tests.proxy import Proxy, proxy


@pytest.fixture
def link() -> Iterator[Proxy]:
    """A proxy before a server that sends everything back."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo_all, args=(listener,), daemon=True).start()
        with proxy(listener.getsockname()[1]) as made:
            yield made


def echo_all(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            conn, _ = listener.accept()
            threading.Thread(target=echo, args=(conn,), daemon=True).start()


def echo(conn: socket.socket) -> None:
    with conn, suppress(OSError):
        while data := conn.recv(65_536):
            conn.sendall(data)


def dial(link: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), 5)


def ask(client: socket.socket, data: bytes) -> bytes:
    client.sendall(data)
    got = b""
    while len(got) < len(data):
        piece = client.recv(65_536)
        if not piece:
            break
        got += piece
    return got


def test_passes_everything_both_ways(link: Proxy) -> None:
    with dial(link) as client:
        assert ask(client, b"hello") == b"hello"
        assert ask(client, bytes(range(256)) * 200) == bytes(range(256)) * 200
        assert (link.accepted, link.open) == (1, 1)


def test_latency_delays_each_way(link: Proxy) -> None:
    link.latency = 0.1
    with dial(link) as client:
        began = time.monotonic()
        assert ask(client, b"a") == b"a"
        assert time.monotonic() - began >= 0.2


def test_rate_bounds_the_bytes_in_a_second(link: Proxy) -> None:
    link.rate = 100_000
    with dial(link) as client:
        began = time.monotonic()
        assert len(ask(client, bytes(30_000))) == 30_000
        assert time.monotonic() - began >= 0.3


def test_a_stall_holds_back_one_way_and_loses_nothing(link: Proxy) -> None:
    with dial(link) as client:
        assert ask(client, b"a") == b"a"
        link.stall("down")
        client.sendall(b"held")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(10)
        assert link.passed["up"] == 5
        link.flow()
        client.settimeout(5)
        assert client.recv(10) == b"held"


def test_in_the_dark_nothing_answers_old_connections_or_new(link: Proxy) -> None:
    with dial(link) as old:
        assert ask(old, b"a") == b"a"
        link.go_dark()
        with dial(link) as new:
            for client in (old, new):
                client.sendall(b"into the dark")
                client.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    client.recv(10)
            link.go_light()
            new.settimeout(5)
            with pytest.raises(ConnectionResetError):
                new.recv(10)
    with dial(link) as later:
        assert ask(later, b"b") == b"b"


@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_is_fin_or_rst(link: Proxy, reset: bool) -> None:
    with dial(link) as client:
        assert ask(client, b"a") == b"a"
        assert link.cut(reset=reset) == 1
        if reset:
            with pytest.raises(ConnectionResetError):
                client.recv(10)
        else:
            assert client.recv(10) == b""


@pytest.mark.parametrize("lose", [Proxy.lose_next_answer, lambda link: link.lose_answer_to(b"a")])
def test_an_answer_is_lost_after_the_server_had_the_question(link: Proxy, lose: Callable[[Proxy], None]) -> None:
    with dial(link) as client:
        lose(link)
        with pytest.raises(ConnectionResetError):
            ask(client, b"a")
        assert link.passed == {"up": 1, "down": 0}
    with dial(link) as client:
        assert ask(client, b"b") == b"b"


def test_a_server_that_is_away_is_a_reset(link: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        link.upstream = closed.getsockname()[1]
    with pytest.raises(ConnectionError), dial(link) as client:  # while connecting, sending or waiting
        ask(client, b"a")
