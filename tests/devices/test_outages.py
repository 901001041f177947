# SPDX-License-Identifier: EUPL-1.2
"""Devices that fell silent together read as one outage; the words of joins, refusals and lost frames."""

from hub.core.journal import DeviceSeen, EventRecord, UplinkSeen
from hub.core.places import Device
from hub.core.readings import NS
from hub.devices.link import link_of
from hub.devices.outages import Member, outages, words
from hub.devices.state import Evidence, FlagCount, State, describe, device_state

NOW = 1_800_000_000 * NS
MINUTE = 60 * NS


def member(name: str, minutes_ago: int, gateway: str, part: str = "sumbark") -> Member:
    device = Device(id=name, connector="chirpstack", external_id=name, interval=900)
    at = NOW - minutes_ago * MINUTE
    seen = DeviceSeen(device=name, received=at, time=at, messages=9)
    behind = {"gateway": gateway, "part": part, "connector": "chirpstack"}
    return Member(name, device_state(device, seen, FlagCount(), NOW), behind)


def test_forty_silent_devices_behind_one_gateway_are_one_outage() -> None:
    dead = [member(f"d{i}", 200 + i % 15, "g1") for i in range(40)]
    alive = [member(f"a{i}", 5, "g2") for i in range(40)]
    (outage,) = outages([*dead, *alive])
    assert (outage.kind, outage.what, len(outage.devices), outage.behind) == ("gateway", "g1", 40, 40)
    assert "g1" in words(outage, "cs")


def test_two_silent_devices_or_devices_that_stopped_apart_are_no_outage() -> None:
    assert not outages([member("a", 200, "g"), member("b", 200, "g")])
    assert not outages([member(f"d{i}", 200 + 1000 * i, "g") for i in range(5)])


def event(reason: str, text: str, level: str = "info") -> EventRecord:
    at = NOW - 2 * MINUTE
    return EventRecord(
        device="d",
        connector="chirpstack",
        external_id="d",
        kind="log",
        level=level,
        reason=reason,
        text=text,
        time=at,
        received=at,
    )


def test_a_device_that_joined_is_told_when_its_next_uplink_is_due() -> None:
    device = Device(id="d", connector="chirpstack", external_id="d", interval=3600)
    seen = DeviceSeen(device="d", received=NOW, time=None, messages=1)
    found = device_state(device, seen, FlagCount(), NOW, Evidence(events=[event("join_accept", "joined")]))
    assert (found.state, found.next_due) == (State.JOINED, NOW + 58 * MINUTE)
    assert "nothing else yet; next uplink due about" in describe(found, "en")


def test_a_refused_join_is_told_with_its_cause() -> None:
    device = Device(id="d", connector="chirpstack", external_id="d", interval=3600)
    evidence = Evidence(events=[event("UPLINK_MIC", "Invalid MIC", "error")])
    found = device_state(device, None, FlagCount(), NOW, evidence)
    assert (found.state, found.attention) == (State.REGISTERED, True)
    assert "wrong key (MIC)" in describe(found, "en")


def test_frames_that_are_missing_were_lost_and_a_new_join_is_no_loss() -> None:
    frames = [3, 2, 0, 14, 10]  # newest first
    link = link_of([UplinkSeen(device="d", received=i, frame=n) for i, n in enumerate(frames)])
    assert link is not None
    assert link.lost == 3 + 1
