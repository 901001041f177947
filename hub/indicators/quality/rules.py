# SPDX-License-Identifier: EUPL-1.2
"""Which tests a reading has to pass: thresholds as data, per quantity, and per device where it differs.

`quality.yaml` beside this module has the thresholds that the hub comes with. A city's own file (setting
`indicators.quality`) has the same form with `quantities` and `devices`; a test that stands there replaces the one of
the same name, `null` switches it off. Every threshold says where it comes from (`source`) or that it is a judgement
(`uncertain`). The gross range that fails is the plausible range of `hub/core/quantities.yaml` unless stated here.

`margin` says how far from a reading others may bear on its flag, so that a stretch read with its margins gives the
same flags as everything read at once.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct, structs

from hub.core.errors import Invalid, SettingsError
from hub.core.quantities import Quantities
from hub.core.readings import NS, Flag, Series
from hub.core.windows import parse_duration
from hub.indicators.quality.qartod import Method

SETTING = "indicators.quality"
Bounds = tuple[float, float]
_ALGORITHMS = 1  # raise it when tests work otherwise though thresholds stay: all flags are then made anew
_NEAR = 10  # intervals between readings that still are neighbours


class _Test(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`source`: whose figures these are; `uncertain`: why they are a judgement. One of the two must be there."""

    source: str = ""
    uncertain: str = ""


class GrossRange(_Test, frozen=True, kw_only=True):
    """Spans with their ends; `fail` is the quantity's plausible range when left out."""

    suspect: Bounds | None = None
    fail: Bounds | None = None


class Spike(_Test, frozen=True, kw_only=True):
    """Thresholds in the quantity's unit; neighbours further away than `within`, or ten intervals, tell nothing."""

    suspect: float | None = None
    fail: float | None = None
    method: Method = "differential"
    within: str = "PT3H"


class RateOfChange(_Test, frozen=True, kw_only=True):
    """Thresholds in the quantity's unit per second, against the reading before, if that is at most `within` old."""

    suspect: float | None = None
    fail: float | None = None
    within: str = "PT3H"


class FlatLine(_Test, frozen=True, kw_only=True):
    """Readings that stay within less than `tolerance` for a duration; a longer gap than `gap` ends a line.

    `least` readings make a line. `values`: lines outside of this span are natural (below a detection limit, in fog).
    `interval`: only for devices that declare at least this long between readings; of faster ones too much had to be
    read for every new reading.
    """

    tolerance: float
    suspect: str | None = None
    fail: str | None = None
    gap: str = "PT3H"
    least: int = 12
    values: Bounds | None = None
    interval: str = "PT0S"


class Neighbours(_Test, frozen=True, kw_only=True):
    """Further from the median of at least `least` other devices at the site than `absolute` + `share` of it: 3."""

    absolute: float
    share: float = 0.0
    step: str = "PT1H"
    least: int = 2


class Counter(_Test, frozen=True, kw_only=True):
    """A register only grows: a fall is a reset (3), or a roll-over.

    It is a roll-over where `register`, the highest figure that it shows, is declared, and the growth across is at most
    `largest_step` of the register.
    """

    register: float | None = None
    largest_step: float = 0.1
    within: str = "P1D"

    @property
    def modulus(self) -> float | None:
        """What the register has counted when it shows 0 again: 100000 for 99999.999."""
        if self.register is None:
            return None
        shown = Decimal(repr(self.register)).normalize()
        exponent = shown.as_tuple().exponent
        unit = Decimal(1).scaleb(min(int(exponent), 0))
        return float(shown + unit)


class Exceeds(_Test, frozen=True, kw_only=True):
    """Above the newest reading, at most `within` old, of another quantity of the same device."""

    quantity: str
    flag: Literal[3, 4] = 4
    within: str = "P1D"


