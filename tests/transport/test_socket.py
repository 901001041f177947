# SPDX-License-Identifier: EUPL-1.2
"""The socket that reads ahead and writes behind."""

import socket
from collections.abc import Iterator

import pytest

from hub.transport._socket import BufferedSocket

Pair = tuple[BufferedSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(5)
    yield BufferedSocket(ours), theirs
    ours.close()
    theirs.close()


def test_many_small_reads_cost_one_read_of_the_network(pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"abcdef")
    assert ours.recv(1) == b"a"
    assert ours.pending() == 5
    assert (ours.recv(2), ours.recv(9)) == (b"bc", b"def")


def test_says_when_the_network_has_no_more(pair: Pair) -> None:
    ours, theirs = pair
    ours.drained = False
    theirs.send(b"a")
    ours.recv(1)
    assert not ours.drained
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    assert ours.drained


def test_nothing_is_sent_before_the_flush_and_everything_in_order_by_it(pair: Pair) -> None:
    ours, theirs = pair
    assert ours.send(b"one") == 3
    ours.send(bytearray(b"two"))
    assert ours.unsent
    theirs.setblocking(False)
    with pytest.raises(BlockingIOError):
        theirs.recv(10)
    ours.flush()
    assert not ours.unsent
    assert theirs.recv(10) == b"onetwo"


def test_what_a_full_network_does_not_take_waits(pair: Pair) -> None:
    ours, theirs = pair
    data = bytes(range(256)) * 8192
    ours.send(data)
    ours.flush()
    assert ours.unsent
    got = bytearray()
    while len(got) < len(data):
        got += theirs.recv(1 << 20)
        ours.flush()
    assert bytes(got) == data
    assert not ours.unsent


def test_closing_sends_what_is_left(pair: Pair) -> None:
    ours, theirs = pair
    ours.send(b"bye")
    ours.close()
    assert theirs.recv(10) == b"bye"
    assert theirs.recv(10) == b""


def test_the_end_of_the_connection_reads_as_nothing(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()
    assert ours.recv(1) == b""
