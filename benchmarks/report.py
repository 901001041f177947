# SPDX-License-Identifier: EUPL-1.2
"""From trials to figures: medians, ratios pair by pair, a table to read and a document to keep. Pure but for `show`."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.load import READINGS
from benchmarks.trials import Drain, Live, Whole

_COLUMNS = ("seconds", "messages_per_s", "cpu_us", "broker_cpu_us", "store_cpu_us", "pss_mb")
TARGETS = (  # set-up, yardstick, least share of its rate, where it is asked for
    ("mosquitto+influxdb", "paho", 0.5, "issue 2: at least half of the bare paho subscriber's rate"),
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


def judge(setups: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was asked for, what was measured, whether that is enough."""
    out = []
    for setup, yardstick, least, source in TARGETS:
        if setup in setups:
            found = setups[setup]["rate_ratios"][f"hub/{yardstick}"]["median"]
            out.append({"setup": setup, "claim": source, "least": least, "measured": found, "met": found >= least})
    return out


def live_figures(run: Live) -> dict[str, float]:
    """A live run's figures."""
    return {
        "rate_messages_per_s": run.rate,
        "durable_after_p50_ms": _rounded(run.p50_ms),
        "durable_after_p99_ms": _rounded(run.p99_ms),
        "cpu_us": _rounded(run.cpu_us),
    }


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
        if "live" in setup:
            run = setup["live"]
            console.print(
                f"  live at {run['rate_messages_per_s']:g} messages/s: durable after {run['durable_after_p50_ms']:g} ms"
                f" (median), {run['durable_after_p99_ms']:g} ms (99 %); {run['cpu_us']:g} us CPU a message"
            )
        if "whole_hub" in setup:
            run = setup["whole_hub"]
            console.print(
                f"  whole hub: {run['messages_per_s']:g} messages/s, {run['cpu_us_total']:g} us CPU a message, "
                f"engine done {run['engine_caught_up_after_s']} s later, PSS {run['pss_mb_total']:g} MB {run['pss_mb']}"
            )
    for target in document["targets"]:
        word = "met" if target["met"] else "NOT MET"
        console.print(f"{target['claim']}: {target['measured']:.2f} of {target['least']} {word}")


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
