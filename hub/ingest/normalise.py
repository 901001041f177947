# SPDX-License-Identifier: EUPL-1.2
"""From a reading as reported to one that can be stored: convert, stamp, range-check. Pure.

Rules (DESIGN.md, promises 5 and 7): the device's own time counts; one that is implausible gives way to the network
server's, with flag 3; without any time the arrival counts, unless the message was retained. Implausible is before
2000 or more than five minutes after the arrival. What is older than its domain is kept, counted from the moment it is
stored, is rejected. A value outside the quantity's plausible range is kept with flag 4.
"""

import math
import sys
from collections.abc import Mapping
from typing import NamedTuple

from hub import sdk
from hub.core.errors import Reject, UnknownUnit
from hub.core.quantities import Quantities
from hub.core.readings import AHEAD, EARLIEST, NS, Flag, Origin, Reading, TimeSource

_LONGEST_UNIT = 32  # characters; no unit of any device is longer
_MOST_SPELLINGS = 10_000
FOR_EVER = 2**62  # ns, some 146 years

_ORIGINS = {origin.word: origin for origin in Origin}


class Conversion(NamedTuple):
    """How a reported (quantity, unit) becomes canonical, its plausible range, and how long it is kept (ns)."""

    scale: float
    offset: float
    minimum: float
    maximum: float
    keep: int


class Conversions(dict[tuple[str, str | None], Conversion]):
    """Conversions by (quantity, unit), computed on first use; raises UnknownQuantity or UnknownUnit.

    `keep` says by domain for how long (ns) readings are kept; a domain that it does not name is kept for ever.
    """

    def __init__(self, quantities: Quantities, keep: Mapping[str, int] | None = None) -> None:
        super().__init__()
        self._quantities = quantities
        self._keep = keep or {}

    def __missing__(self, key: tuple[str, str | None]) -> Conversion:
        if key[1] is not None and len(key[1]) > _LONGEST_UNIT:
            raise UnknownUnit(key[1][:_LONGEST_UNIT] + "…", key[0])
        if len(self) >= _MOST_SPELLINGS:  # senders choose the spelling: what they make us remember is bounded
            self.clear()
        quantity = self._quantities.get(key[0])
        scale, offset = self._quantities.factor(*key)
        low = -sys.float_info.max if quantity.minimum is None else quantity.minimum
        high = sys.float_info.max if quantity.maximum is None else quantity.maximum
        keep = self._keep.get(quantity.domain, FOR_EVER)
        self[key] = conversion = Conversion(scale, offset, low, high, keep)
        return conversion


def normalise(
    reported: sdk.Reading,
    device: str,
    origin: Origin,
    conversions: Conversions,
    received: int,
    arrival: int | None,
    now: int = 0,
) -> Reading:
    """The reading to store. `arrival` is the stamp for readings without time, None where that is not allowed.

    `now` (ns) is for what arrived long ago and is stored only now: retention counts from it, all else from the arrival.
    Raises Reject with the reason.
    """
    scale, offset, low, high, keep = conversions[reported.quantity, reported.unit]
    value = reported.value * scale + offset
    flag = Flag.GOOD
    if not low <= value <= high:  # NaN and infinity too: the bounds are finite
        if not math.isfinite(value):
            raise Reject("not_finite", f"{reported.quantity} {reported.value} is no number, or beyond all bounds")
        flag = Flag.FAIL
    time, source = reported.time, TimeSource.DEVICE
    if time is None or not EARLIEST <= time <= received + AHEAD:
        time, source, suspect = _other_time(reported, received, arrival)
        if suspect and flag == Flag.GOOD:
            flag = Flag.SUSPECT
    if time < received - keep or time < now - keep:
        raise Reject(
            "past_retention", f"{reported.quantity} of {_utc(time)}; readings are kept for {keep // (86400 * NS)} days"
        )
    if reported.origin is not None:
        origin = max(origin, _ORIGINS[reported.origin])
    return Reading(device, reported.quantity, value, time, flag, source, reported.revision, origin)


def _other_time(reported: sdk.Reading, received: int, arrival: int | None) -> tuple[int, TimeSource, bool]:
    """Time, its source, and whether the device's clock was wrong."""
    wrong = reported.time is not None
    server = reported.server_time
    if server is not None and EARLIEST <= server <= received + AHEAD:
        return server, TimeSource.SERVER, wrong
    if wrong or server is not None:
        raise Reject("time_implausible", f"{reported.quantity} is stamped {_utc(reported.time or server or 0)}")
    if arrival is None:
        raise Reject("time_missing", f"{reported.quantity} has no time and the message was retained")
    return arrival, TimeSource.ARRIVAL, False


def _utc(time: int) -> str:
    """ISO form of a time, also of one far outside the calendar."""
    from datetime import UTC, datetime, timedelta

    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time // 1000)).isoformat()
    except OverflowError:
        return f"{time / NS:.3g} s after 1970"
