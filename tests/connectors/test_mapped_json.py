# SPDX-License-Identifier: EUPL-1.2
"""A mapping that loads is right; one that is not names the key. Real uplinks go through one."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.mapped_json.connector import CONNECTOR
from hub.sdk import RawMessage, Reading, Router, SettingsError, configured

RIGHT: Mapping[str, Any] = {
    "title": "Test",
    "topics": ["a/{device}"],
    "device": {"topic": "device"},
    "time": {"path": "t", "format": "%Y-%m-%d %H:%M", "zone": "Europe/Prague"},
    "fields": [{"path": "v", "quantity": "pm10", "unit": "ug/m3"}],
}


def changed(**changes: Any) -> str:
    return yaml.safe_dump({**RIGHT, **changes})


def time(**changes: Any) -> str:
    return changed(time={**RIGHT["time"], **changes})


def field(**changes: Any) -> str:
    return changed(fields=[{**RIGHT["fields"][0], **changes}])


def test_the_right_mapping_loads() -> None:
    made = configured(CONNECTOR, "test", changed())
    assert (made.name, made.device, made.topics) == ("mapped_json.test", "device", ("a/{device}",))


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        ("a: [", ["not YAML", "line 1"]),
        ("", ["mapping", "object"]),
        ("[]", ["mapping", "object"]),
        (changed(topic="a"), ["unknown field `topic`"]),
        (changed(topics=[]), ["topics: name at least one"]),
        (changed(topics=["a/+"]), ["topics[0]", "'+'"]),
        (changed(topics=["a/{device}", "a/{device}"]), ["overlaps"]),
        (changed(topics=["a/{x}"]), ["device.topic", "{device}"]),
        (changed(device={}), ["device", "either topic"]),
        (changed(device={"topic": "device", "path": "x"}), ["device", "either topic"]),
        (changed(device={"path": "x["}), ["device.path", "no JMESPath"]),
        (changed(device={"path": "x", "of": "root"}), ["device.of", "root"]),
        (changed(each="items["), ["each", "no JMESPath"]),
        (changed(fields=[]), ["fields: name at least one"]),
        (changed(origin="measured"), ["origin"]),
        (field(path="a b"), ["fields[0].path", "no JMESPath"]),
        (field(quantiy="pm10"), ["fields[0]", "unknown field `quantiy`"]),
        (field(quantity="pm11"), ["fields[0]", "unknown quantity 'pm11'", "pm1"]),
        (field(unit="mm"), ["fields[0]", "unknown unit 'mm' for pm10"]),
        (field(missing="maybe"), ["fields[0].missing"]),
        (time(format="iso"), ["time.format", "'iso'", "unix_ms"]),
        (time(zone=None), ["time.zone", "Europe/Prague"]),
        (time(zone="Havirov"), ["time.zone", "'Havirov'"]),
        (time(zone="../etc/passwd"), ["time.zone"]),
        (time(format="rfc3339"), ["time.zone", "carries its own offset"]),
        (time(format="%H:%M%z"), ["time.zone", "carries its own offset"]),
        (time(stamp="end"), ["time.period_s"]),
        (time(period_s=60), ["time.period_s"]),
        (time(ambiguous="first"), ["time.ambiguous"]),
    ],
)  # fmt: skip
def test_a_mapping_at_fault_stops_the_start_and_names_file_and_key(text: str, fragments: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        configured(CONNECTOR, "test", text)
    assert caught.value.setting.startswith("connectors.mapped_json.test")
    for fragment in fragments:
        assert fragment in caught.value.detail


def decode(mapping: str, topic: str, data: object) -> list[Reading]:
    route = Router([configured(CONNECTOR, "test", mapping)]).match(topic)
    assert route is not None
    decoded = list(route.connector.decode(RawMessage(topic, json.dumps(data).encode()), route.variables))
    return [item for item in decoded if isinstance(item, Reading)]


def test_text_with_its_own_offset_needs_no_zone() -> None:
    mapping = changed(time={"path": "t", "format": "%Y-%m-%d %H:%M:%S.%f %z"})
    (reading,) = decode(mapping, "a/d", {"t": "2026-11-23 11:00:00.25 +0100", "v": 1})
    assert reading.time == 1_795_428_000_250_000_000


def test_the_doubled_hour_is_read_as_the_mapping_says() -> None:
    times = [
        decode(time(ambiguous=which), "a/d", {"t": "2026-10-25 02:30", "v": 1})[0].time
        for which in ("earlier", "later")
    ]
    assert times == [1_792_888_200 * 10**9, 1_792_891_800 * 10**9]  # 00:30 and 01:30 UTC


def test_without_a_time_rule_the_hub_stamps() -> None:
    assert decode(changed(time=None), "a/d", {"v": 1})[0].time is None
    assert decode(time(missing="arrival"), "a/d", {"v": 1})[0].time is None


def test_a_device_may_be_a_number_and_the_origin_is_handed_on() -> None:
    (reading,) = decode(changed(device={"path": "n"}, time=None, origin="imported"), "a/d", {"n": 7, "v": 1})
    assert (reading.device, reading.origin) == ("7", "imported")


DTU = """
title: Waste bins, The Things Network v1 (2016)
topics: ["bins/uplinks"]
device: {path: node_eui}
time: {path: time}
fields:
  - {path: rssi, quantity: rssi, unit: dBm}
  - {path: snr, quantity: snr, unit: dB, missing: skip}
  # the source does not say what the number is: a distance in cm is assumed here to try the path, not as a fact
  - {path: data, quantity: fill_distance, unit: cm, strip: "{}"}
"""


def test_real_uplinks_of_2016_go_through_a_mapping(shared: Callable[[str], Path]) -> None:
    """Numbers in braces, left-out snr and six-digit times are read; the raw frame `data_raw` stays unread."""
    lines = shared("data/dtu_trash_uplinks_2016_first600.jsonl").read_text(encoding="utf-8").splitlines()
    connector = configured(CONNECTOR, "bins", DTU)
    decoded = [
        list(connector.decode(RawMessage("bins/uplinks", line.encode()), {})) for line in lines
    ]  # any DecodeError fails the test
    rows = [json.loads(line) for line in lines]
    readings = [item for items in decoded for item in items if isinstance(item, Reading)]
    assert len(readings) == 2 * len(rows) + sum("snr" in row for row in rows) == 1772
    assert [r.value for r in readings if r.quantity == "fill_distance"] == [int(row["data"][1:-1]) for row in rows]
    assert [r.value for r in readings if r.quantity == "rssi"] == [row["rssi"] for row in rows]
    assert {r.device for r in readings} == {f"0201410{i}" for i in range(5)}
    assert readings[0].time == 1_462_351_018_112_000_000  # 2016-05-04T08:36:58.112Z
