# SPDX-License-Identifier: EUPL-1.2
"""The fast lane: rows that are plainly new become lines in one pass, without a point or a patch in between. Pure.

Nearly all rows of a running hub are newer than anything stored of their device and domain, and the rows of one
message follow one another. Those of one domain are one line, and nothing can be stored under their keys. Rows that are
not newer are left to the slow lane by index; their keys cannot meet those of the fast one. Where rows of the batch
might meet each other, or a row is faulty, the whole batch is slow: that is rare, and the slow lane handles everything.
Homes met for the first time are named instead: once their newest instants are known, the batch is divided anew.

A group's lines come from the template of its quantities: `%b pm10=%b,no2=%b,qc=1i %b`, with the device's heads, the
values and the time filled in. orjson writes the values of all groups at once, with their shortest exact digits.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

import orjson

from hub.core.errors import Invalid, Reject
from hub.core.readings import Reading, ReadingBatch, ReadingGroup, TimeSource
from hub.storage._influx_lines import sparse_fields
from hub.storage._influx_points import Home
from hub.storage._reading_key import FIRST_NS, LAST_NS, MAX_FLOAT, fault

_DEVICE = TimeSource.DEVICE
_MOST_SHAPES = 10_000  # senders choose what they send: what we remember of it is bounded
_MOST_TRACKS = 500_000
_Arguments = tuple[bytes, ...]


class Lane(NamedTuple):
    """Lines to write, the newest instant that they bring to each home, and the indices of all other rows."""

    lines: Sequence[bytes]
    newest: Mapping[Home, int]
    slow: Sequence[int]
    unmet: Collection[Home] = ()


class Shape(NamedTuple):
    """Lines of a set of quantities: `template` takes heads by domain, values and time in the order of `pick`."""

    domains: tuple[str, ...]
    template: bytes
    pick: Callable[[Sequence[bytes]], _Arguments]


class Shapes(dict[tuple[tuple[str, ...], int], Shape]):
    """Shapes by quantities and origin, made on first use; `domain_of` raises for a quantity that it does not know."""

    def __init__(self, domain_of: Callable[[str], str]) -> None:
        super().__init__()
        self._domain_of = domain_of

    def __missing__(self, key: tuple[tuple[str, ...], int]) -> Shape:
        if len(self) >= _MOST_SHAPES:
            self.clear()
        quantities, origin = key
        places: dict[str, list[int]] = defaultdict(list)
        for i, quantity in enumerate(quantities):
            places[self._domain_of(quantity)].append(i)
        domains, count = tuple(places), len(quantities)
        origins = [f",{quantity}_origin={origin}i" if origin else "" for quantity in quantities]
        lines: list[str] = []
        order: list[int] = []
        for number, domain in enumerate(domains):
            fields = [f"{quantities[i]}=%b{origins[i]}" for i in places[domain]]
            lines.append(f"%b {','.join(fields)},qc=1i %b")
            order += [count + 1 + number, *places[domain], count]  # arguments: the values, the time, the heads
        shape = self[key] = Shape(domains, "\n".join(lines).encode(), itemgetter(*order))
        return shape


class Track(NamedTuple):
    """Where the readings of one device's set of quantities go: its shape, and its home and head in each domain."""

    shape: Shape
    homes: tuple[Home, ...]
    heads: tuple[bytes, ...]


class Homes:
    """Where the fast lane finds homes: by device and quantity, and tracks by device, quantities and origin."""

    def __init__(self, domain_of: Callable[[str], str], home: Callable[[str, str], Home]) -> None:
        self.of_quantity: dict[tuple[str, str], Home] = {}
        self._shapes = Shapes(domain_of)
        self._tracks: dict[tuple[str, tuple[str, ...], int], Track] = {}
        self._home = home

    def of(self, device: str, quantity: str) -> Home:
        """The device's home in the quantity's domain."""
        found = self.of_quantity.get((device, quantity))
        if found is None:
            domain = self._shapes[(quantity,), 0].domains[0]
            found = self.of_quantity[device, quantity] = self._home(device, domain)
        return found

    def track(self, group: ReadingGroup) -> Track:
        """The track of a group."""
        key = group.device, group.quantities, group.origin
        found = self._tracks.get(key)
        if found is None:
            if len(self._tracks) >= _MOST_TRACKS:
                self._tracks.clear()
            shape = self._shapes[group.quantities, group.origin]
            homes = tuple([self._home(group.device, domain) for domain in shape.domains])
            found = self._tracks[key] = Track(shape, homes, tuple([home.head_bytes for home in homes]))
        return found


