# SPDX-License-Identifier: EUPL-1.2
"""What changed beside readings: registry, corrections, definitions, rules of quality control, journals.

`look` compares what is there with what the cursors in the ledger say was applied, and queues jobs for the difference.
What a change asks for is queued behind what earlier ones asked for, and its cursor moves when its turn is over, so a
cursor never claims what is still queued. A restart begins with the cursors, so a change seen but not worked off is
seen again.
"""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from hub.core.corrections import cause
from hub.core.indicators import Correction
from hub.core.places import RegistrySnapshot
from hub.core.ports import JournalReader, Registry, ValueLedger
from hub.core.windows import Calendar
from hub.indicators.catalogue import Catalogue
from hub.indicators.entry_marks import ENTERED, Entered
from hub.indicators.jobs import REGISTRY, Job, changes, levels, only_cursor, populations
from hub.indicators.plan import Marks
from hub.indicators.quality.rules import Rules

RESTORED = "journal restored"
RULES = "quality control: other thresholds"
_GROWING = frozenset({"registry", "corrections"})  # definitions may be set back to an earlier version, these never
_log = logging.getLogger(__name__)


class Watch:
    """`jobs` wait in order; `notes` are cursors that go with the next commit; `corrections` are all there are.

    `again`: entered values that a new version of their definition asks for.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        city: Calendar,
        ledger: ValueLedger,
        registry: Registry,
        journals: Sequence[JournalReader],
        clock: Callable[[], int],
        rules: Rules,
        entered: Entered | None,
    ) -> None:
        self._catalogue = catalogue
        self._city = city
        self._ledger = ledger
        self._registry = registry
        self._journals = journals
        self._clock = clock
        self._rules = rules
        self._entered = entered
        self.jobs: deque[Job] = deque()
        self.notes: dict[str, int] = {}
        self.corrections: list[Correction] = []
        self.again = Marks()
        self._snapshot: RegistrySnapshot | None = None
        self._restored: dict[int, int] = {}  # journal: identity for which a job is queued or done

    def look(self) -> RegistrySnapshot:
        """See what changed, and queue jobs for it; returns the registry as it is."""
        snapshot = self._see_registry()
        self._see_corrections()
        self._see_journals()
        return snapshot

    def _see_registry(self) -> RegistrySnapshot:
        before = self._snapshot
        if before is not None and before.version == self._registry.version():
            return before
        after = self._registry.snapshot()
        cursor = ("registry", after.version)
        if before is None:
            seen = self._ledger.cursor("registry")
            jobs: Sequence[Job] = () if seen in {0, after.version} else [Job(REGISTRY)]
            self._see_definitions()
            self._see_rules()
        else:
            jobs = [*changes(before, after), *levels(before, after), *populations(before, after, self._catalogue)]
        self._snapshot = after
        self._queue(jobs, cursor)
        return after

    def _see_definitions(self) -> None:
        started = any(self._ledger.cursor(f"touch:{n}") for n in range(len(self._journals)))
        for d in self._catalogue:
            name = f"definition:{d.id}"
            seen = self._ledger.cursor(name)
            if seen != d.version and d.entered and self._entered is not None:
                if seen or self._ledger.cursor(ENTERED):
                    self.again.merge(self._entered.marks(f"definition version {d.version} of {d.id}", {d.id}))
                self.notes[name] = d.version
            elif seen != d.version:
                job = Job(f"definition version {d.version} of {d.id}", indicators=frozenset({d.id}))
                self._queue([job] if seen or started else [], (name, d.version))

    def _see_rules(self) -> None:
        seen = self._ledger.cursor("quality")
        if seen != self._rules.digest:
            started = any(self._ledger.cursor(f"touch:{n}") for n in range(len(self._journals)))
            self._queue([Job(RULES)] if seen or started else [], ("quality", self._rules.digest))

    def _see_corrections(self) -> None:
        known = self.corrections[-1].id if self.corrections else 0
        fresh = sorted(self._ledger.corrections(known), key=lambda c: c.id)
        applied = self._ledger.cursor("corrections") if fresh else 0
        self.corrections.extend(fresh)
        for c in fresh:
            if c.id > applied:
                before, after = self._rules.widest
                job = Job(
                    cause(c), c.start - after, c.end + before, devices=frozenset({c.device}),
                    quantities=None if c.quantity is None else self._rules.concerned(c.quantity), rows=False,
                )  # fmt: skip
                self._queue([job], ("corrections", c.id))

    def _see_journals(self) -> None:
        """Begin a journal anew when its file is another one, or an older state of the same."""
        for n, journal in enumerate(self._journals):
            identity, name = journal.identity(), f"journal:{n}"
            known, position = self._ledger.cursor(name), self._ledger.cursor(f"touch:{n}")
            seen = identity in (known, self._restored.get(n)) and journal.newest() >= position
            if not identity or seen:
                continue
            if not known and not position:
                self.notes[name] = identity
                continue
            _log.warning(
                "journal %d is another one than before: all values are checked", n, extra={"reason": "journal_restored"}
            )
            self._ledger.commit((), {f"touch:{n}": 0, name: -identity})
            self._restored[n] = identity
            self._queue([Job(RESTORED)], (name, identity))

    def _queue(self, jobs: Sequence[Job], cursor: tuple[str, int]) -> None:
        """Queue jobs in pieces; the cursor moves with the last one, and not before those queued earlier."""
        pieces = [piece for job in jobs for piece in job.pieces(self._city, self._clock())]
        if not pieces and not self.jobs:
            self.notes[cursor[0]] = cursor[1]
            return
        last = pieces.pop()._replace(cursor=cursor) if pieces else only_cursor(*cursor)
        tail = self.jobs[-1] if self.jobs else None
        if last.empty and tail is not None and tail.empty and tail.cursor and tail.cursor[0] == cursor[0]:
            self.jobs.pop()  # many devices registered in a row need one such job
        self.jobs.extend([*pieces, last])

    def cursor_of(self, job: Job, moving: Mapping[str, int]) -> Mapping[str, int]:
        """The cursor that moves with a job; `moving` are those that move with it already."""
        if job.cursor is None:
            return {}
        name, position = job.cursor
        if name in _GROWING:
            position = max(position, moving.get(name, 0), self._ledger.cursor(name))
        return {name: position}
