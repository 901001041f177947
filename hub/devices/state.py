# SPDX-License-Identifier: EUPL-1.2
"""Whether a device works, from what is known of it: one pure function, and its finding in words.

Silence outranks doubt: what a silent device said last matters less than that it is silent. Without a declared interval
nobody can say that a message is missing, so such a device is never called silent. Two things are known at once, without
waiting for anything: a device whose access is disabled is silent, and one whose messages never held a reading needs its
readings checked. The limits are our judgement: one message may be lost on the air, ten in a row are not; a tenth of
the readings suspect is no single outlier.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Literal, NamedTuple

import numpy as np
from msgspec import Struct

from hub.core.access import BrokerRefusal, Credential
from hub.core.journal import DeviceSeen, EventRecord, UplinkSeen
from hub.core.places import Device
from hub.core.readings import NS, Columns, Flag
from hub.devices.link import Link, link_of

EVENTS = 20  # of each device, the newest
OVERDUE_AFTER, SILENT_AFTER = 2, 10  # declared intervals without a message
SUSPECT_SHARE = 0.1
LOST_SHARE = 0.2  # of the last uplinks: worth telling
_JOINED = "join_accept"
_BAD = frozenset({"warning", "error"})


class State(StrEnum):
    """What needs a hand first comes first, so that sorting by `rank` puts it on top."""

    SILENT = "silent"
    CHECK_READINGS = "check_readings"
    OVERDUE = "overdue"
    REGISTERED = "registered"
    JOINED = "joined"
    FIRST_SEEN = "first_seen"
    DRAFT = "draft"
    MAINTENANCE = "maintenance"
    RETIRED = "retired"
    HEALTHY = "healthy"

    @property
    def rank(self) -> int:
        """0 for the state that needs attention first."""
        return list(State).index(self)


class FlagCount(NamedTuple):
    """Recent readings of a device: all, and those flagged suspect or worse."""

    total: int = 0
    bad: int = 0


class Battery(NamedTuple):
    """The last battery reading (% or V, by `unit`), and where its model says that it is low or critical."""

    value: float
    unit: str = "%"
    low: float | None = 20.0
    critical: float | None = 10.0


class Evidence(Struct, frozen=True, kw_only=True):
    """What else is known of a device. `events` and `uplinks` newest first; `maintenance_until` in ns, when it has some.

    `standing` is DRAFT or RETIRED for what is no device at work, None for one that is registered.
    """

    events: Sequence[EventRecord] = ()
    uplinks: Sequence[UplinkSeen] = ()
    refusals: Sequence[BrokerRefusal] = ()
    credential: Credential | None = None
    battery: Battery | None = None
    maintenance_until: int | None = None
    standing: State | None = None


NOTHING = Evidence()


class Clause(NamedTuple):
    """A part of the reason: `code` of the table of words; values that end in `_s` are seconds, in `_at` ns."""

    code: str
    values: Mapping[str, object] = {}


class Finding(NamedTuple):
    """A state with the figures that led to it; `age` and `interval` in seconds, `next_due` and `since` in ns.

    `since` is when the last message came or should have been answered by another; `attention`: somebody should look.
    """

    state: State
    age: int | None
    interval: int | None
    flags: FlagCount
    clauses: Sequence[Clause] = ()
    next_due: int | None = None
    since: int | None = None
    attention: bool = False
    link: Link | None = None
    battery: Battery | None = None


def device_state(
    device: Device, seen: DeviceSeen | None, flags: FlagCount, now: int, evidence: Evidence = NOTHING
) -> Finding:
    """State of `device` at `now` (ns), from its last message, the flags of its recent readings, and `evidence`.

    A device that only delivers what it measured long ago (a full buffer, a replayed file) is as silent about now as one
    that sends nothing, so the newest reading counts where it is older than the message. A reading is stamped with the
    start of its interval: one interval is added.
    """
    joined = _joined(evidence.events)
    spoken = seen is not None and (seen.time is not None or _sent_data(seen, joined, evidence))
    last = _last(device, seen) if seen is not None and spoken else None
    age = None if last is None else max(0, now - last) // NS
    late = age / device.interval if age is not None and device.interval else 0.0
    state = evidence.standing or _state(late, flags, evidence, spoken, joined, seen)
    unusable = seen.messages if seen is not None and spoken and seen.time is None else 0
    link = link_of(evidence.uplinks)
    start = last if last is not None else joined
    due = start + device.interval * NS if start is not None and device.interval else None
    troubles = [*_troubles(device, evidence, last), *_lost(link)]
    doubts = [*_doubts(flags, unusable), *_charge(evidence.battery)]
    clauses = [*_standing(evidence, state), *_heard(device, age, joined, due), *doubts, *troubles]
    attention = state.rank <= State.OVERDUE.rank or (
        state not in _AT_REST and (bool(troubles) or _reached(evidence.battery, "low"))
    )
    return Finding(state, age, device.interval, flags, clauses, due, last, attention, link, evidence.battery)


_AT_REST = frozenset({State.MAINTENANCE, State.RETIRED, State.DRAFT})


def _joined(events: Sequence[EventRecord]) -> int | None:
    """When the network saw the device join last."""
    return next((event.time for event in events if event.reason == _JOINED), None)


def _sent_data(seen: DeviceSeen, joined: int | None, evidence: Evidence) -> bool:
    """Whether more than events came; beyond EVENTS nobody knows how many of its messages were events."""
    if evidence.uplinks:
        return True
    return joined is None and len(evidence.events) < EVENTS and seen.messages > len(evidence.events)


def _disabled(evidence: Evidence) -> bool:
    return evidence.credential is not None and evidence.credential.disabled_at is not None


def _last(device: Device, seen: DeviceSeen) -> int:
    if seen.time is not None and device.interval:
        return min(seen.received, seen.time + device.interval * NS)
    return seen.received


def _state(
    late: float, flags: FlagCount, evidence: Evidence, spoken: bool, joined: int | None, seen: DeviceSeen | None
) -> State:
    suspect = bool(flags.bad and flags.bad >= SUSPECT_SHARE * flags.total)
    unusable = seen is not None and spoken and seen.time is None
    table = (
        (evidence.maintenance_until is not None, State.MAINTENANCE),
        (_disabled(evidence), State.SILENT),
        (not spoken and joined is not None, State.JOINED),
        (not spoken, State.REGISTERED),
        (late > SILENT_AFTER, State.SILENT),
        (suspect or unusable or _reached(evidence.battery, "critical"), State.CHECK_READINGS),
        (late > OVERDUE_AFTER, State.OVERDUE),
        (seen is not None and seen.time is not None and seen.messages == 1, State.FIRST_SEEN),
    )
    return next((state for holds, state in table if holds), State.HEALTHY)


def _reached(battery: Battery | None, limit: Literal["low", "critical"]) -> bool:
    """Whether the battery is down to its model's limit."""
    floor = None if battery is None else getattr(battery, limit)
    return battery is not None and floor is not None and battery.value <= floor


