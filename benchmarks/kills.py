# SPDX-License-Identifier: EUPL-1.2
"""The torture run: everything dies by `kill -9` in turn at random moments while publishers go on.

    python -m benchmarks.kills --messages 1000000 --kills 100 --seed 1

Publishers in processes of their own keep ledgers of what was confirmed to them (`benchmarks.tenacious`). Victims are
ingest from outside, ingest by a fail point between durable write and PUBACK (more than 30 of 100), the broker (NATS)
or the database (influxd), and the hub as a whole under its supervisor. Afterwards `benchmarks.verdict` compares
ledgers, store and journal. The order of kills and the moments are a function of the seed; what they hit is chance.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.hubs import BenchmarkError, make_template
from benchmarks.load import READINGS
from benchmarks.numbered import Numbered
from benchmarks.verdict import Books, Verdict, books, judge
from benchmarks.victims import SCENES, Ingest, Scene, WholeHub

SETUPS = tuple(SCENES)
LATEST = Path(__file__).with_name("latest.json")
DURABLE = ("stored", "journalled", "spooled")  # fail points between durable write and PUBACK
_POINTS = {"embedded": DURABLE[:2], "mosquitto+influxdb": DURABLE}
_SHARE = 0.35  # of the kills that are fail points
_WHOLE_EVERY = 12  # kills
_PROCESSES, _LANES = 2, 3  # publishers, and connections of each
_POINT_SECONDS = 120.0  # NATS sends what a dead worker had in hand again after 15 s; then batches flow
_RECOVERY_SECONDS = 3.0  # of one kill: what was killed starts again; publishers hurry once all kills are done
_STALLED = 90.0  # s without a new reading: much longer than any redelivery takes
_QUIET = 2.0  # s
_DEVICES = 1_000
_INTERVAL = 3.0  # s


class Plan(Struct, frozen=True):
    """One run. `kills` are victims in order: hub (ingest), whole, broker, database, or the name of a fail point."""

    messages: int
    devices: int
    seed: int
    interval: float
    kills: Sequence[str]

    @property
    def rate(self) -> float:
        """Messages a second, so slow that publishers are still at work when the last kill comes."""
        return self.messages / ((self.interval + _RECOVERY_SECONDS) * len(self.kills))


class Outcome(Struct, frozen=True):
    """What happened, and the verdict."""

    verdict: Verdict
    books: Books
    killed: Mapping[str, int]
    killed_while_publishing: int
    confirmed: int
    seconds: float
    touches: int


def plan(
    setup: str, messages: int, kills: int, seed: int, interval: float = _INTERVAL, devices: int = _DEVICES
) -> Plan:
    """Victims in an order that the seed decides: fail points, server, hub; a few times the whole hub."""
    rng = random.Random(f"{seed} {setup}")
    server = "broker" if setup == "embedded" else "database"
    points = -(-kills * _SHARE // 1)
    whole = max(1, kills // _WHOLE_EVERY)
    rest = kills - int(points) - whole
    others = (server, "hub", server, "hub", server, "noted")
    victims = [_POINTS[setup][i % len(_POINTS[setup])] for i in range(int(points))]
    victims += ["whole"] * whole + [others[i % len(others)] for i in range(rest)]
    rng.shuffle(victims)
    return Plan(messages, devices, seed, interval, victims)


def run(setup: str, wanted: Plan, report: bool = True) -> Outcome:
    """One run on fresh servers."""
    began = time.monotonic()
    rng = random.Random(wanted.seed)
    load = Numbered.ending(wanted.messages, wanted.devices, wanted.seed, int(time.time()) // 60 * 60)
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        template = make_template(directory, wanted.devices)
        with SCENES[setup](directory, template) as scene:
            turn = _Turn(scene, wanted, rng, report)
            with _publishers(scene.port, directory, load, wanted.rate) as (ledgers, publishers):
                try:
                    turn.go(publishers)
                    _await_end(publishers)
                    _await_rest(scene, turn.ingest, wanted.messages * READINGS)
                finally:
                    turn.ingest.stop()
            verdict, found = judge(scene.hub, load, ledgers, turn.ingest.touches)
            return Outcome(
                verdict=verdict,
                books=found,
                killed=Counter(turn.killed),
                killed_while_publishing=turn.while_publishing,
                confirmed=sum(ledger.stat().st_size for ledger in ledgers) // 4,
                seconds=time.monotonic() - began,
                touches=len(turn.ingest.touches),
            )


class _Turn:
    """Goes through the plan: before each kill everything runs, and after the last one too."""

    def __init__(self, scene: Scene, wanted: Plan, rng: random.Random, report: bool) -> None:
        self._scene, self._plan, self._rng, self._report = scene, wanted, rng, report
        self._ahead = list(wanted.kills)
        self.ingest = Ingest(scene)
        self.killed: list[str] = []
        self.while_publishing = 0

    def go(self, publishers: Sequence[subprocess.Popen[bytes]]) -> None:
        """All kills."""
        acts = {"hub": self._hub, "whole": self._whole, "broker": self._server, "database": self._server}
        self._revive()
        while self._ahead:
            victim = self._ahead.pop(0)
            acts.get(victim, self._point)(victim)
            self.killed.append(victim)
            self.while_publishing += any(one.poll() is None for one in publishers)
            if self._report:
                done = books(self._scene.hub).received
                print(
                    f"{len(self.killed)}: {victim} killed, {done:,} deliveries journalled", file=sys.stderr, flush=True
                )

    def _revive(self) -> None:
        """Start ingest; so that it kills itself where its next death in the plan is a fail point."""
        death = next((victim for victim in self._ahead if victim not in self._scene.killable), "hub")
        times = self._rng.randint(1, 5 if death == "spooled" else 40)
        self.ingest.start("" if death in {"hub", "whole"} else f"{death}:{times}")

    def _pause(self) -> None:
        time.sleep(self._rng.uniform(0.3, 1.7) * self._plan.interval)

    def _hub(self, _: str) -> None:
        self._pause()
        self.ingest.kill()
        self._revive()

    def _server(self, name: str) -> None:
        self._pause()
        self._scene.killable[name].kill()
        time.sleep(self._rng.uniform(0.0, 0.3) * self._plan.interval)
        self._scene.killable[name].start()

    def _point(self, name: str) -> None:
        database = self._scene.killable.get("database") if name == "spooled" else None
        if database is not None:  # the spool is needed only while the database is away
            self._pause()
            database.kill()
            self.killed.append("database")
        self.ingest.await_death(_POINT_SECONDS)
        if database is not None:
            database.start()
        self._revive()

    def _whole(self, _: str) -> None:
        self.ingest.stop()
        broker = self._scene.killable.get("broker")
        if broker is not None:
            broker.stop()  # the whole hub brings its own
        hub = WholeHub(self._scene)
        try:
            hub.await_ingest()
            self._pause()
        finally:
            hub.kill()
        self.ingest.note_touches()
        if broker is not None:
            broker.start()
        self._revive()


@contextmanager
def _publishers(
    port: int, directory: Path, load: Numbered, rate: float
) -> Iterator[tuple[Sequence[Path], Sequence[subprocess.Popen[bytes]]]]:
    """Ledgers and processes; none outlives this."""
    ledgers = [directory / f"confirmed-{i}" for i in range(_PROCESSES)]
    head = [sys.executable, "-m", "benchmarks.tenacious", str(port)]
    started = []
    try:
        for i, ledger in enumerate(ledgers):
            numbers = [rate / _PROCESSES, i, _PROCESSES, _LANES, *load]
            started.append(subprocess.Popen([*head, str(ledger), *map(str, numbers)], stdin=subprocess.PIPE))
        yield ledgers, started
    finally:
        for one in started:
            one.kill()
            one.communicate()


def _await_end(publishers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let publishers hurry, and wait until they are done."""
    for one in publishers:
        if one.stdin is not None:
            one.stdin.close()
    for one in publishers:
        code = one.wait(3600)
        if code:
            raise BenchmarkError(f"a publisher ended with {code}: see above")


