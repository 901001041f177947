# SPDX-License-Identifier: EUPL-1.2
"""The last raw messages and uplinks of a device: bounded, and gone with a purge."""

from pathlib import Path

from hub.core.delivery import Delivery
from hub.core.journal import JournalBatch, Quarantined, UplinkSeen
from hub.core.ports import QuarantineFilter
from hub.core.readings import NS
from hub.ingest.interpret import Interpretation, Verdict
from hub.ingest.journal import SqliteJournal
from hub.ingest.journal_reader import SqliteJournalReader
from hub.ingest.sampler import Sampler


def meaning(second: int) -> Interpretation:
    return Interpretation(Delivery("t", b"%d" % second, second * NS, 1, False, False, 0), Verdict.DECODED, "c", "d")


def test_a_device_is_sampled_at_most_once_in_so_many_seconds() -> None:
    sampler = Sampler(5, 60)
    taken = [sample.received // NS for second in (100, 130, 160) for sample in sampler.take([meaning(second)])]
    assert taken == [100, 160]
    assert not Sampler(0).take([meaning(100)])


async def test_the_newest_stay_until_they_are_purged(tmp_path: Path) -> None:
    journal, sampler = SqliteJournal(tmp_path / "ingest-0.db"), Sampler(2, 0)
    reader = SqliteJournalReader(tmp_path / "ingest-0.db")
    for second in range(1, 21):
        uplink = UplinkSeen(device="d", received=second * NS, frame=second, gateways=["g"])
        samples = sampler.take([meaning(second)])
        await journal.commit(JournalBatch(samples=samples, samples_kept=2, uplinks=[uplink]))
    assert [sample.payload for sample in reader.samples("d")] == [b"20", b"19"]
    assert [uplink.frame for uplink in reader.uplinks(["d", "e"])["d"]] == list(range(20, 8, -1))
    await journal.purge(QuarantineFilter(device="d"), "asked", "me", NS)
    assert not reader.samples("d")
    reader.close()
    await journal.close()


async def test_newcomers_are_counted_by_name(tmp_path: Path) -> None:
    journal, reader = SqliteJournal(tmp_path / "ingest-0.db"), SqliteJournalReader(tmp_path / "ingest-0.db")
    rows = [Quarantined(received=i, topic="t", payload=b"x", reason="unknown_device", detail="", connector="c", external_id=f"n{i % 2}") for i in range(1, 6)]  # fmt: skip  # noqa: E501 one row
    await journal.commit(JournalBatch(quarantined=rows))
    found = [(n.external_id, n.waiting, n.first, n.last) for n in reader.newcomers()]
    assert found == [("n1", 3, 1, 5), ("n0", 2, 2, 4)]
    assert reader.arrivals("c", "n1") == [5, 3, 1]
    reader.close()
    await journal.close()