class Checks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All tests of a quantity; None: not made."""

    gross_range: GrossRange | None = None
    spike: Spike | None = None
    rate_of_change: RateOfChange | None = None
    flat_line: FlatLine | None = None
    neighbours: Neighbours | None = None
    counter: Counter | None = None
    exceeds: Exceeds | None = None

    def reach(self) -> tuple[int, int]:
        """How far (ns) before and after a reading others bear on its flag."""
        both, before = [0], [0]
        if self.spike:
            both.append(parse_duration(self.spike.within))
        if self.neighbours:
            both.append(parse_duration(self.neighbours.step))
        before += [parse_duration(t.within) for t in (self.rate_of_change, self.counter, self.exceeds) if t]
        if self.flat_line:
            before += [parse_duration(self.flat_line.gap) + d for d in self.durations().values()]
        return max(*both, *before), max(both)

    def at(self, interval: float) -> "Checks":
        """The tests that are made for a device with this many seconds between readings; 0: it declares none."""
        flat, spike = self.flat_line, self.spike
        if flat is not None and interval < parse_duration(flat.interval) / NS:
            flat = None
        if spike is not None and 0 < interval * _NEAR * NS < parse_duration(spike.within):
            spike = structs.replace(spike, within=f"PT{math.ceil(interval * _NEAR)}S")
        return structs.replace(self, flat_line=flat, spike=spike)

    def durations(self) -> Mapping[Flag, int]:
        """Nanoseconds after which a flat line is suspect, and fails."""
        given = {Flag.SUSPECT: self.flat_line.suspect, Flag.FAIL: self.flat_line.fail} if self.flat_line else {}
        return {flag: parse_duration(text) for flag, text in given.items() if text is not None}


_TESTS: Mapping[str, type[_Test]] = {
    "gross_range": GrossRange,
    "spike": Spike,
    "rate_of_change": RateOfChange,
    "flat_line": FlatLine,
    "neighbours": Neighbours,
    "counter": Counter,
    "exceeds": Exceeds,
}
Given = Mapping[str, _Test | None]


class _File(NamedTuple):
    quantities: Mapping[str, Given]
    devices: Mapping[str, Mapping[str, Given]]


class Rules:
    """Tests by series. Made by `load_rules`."""

    def __init__(self, by_quantity: Mapping[str, Checks], by_device: Mapping[Series, Checks] | None = None) -> None:
        self._by_quantity = by_quantity
        self._by_device = by_device or {}
        self._made: dict[tuple[int, float], Checks] = {}

    def of(self, series: Series, interval: float = math.inf) -> Checks | None:
        """Tests of a series whose device declares `interval` (s), None for a quantity that nobody knows."""
        checks = self._by_device.get(series) or self._by_quantity.get(series.quantity)
        if checks is None or interval == math.inf:
            return checks
        key = id(checks), interval  # the same object for the same tests: series are grouped by it
        if key not in self._made:
            self._made[key] = checks.at(interval)
        return self._made[key]

    def margin(self, quantity: str) -> tuple[int, int]:
        """How far (ns) before and after a reading of the quantity others bear on its flag, whatever the device."""
        return self._margins.get(quantity, (0, 0))

    def margin_of(self, series: Series, interval: float) -> tuple[int, int]:
        """The same for one device that declares `interval` seconds between readings."""
        checks = self.of(series, interval)
        return (0, 0) if checks is None else checks.reach()

    @cached_property
    def widest(self) -> tuple[int, int]:
        """The margins that cover those of every quantity."""
        return max((b for b, _ in self._margins.values()), default=0), max(
            (a for _, a in self._margins.values()), default=0
        )

    def companions(self, quantity: str) -> frozenset[str]:
        """Other quantities that bear on the flags of this one."""
        return self._companions.get(quantity, frozenset())

    def concerned(self, quantity: str) -> frozenset[str]:
        """Quantities on whose flags a reading of this one bears, itself among them."""
        return frozenset({quantity, *(q for q, others in self._companions.items() if quantity in others)})

    @cached_property
    def digest(self) -> int:
        """63 bits that change with any threshold: how an engine tells that flags are out of date. 0: no tests."""
        if not self._all:
            return 0
        told = [*sorted(self._by_quantity.items()), *sorted(self._by_device.items())]
        bare = [(key, structs.asdict(checks)) for key, checks in told]
        text = msgspec.json.encode([_ALGORITHMS, bare], order="sorted")
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) >> 1

    @cached_property
    def _all(self) -> Sequence[tuple[str, Checks]]:
        return [*self._by_quantity.items(), *((s.quantity, checks) for s, checks in self._by_device.items())]

    @cached_property
    def _margins(self) -> Mapping[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for quantity, checks in self._all:
            (before, after), (b, a) = checks.reach(), found.get(quantity, (0, 0))
            found[quantity] = max(before, b), max(after, a)
        return found

    @cached_property
    def _companions(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for quantity, checks in self._all:
            if checks.exceeds:
                found[quantity] = found.get(quantity, frozenset()) | {checks.exceeds.quantity}
        return found


NO_RULES = Rules({})
"""No tests at all: flags stay as they are stored."""


def load_rules(quantities: Quantities, own: Path | None = None) -> Rules:
    """The hub's thresholds, and over them those of the file `own`; SettingsError names file and field."""
    packaged = files("hub.indicators.quality").joinpath("quality.yaml").read_bytes()
    layers = [_read(packaged, "quality.yaml", quantities)]
    if own is not None:
        try:
            layers.append(_read(own.read_bytes(), str(own), quantities))
        except OSError as error:
            raise SettingsError(SETTING, f"{own} cannot be read: {error}") from error
    return _joined(layers, quantities)


