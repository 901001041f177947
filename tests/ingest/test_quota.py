# SPDX-License-Identifier: EUPL-1.2
"""The quarantine's quota: nothing beyond it is kept, and nothing beyond it is forgotten."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.journal import HOUR_NS, AccountKey, Counts, JournalBatch, Quarantined, Refused, Waiting
from hub.core.readings import NS
from hub.ingest.quota import ROW, Quota, cost_of, source_of

NOW = 1_795_435_200_000_000_000


def row(source: str = "new-1", reason: str = "unknown_device", **changes: object) -> Quarantined:
    fields: dict[str, object] = {
        "received": NOW,
        "topic": "t",
        "payload": b"x" * 10,
        "reason": reason,
        "detail": "d",
        "connector": "native",
        "external_id": source,
        **changes,
    }
    return Quarantined(**fields)  # type: ignore[arg-type] # fields of differing types by name


def batch_of(rows: list[Quarantined], decoded: int = 0) -> JournalBatch:
    """What `settle` makes of these rows and some good messages."""
    accounts: dict[AccountKey, Counts] = {}
    for found in rows:
        key = AccountKey(found.received - found.received % HOUR_NS, found.connector, found.device)
        counts = accounts.setdefault(key, Counts())
        counts.received += 1
        if found.state == "refused":
            counts.refused += 1
        elif found.scope == "message":
            counts.quarantined += 1
        else:
            counts.decoded += 1
            counts.readings += found.conflicts
            counts.conflict += found.conflicts
    if decoded:
        accounts[AccountKey(0, "native", "air-1")] = Counts(received=decoded, decoded=decoded)
    return JournalBatch(quarantined=rows, accounts=accounts)


def through(quota: Quota, rows: list[Quarantined]) -> JournalBatch:
    batch = quota.apply(batch_of(rows))
    quota.committed(batch)
    return batch


def total(batch: JournalBatch, name: str) -> int:
    return sum(getattr(counts, name) for counts in batch.accounts.values())


def test_within_the_quota_a_batch_is_left_alone() -> None:
    batch = batch_of([row(), row("new-2")])
    assert Quota(per_source=1).apply(batch) is batch


def test_beyond_the_quota_messages_are_refused_and_the_first_and_last_are_samples() -> None:
    rows = [row(payload=f"{n}".encode() + b"x" * 5000) for n in range(10)]
    batch = through(Quota(per_source=3), rows)
    [refusal] = batch.refusals
    assert [found.payload[:1] for found in batch.quarantined] == [b"0", b"1", b"2"]
    assert (total(batch, "quarantined"), total(batch, "refused"), refusal.messages) == (3, 7, 7)
    assert refusal.last is not None
    assert (refusal.first.payload[:1], refusal.last.payload[:1]) == (b"3", b"9")
    assert {(len(s.payload), s.size, s.state) for s in (refusal.first, refusal.last)} == {(1024, 5001, "refused")}


def test_another_source_and_another_reason_have_a_quota_of_their_own() -> None:
    quota = Quota(per_source=1)
    through(quota, [row(), row()])
    assert quota.apply(batch_of([row("new-2")])).refusals == ()
    assert quota.apply(batch_of([row(reason="malformed")])).refusals == ()
    assert quota.apply(batch_of([row()])).refusals


def test_parts_of_messages_stay_counted_and_are_only_not_kept() -> None:
    part = row(scope="reading", reason="conflict", conflicts=2)
    batch = through(Quota(per_source=1), [part, part, part])
    assert (len(batch.quarantined), total(batch, "refused"), total(batch, "conflict")) == (1, 0, 6)
    assert batch.refusals[0].messages == 2


def test_a_message_beyond_the_size_limit_is_sampled_and_counted_once() -> None:
    big = row("", "too_large", topic="a", connector="", state="refused")
    batch = through(Quota(), [big, big])
    assert (list(batch.quarantined), total(batch, "refused"), batch.refusals[0].messages) == ([], 2, 2)


@pytest.mark.parametrize("limits", [{"total_messages": 5}, {"total_bytes": 5 * (10 + 1 + 1 + ROW)}])
def test_when_all_is_full_every_new_name_is_the_same_source(limits: dict[str, int]) -> None:
    quota = Quota(**limits)
    batch = through(quota, [row(f"invented-{n}") for n in range(10_000)])
    [refusal] = batch.refusals
    assert (len(batch.quarantined), refusal.source, refusal.messages) == (5, "*", 9_995)
    assert not quota.health(NOW + 2 * HOUR_NS).ok


def test_names_invented_in_topics_of_oversized_messages_are_bounded_too() -> None:
    quota = Quota()
    rows = [row("", "too_large", topic=f"t/{n}", connector="", state="refused") for n in range(5000)]
    for _ in range(2):
        batch = through(quota, rows)
        assert len(batch.refusals) == 1001
        assert sum(refusal.messages for refusal in batch.refusals) == 5000


def test_an_applied_batch_counts_only_once_it_is_committed() -> None:
    quota = Quota(per_source=1)
    for _ in range(3):
        assert len(quota.apply(batch_of([row()])).quarantined) == 1
    through(quota, [row()])
    assert quota.apply(batch_of([row()])).quarantined == []


def test_after_a_restart_and_after_a_purge_the_index_says_what_waits() -> None:
    quota = Quota(per_source=2)
    quota.load([Waiting("native", "new-1", "unknown_device", 2, 500)], [])
    assert quota.apply(batch_of([row()])).refusals
    quota.load([], [])
    assert quota.apply(batch_of([row()])).refusals == ()


def test_the_alarm_names_the_source_and_ends_when_there_is_room_again() -> None:
    quota = Quota(per_source=2)
    assert quota.health(NOW).ok
    batch = through(quota, [row() for _ in range(2002)])
    later = NOW + 3 * HOUR_NS
    health = quota.health(later)
    assert not health.ok
    assert health.detail == "refused since 2026-11-23T12:00Z: 2,000 messages of native/new-1, unknown_device"
    [found] = batch.refusals
    refused = Refused("native", "new-1", "unknown_device", found.messages, found.since, found.until)
    quota.load([Waiting("native", "new-1", "unknown_device", 2, 500)], [refused])
    assert quota.health(later) == health
    quota.load([Waiting("native", "new-1", "unknown_device", 1, 500)], [refused])
    assert quota.health(later).ok


def test_the_alarm_ends_at_once_when_what_waits_or_was_refused_is_gone() -> None:
    quota = Quota(per_source=2)
    [found] = through(quota, [row() for _ in range(3)]).refusals
    refused = Refused("native", "new-1", "unknown_device", found.messages, found.since, found.until)
    assert not quota.health(NOW).ok
    quota.load([], [refused])  # registered, ignored, or purged
    assert quota.health(NOW) == ("quarantine", True, "0 messages wait", "")
    quota.load([Waiting("native", "new-1", "unknown_device", 2, 500)], [])
    assert quota.health(NOW).ok


def test_a_refusal_of_the_size_limit_is_a_warning_for_an_hour() -> None:
    quota = Quota()
    through(quota, [row("", "too_large", topic="a", connector="", state="refused")])
    health = quota.health(NOW + 59 * 60 * NS)
    assert health.ok
    assert health.detail == "WARNING: refused since 2026-11-23T12:00Z: 1 messages of no connector/a, too_large"
    assert "ingest.max_payload_bytes" in health.hint
    assert quota.health(NOW + HOUR_NS).detail == "0 messages wait"


def test_a_name_of_any_length_is_one_source() -> None:
    assert len(source_of(row("x" * 60_000))) == 120


ROWS = st.lists(
    st.builds(
        row,
        source=st.sampled_from(["a", "b", "c", ""]),
        reason=st.sampled_from(["unknown_device", "malformed"]),
        connector=st.sampled_from(["native", "mapped_json"]),
        device=st.sampled_from(["", "air-1"]),
        received=st.integers(NOW - HOUR_NS, NOW),
        payload=st.binary(max_size=40),
        scope=st.sampled_from(["message", "reading"]),
        conflicts=st.integers(0, 3),
        state=st.sampled_from(["waiting", "waiting", "waiting", "refused"]),
    ),
    max_size=30,
)


@given(
    st.lists(ROWS, max_size=6),
    st.integers(1, 5),
    st.integers(1, 20),
    st.integers(1, 8000),
)
def test_whatever_comes_the_equations_hold_and_the_quota_is_kept(
    stream: list[list[Quarantined]], per_source: int, messages: int, size: int
) -> None:
    quota = Quota(per_source, messages, size)
    waiting: Counter[tuple[str, str, str]] = Counter()
    bytes_waiting = 0
    for rows in stream:
        before = batch_of(rows, decoded=2)
        batch = quota.apply(before)
        quota.committed(batch)
        for key, counts in batch.accounts.items():
            n = before.accounts[key]
            assert counts.received == counts.decoded + counts.quarantined + counts.refused + counts.ignored
            assert (counts.received, counts.readings, counts.conflict) == (n.received, n.readings, n.conflict)
        whole = sum(found.scope == "message" for found in batch.quarantined)
        assert whole == total(batch, "quarantined")
        assert len(rows) == len(batch.quarantined) + sum(refusal.messages for refusal in batch.refusals)
        waiting.update((found.connector, source_of(found), found.reason) for found in batch.quarantined)
        bytes_waiting += sum(map(cost_of, batch.quarantined))
        assert max(waiting.values(), default=0) <= per_source
        assert waiting.total() <= messages
        assert bytes_waiting <= size