class _Builder:
    """One pass over a batch. `message` has the fields of single rows of one device and instant, by home."""

    def __init__(self, homes: Homes) -> None:
        self.homes = homes
        self.newest: dict[Home, int] = {}
        self.unmet: dict[Home, None] = {}
        self.slow: list[int] = []
        self.values: list[tuple[float, ...]] = []  # of each group that goes fast
        self.frames: list[tuple[Track, bytes]] = []  # its track and time
        self.lines: list[bytes] = []
        self.message: dict[Home, dict[str, str]] = {}
        self.worst: dict[Home, int] = {}
        self.device, self.at = "", FIRST_NS
        self.stamped, self.stamp = FIRST_NS, b""

    def group(self, group: ReadingGroup, first: int) -> bool:
        """Add a group, whose first row has index `first`; False when the batch has to go the slow way."""
        time, newest = group.time, self.newest
        track = self.homes.track(group)
        for home in track.homes:
            last = home.last
            if last is None or time <= last:
                return self._late(group, track, first)
            if time <= newest.get(home, FIRST_NS):
                return False
        for home in track.homes:
            newest[home] = time
        if time != self.stamped:
            self.stamped, self.stamp = time, b"%d" % time
        self.values.append(group.values)
        self.frames.append((track, self.stamp))
        return time <= LAST_NS

    def _late(self, group: ReadingGroup, track: Track, first: int) -> bool:
        """A group for the slow lane: what it brings to homes that it is new to must not meet what comes fast."""
        time, newest = group.time, self.newest
        for home in track.homes:
            if home.last is None:
                self.unmet[home] = None
            elif time > home.last:
                if time <= newest.get(home, FIRST_NS):
                    return False
                newest[home] = time
        self.slow += range(first, first + len(group.values))
        return True

    def single(self, row: Reading, index: int) -> bool:
        """Add a row; False when the batch has to go the slow way."""
        quantity, time, value = row.quantity, row.time, row.value
        if time != self.at or row.device != self.device:
            self.flush()
            self.device, self.at = row.device, time
        home = self.homes.of(row.device, quantity)
        if home.last is None:
            self.unmet[home] = None
            return True
        if not -MAX_FLOAT <= value <= MAX_FLOAT or not time <= LAST_NS:
            return False
        fields = self.message.get(home)
        if fields is None:
            if time <= home.last:
                self.slow.append(index)
                return True
            fields = self.message[home] = {}
            if time <= self.newest.get(home, FIRST_NS - 1):
                return False
            self.newest[home] = time
        return quantity not in fields and self._field(home, fields, row)

    def _field(self, home: Home, fields: dict[str, str], row: Reading) -> bool:
        quantity = row.quantity
        if row.flag == 1 and row.revision == 0 and row.origin == 0 and row.time_source is _DEVICE:
            fields[quantity] = f"{quantity}={row.value}"
        elif fault(row) is None:
            fields[quantity] = ",".join([f"{quantity}={row.value}", *sparse_fields(quantity, row, None)])
            self.worst[home] = max(self.worst.get(home, 1), row.flag)
        else:
            return False
        return True

    def flush(self) -> None:
        """The message of single rows is over."""
        for home, fields in self.message.items():
            line = f"{home.head} {','.join(fields.values())},qc={self.worst.get(home, 1)}i {self.at}"
            self.lines.append(line.encode())
        self.message.clear()
        self.worst.clear()

    def groups(self) -> list[bytes]:
        """The lines of the groups."""
        if not self.values:
            return []
        texts = orjson.dumps(self.values)[2:-2].split(b"],[")
        return [
            template % pick([*text.split(b","), time, *heads])
            for text, (((_, template, pick), _, heads), time) in zip(texts, self.frames, strict=True)
        ]


def fast_lane(batch: ReadingBatch, homes: Homes) -> Lane | None:
    """Divide a batch; None when all of it has to go the slow way."""
    try:
        return _divide(batch, _Builder(homes))
    except (Reject, Invalid):  # no such quantity, no such device id: the slow lane finds the row and says so
        return None


def _divide(batch: ReadingBatch, builder: _Builder) -> Lane | None:
    index = 0
    for part in batch.parts:
        if type(part) is ReadingGroup:
            if builder.message:
                builder.flush()
                builder.device = ""
            if not builder.group(part, index):
                return None
            index += len(part.values)
        elif isinstance(part, Reading):
            if not builder.single(part, index):
                return None
            index += 1
    if builder.unmet:
        return Lane((), {}, (), builder.unmet)
    builder.flush()
    return Lane([*builder.lines, *builder.groups()], builder.newest, builder.slow)