def _await_rest(scene: Scene, ingest: Ingest, count: int) -> None:
    """Return when the store holds `count` readings and everything unconfirmed came again, or when nothing moves."""
    seen, moved = (-1, -1), time.monotonic()
    while time.monotonic() - moved < (_QUIET if seen[0] >= count and ingest.age > scene.again else _STALLED):
        if not ingest.alive:
            raise BenchmarkError(f"ingest ended by itself: {scene.hub.log_tail()}")
        time.sleep(_QUIET / 4)
        now = scene.held(), books(scene.hub).received
        moved = time.monotonic() if now != seen else moved
        seen = now


def figures(wanted: Plan, outcome: Outcome) -> dict[str, Any]:
    """One run as it stands in the document."""
    found: dict[str, Any] = msgspec.to_builtins(outcome)
    shape = {"messages": wanted.messages, "readings": wanted.messages * READINGS, "devices": wanted.devices}
    when = {"date": datetime.now(UTC).date().isoformat(), "seed": wanted.seed}
    points = sum(outcome.killed.get(name, 0) for name in DURABLE)
    return {
        **when,
        **shape,
        "kills": len(wanted.kills),
        "by_fail_point": points,
        "passed": outcome.verdict.clean,
        **found,
    }


def keep(file: Path, setup: str, result: Mapping[str, Any]) -> None:
    """Put the result into the document beside what stands there."""
    document = msgspec.json.decode(file.read_bytes()) if file.exists() else {}
    document.setdefault("kills", {})[setup] = result
    file.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def show(setup: str, result: Mapping[str, Any]) -> None:
    """Print the verdict for people."""
    verdict = result["verdict"]
    zeros = ", ".join(f"{verdict[name]} {name}" for name in verdict if name != "words")
    killed = ", ".join(f"{count} {name}" for name, count in sorted(result["killed"].items()))
    print(
        f"{setup}, seed {result['seed']}: {result['messages']:,} messages, {result['confirmed']:,} PUBACKs in ledgers"
    )
    print(f"  killed: {killed}; {result['killed_while_publishing']} of them while publishers sent")
    print(f"  {'passed' if result['passed'] else 'NOT PASSED'}: {zeros} ({result['seconds']:.0f} s)")
    for line in verdict["words"]:
        print(f"    {line}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when a run is not passed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interval", type=float, default=_INTERVAL, help="mean seconds before a kill")
    parser.add_argument("--devices", type=int, default=_DEVICES)
    parser.add_argument("--setups", nargs="+", choices=list(SCENES), default=list(SCENES))
    parser.add_argument("--output", type=Path, default=LATEST, help="document to add the result to")
    options = parser.parse_args(arguments)
    passed = True
    for setup in options.setups:
        wanted = plan(setup, options.messages, options.kills, options.seed, options.interval, options.devices)
        result = figures(wanted, run(setup, wanted))
        keep(options.output, setup, result)
        show(setup, result)
        passed = passed and result["passed"]
    return int(not passed)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers must not outlive a run that is stopped
    sys.exit(main())
