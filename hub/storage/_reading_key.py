# SPDX-License-Identifier: EUPL-1.2
"""The key rule, once for all stores: what happens to a row whose key (device, quantity, time) may be stored already.

    stored            newcomer                     outcome
    nothing           anything                     STORED
    same value        same or lower revision       DUPLICATE, the stored row stays as it is
    same value        higher revision              replaces; DUPLICATE, or STORED where flag or origin changed
    another value     higher revision              replaces; STORED
    another value     same or lower revision       CONFLICT, the stored row stays

Values are compared as floats, so 0.0 and -0.0 are the same. Rows of one `put` are decided one after the other, each
against what the rows before it left. A row that no store could hold (not finite, out of range) has a `fault`.
"""

import sys

from hub.core.readings import Outcome, Reading

LAST_NS = 2**63 - 2  # InfluxDB's newest instant; the SQLite store keeps to the same range
FIRST_NS = -LAST_NS
MAX_REVISION = 2**63 - 1
MAX_FLOAT = sys.float_info.max


def decide(held: Reading | None, new: Reading) -> tuple[Outcome, bool]:
    """Outcome of `new` where `held` is stored, and whether it replaces `held`."""
    if held is None:
        return Outcome.STORED, True
    if new.value == held.value:
        if new.revision <= held.revision:
            return Outcome.DUPLICATE, False
        same = new.flag == held.flag and new.origin == held.origin
        return (Outcome.DUPLICATE if same else Outcome.REPLACED), True
    if new.revision > held.revision:
        return Outcome.REPLACED, True
    return Outcome.CONFLICT, False


def fault(row: Reading) -> str | None:
    """Why no store can hold this row, None when it can."""
    if not -MAX_FLOAT <= row.value <= MAX_FLOAT:
        return f"value {row.value} is not a finite number"
    if not FIRST_NS <= row.time <= LAST_NS:
        return f"time {row.time} ns is outside the years 1677 to 2262"
    if not 0 <= row.revision <= MAX_REVISION:
        return f"revision {row.revision} is outside 0 to 2^63-1"
    if not 0 < row.flag < 256:
        return f"flag {row.flag} is outside 1 to 255"
    return None


def conflict_words(held: Reading) -> str:
    """What `PutResult.errors` says of a conflict."""
    revision = f" (revision {held.revision})" if held.revision else ""
    return f"stored {held.value}{revision}"
