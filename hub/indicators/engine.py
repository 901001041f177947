# SPDX-License-Identifier: EUPL-1.2
"""The engine: a thin shell that finds out what is dirty, has it computed, and commits it with its cursors.

A step is a wave of what arrived, and a wave of a piece of a job where one is queued:

    read touches and approvals behind the cursors, windows that fell silent, what waited  ->  marks
    marks -> values (hub.indicators.wave)  ->  one commit: values and cursors together
    nothing left to do: values whose grace is over become final

Invariants. The engine's memory changes only after the commit, so an error anywhere (the store is away: Retry) leaves
everything to be done again, and a crash continues from the cursors. Windows past retention are left alone
(`hub.indicators.frozen`), whoever asks for them. Values become final only once every touch log is
read to its end, so a reading that was acknowledged before the grace was over is in the first final value.

Rows of open windows are rewritten at most once in `every` ns (hub.indicators.pace): marks that come sooner wait in
memory, while the cursor moves on. Whatever waits has an open row, so an engine that starts first computes all open
rows again, and none is closed before that.

Cursors in the ledger: `touch:<n>`, `corrections`, `registry`, `definition:<id>` (the version that was last applied),
`quality` (the digest of the rules that were), `entered` (the newest approval of an entered value) and `journal:<n>`,
the identity of the file that `touch:<n>` belongs to (hub.indicators.watch).

A journal that was made anew or restored numbers its touches differently: then `touch:<n>` begins at 0, and everything
stored is looked at again. In one commit with that, `journal:<n>` becomes the new identity *negated*, which stands
until the last piece of the job: a crash on the way begins the job again.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from hub.core.errors import Invalid, Retry
from hub.core.journal import Touch
from hub.core.places import Device, RegistrySnapshot
from hub.core.ports import EntryBook, FlagStore, JournalReader, ReadingStore, Registry, ValueLedger
from hub.core.readings import Series
from hub.core.windows import Calendar
from hub.indicators.aggregation import Ints
from hub.indicators.catalogue import Catalogue
from hub.indicators.entry_marks import ENTERED, Entered
from hub.indicators.frozen import horizons, thawed
from hub.indicators.jobs import Job, Prefetched, lift, marks_of_job
from hub.indicators.pace import Pace
from hub.indicators.plan import Cause, Key, Marks, marks_of, standing
from hub.indicators.quality.control import existing, near
from hub.indicators.quality.rules import NO_RULES, Rules
from hub.indicators.recall import newest_seen, unread_hours
from hub.indicators.revision import finalise
from hub.indicators.silence import Silence
from hub.indicators.watch import Watch
from hub.indicators.wave import Commits, Wave, World

LATE = "late readings"
STARTED = "late readings that a restart put off"
_NEVER = 2**62
_SMALL = 50  # jobs of single devices that one wave takes
_log = logging.getLogger(__name__)


class StepResult(Struct, frozen=True):
    """What was done; `more` says that there is work left that could be done at once, `frozen` what was left alone."""

    touches: int = 0
    windows: int = 0
    written: int = 0
    finalised: int = 0
    more: bool = False
    frozen: int = 0

    def plus(self, other: "StepResult") -> "StepResult":
        """Sum of two, `more` of the later."""
        return StepResult(
            self.touches + other.touches,
            self.windows + other.windows,
            self.written + other.written,
            self.finalised + other.finalised,
            other.more,
            self.frozen + other.frozen,
        )


class _Intake(Struct):
    """What a step found dirty, and what is to be remembered once it is committed.

    `touched` are windows that have readings, `rows` those that are only to be seen again.
    """

    touched: Marks
    rows: Marks
    cursors: dict[str, int]
    touches: int = 0
    drained: bool = True


class Engine:
    """Keeps indicator values true. `clock` gives ns since 1970; one engine at a time may write a ledger.

    `journals[n]` is read behind the cursor `touch:<n>`, at most `touch_limit` touches a step. `keep`: for how long
    (ns) readings of a domain are kept; domains that are not in it are kept for ever. `rules` are those of the quality
    control, whose findings go to `flags`. `entries` are the values that people enter.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        city: Calendar,
        store: ReadingStore,
        ledger: ValueLedger,
        registry: Registry,
        journals: Sequence[JournalReader],
        clock: Callable[[], int],
        touch_limit: int = 5_000,
        keep: Mapping[str, int] | None = None,
        every: int = 0,
        rules: Rules = NO_RULES,
        flags: FlagStore | None = None,
        entries: EntryBook | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._city = city
        self._store = store
        self._ledger = ledger
        self._journals = journals
        self._clock = clock
        self._limit = touch_limit
        self._keep = keep or {}
        self._rules = rules
        self._flags = flags
        self._entered = None if entries is None else Entered(entries, catalogue, city)
        self._watch = Watch(catalogue, city, ledger, registry, journals, clock, rules, self._entered)
        self._silence: Silence | None = None
        self._pace = Pace(every)
        self._first: int | None = None
        self._waiting: Marks | None = None  # None until the open rows are known
        self._standing: tuple[int, Mapping[str, Sequence[Device]]] = (-1, {})
        self._lock = asyncio.Lock()
        self.waits: str | None = None  # for what, while a part is away

    async def step(self) -> StepResult:
        """Take in what arrived, and do a piece of a job. Raises Retry when a part is away: step again."""
        async with self._lock:
            snapshot, silence = await self._prepare()
            now, cursors = self._clock(), dict(self._watch.notes)
            intake = self._intake(snapshot, cursors)
            small = await self._small(intake, snapshot)
            behind = not intake.drained or len(self._watch.jobs) > small
            done = await self._wave(intake, snapshot, silence, now, behind=behind)
            self._watch.notes = {name: position for name, position in self._watch.notes.items() if name not in cursors}
            self._watch.again = Marks()
            for _ in range(small):
                self._watch.jobs.popleft()
            if self._watch.jobs:
                done = done.plus(await self._job(snapshot, silence, now, behind=not intake.drained))
            more = bool(self._watch.jobs) or not intake.drained
            finalised = 0 if more or self._ledger.holds(now) else self._finalise(now)
            more = more or finalised >= self._limit
            return StepResult(intake.touches, done.windows, done.written, finalised, more, done.frozen)

    async def settle(self) -> StepResult:
        """Step until nothing is left to do."""
        done = await self.step()
        while done.more:
            done = done.plus(await self.step())
        return done

    async def run(self, debounce: float = 1.0) -> None:
        """Step for ever; with nothing left to do wait `debounce` seconds for more to gather."""
        while True:
            pause = debounce
            try:
                if (await self.step()).more:
                    pause = 0.0
                self.waits = None
            except Retry as error:
                pause, self.waits = max(debounce, error.after), str(error)
                _log.warning("indicators wait: %s", error, extra={"reason": "engine_retry"})
            await asyncio.sleep(pause)

    async def recompute(
        self,
        indicator: str | None = None,
        place: str | None = None,
        start: int | None = None,
        end: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> StepResult:
        """Compute again what has readings or values in [start, end); `progress(done, total)` counts pieces.

        With `indicator`, what it is made of is computed too. `place` includes the places below.
        """
        if start is not None and end is not None and start >= end:
            raise Invalid("the end must come after the start", "end")
        wanted = None if indicator is None else frozenset(d.id for d in self._catalogue.closure(indicator))
        job = Job("recompute", indicators=wanted, places=None if place is None else frozenset({place}), end=end)
        newest = [journal.newest() for journal in self._journals]
        while self._unseen(newest):  # else what is made of several sites would be closed without those unread
            await self.step()
        years = (job if start is None else job._replace(start=start)).pieces(self._city, self._clock())
        async with self._lock:
            snapshot, _ = await self._prepare()
        pieces = [piece for year in years for piece in year.groups(snapshot)]
        done = StepResult()
        for i, piece in enumerate(pieces, 1):
            async with self._lock:
                snapshot, silence = await self._prepare()
                behind = self._behind()
                done = done.plus(await self._piece(piece, snapshot, silence, self._clock(), behind=behind))
            if progress:
                progress(i, len(pieces))
        return done.plus(await self._recompute_entered(job._replace(start=-_NEVER if start is None else start)))

    async def _recompute_entered(self, job: Job) -> StepResult:
        """Entered values, also of windows that no reading can be of: from before 2000, or planned ahead."""
        if self._entered is None:
            return StepResult()
        marks = self._entered.marks(job.cause, job.indicators, job.places, job.start, job.end)
        async with self._lock:
            snapshot, silence = await self._prepare()
            intake = _Intake(Marks(), marks, {})
            read = Prefetched(self._store, self._ledger)
            return await self._wave(intake, snapshot, silence, self._clock(), behind=self._behind(), job=(job, read))

    def _behind(self) -> bool:
        """Whether there is work that no wave has done yet: until then no window is closed."""
        return bool(self._watch.jobs) or self._unseen()

    def _unseen(self, upto: Sequence[int] | None = None) -> bool:
        """Whether there are touches behind the cursors, of those up to the given positions."""
        for n, journal in enumerate(self._journals):
            position = self._ledger.cursor(f"touch:{n}")
            if (upto is None or position < upto[n]) and journal.touches(position, 1)[0]:
                return True
        return False

    async def _small(self, intake: _Intake, snapshot: RegistrySnapshot) -> int:
        """Add what the first jobs of single devices ask for to what arrived; returns how many jobs those are.

        Their corrections are seen by every wave from now on, so they belong to the causes of this one.
        """
        count = 0
        for job in islice(self._watch.jobs, _SMALL):
            if job.devices is None and not job.empty:
                break
            store = Prefetched(self._store, self._ledger)
            touched, rows = await marks_of_job(job, snapshot, self._catalogue, self._city, store, self._earliest())
            intake.touched.merge(touched)
            intake.rows.merge(rows)
            intake.cursors.update(self._watch.cursor_of(job, intake.cursors))
            count += 1
        return count

    async def _job(self, snapshot: RegistrySnapshot, silence: Silence, now: int, *, behind: bool) -> StepResult:
        """The piece at the head of the queue, which is first cut into pieces of a few sites."""
        head, *others = self._watch.jobs[0].groups(snapshot)
        if others:
            self._watch.jobs.popleft()
            self._watch.jobs.extendleft(reversed([head, *others]))
        done = await self._piece(head, snapshot, silence, now, behind=behind or len(self._watch.jobs) > 1)
        self._watch.jobs.popleft()
        return done

    async def _piece(
        self, piece: Job, snapshot: RegistrySnapshot, silence: Silence, now: int, *, behind: bool = False
    ) -> StepResult:
        store = Prefetched(self._store, self._ledger)
        touched, rows = await marks_of_job(piece, snapshot, self._catalogue, self._city, store, self._earliest())
        cursors = dict(self._watch.cursor_of(piece, {}))
        return await self._wave(
            _Intake(touched, rows, cursors), snapshot, silence, now, behind=behind, job=(piece, store)
        )

    async def _wave(
        self,
        intake: _Intake,
        snapshot: RegistrySnapshot,
        silence: Silence,
        now: int,
        *,
        behind: bool = False,
        job: tuple[Job, Prefetched] | None = None,
    ) -> StepResult:
        """One wave; while the engine is `behind` with its work, or an import runs, no window is closed by it."""
        held = behind or bool(self._ledger.holds(now))
        sites = job is not None and job[0].only is not None
        approved = intake.cursors.get(ENTERED, self._ledger.cursor(ENTERED))
        world = World(
            self._catalogue, self._city, snapshot, self._stood(snapshot), tuple(self._watch.corrections), now, held,
            sites, self._rules, self._entered, approved,
        )  # fmt: skip
        marks, frozen = self._thawed(intake, snapshot, silence, now, job[0] if job else None)
        if job is None:
            wave = Wave(world, self._store.scan, self._ledger, self._ledger.digests, self._pace)
        else:
            read = job[1]
            wave = Wave(world, read.scan, self._ledger, read.digests, None, lambda values: self._commit(values, {}))
        await wave.run(marks)
        if job is not None:
            lift(job[0], marks, snapshot, self._catalogue, self._city)
        if self._flags is not None:  # before the commit: a failure leaves all of it to be done again
            await self._flags.replace(wave.flags)
        values = wave.commits()
        if values or intake.cursors:
            self._commit(values, intake.cursors)
        silence.learn(intake.touched, now if job is None else None)
        wave.committed()
        if job is None:
            self._waiting = wave.waiting
            self._pace.forget(now)
        return StepResult(windows=wave.windows, written=len(values) + wave.flushed, frozen=frozen)

    def _thawed(
        self, intake: _Intake, snapshot: RegistrySnapshot, silence: Silence, now: int, job: Job | None
    ) -> tuple[Marks, int]:
        """What is to be computed: all that is asked for and is not frozen, and how much is frozen."""
        limits, asked = horizons(self._catalogue, self._keep, now, self._rules), Marks()
        asked.merge(intake.touched)
        asked.merge(intake.rows)
        marks, frozen = thawed(asked, limits)
        gaps = thawed(self._gaps(intake.touched, snapshot, silence, now, job), limits)[0]
        marks.merge(gaps)
        return marks, frozen

    def _commit(self, values: Commits, cursors: Mapping[str, int]) -> None:
        """Values are published now, however long ago the work began: what was known then never changes later."""
        now = self._clock()
        self._ledger.commit([(replace(v, computed_at=max(now, v.computed_at)), end) for v, end in values], cursors)
        if self._first is not None:
            self._first = min([self._first, *(value.start for value, _ in values)])

    def _earliest(self) -> int | None:
        """Start of the earliest window that is stored: asked for once, since nobody else writes."""
        if self._first is None:
            self._first = self._ledger.first()
        return self._first

    def _finalise(self, now: int) -> int:
        """Close windows whose grace is over, at most `touch_limit` of them."""
        due = self._ledger.due(now, self._limit)
        if due:
            self._ledger.commit([(finalise(value, now), now) for value in due], {})
        return len(due)

    # --- what is dirty -----------------------------------------------------------------------------------------

    async def _prepare(self) -> tuple[RegistrySnapshot, Silence]:
        """See what changed in registry, corrections and definitions, and queue jobs for it."""
        snapshot = self._watch.look()
        if self._silence is None:
            self._silence = await self._recall(snapshot)
        return snapshot, self._silence

    async def _recall(self, snapshot: RegistrySnapshot) -> Silence:
        """What the newest readings say about who spoke last."""
        silence = Silence(self._catalogue, self._city)
        devices = [device.id for device in snapshot.known.values() if device.mountings]
        wanted = [Series(d, q) for d in sorted(devices) for q in self._catalogue.kinds]
        unread = unread_hours(self._journals, self._ledger, self._limit)
        silence.learn(self._marks(await newest_seen(wanted, unread, self._store), snapshot))
        return silence

    def _intake(self, snapshot: RegistrySnapshot, cursors: dict[str, int]) -> _Intake:
        """Touches behind the cursors, and what waited before."""
        intake = _Intake(Marks(), Marks(), cursors)
        for n, journal in enumerate(self._journals):
            name = f"touch:{n}"
            before = self._ledger.cursor(name)
            touches, after = journal.touches(before, self._limit)
            if after != before:
                intake.cursors[name] = after
            intake.touches += len(touches)
            intake.drained = intake.drained and len(touches) < self._limit
            intake.touched.merge(self._marks(touches, snapshot))
            intake.rows.merge(self._near(touches, snapshot))
        intake.rows.merge(self._open_rows() if self._waiting is None else self._waiting)
        if self._entered is not None:
            before = self._ledger.cursor(ENTERED)
            approvals = self._entered.approvals(before, self._limit)
            intake.rows.merge(approvals.marks)
            intake.rows.merge(self._watch.again)
            intake.drained = intake.drained and approvals.drained
            if approvals.cursor != before:
                intake.cursors[ENTERED] = approvals.cursor
        return intake

    def _open_rows(self) -> Marks:
        """Windows that are open: what waited when the engine before this one ended is among them."""
        found: dict[Key, list[int]] = {}
        for value in self._ledger.due(_NEVER, _NEVER):
            found.setdefault((value.indicator, value.place), []).append(value.start)
        marks = Marks()
        for key, starts in found.items():
            if key[0] in self._catalogue.definitions:
                marks.add(key, np.unique(np.array(starts, dtype=np.int64)), Cause(STARTED))
        return marks

    def _marks(self, touches: Sequence[Touch], snapshot: RegistrySnapshot) -> Marks:
        return marks_of(touches, snapshot, self._catalogue, self._city, LATE)

    def _near(self, touches: Sequence[Touch], snapshot: RegistrySnapshot) -> Marks:
        """Rows of windows whose readings' flags may have changed by what arrived beside them."""
        return existing(near(touches, snapshot, self._catalogue, self._city, self._rules), self._ledger)

    def _gaps(self, touched: Marks, snapshot: RegistrySnapshot, silence: Silence, now: int, job: Job | None) -> Marks:
        """Windows that fell silent and have no row yet."""
        found: dict[str, dict[str, Ints]] = {}
        for (indicator, place), starts in silence.candidates(touched, snapshot, now, alone=job is not None).items():
            found.setdefault(indicator, {})[place] = starts
        marks, cause = Marks(), Cause(LATE if job is None else job.cause)
        for indicator, places in found.items():
            first, last = min(int(s[0]) for s in places.values()), max(int(s[-1]) for s in places.values())
            stored = self._ledger.digests(indicator, sorted(places), first, last + 1)
            known = {name: stored.start[stored.place == p] for p, name in enumerate(stored.places)}
            for place, starts in places.items():
                marks.add((indicator, place), np.setdiff1d(starts, known.get(place, ()), assume_unique=True), cause)
        return marks

    def _stood(self, snapshot: RegistrySnapshot) -> Mapping[str, Sequence[Device]]:
        """Devices by the places where they ever stood."""
        if self._standing[0] != snapshot.version:
            self._standing = (snapshot.version, standing(snapshot.known.values()))
        return self._standing[1]
