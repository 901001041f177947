# SPDX-License-Identifier: EUPL-1.2
"""Whatever bytes arrive, a connector gives readings that can be stored or raises DecodeError, nothing else."""

import json
import math
import random
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import connectors
from hub.core.reasons import REASONS
from hub.sdk import (
    DecodeError,
    DeviceEvent,
    RawMessage,
    Reading,
    Router,
    Sample,
    Uplink,
    families,
    find_samples,
    singly,
)

ROOT = Path(connectors.__file__).parent
SAMPLES = [s for name, item in families(connectors).items() for s in find_samples(item, ROOT / name / "samples")]
TOPICS = {(s.connector.name, s.topic): s for s in SAMPLES}
bounded = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = (
    "time readings value unit revision origin bn bt bu bv bs n u v vs vb vd s t bver x_ object data deviceInfo devEui "
    "rxInfo rssi snr fCnt txInfo modulation lora spreadingFactor margin batteryLevel level context end_device_ids "
    "dev_eui device_id uplink_message decoded_payload normalized_payload rx_metadata settings received_at air battery "
    "last_battery_percentage identifiers device_ids name cause attributes message_format carparks updated free id "
    "spaces datum cas teplota vlhkost vitr tlak"
)
KEYS = st.sampled_from(NAMES.split())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["", "2026-11-23T10:00:00Z", "2026-11-23T10:00:00", "NaN", "1e999", "A84041F1D184F5B2", "1" * 5000]
    ),
    st.sampled_from([2**28, -(2**63), 10**30, 1e308, -0.0]),
    st.text(max_size=10),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)
RECORDS = st.lists(
    st.dictionaries(st.integers(-8, 12) | KEYS, SCALARS | st.binary(max_size=8), max_size=6), min_size=1, max_size=4
)
TAGGED = st.builds(
    lambda tag, value: [{0: "pm10", 2: cbor2.CBORTag(tag, value)}],
    st.sampled_from([0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 100, 256, 258, 260, 43000, 55799]),
    st.one_of(st.integers(0, 2**63), st.text(max_size=5), st.binary(max_size=5), st.lists(st.integers(), max_size=3)),
)


def check(sample: Sample, payload: bytes) -> None:
    route = Router([sample.connector]).match(sample.topic)
    assert route is not None
    fault, decoded = None, []
    try:
        decoded = list(singly(route.connector.decode(RawMessage(sample.topic, payload, 1), route.variables)))
    except DecodeError as error:
        fault = error
    assert fault is None or (fault.reason in REASONS and 0 < len(fault.detail) <= 500)
    for item in decoded:
        assert isinstance(item, Reading | DeviceEvent | Uplink)
        for stamp in (getattr(item, "time", None), getattr(item, "server_time", None)):
            assert stamp is None or type(stamp) is int
        if isinstance(item, DeviceEvent):
            assert len(item.text) <= 500
            assert len(item.reason) <= 64
        if isinstance(item, Uplink):
            assert all(math.isfinite(signal) for signal in (item.rssi, item.snr) if signal is not None)
            assert all(isinstance(gateway, str) for gateway in item.gateways)
        if isinstance(item, Reading):
            assert type(item.value) is float
            assert math.isfinite(item.value)
            assert isinstance(item.quantity, str)
            assert item.unit is None or isinstance(item.unit, str)


def to_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def to_cbor(value: Any) -> bytes:
    return cbor2.dumps(value)


everywhere = pytest.mark.parametrize("sample", TOPICS.values(), ids=["-".join(key) for key in TOPICS])


@everywhere
@bounded
@given(payload=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(sample: Sample, payload: bytes) -> None:
    check(sample, payload)


@everywhere
@bounded
@given(payload=VALUES.map(to_json))
def test_any_json_is_read_or_refused(sample: Sample, payload: bytes) -> None:
    check(sample, payload)


@bounded
@given(payload=(RECORDS | TAGGED | VALUES).map(to_cbor))
def test_any_cbor_is_read_or_refused(payload: bytes) -> None:
    check(next(s for s in SAMPLES if s.connector.name == "native"), payload)


@bounded
@given(sample=st.sampled_from(SAMPLES), data=st.data())
def test_a_damaged_sample_is_read_or_refused(sample: Sample, data: st.DataObject) -> None:
    whole = sample.payload.read_bytes()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 40)))
    check(sample, whole[:start] + data.draw(st.binary(max_size=10)) + whole[end:])


