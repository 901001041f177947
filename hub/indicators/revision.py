# SPDX-License-Identifier: EUPL-1.2
"""What becomes of a result: a provisional value, the first final one, a revision, or nothing.

    nothing stored, window open     -> revision 0, provisional, overwritten in place while open
    window and grace over           -> revision 1, closed: the first final
    closed before, result differs   -> revision + 1 with its cause
    result the same                 -> nothing is written

`insufficient_data` stays that status throughout; `closed` then tells whether it is the last word. A hold (a running
import) keeps open what is open; it never reopens what is closed.
"""

from msgspec.structs import replace

from hub.core.indicators import IndicatorValue, Status


def decide(
    result: IndicatorValue, stored: IndicatorValue | None, now: int, closes_at: int, held: bool, cause: str | None
) -> IndicatorValue | None:
    """The value to write for a fresh result, None when what is stored says it already."""
    if stored is not None and stored.closed:
        revised = replace(result, revision=stored.revision + 1, closed=True, computed_at=now, cause=cause)
        return None if stored.same_result(revised) else revised
    if now >= closes_at and not held:
        return replace(result, revision=1, closed=True, computed_at=now, cause=None)
    opened = replace(result, status=_open(result.status), revision=0, closed=False, computed_at=now, cause=None)
    return None if stored is not None and stored.same_result(opened) else opened


def finalise(stored: IndicatorValue, now: int) -> IndicatorValue:
    """The first final value of a window whose grace is over: its last provisional result."""
    status = Status.FINAL if stored.status is Status.PROVISIONAL else stored.status
    return replace(stored, status=status, revision=1, closed=True, computed_at=now, cause=None, seq=0)


def _open(status: Status) -> Status:
    return Status.PROVISIONAL if status is Status.FINAL else status
