# SPDX-License-Identifier: EUPL-1.2
"""Strategies from the command line; works on the ledger itself, so the file's rights are the credential."""

import getpass
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.app import Parts
from hub.commands._output import plain_number, print_json, print_table
from hub.core.errors import Invalid
from hub.core.strategies import Strategy, nodes_of, targets_of
from hub.core.windows import Calendar, parse_label
from hub.settings import Settings
from hub.strategy import representation as shown
from hub.strategy.catalogue import load_directory
from hub.strategy.documents import parse_json, parse_yaml, write_yaml
from hub.strategy.fulfilment import Fulfilment
from hub.strategy.monitoring import Judged, Monitoring, Preview


def list_strategies(settings: Settings, *, json: bool) -> None:
    """Print all strategies."""
    with _monitoring(settings) as (parts, monitoring):
        moment = monitoring.moment(parts.clock())
        rows = [shown.summary(found, moment) for found in monitoring.book.all()]
    if json:
        print_json(rows)
        return
    print_table(
        "Strategies",
        ["id", "title", "from", "to", "phase", "official targets", "illustrative"],
        [
            (
                *(r["id"], r["title"]["cs"], r["valid_from"] or "unknown", r["valid_to"] or "unknown", r["phase"]),
                *(r["targets"]["official"], r["targets"]["illustrative"]),
            )
            for r in rows
        ],
    )


def show_strategy(settings: Settings, strategy: str, *, json: bool) -> None:
    """Print one document with its revision, or as a tree of what it holds."""
    with _monitoring(settings) as (_, monitoring):
        found = monitoring.book.get(strategy)
        history = monitoring.book.history(strategy)
    if json:
        print_json({**shown.detail(found), "revisions": [_revision(r) for r in history]})
        return
    document = found.document
    print_table(
        f"{document.title.cs}, revision {found.revision}",
        ["what", "id", "title", "standing", "owner", "state"],
        [(type(n).__name__.lower(), n.id, n.title.cs, n.standing, n.owner, n.state) for _, n in nodes_of(document)],
    )
    print_table(
        "Targets",
        ["id", "standing", "indicator", "place", "baseline", "target", "by"],
        [
            (t.id, t.standing, t.indicator, t.place, _baseline(t), _goalpost(t), t.date)
            for t in (p.target for p in targets_of(document))
        ],
    )


def import_strategies(
    settings: Settings, files: Sequence[Path], *, reason: str, by: str | None, dry_run: bool, json: bool
) -> None:
    """Import documents, all or none."""
    _take(settings, {str(f): _parse(f) for f in files}, reason=reason, by=by, dry_run=dry_run, json=json)


def load_catalogue(settings: Settings, *, dry_run: bool, json: bool) -> None:
    """Import the documents of the setting strategies.catalogue, Havířov's without it."""
    documents = load_directory(settings.strategies.catalogue)
    if not documents:
        raise Invalid(f"{settings.strategies.catalogue} holds no YAML file", "strategies.catalogue")
    _take(settings, documents, reason="catalogue of the city", by=None, dry_run=dry_run, json=json)


def export_strategy(settings: Settings, strategy: str) -> None:
    """Print one document as YAML."""
    with _monitoring(settings) as (_, monitoring):
        print(write_yaml(monitoring.book.get(strategy).document), end="")


def print_fulfilment(
    settings: Settings, strategy: str | None, *, as_of: str | None, place: str | None, provisional: bool, json: bool
) -> None:
    """Print how far the targets are."""
    with _monitoring(settings) as (parts, monitoring):
        then = None if as_of is None else parse_label(as_of, Calendar(monitoring.zone))
        moment = monitoring.moment(parts.clock(), then, provisional=provisional)
        found = monitoring.judge(moment, strategy, place)
    if json:
        print_json(shown.overview(found, moment) if strategy is None else shown.judged(found[0], moment))
        return
    for one in found:
        _print_judged(one)