def _standing(evidence: Evidence, state: State) -> list[Clause]:
    if evidence.maintenance_until is not None:
        return [Clause("maintenance", {"until_at": evidence.maintenance_until})]
    return [Clause(state.value)] if state in {State.DRAFT, State.RETIRED} else []


def _heard(device: Device, age: int | None, joined: int | None, due: int | None) -> list[Clause]:
    """What was heard, and when more is due."""
    interval = device.interval
    if age is not None:
        return [
            Clause("last", {"ago_s": age, "every_s": interval}) if interval else Clause("last_open", {"ago_s": age})
        ]
    if joined is None:
        return [Clause("never", {"every_s": interval}) if interval else Clause("never_open")]
    if due is None:
        return [Clause("joined_open", {"joined_at": joined})]
    return [Clause("joined", {"every_s": interval, "joined_at": joined, "due_at": due})]


def _doubts(flags: FlagCount, unusable: int) -> list[Clause]:
    """`unusable`: how many messages came, where none of them held a reading."""
    found = [Clause("unusable", {"count": unusable})] if unusable else []
    return [*found, Clause("bad", flags._asdict())] if flags.bad else found


def _charge(battery: Battery | None) -> list[Clause]:
    return [] if battery is None else [Clause("battery", {"value": f"{battery.value:.3g}", "unit": battery.unit})]


def _troubles(device: Device, evidence: Evidence, last: int | None) -> list[Clause]:
    """What its network or the broker held against it since it was heard last."""
    since = last or 0
    found: list[Clause] = []
    if _disabled(evidence) and evidence.credential is not None:
        found.append(Clause("disabled", {"why": evidence.credential.disabled_why or "–"}))
    refusal = next((r for r in evidence.refusals if r.last >= since), None)
    if refusal is not None:
        code = f"refused_{refusal.kind}"
        values = {"topic": refusal.topic, "text": refusal.text, "count": refusal.count, "device": device.id}
        found.append(Clause(code if code in _WORDS["en"] else "refused", values))
    joined = _joined(evidence.events) or 0
    event = next((e for e in evidence.events if e.level in _BAD and e.time >= max(since, joined)), None)
    if event is not None:
        code = next((word for key, word in _JOIN_REFUSED.items() if key in event.reason.lower()), "event")
        found.append(Clause(code, {"reason": event.reason, "text": event.text}))
    return found


_JOIN_REFUSED = {"mic": "wrong_key", "otaa": "join_refused", "join": "join_refused"}  # part of the reason's code


def _lost(link: Link | None) -> list[Clause]:
    """Messages lost on the air."""
    if link is None or not link.lost or link.lost < LOST_SHARE * (link.lost + link.uplinks):
        return []
    return [Clause("lost", {"lost": link.lost, "sent": link.lost + link.uplinks})]


