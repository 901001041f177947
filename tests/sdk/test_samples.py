# SPDX-License-Identifier: EUPL-1.2
"""The sample runner finds what does not keep its promise."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from hub.sdk import Connector, Decoded, DecodeError, DeviceEvent, RawMessage, Reading, find_samples, render


def decode(message: RawMessage, topic: Mapping[str, str]) -> Iterator[Decoded]:
    if message.payload == b"bad":
        raise DecodeError("malformed", "not a number: bad")
    yield Reading(topic["x"], "pm10", float(message.payload), time=1_000_000_001)


CONNECTOR = Connector(name="one", title="One", topics=("one/{x}",), decode=decode)
RIGHT = '[{"device": "x", "quantity": "pm10", "value": 5.0, "time": "1970-01-01T00:00:01.000000001Z"}]'


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a.in.txt": "5", "a.out.json": RIGHT}, None),
        ({"a.in.txt": "5", "a.out.json": RIGHT.replace('"x"', '"y"'), "a.topic": "one/y\n"}, None),
        ({"a.in.txt": "bad", "a.err": "malformed\nnot a number\n"}, None),
        ({"a.in.txt": "6", "a.out.json": RIGHT}, "decodes to"),
        ({"a.in.txt": "5", "a.out.json": "[]"}, "decodes to"),
        ({"a.in.txt": "5"}, "a.out.json is missing; it decodes to"),
        ({"a.in.txt": "5", "a.err": "malformed"}, "a.out.json is missing"),
        ({"a.in.txt": "bad"}, "is refused with malformed: not a number: bad"),
        ({"a.in.txt": "bad", "a.err": "empty"}, "expected empty"),
        ({"a.in.txt": "bad", "a.err": "malformed\nline 7"}, "line 7"),
        ({"a.in.txt": "5", "a.out.json": RIGHT, "a.topic": "two/y"}, "topic 'two/y' is none of one/{x}"),
    ],
)
def test_a_sample_says_what_differs(tmp_path: Path, files: Mapping[str, str], problem: str | None) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    (sample,) = find_samples(CONNECTOR, tmp_path)
    found = sample.problem()
    assert found is None if problem is None else problem in (found or "")


def test_an_expectation_without_payload_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "gone.out.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match=r"no payload .* gone"):
        find_samples(CONNECTOR, tmp_path)


def test_events_are_told_from_readings() -> None:
    event = DeviceEvent("d", "join", "joined", time=0)
    assert render([event]) == [{"event": "join", "device": "d", "text": "joined", "time": "1970-01-01T00:00:00Z"}]