def _joined(layers: Sequence[_File], quantities: Quantities) -> Rules:
    by_quantity = {
        q.id: _checks(q.id, [layer.quantities.get(q.id, {}) for layer in layers], quantities) for q in quantities
    }
    by_device = {
        Series(device, quantity): _checks(
            quantity, [*(layer.quantities.get(quantity, {}) for layer in layers), given], quantities
        )
        for layer in layers
        for device, of_device in layer.devices.items()
        for quantity, given in of_device.items()
    }
    return Rules(by_quantity, by_device)


def _checks(quantity: str, layers: Sequence[Given], quantities: Quantities) -> Checks:
    tests: dict[str, Any] = {}
    for layer in layers:
        tests |= layer
    known = quantities.get(quantity)
    if "gross_range" not in tests:
        tests["gross_range"] = GrossRange(source=known.source)
    gross = tests["gross_range"]
    if gross is not None and gross.fail is None:
        tests["gross_range"] = structs.replace(gross, fail=(known.minimum, known.maximum))
    return Checks(**tests)


def _read(text: bytes, name: str, quantities: Quantities) -> _File:
    """The file's content, every part of it checked."""
    try:
        found = msgspec.yaml.decode(text)
    except msgspec.DecodeError as error:
        raise SettingsError(SETTING, f"{name}: {error}") from error
    top = _mapping(found or {}, name, "the file", ("version", "quantities", "devices"))
    tables = _mapping(top.get("quantities") or {}, name, "quantities")
    devices = _mapping(top.get("devices") or {}, name, "devices")
    return _File(
        {q: _given(tests, name, f"quantities.{q}", q, quantities) for q, tests in tables.items()},
        {
            device: {
                q: _given(tests, name, f"devices.{device}.{q}", q, quantities)
                for q, tests in _mapping(of_device, name, f"devices.{device}").items()
            }
            for device, of_device in devices.items()
        },
    )


def _mapping(found: object, name: str, where: str, known: Sequence[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise SettingsError(SETTING, f"{name}: {where} must be a table of names")
    unknown = [key for key in found if known is not None and key not in known]
    if unknown:
        raise SettingsError(SETTING, f"{name}: {where}: there is no {unknown[0]!r}, only {', '.join(known or ())}")
    return found


def _given(found: object, name: str, where: str, quantity: str, quantities: Quantities) -> Given:
    if quantity not in quantities:
        raise SettingsError(SETTING, f"{name}: {where}: there is no quantity {quantity!r}")
    tests = _mapping(found, name, where, tuple(_TESTS))
    return {test: _one(fields, name, f"{where}.{test}", _TESTS[test], quantities) for test, fields in tests.items()}


def _one(fields: object, name: str, where: str, kind: type[_Test], quantities: Quantities) -> _Test | None:
    if fields is None:
        return None
    try:
        test = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise SettingsError(SETTING, f"{name}: {where}: {error}") from error
    problem = next(_problems(test, quantities), None)
    if problem:
        raise SettingsError(SETTING, f"{name}: {where}.{problem[0]}: {problem[1]}")
    return test


def _problems(test: _Test, quantities: Quantities) -> Iterator[tuple[str, str]]:
    """(field, problem) of a test."""
    if not test.source and not test.uncertain:
        yield "source", "say where the figures come from, or in `uncertain` why they are a judgement"
    for field, value in structs.asdict(test).items():
        yield from _field_problems(test, field, value)
    yield from _order_problems(test)
    if isinstance(test, Exceeds) and test.quantity not in quantities:
        yield "quantity", f"there is no quantity {test.quantity!r}"
    if isinstance(test, GrossRange) and test.suspect and test.fail and not _inside(test.suspect, test.fail):
        yield "suspect", "must lie within `fail`"


def _field_problems(test: _Test, field: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, tuple):
        if not (value[0] < value[1] and all(map(math.isfinite, value))):
            yield field, f"{list(value)} must go from low to high"
    elif isinstance(value, float | int) and not (math.isfinite(value) and (value > 0 or field == "share")):
        yield field, f"{value} must be above 0"
    elif field in {"within", "gap", "step"} or (isinstance(test, FlatLine) and field in {"suspect", "fail"}):
        yield from _duration_problems(field, value)


def _duration_problems(field: str, value: object) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    try:
        if parse_duration(str(value)) <= 0:
            yield field, "must be longer than nothing"
    except Invalid as error:
        yield field, error.detail


def _order_problems(test: _Test) -> Iterator[tuple[str, str]]:
    if not isinstance(test, Spike | RateOfChange | FlatLine):
        return
    if test.suspect is None and test.fail is None:
        yield "suspect", "give `suspect`, `fail` or both; null in place of the whole test switches it off"
    elif test.suspect is not None and test.fail is not None:
        suspect, fail = (parse_duration(t) if isinstance(t, str) else t for t in (test.suspect, test.fail))
        if fail < suspect:
            yield "fail", "must not be reached before `suspect`"


def _inside(inner: Bounds, outer: Bounds) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
