# SPDX-License-Identifier: EUPL-1.2
"""Payload faults are named in words."""

from decimal import Decimal

import pytest

from hub.sdk import DecodeError, describe, load_json, load_object, number, section, sections, text, text_number


@pytest.mark.parametrize(
    ("payload", "reason", "fragment"),
    [
        (b"", "empty", "blank"),
        (b" \r\n", "empty", "blank"),
        (b"\xef\xbb\xbf", "empty", "blank"),
        (b"{", "malformed", "line 1"),
        (b'{"a": 1}}', "malformed", "not JSON"),
        (b"\xff\xfe{\x00", "malformed", "not JSON"),
        (b'{"a": [1, NaN]}', "not_finite", "a[1]"),
        (b'{"a": {"b": -Infinity}}', "not_finite", "a.b"),
        (b"NaN", "not_finite", "value"),
        (b'{"a": 1e999}', "not_finite", "a: inf"),
        (b"[" * 100_000, "malformed", "depth"),
        (b"[NaN," * 100_000, "malformed", "not JSON"),
    ],
)
def test_what_is_no_json_says_so(payload: bytes, reason: str, fragment: str) -> None:
    with pytest.raises(DecodeError) as caught:
        load_json(payload)
    assert caught.value.reason == reason
    assert fragment in caught.value.detail


def test_a_byte_order_mark_is_overlooked() -> None:
    assert load_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_an_array_is_no_object() -> None:
    with pytest.raises(DecodeError, match="expected a JSON object, got an array"):
        load_object(b"[]")


@pytest.mark.parametrize(("value", "result"), [(1, 1.0), (-0.5, -0.5), (Decimal("20.3"), 20.3), (2**70, 2.0**70)])
def test_numbers_are_numbers(value: object, result: float) -> None:
    assert number(value, "x") == result


@pytest.mark.parametrize(
    ("value", "reason", "fragment"),
    [
        (True, "bad_structure", "true"),
        (None, "bad_structure", "null"),
        ("20.3", "bad_structure", "text '20.3'"),
        ("NaN", "not_finite", "text 'NaN'"),
        ("-inf", "not_finite", "-inf"),
        (float("nan"), "not_finite", "nan"),
        (10**400, "not_finite", "too large"),
        (Decimal("1e999"), "not_finite", "1E+999"),
        ({}, "bad_structure", "an object"),
        ([1], "bad_structure", "an array"),
    ],
)
def test_what_is_no_number_is_named_with_its_place(value: object, reason: str, fragment: str) -> None:
    with pytest.raises(DecodeError) as caught:
        number(value, "readings.pm10")
    assert caught.value.reason == reason
    assert caught.value.detail.startswith("readings.pm10: ")
    assert fragment in caught.value.detail


def test_long_text_is_shortened_in_messages() -> None:
    assert len(describe("x" * 10_000)) < 60


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (" 3.05 ", 3.05),
        ("-1e3", -1000.0),
        (".5", 0.5),
        ("", None),
        ("1,5", None),
        ("nan", None),
        ("1_0", None),
        ("9e999", None),
    ],
)
def test_numbers_in_text_are_plain_decimals(written: str, value: float | None) -> None:
    assert text_number(written) == value


def test_left_out_parts_are_empty() -> None:
    assert section({"a": None}, "a") == section({}, "a") == {}
    assert sections({"a": None}, "a") == sections({}, "a") == []


@pytest.mark.parametrize("value", [5, "x", [1]])
def test_parts_of_a_wrong_type_are_named(value: object) -> None:
    with pytest.raises(DecodeError, match="rxInfo: expected an array of objects"):
        sections({"rxInfo": value}, "rxInfo")


def test_text_must_be_there() -> None:
    with pytest.raises(DecodeError, match="name: expected text, got none"):
        text("", "name")
