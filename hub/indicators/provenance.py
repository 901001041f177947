# SPDX-License-Identifier: EUPL-1.2
"""Where a value comes from, one level down: what went in, how it was corrected, by which definition, when it changed.

Two things go in. *Readings*: of each device that stood at the place within the window, how many are stored and how
they are flagged as reported, which corrections concern them, and how they count after corrections and quality control.
*Values* of other indicators: those of shorter windows, of places below, of the same window, or a figure carried on;
each can be asked for its own provenance in turn.

It is found out when it is asked, from what is stored now. Inputs that were computed after the value say so
(`changed_since`): the value then waits for the engine, or was closed before and had its revision. Asked `as_of` a
moment, inputs are those that were published then; readings and corrections are always those of now, because stored
readings never change and corrections are listed with when they were made.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace

from hub.core.corrections import OVERRIDE, WITHDRAW, what
from hub.core.entries import Entry
from hub.core.indicators import Correction, IndicatorValue
from hub.core.places import Device, Mounting, RegistrySnapshot
from hub.core.ports import FlagStore, QualityFinding, ReadingStore, ValueLedger, ValueQuery
from hub.core.readings import Columns, Flag, Series
from hub.core.windows import Calendar, format_instant
from hub.indicators.catalogue import Catalogue
from hub.indicators.cells import Bytes
from hub.indicators.corrections import corrected, hits
from hub.indicators.definition import ANY_QUANTITY, Definition, Input
from hub.indicators.entry_views import public_entry
from hub.indicators.kernel import reach
from hub.indicators.quality.qartod import PRIORITY
from hub.indicators.representation import public_value

Json = dict[str, Any]
Findings = Mapping[tuple[Series, int], QualityFinding]  # of quality control, by series and time

MOST = 1000  # values of one input that are listed; of the others it is said how many there are


class Applied(NamedTuple):
    """A correction in effect, and how many stored readings of a series in the window it concerns."""

    correction: Correction
    readings: int


class SeriesInput(NamedTuple):
    """Readings of one device's quantity in a window: by flag as reported, and as they count."""

    device: Device
    quantity: str
    mountings: Sequence[Mounting]
    stored: int
    reported: Mapping[int, int]
    counting: Mapping[int, int]
    valid: int
    first: int | None
    last: int | None
    before: int
    tests: Mapping[str, int]
    applied: Sequence[Applied]


class ValueInput(NamedTuple):
    """Values of one indicator that go into an input; `omitted` are left out of the list."""

    name: str
    indicator: str
    how: str
    values: Sequence[IndicatorValue]
    omitted: int = 0


class Trace(NamedTuple):
    """All that is told of a value."""

    value: IndicatorValue
    revisions: Sequence[IndicatorValue]
    values: Sequence[ValueInput]
    readings: Sequence[SeriesInput]
    entries: Sequence[Entry] = ()


# --- what is stored: from the ledger, and from the readings' store ---------------------------------------------------


def value_inputs(
    catalogue: Catalogue, ledger: ValueLedger, value: IndicatorValue, as_of: int | None = None
) -> Sequence[ValueInput]:
    """Values of other indicators that go into a value, input by input."""
    d = catalogue.get(value.indicator)
    return [
        _value_input(catalogue, ledger, value, d, name, item, as_of)
        for name, item in d.inputs.items()
        if item.indicator is not None
    ]


def _value_input(
    catalogue: Catalogue, ledger: ValueLedger, value: IndicatorValue, d: Definition, name: str, item: Input,
    as_of: int | None,
) -> ValueInput:  # fmt: skip
    source = catalogue.get(item.indicator or "")
    if item.carry:
        same = not source.entered and source.window == d.window
        return ValueInput(name, source.id, "carried", _carried(ledger, source, value, as_of, same=same))
    query = ValueQuery(source.id, value.place, value.start, value.end, below=d.spatial is not None, as_of=as_of)
    found = ledger.values(query._replace(limit=MOST + 1))
    omitted = len(ledger.values(query)) - MOST if len(found) > MOST else 0
    return ValueInput(name, source.id, d.spatial or item.reduce or "as it is", found[:MOST], omitted)


def _carried(
    ledger: ValueLedger, source: Definition, value: IndicatorValue, as_of: int | None, *, same: bool
) -> Sequence[IndicatorValue]:
    """The newest figure that began before the window's end, of the nearest place that has any; see `carried_cells`."""
    place = value.place
    while place:
        anything = ValueQuery(source.id, place, as_of=as_of)
        upto = anything._replace(start=value.start if same else None, end=value.end)
        newest = ledger.values(upto._replace(latest=True))
        if newest and newest[0].value is None:  # the newest says nothing: one before it may
            newest = [v for v in ledger.values(upto) if v.value is not None][-1:]
        ever = [*ledger.values(anything._replace(limit=1)), *ledger.values(anything._replace(latest=True))]
        if newest or any(v.value is not None for v in ever):
            return newest
        place = place.rpartition("/")[0]
    return ()


