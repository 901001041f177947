# SPDX-License-Identifier: EUPL-1.2
"""The native connector's short cut for the usual message gives just what the general way gives."""

import json

from hypothesis import given
from hypothesis import strategies as st

from connectors.native.connector import decode
from connectors.native.shortform import decode_short
from hub.sdk import Decoded, DecodeError, RawMessage, load_json, singly

TIMES = st.sampled_from(
    ["2026-11-23T10:00:00Z", "2026-11-23T10:00:00.123456789+01:00", "1650-01-01T00:00:00Z", "", "x"]
)
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70), st.none(), st.just("1")
)
MESSAGES = st.fixed_dictionaries(
    {"readings": st.dictionaries(st.text(max_size=8) | st.sampled_from(["pm10", "no2"]), NUMBERS, max_size=5)},
    optional={"time": TIMES, "revision": st.integers(0, 3), "oops": st.none()},
)


def result(decoded: object) -> object:
    try:
        return [str(item) for item in singly(decoded())]  # type: ignore[operator]  # a thunk
    except DecodeError as error:
        return error.reason, error.detail


@given(MESSAGES)
def test_both_ways_agree(message: dict[str, object]) -> None:
    payload = json.dumps(message).encode()

    def general() -> list[Decoded]:
        out: list[Decoded] = []
        decode_short(load_json(payload), "a", "", out)  # type: ignore[arg-type]  # it is an object
        return out

    assert result(lambda: decode(RawMessage("t", payload), {"device": "a"})) == result(general)