@settings(max_examples=300, deadline=None)
@given(sample=st.sampled_from([s for s in SAMPLES if s.payload.suffix == ".json"]), data=st.data())
def test_a_sample_with_one_value_replaced_is_read_or_refused(sample: Sample, data: st.DataObject) -> None:
    try:
        document = json.loads(sample.payload.read_bytes())
    except ValueError:
        return
    places = list(containers(document))
    if places:
        container, key = data.draw(st.sampled_from(places))
        container[key] = data.draw(VALUES)
    check(sample, to_json(document))


def containers(value: Any) -> Any:
    """All (container, key) pairs of a JSON document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        yield value, key
        yield from containers(item)


def test_every_family_is_fuzzed() -> None:
    """A family without samples would pass all of this unseen."""
    assert {s.payload.parent.relative_to(ROOT).parts[0] for s in SAMPLES} == set(families(connectors))


# what parsers and converters stumble over: depth, numbers without end, half characters, lengths that lie
NASTY = {
    "lists 100,000 deep": b"[" * 100_000,
    "lists 100,000 deep, closed": b"[" * 100_000 + b"]" * 100_000,
    "objects 100,000 deep": b'{"readings":' * 100_000 + b"1" + b"}" * 100_000,
    "an integer of 100,000 digits": b'{"readings": {"pm10": ' + b"9" * 100_000 + b"}}",
    "a number beyond every float": b'{"readings": {"pm10": 1e999}, "time": 1e999}',
    "a lone surrogate": rb'{"readings": {"\ud800": 1}, "time": "\udfff", "n": "\ud800"}',
    "a lone surrogate in UTF-8": b'{"n": "\xed\xa0\x80"}',
    "NUL": b"\0" * 1000,
    "a byte order mark": b"\xef\xbb\xbf{}",
    "CBOR lists 100,000 deep": b"\x81" * 100_000 + b"\x00",
    "CBOR tags 100,000 deep": b"\xc2" * 100_000 + b"\x40",
    "a CBOR list that says it has 2^64-1 items": b"\x9b" + b"\xff" * 8,
    "a CBOR list that says it has 2^31 items": b"\x9a\x80\x00\x00\x00",
    "a CBOR map that says it has 2^63 entries": b"\xbb\x80" + b"\x00" * 7,
    "CBOR bytes that say they are 2^62 long": b"\x81\xa1\x02\x5b\x40" + b"\x00" * 7,
    "a CBOR big number of 100,000 bytes": b"\x81\xa1\x02\xc2\x5a\x00\x01\x86\xa0" + b"\xff" * 100_000,
    "a CBOR decimal fraction with an exponent of 2^60": b"\x81\xa1\x02\xc4\x82\x1b\x10" + b"\x00" * 7 + b"\x01",
    "CBOR that shares itself": b"\xd8\x1c\x81\xd8\x1d\x00",
}


@pytest.mark.parametrize("payload", NASTY.values(), ids=NASTY)
def test_what_parsers_stumble_over_is_read_or_refused(payload: bytes) -> None:
    for sample in TOPICS.values():
        check(sample, payload)


@pytest.mark.parametrize("family", sorted({s.connector.name for s in SAMPLES}))
def test_every_sample_mutated_in_many_ways_is_read_or_refused(family: str) -> None:
    """Bytes changed, cut out, put in, doubled; 40 times each sample, from a fixed seed."""
    rng = random.Random(family)
    for sample in (s for s in SAMPLES if s.connector.name == family):
        whole = sample.payload.read_bytes()
        for _ in range(40):
            data = bytearray(whole or b"\0")
            for _ in range(rng.randint(1, 3)):
                at = rng.randrange(len(data) + 1)
                length = rng.choice([0, 0, 1, 2, 10])
                data[at : at + length] = rng.choice(
                    [b"", rng.randbytes(3), bytes(data[at : at + 20]), b'"', b"9" * 400]
                )
            check(sample, bytes(data))
