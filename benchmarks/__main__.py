# SPDX-License-Identifier: EUPL-1.2
"""Run everything, print a table, write `benchmarks/latest.json`.

By default: drains against yardsticks on every set-up, latencies, the whole hub (about ten minutes), and a year of a
hundred sites through the engine (about four; `python -m benchmarks.indicators` does that alone). `--full` adds the
cost by number of devices, and a million messages with 100 kills on each set-up that has them (about an hour).
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import indicators, kills, machine, report
from benchmarks.brokers import SETUPS
from benchmarks.consumers import CONSUMERS
from benchmarks.flood import flooding
from benchmarks.hubs import make_template
from benchmarks.load import READINGS, Message, Shape, messages
from benchmarks.provisional import provisional
from benchmarks.scaling import DEVICES, scale
from benchmarks.trials import drain, live, whole

LATEST = Path(__file__).with_name("latest.json")
_LIVE_SECONDS = 5
_DEBOUNCES = (1.0, 0.05)  # s; the first is the default of indicators.debounce_s, the second the least it can be
_SCALE_MESSAGES = 200_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; with --check 1 when a target is missed; 2 when a server is not installed."""
    options = _parser().parse_args(arguments)
    try:
        document = measure(options)
    except pytest.skip.Exception as missing:  # how the tests' servers say that a binary is missing
        print(f"{missing}: see tests/install-servers", file=sys.stderr)
        return 2
    _write(options.output, document)
    report.show(document)
    print(f"written: {options.output}")
    return int(options.check and not all(target["met"] for target in document["targets"]))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for, as one document; the long runs of an earlier time stay in it, with their dates."""
    shape = Shape(options.messages, options.devices, options.seed)
    document: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine.facts(),
        "versions": machine.versions(),
        "method": {**shape._asdict(), "readings_per_message": READINGS, "qos": 1, "rounds": options.rounds},
    }
    load = list(messages(shape, int(time.time())))
    document["method"]["payload_bytes"] = round(sum(len(m.payload) for m in load) / len(load))
    with tempfile.TemporaryDirectory() as folder:
        _say(f"registering {shape.devices} devices")
        template = make_template(Path(folder), shape.devices)
        document["setups"] = {name: _setup(name, load, template, options) for name in options.setups}
    document |= _earlier(options.output)
    if not options.quick:
        document["indicators"] = indicators.measure()
    if options.full or options.scaled:
        _write(options.output, {**document, "targets": report.judge(document)})  # should a long run end in an error
        document["devices"] = {name: _scaled(name, options) for name in _SCALED if name in options.setups}
    if options.full:
        found = {name: _tortured(name, options) for name in kills.SETUPS if name in options.setups}
        document["kills"] = {**document.get("kills", {}), **found}
    document["targets"] = report.judge(document)
    return document


def _write(output: Path, document: Mapping[str, Any]) -> None:
    output.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")


def _earlier(output: Path) -> dict[str, Any]:
    """What only some runs measure."""
    if not output.exists():
        return {}
    known = msgspec.json.decode(output.read_bytes())
    return {name: known[name] for name in ("devices", "kills", "indicators") if name in known}


def _setup(name: str, load: Sequence[Message], template: Path, options: argparse.Namespace) -> dict[str, Any]:
    rounds = []
    for number in range(options.rounds):
        runs = {}
        for consumer in CONSUMERS:
            runs[consumer] = run = drain(name, consumer, load, template)
            _say(
                f"{name}, round {number + 1}, {consumer}: {run.messages_per_s:,.0f} messages/s, {run.cpu_us:.0f} us CPU"
            )
        rounds.append(runs)
    figures = report.summarise(rounds)
    if not options.quick:
        for kind in _EXTRAS[name]:
            figures[kind] = _MEASURES[kind](name, load, template, options)
            _say(f"{name}, {kind}: {figures[kind]}")
    return figures


def _live(name: str, load: Sequence[Message], template: Path, options: argparse.Namespace) -> dict[str, Any]:
    return report.live_figures(live(name, _some(load, options.rate), template, options.rate))


def _whole(name: str, load: Sequence[Message], template: Path, _options: argparse.Namespace) -> dict[str, Any]:
    return report.whole_figures(whole(name, load, template))


def _flood(name: str, load: Sequence[Message], template: Path, options: argparse.Namespace) -> dict[str, Any]:
    calm, flooded = (
        live(name, _some(load, options.rate), template, options.rate, beside) for beside in (None, flooding)
    )
    return report.flood_figures(calm, flooded)


def _provisional(
    name: str, load: Sequence[Message], template: Path, options: argparse.Namespace
) -> list[dict[str, float]]:
    """With the engine's debounce as it is by default, and with nearly none."""
    return [
        report.provisional_figures(
            provisional(name, load, template, rate=options.rate, probes=options.probes, debounce=debounce)
        )
        for debounce in _DEBOUNCES
    ]


def _some(load: Sequence[Message], rate: float) -> Sequence[Message]:
    return load[: 100 + int(rate * _LIVE_SECONDS)]


def _scaled(name: str, options: argparse.Namespace) -> dict[str, Any]:
    runs = []
    for devices in options.scale:
        runs.append(scale(name, devices, _SCALE_MESSAGES, options.seed))
        _say(f"{name}: {runs[-1]}")
    return {"date": datetime.now(UTC).date().isoformat(), **report.scale_figures(runs)}


def _tortured(name: str, options: argparse.Namespace) -> dict[str, Any]:
    wanted = kills.plan(name, 1_000_000, 100, options.seed)
    result = kills.figures(wanted, kills.run(name, wanted))
    kills.show(name, result)
    return result


_MEASURES: Mapping[str, Callable[[str, Sequence[Message], Path, argparse.Namespace], Any]] = {
    "live": _live,
    "whole_hub": _whole,
    "flood": _flood,
    "provisional": _provisional,
}
_EXTRAS = {
    "mosquitto+influxdb": ("live", "flood", "provisional", "whole_hub"),
    "mosquitto+sqlite": ("live",),
    "embedded": ("live", "flood", "provisional", "whole_hub"),
}
_SCALED = ("mosquitto+influxdb", "mosquitto+sqlite")


def _parser() -> argparse.ArgumentParser:
    shape = Shape()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the hub against yardsticks.")
    parser.add_argument("--messages", type=int, default=shape.messages, help="in each queue")
    parser.add_argument("--devices", type=int, default=shape.devices)
    parser.add_argument("--seed", type=int, default=shape.seed)
    parser.add_argument("--rounds", type=int, default=3, help="of yardsticks and hub in turn")
    parser.add_argument("--rate", type=float, default=1000.0, help="messages a second of the live run")
    parser.add_argument("--setups", nargs="+", choices=list(SETUPS), default=list(SETUPS))
    parser.add_argument("--probes", type=int, default=20, help="of the provisional value, for each debounce")
    parser.add_argument("--scale", type=int, nargs="+", default=list(DEVICES), help="numbers of devices, with --full")
    parser.add_argument(
        "--full", action="store_true", help="also cost by number of devices, and a million messages with 100 kills"
    )
    parser.add_argument("--scaled", action="store_true", help="cost by number of devices, without the kills")
    parser.add_argument("--quick", action="store_true", help="drains only")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    parser.add_argument("--output", type=Path, default=LATEST)
    return parser


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers must not outlive a benchmark that is stopped
    sys.exit(main())
