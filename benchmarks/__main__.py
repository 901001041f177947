# SPDX-License-Identifier: EUPL-1.2
"""Run everything, print a table, write `benchmarks/latest.json`."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks import machine, report
from benchmarks.brokers import SETUPS
from benchmarks.consumers import CONSUMERS
from benchmarks.hubs import make_template
from benchmarks.load import READINGS, Message, Shape, messages
from benchmarks.trials import drain, live, whole

LATEST = Path(__file__).with_name("latest.json")
_LIVE_SECONDS = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0; with --check 1 when a target is missed; 2 when a server is not installed."""
    options = _parser().parse_args(arguments)
    try:
        document = measure(options)
    except pytest.skip.Exception as missing:  # how the tests' servers say that a binary is missing
        print(f"{missing}: see tests/install-servers", file=sys.stderr)
        return 2
    options.output.write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    report.show(document)
    print(f"written: {options.output}")
    return int(options.check and not all(target["met"] for target in document["targets"]))


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for, as one document."""
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
    document["targets"] = report.judge(document["setups"])
    return document


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
        some = load[: 100 + int(options.rate * _LIVE_SECONDS)]
        figures["live"] = report.live_figures(live(name, some, template, options.rate))
        _say(f"{name}, live: {figures['live']}")
        figures["whole_hub"] = report.whole_figures(whole(name, load, template))
        _say(f"{name}, whole hub: {figures['whole_hub']}")
    return figures


def _parser() -> argparse.ArgumentParser:
    shape = Shape()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the hub against yardsticks.")
    parser.add_argument("--messages", type=int, default=shape.messages, help="in each queue")
    parser.add_argument("--devices", type=int, default=shape.devices)
    parser.add_argument("--seed", type=int, default=shape.seed)
    parser.add_argument("--rounds", type=int, default=3, help="of yardsticks and hub in turn")
    parser.add_argument("--rate", type=float, default=1000.0, help="messages a second of the live run")
    parser.add_argument("--setups", nargs="+", choices=list(SETUPS), default=list(SETUPS))
    parser.add_argument("--quick", action="store_true", help="drains only: no live run, no whole hub")
    parser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
    parser.add_argument("--output", type=Path, default=LATEST)
    return parser


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers must not outlive a benchmark that is stopped
    sys.exit(main())
