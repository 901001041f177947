# SPDX-License-Identifier: EUPL-1.2
"""Which PUBACKs go out."""

from hypothesis import given
from hypothesis import strategies as st

from hub.transport._window import AckWindow, Receipt


def filled(*mids: int, epoch: int = 7) -> AckWindow:
    window = AckWindow(epoch)
    for mid in mids:
        assert window.received(mid, 10, dup=False) is Receipt.NEW
    return window


def test_a_confirmed_message_is_released_and_its_weight_with_it() -> None:
    window = filled(1, 2)
    assert window.bytes == 20
    assert window.confirm([window.token(1)]) == ([1], 0)
    assert (window.bytes, len(window)) == (10, 1)


def test_a_token_of_another_epoch_is_stale() -> None:
    window = filled(1)
    assert window.confirm([AckWindow(6).token(1)]) == ([], 1)
    assert len(window) == 1


def test_confirming_twice_sends_once() -> None:
    window = filled(1, 2)
    token = window.token(2)
    assert window.confirm([token, token]) == ([], 1)
    assert window.confirm([window.token(1)]) == ([1, 2], 0)
    assert window.confirm([token]) == ([], 1)


def test_a_repeat_of_what_is_in_hand_is_told_apart_from_a_new_message() -> None:
    window = filled(1)
    assert window.received(1, 10, dup=True) is Receipt.AGAIN
    assert window.received(1, 10, dup=False) is Receipt.REUSED
    assert window.bytes == 10


def test_an_id_is_free_again_after_its_puback() -> None:
    window = filled(1)
    window.confirm([window.token(1)])
    assert window.received(1, 10, dup=False) is Receipt.NEW


@given(st.data())
def test_whatever_the_order_of_confirmation_pubacks_leave_in_order_of_receipt(data: st.DataObject) -> None:
    mids = data.draw(st.lists(st.integers(1, 0xFFFF), unique=True, max_size=30))
    window = filled(*mids, epoch=data.draw(st.integers(1, 2**40)))
    sent: list[int] = []
    for mid in data.draw(st.permutations(mids)):
        sent += window.confirm([window.token(mid)])[0]
        assert sent == mids[: len(sent)]
    assert sent == mids
    assert window.bytes == 0