async def reading_inputs(
    catalogue: Catalogue,
    registry: RegistrySnapshot,
    corrections: Sequence[Correction],
    store: ReadingStore,
    value: IndicatorValue,
    flags: FlagStore | None = None,
) -> Sequence[SeriesInput]:
    """Readings that go into a value; `flags` has what quality control found on them."""
    d = catalogue.get(value.indicator)
    here = {i: d_ for i, d_ in registry.known.items() if any(_within(m, value) for m in d_.mountings)}
    quantities = sorted(catalogue.kinds if ANY_QUANTITY in d.quantities else d.quantities)
    series = [Series(device, quantity) for device in sorted(here) for quantity in quantities]
    if not series:
        return ()
    behind = max((reach(catalogue, q, d) for q in quantities), default=0)
    stored = await store.scan(series, value.start - behind, value.end)
    found = await flags.findings(series, value.start, value.end) if flags else {}
    return list(_series_inputs(stored, corrections, here, d, value, found))


def _series_inputs(
    stored: Columns,
    corrections: Sequence[Correction],
    devices: Mapping[str, Device],
    d: Definition,
    value: IndicatorValue,
    found: Findings,
) -> Iterator[SeriesInput]:
    """One row for each series that has readings in the window, and for each device that was silent in it."""
    tested = corrected(stored, [c for c in corrections if c.action != OVERRIDE])
    told = [found.get((tested.series[i], t)) for i, t in zip(tested.index.tolist(), tested.time.tolist(), strict=True)]
    overridden = [c for c in corrections if c.action in (OVERRIDE, WITHDRAW)]  # the last word, as in the engine
    counting = corrected(replace(tested, flag=_judged(tested.flag, told)), overridden)
    applied = list(hits(stored, corrections))
    spoke = set()
    for number, series in enumerate(stored.series):
        device = devices[series.device]
        mine = _rows(stored, number, device, value)
        if not len(mine):
            continue
        spoke.add(series.device)
        left = _rows(counting, number, device, value)
        flags = counting.flag[left]
        yield SeriesInput(
            device,
            series.quantity,
            [m for m in device.mountings if _within(m, value)],
            len(mine),
            _counts(stored.flag[mine]),
            _counts(flags),
            int(np.isin(flags, d.flags).sum()),
            int(stored.time[mine[0]]),
            int(stored.time[mine[-1]]),
            int(((stored.index == number) & (stored.time < value.start)).sum()),
            Counter(finding.test for row in left.tolist() if (finding := told[row]) is not None),
            [Applied(h.correction, n) for h in applied if (n := len(np.intersect1d(h.rows, mine)))],
        )
    for name in sorted(set(devices) - spoke):
        stood = [m for m in devices[name].mountings if _within(m, value)]
        yield SeriesInput(devices[name], "", stood, 0, {}, {}, 0, None, None, 0, {}, ())


def _rows(columns: Columns, number: int, device: Device, value: IndicatorValue) -> Any:
    """Rows of a series in the window, while the device stood at the place."""
    inside = (columns.index == number) & (columns.time >= value.start) & (columns.time < value.end)
    stood = np.zeros(len(columns), dtype=np.bool_)
    for m in device.mountings:
        if m.place == value.place:
            stood |= (columns.time >= m.start) & (columns.time < (value.end if m.end is None else m.end))
    return np.flatnonzero(inside & stood)


def _judged(flags: Bytes, findings: Sequence[QualityFinding | None]) -> Bytes:
    """The worse of a reading's own flag and what quality control found; what is missing stays so."""
    judged = flags.copy()
    for row, finding in enumerate(findings):
        if finding is not None and judged[row] != Flag.MISSING:
            judged[row] = max(int(judged[row]), finding.flag, key=PRIORITY.index)
    return judged


def _within(mounting: Mounting, value: IndicatorValue) -> bool:
    ends = mounting.end
    return mounting.place == value.place and mounting.start < value.end and (ends is None or ends > value.start)


def _counts(flags: Any) -> Mapping[int, int]:
    found, counts = np.unique(flags, return_counts=True)
    return {int(flag): int(count) for flag, count in zip(found, counts, strict=True)}


# --- what is told of it ----------------------------------------------------------------------------------------------