def flag_counts(readings: Columns) -> Mapping[str, FlagCount]:
    """Flags of stored readings by device."""
    size = len(readings.series)
    total = np.bincount(readings.index, minlength=size)
    bad = np.bincount(readings.index[readings.flag >= Flag.SUSPECT], minlength=size)
    counts: dict[str, FlagCount] = {}
    for series, all_of, bad_of in zip(readings.series, total.tolist(), bad.tolist(), strict=True):
        before = counts.get(series.device, FlagCount())
        counts[series.device] = FlagCount(before.total + all_of, before.bad + bad_of)
    return counts


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "draft": "begun, not registered yet",
        "retired": "retired",
        "maintenance": "in maintenance until {until_at}",
        "never": "registered, no message yet, expected every {every_s}",
        "never_open": "registered, no message yet, no interval declared, so a missing message cannot be noticed",
        "joined": "reports every {every_s}; network saw join {joined_at}, nothing else yet; "
        "next uplink due about {due_at}",
        "joined_open": "network saw join {joined_at}, nothing else yet; no interval declared",
        "last": "last message {ago_s} ago, expected every {every_s}",
        "last_open": "last message {ago_s} ago, no interval declared, so a missing message cannot be noticed",
        "bad": "{bad} of {total} recent readings are suspect",
        "battery": "battery {value} {unit}",
        "lost": "{lost} of the last {sent} messages were lost on the air",
        "disabled": "its credential is disabled ({why})",
        "unusable": "no reading could be taken from any of its messages ({count}): see its raw messages and quarantine",
        "refused": "refused by the broker {count}×: {topic} {text}",
        "refused_publish_denied": "the broker refused {count}×: it published to {topic}, but may only below "
        "devices/{device}/",
        "refused_subscribe_denied": "the broker refused {count}×: it wanted to listen to {topic}; devices may not",
        "refused_login_failed": "the broker did not let it in, {count}×: wrong user name or secret",
        "refused_client_error": "the broker broke off its connection, {count}×: {text}",
        "wrong_key": "refused by the network: wrong key (MIC), {text}",
        "join_refused": "join refused: {text}",
        "event": "network says: {text}",
    },
    "cs": {
        "draft": "rozpracováno, zatím nezaregistrováno",
        "retired": "vyřazeno",
        "maintenance": "v údržbě do {until_at}",
        "never": "zaregistrováno, zatím žádná zpráva, čekána každých {every_s}",
        "never_open": "zaregistrováno, zatím žádná zpráva, interval není zadán, chybějící zprávu nelze poznat",
        "joined": "hlásí se každých {every_s}; síť zaznamenala připojení {joined_at}, zatím nic dalšího; "
        "další zpráva asi v {due_at}",
        "joined_open": "síť zaznamenala připojení {joined_at}, zatím nic dalšího; interval není zadán",
        "last": "poslední zpráva před {ago_s}, čekána každých {every_s}",
        "last_open": "poslední zpráva před {ago_s}, interval není zadán, chybějící zprávu nelze poznat",
        "bad": "podezřelých {bad} z {total} posledních měření",
        "battery": "baterie {value} {unit}",
        "lost": "z posledních {sent} zpráv se {lost} ztratilo na rádiu",
        "disabled": "přístupové údaje jsou zablokované ({why})",
        "unusable": "z žádné zprávy ({count}) se nepodařilo získat měření: viz surové zprávy a karanténa",
        "refused": "broker odmítl {count}×: {topic} {text}",
        "refused_publish_denied": "broker odmítl {count}×: zařízení poslalo do {topic}, smí jen pod devices/{device}/",
        "refused_subscribe_denied": "broker odmítl {count}×: zařízení chtělo poslouchat {topic}, to zařízení nesmí",
        "refused_login_failed": "broker nepustil zařízení dovnitř, {count}×: špatné uživatelské jméno nebo heslo",
        "refused_client_error": "broker přerušil spojení zařízení, {count}×: {text}",
        "wrong_key": "síť odmítla: chybný klíč (MIC), {text}",
        "join_refused": "připojení odmítnuto: {text}",
        "event": "síť hlásí: {text}",
    },
}


def describe(finding: Finding, language: str, zone: tzinfo = UTC) -> str:
    """The finding in words: what is known, never only the verdict. Times are those of `zone`."""
    words = _WORDS[language]
    return "; ".join(words[c.code].format(**_shown(c.values, zone)).strip() for c in finding.clauses)


def _shown(values: Mapping[str, object], zone: tzinfo) -> Mapping[str, object]:
    shown: dict[str, object] = {}
    for name, value in values.items():
        shown[name] = value
        if isinstance(value, int) and name.endswith("_s"):
            shown[name] = duration(value)
        elif isinstance(value, int) and name.endswith("_at"):
            shown[name] = f"{datetime.fromtimestamp(value / NS, zone):%H:%M}"
    return shown


def duration(seconds: int) -> str:
    """Seconds in the largest unit that gives at least two of it: `45 s`, `15 min`, `3 h`, `4 d`; the same in Czech."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
