# SPDX-License-Identifier: EUPL-1.2
"""From trials to figures: medians, ratios pair by pair, a table to read and a document to keep. Pure but for `show`."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.load import READINGS
from benchmarks.provisional import Provisional
from benchmarks.scaling import Scale, growth
from benchmarks.trials import Drain, Live, Whole

_COLUMNS = ("seconds", "messages_per_s", "cpu_us", "broker_cpu_us", "store_cpu_us", "pss_mb")


class Target(NamedTuple):
    """A figure of the document, by its keys, and its bound: at least or at most."""

    where: Sequence[str]
    word: Literal["at least", "at most"]
    bound: float
    claim: str

    def met(self, found: float) -> bool:
        """Whether a measured figure is good enough; exactly the bound is."""
        return found >= self.bound if self.word == "at least" else found <= self.bound


def _share(setup: str, yardstick: str) -> Sequence[str]:
    return ("setups", setup, "rate_ratios", f"hub/{yardstick}", "median")


def _cpu(setup: str) -> Sequence[str]:
    return ("setups", setup, "consumers", "hub", "cpu_us")


_INFLUX, _SQLITE, _OWN = "mosquitto+influxdb", "mosquitto+sqlite", "embedded"
TARGETS = (
    Target(_share(_INFLUX, "mosquitto_sub"), "at least", 0.7, "issue 3, Mosquitto + InfluxDB: rate of mosquitto_sub"),
    Target(_cpu(_INFLUX), "at most", 15.0, "issue 3, Mosquitto + InfluxDB: us of CPU a message"),
    Target(_share(_SQLITE, "mosquitto_sub"), "at least", 0.25, "issue 3, SQLite store: rate of mosquitto_sub"),
    Target(_cpu(_SQLITE), "at most", 40.0, "issue 3, SQLite store: us of CPU a message"),
    Target(_share(_OWN, "paho"), "at least", 0.5, "issue 3, embedded NATS: rate of a bare paho subscriber"),
    Target(_share(_INFLUX, "paho"), "at least", 0.5, "issue 2: rate of a bare paho subscriber"),
    # "must not grow" and "unchanged" need a number on a machine that others use too: these bounds are our reading
    *(
        Target(("devices", setup, "growth"), "at most", 1.2, f"issue 3, {setup}: cost with 100,000 devices to 1,000")
        for setup in (_INFLUX, _SQLITE)
    ),
    *(
        Target(
            ("setups", setup, "flood", "p99_ratio"), "at most", 2.0, f"issue 3, {setup}: p99 beside a flood to without"
        )
        for setup in (_INFLUX, _OWN)
    ),
    Target(("indicators", "recompute", "seconds"), "at most", 20.0, "issue 4, a year of 100 sites computed again: s"),
    Target(
        ("indicators", "recompute", "peak_mb"), "at most", 1000.0, "issue 4, a year of 100 sites computed again: MB"
    ),
    *(
        Target(
            ("indicators", "late", kind, name), "at most", 200.0, f"issue 4, one {kind} reading in that year: {name}"
        )
        for kind in ("late", "corrected")
        for name in ("cpu_ms", "wall_ms")
    ),
    *(
        Target(("kills", setup, name), "at least", least, f"issue 3, kill -9 on {setup}: {name}")
        for setup in (_INFLUX, _OWN)
        for name, least in (("messages", 1_000_000), ("kills", 100), ("by_fail_point", 30))
    ),
    *(
        Target(("kills", setup, "verdict", name), "at most", 0, f"issue 3, kill -9 on {setup}: {name}")
        for setup in (_INFLUX, _OWN)
        for name in ("lost", "wrong", "foreign", "double", "unaccounted", "untouched")
    ),
)


def summarise(rounds: Sequence[Mapping[str, Drain]]) -> dict[str, Any]:
    """Figures of one set-up: by consumer its medians and runs, and the hub's share of each yardstick's rate."""
    names = list(rounds[0])
    consumers = {
        name: {
            **{column: _rounded(median(getattr(r[name], column) for r in rounds)) for column in _COLUMNS},
            "readings_per_s": round(median(r[name].messages_per_s for r in rounds) * READINGS),
            "runs": [{column: _rounded(getattr(r[name], column)) for column in _COLUMNS} for r in rounds],
        }
        for name in names
    }
    shares = {
        f"hub/{name}": ratio([r["hub"].messages_per_s / r[name].messages_per_s for r in rounds])
        for name in names
        if name != "hub"
    }
    return {"consumers": consumers, "rate_ratios": shares}


def ratio(pairs: Sequence[float]) -> dict[str, Any]:
    """Median of ratios, and each of them."""
    return {"median": round(median(pairs), 3), "pairs": [round(pair, 3) for pair in pairs]}


def judge(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was asked for, what was measured, whether that is enough; what was not measured is left out."""
    out = []
    for target in TARGETS:
        found = _figure(document, target.where)
        if found is not None:
            verdict = {"where": "/".join(target.where), "word": target.word, "bound": target.bound, "measured": found}
            out.append({"claim": target.claim, **verdict, "met": target.met(found)})
    return out


def _figure(document: Any, where: Sequence[str]) -> float | None:
    for name in where:
        if not isinstance(document, Mapping) or name not in document:
            return None
        document = document[name]
    return float(document)


def live_figures(run: Live) -> dict[str, float]:
    """A live run's figures."""
    return {
        "rate_messages_per_s": run.rate,
        "durable_after_p50_ms": _rounded(run.p50_ms),
        "durable_after_p99_ms": _rounded(run.p99_ms),
        "cpu_us": _rounded(run.cpu_us),
    }