def public_provenance(
    trace: Trace,
    catalogue: Catalogue,
    registry: RegistrySnapshot,
    city: Calendar,
    texts: Mapping[int, str] | None = None,
) -> Json:
    """The public dict. `texts`: definitions of former versions, as far as they are kept."""
    definitions, value = catalogue.definitions, trace.value
    return {
        "value": public_value(value, definitions.get(value.indicator)),
        "definition": definition_of(catalogue, value, texts or {}),
        "revisions": [public_value(v, definitions.get(v.indicator)) for v in trace.revisions],
        "values": [_public_values(row, value, definitions) for row in trace.values],
        "attributes": list(_attributes(catalogue.get(value.indicator), value.place, registry)),
        "readings": [_public_series(row) for row in trace.readings],
        "corrections": [_public_applied(c, n) for c, n in _summed(trace.readings)],
        "entries": [public_entry(e, definitions.get(e.indicator), city) for e in trace.entries],
    }


def definition_of(catalogue: Catalogue, value: IndicatorValue, texts: Mapping[int, str]) -> Json:
    """Version, source text and its hash; without a text it is said why there is none."""
    d = catalogue.get(value.indicator)
    version = value.definition_version
    text = source_text(catalogue, d.id) if version == d.version else texts.get(version)
    return {
        "id": d.id,
        "version": version,
        "current_version": d.version,
        "text": text,
        "sha256": None if text is None else hashlib.sha256(text.encode()).hexdigest(),
        "note": None if text is not None else f"the text of version {version} is not kept",
        "reference": [
            {"citation": r.citation, "url": r.url, "effective": r.effective, "uncertain": r.uncertain}
            for r in d.reference
        ],
    }


def source_text(catalogue: Catalogue, indicator: str) -> str | None:
    """YAML that a definition was read from; a roll-up stands in that of the indicator that it sums up."""
    return catalogue.texts.get(base_of(catalogue, indicator))


def base_of(catalogue: Catalogue, indicator: str) -> str:
    """The indicator in whose file a definition stands."""
    return indicator if indicator in catalogue.texts else indicator.removesuffix("_city").removesuffix("_part")


def _attributes(d: Definition, place: str, registry: RegistrySnapshot) -> Iterator[Json]:
    """Figures of the place, or of the nearest place above that has one, with where they come from."""
    for name, item in d.inputs.items():
        if item.attribute is None:
            continue
        above = [place.rsplit("/", n)[0] for n in range(place.count("/") + 1)]
        found = next((p for p in map(registry.places.get, above) if p and p.population is not None), None)
        yield {
            "input": name,
            "attribute": item.attribute,
            "value": None if found is None else found.population,
            "place": None if found is None else found.id,
            "date": None if found is None else found.population_date,
            "source": None if found is None else found.source,
        }


def _public_values(row: ValueInput, value: IndicatorValue, definitions: Mapping[str, Definition]) -> Json:
    definition = definitions.get(row.indicator)
    return {
        "input": row.name,
        "indicator": row.indicator,
        "how": row.how,
        "n": len(row.values) + row.omitted,
        "omitted": row.omitted,
        "items": [
            {**public_value(v, definition), "changed_since": v.computed_at > value.computed_at} for v in row.values
        ],
    }


def _public_series(row: SeriesInput) -> Json:
    device = row.device
    return {
        "device": device.id,
        "quantity": row.quantity or None,
        "grade": device.grade.word,
        "origin": device.origin.word,
        "interval": device.interval,
        "mountings": [
            {"place": m.place, "from": format_instant(m.start), "to": None if m.end is None else format_instant(m.end)}
            for m in row.mountings
        ],
        "n_stored": row.stored,
        "n_removed": row.stored - sum(row.counting.values()),
        "n_counting": row.valid,
        "n_before": row.before,
        "flags_reported": {str(flag): n for flag, n in row.reported.items()},
        "quality_control": dict(sorted(row.tests.items())),
        "flags": {str(flag): n for flag, n in row.counting.items()},
        "first": None if row.first is None else format_instant(row.first),
        "last": None if row.last is None else format_instant(row.last),
        "corrections": [{"id": a.correction.id, "readings": a.readings} for a in row.applied],
    }


def _summed(rows: Sequence[SeriesInput]) -> Sequence[tuple[Correction, int]]:
    found: dict[int, tuple[Correction, int]] = {}
    for applied in (a for row in rows for a in row.applied):
        before = found.get(applied.correction.id, (applied.correction, 0))[1]
        found[applied.correction.id] = (applied.correction, before + applied.readings)
    return [found[id_] for id_ in sorted(found)]


def _public_applied(c: Correction, readings: int) -> Json:
    return {
        "id": c.id,
        "what": what(c),
        "action": c.action,
        "from": format_instant(c.start),
        "to": format_instant(c.end),
        "by": c.by,
        "reason": c.reason,
        "made_at": format_instant(c.made_at),
        "readings": readings,
    }