def print_coverage(settings: Settings, *, as_of: str | None, json: bool) -> None:
    """Print how many targets are measured, entered or blind."""
    with _monitoring(settings) as (parts, monitoring):
        then = None if as_of is None else parse_label(as_of, Calendar(monitoring.zone))
        moment = monitoring.moment(parts.clock(), then)
        body = shown.coverage(monitoring.cover(moment), moment)
    if json:
        print_json(body)
        return
    columns = ["targets", "measured", "entered", "simulated", "blind"]
    rows = [("all", body["all"]), ("running", body["running"])]
    rows += [(f"domain {r['domain']}", r) for r in body["domains"]]
    rows += [(f"{r['strategy']} / {r['area']}", r) for r in body["areas"]]
    print_table("Coverage", ["of", *columns], [(name, *(r[c] for c in columns)) for name, r in rows])


@contextmanager
def _monitoring(settings: Settings) -> Iterator[tuple[Parts, Monitoring]]:
    parts = Parts(settings)
    with parts.ledger().open() as ledger:
        yield parts, parts.monitoring(ledger)


def _parse(file: Path) -> Strategy:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot be read: {error}", str(file)) from error
    return parse_json(text.encode(), str(file)) if file.suffix == ".json" else parse_yaml(text, str(file))


def _take(
    settings: Settings, documents: Mapping[str, Strategy], *, reason: str, by: str | None, dry_run: bool, json: bool
) -> None:
    with _monitoring(settings) as (_, monitoring):
        found = monitoring.take(documents, by=by or getpass.getuser(), reason=reason, dry_run=dry_run)
    if json:
        print_json([shown.preview(one) for one in found])
        return
    for one in found:
        _print_preview(one, dry_run=dry_run)


def _print_preview(one: Preview, *, dry_run: bool) -> None:
    would = "would be" if dry_run else "is now"
    print(f"{one.id}: {f'{would} revision {one.revision}' if one.changed else f'unchanged, revision {one.revision}'}")
    for change in one.changes:
        old, new = (f" {part!r}" if part is not None else "" for part in (change.before, change.after))
        arrow = " ->" if change.kind == "changed" else ""
        print(f"  {change.kind} {change.field or 'document'}:{_cut(old)}{arrow}{_cut(new)}")
    for warning in one.warnings:
        print(f"  note: {warning}")


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"


def _print_judged(one: Judged) -> None:
    document = one.document.document
    print(f"{document.title.cs} ({one.phase.replace('_', ' ')}): {one.rollup.answer}")
    for f in one.targets:
        print(f"  {f.target.id} ({f.target.standing}): {f.category.replace('_', ' ')}")
        for line in filter(None, _lines(f)):
            print(f"    {line}")


def _lines(f: Fulfilment) -> Iterator[str | None]:
    """What a category rests on."""
    unit = "" if f.unit == "1" else f" {f.unit}"  # of what is only counted
    yield f.reason
    if (v := f.value) is not None and v.value is not None:
        share = "unknown" if v.coverage is None else f"{v.coverage:.0%}"
        yield (
            f"{f.target.indicator} at {f.target.place}: {plain_number(v.value)}{unit} up to {f.value_date} "
            f"({v.status}, coverage {share}, {v.origin.word}, {v.grade.word}, revision {v.revision})"
        )
    yield f"target {_goalpost(f.target)}{unit} by {f.target.date}"
    if f.trajectory is not None and f.trajectory.ratio is not None:
        way = f.trajectory
        yield f"pace {way.ratio:.2f} of the required one, {way.method}: {way.why}"
    if f.forecast is not None:
        ahead = f.forecast
        value, low, high = (plain_number(x, 3) for x in (ahead.value, ahead.low, ahead.high))
        yield f"forecast {value}, {ahead.level:.0%} between {low} and {high}"
    yield f.no_forecast and f"no forecast: {f.no_forecast}"
    yield from f.caveats


def _goalpost(target: Any) -> str:
    sign = {"increase": "≥", "decrease": "≤"}.get(target.aim)
    return f"{sign} {plain_number(target.value)}" if sign else f"{plain_number(target.lo)} to {plain_number(target.hi)}"


def _baseline(target: Any) -> str:
    return "" if target.baseline is None else f"{plain_number(target.baseline.value)} ({target.baseline.date})"


def _revision(found: Any) -> Mapping[str, Any]:
    return {name: text for name, text in shown.detail(found).items() if name != "document"}