def flood_figures(calm: Live, flooded: Live) -> dict[str, float]:
    """Latency of good devices without and with a flood beside them."""
    return {
        "rate_messages_per_s": calm.rate,
        "flood_messages_set_aside": flooded.set_aside,
        "calm_p50_ms": _rounded(calm.p50_ms),
        "calm_p99_ms": _rounded(calm.p99_ms),
        "flooded_p50_ms": _rounded(flooded.p50_ms),
        "flooded_p99_ms": _rounded(flooded.p99_ms),
        "p50_ratio": _rounded(flooded.p50_ms / calm.p50_ms),
        "p99_ratio": _rounded(flooded.p99_ms / calm.p99_ms),
    }


def provisional_figures(run: Provisional) -> dict[str, float]:
    """From a publish to the updated value."""
    return {
        "rate_messages_per_s": run.rate,
        "debounce_s": run.debounce_s,
        "probes": run.probes,
        "value_after_p50_ms": _rounded(run.p50_ms),
        "value_after_p99_ms": _rounded(run.p99_ms),
    }


def scale_figures(runs: Sequence[Scale]) -> dict[str, Any]:
    """Cost and memory by number of devices."""
    names = ("start_s", "messages_per_s", "cpu_us", "first_turn_cpu_us", "pss_mb")
    rows = {str(run.devices): {name: _rounded(getattr(run, name)) for name in names} for run in runs}
    return {"by_devices": rows, "growth": round(growth(runs), 3)}


def whole_figures(run: Whole) -> dict[str, Any]:
    """The whole hub's figures; its memory is the sum over its processes."""
    return {
        "messages_per_s": _rounded(run.messages_per_s),
        "engine_caught_up_after_s": None if run.caught_up_s is None else _rounded(run.caught_up_s),
        "cpu_us": {name: _rounded(value) for name, value in sorted(run.cpu_us.items())},
        "cpu_us_total": _rounded(sum(run.cpu_us.values())),
        "pss_mb": {name: _rounded(value) for name, value in sorted(run.pss_mb.items())},
        "pss_mb_total": _rounded(sum(run.pss_mb.values())),
    }


def show(document: Mapping[str, Any]) -> None:
    """Print everything for people."""
    console = Console(width=120)
    for name, setup in document["setups"].items():
        console.print(_table(name, setup))
        for label, share in setup["rate_ratios"].items():
            console.print(f"  {label}: {share['median']:.2f} of the rate (pairs: {share['pairs']})")
        for line in _extras(setup):
            console.print(f"  {line}")
    for name, scaled in document.get("devices", {}).items():
        console.print(_scale_table(name, scaled))
    for target in document["targets"]:
        word = "met" if target["met"] else "NOT MET"
        console.print(f"{target['claim']}: {target['measured']:g}, {target['word']} {target['bound']:g}: {word}")


def _extras(setup: Mapping[str, Any]) -> Iterator[str]:
    if "live" in setup:
        run = setup["live"]
        yield (
            f"live at {run['rate_messages_per_s']:g} messages/s: durable after {run['durable_after_p50_ms']:g} ms"
            f" (median), {run['durable_after_p99_ms']:g} ms (99 %); {run['cpu_us']:g} us CPU a message"
        )
    for run in setup.get("provisional", ()):
        yield (
            f"provisional value at {run['rate_messages_per_s']:g} messages/s, debounce {run['debounce_s']:g} s: "
            f"after {run['value_after_p50_ms']:g} ms (median), {run['value_after_p99_ms']:g} ms (99 %), "
            f"{run['probes']} probes"
        )
    if "flood" in setup:
        run = setup["flood"]
        yield (
            f"beside a flood ({run['flood_messages_set_aside']:,} set aside): durable after "
            f"{run['flooded_p50_ms']:g} ms (median), {run['flooded_p99_ms']:g} ms (99 %); "
            f"without {run['calm_p50_ms']:g}, {run['calm_p99_ms']:g} ms"
        )
    if "whole_hub" in setup:
        run = setup["whole_hub"]
        yield (
            f"whole hub: {run['messages_per_s']:g} messages/s, {run['cpu_us_total']:g} us CPU a message, "
            f"engine done {run['engine_caught_up_after_s']} s later, PSS {run['pss_mb_total']:g} MB {run['pss_mb']}"
        )


def _scale_table(name: str, scaled: Mapping[str, Any]) -> Table:
    table = Table(title=f"{name}: by number of devices; cost grows by {scaled['growth']:g}")
    heads = {"devices": "devices", "start_s": "start s", "messages_per_s": "messages/s", "cpu_us": "CPU us/msg"}
    heads |= {"first_turn_cpu_us": "first turn us/msg", "pss_mb": "PSS MB"}
    for head in heads.values():
        table.add_column(head, justify="right")
    for devices, row in scaled["by_devices"].items():
        table.add_row(f"{int(devices):,}", *(f"{row[column]:,g}" for column in list(heads)[1:]))
    return table


def _table(name: str, setup: Mapping[str, Any]) -> Table:
    table = Table(title=f"{name}: broker to durable store, QoS 1 (medians)")
    heads = ("", "s", "messages/s", "readings/s", "CPU us/msg", "broker us/msg", "store us/msg", "PSS MB")
    for head in heads:
        table.add_column(head, justify="left" if not head else "right")
    for consumer, row in setup["consumers"].items():
        figures = [row["messages_per_s"], row["readings_per_s"], row["cpu_us"], row["broker_cpu_us"]]
        rest = [row["store_cpu_us"], row["pss_mb"]]
        table.add_row(consumer, f"{row['seconds']:.2f}", *(f"{value:,.0f}" for value in [*figures, *rest]))
    return table


def _rounded(value: float) -> float:
    """Three significant digits, or whole where there are more."""
    return float(f"{value:.3g}") if abs(value) < 100 else float(round(value))
