# SPDX-License-Identifier: EUPL-1.2
"""Where a device stood, over its removal and its return: all pure.

What was measured stays with the place at which it was measured. So a removal only ends mountings, and a device that
comes back continues them: its new ones come after the former ones, and where it comes back to the same place without
a gap the two are one again, as if it had never been away.
"""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import structs

from hub.core.errors import Invalid
from hub.core.places import Mounting, check_place_id
from hub.core.windows import format_instant

ALWAYS = 0  # a mounting from 1970 says "ever since": no reading is accepted from before 2000

Mountings = tuple[Mounting, ...]


def check_mountings(mountings: Sequence[Mounting]) -> None:
    """Raise Invalid unless each ends after its start and none overlaps another."""
    in_order = sorted(mountings, key=lambda m: m.start)
    for mounting in in_order:
        check_place_id(mounting.place)
        if mounting.end is not None and mounting.end <= mounting.start:
            raise Invalid(f"the mounting at {mounting.place} must end after its start", "mountings")
    for one, following in pairwise(in_order):
        if _overlap(one, following):
            raise Invalid(f"at {one.place} and at {following.place} at the same time", "mountings")


def ended(mountings: Sequence[Mounting], at: int) -> Mountings:
    """Where a device stood that is removed `at`: what is open ends then, what was to come never comes."""
    return tuple(structs.replace(m, end=at if m.end is None else min(m.end, at)) for m in mountings if m.start < at)


def moved(mountings: Sequence[Mounting], new: Mounting) -> Mountings:
    """Where a device stands that is moved: what is open ends when the new one begins. Raise Invalid."""
    for m in mountings:
        if m.end is None and m.start >= new.start:
            raise Invalid(
                f"the device stands at {m.place} since {format_instant(m.start)}: let the new mounting begin after "
                "that, or correct the mountings",
                "start",
            )
    closed = [structs.replace(m, end=new.start) if m.end is None else m for m in mountings]
    check_mountings([*closed, new])
    return tuple(sorted([*closed, new], key=lambda m: m.start))


def continued(former: Sequence[Mounting], removed_at: int, given: Sequence[Mounting]) -> Mountings:
    """Mountings of a device that comes back: the former ones, then those given, "ever since" meaning the removal.

    Raises Invalid where a given one begins while the device stood elsewhere.
    """
    if not former:
        return tuple(given)
    fresh = [structs.replace(m, start=removed_at) if m.start == ALWAYS else m for m in given]
    for new in fresh:
        for old in former:
            if _overlap(*sorted((old, new), key=lambda m: m.start)):
                raise Invalid(
                    f"the device stood at {old.place} until {format_instant(old.end or 0)}, before it was removed: "
                    f"let the mounting at {new.place} begin then or later",
                    "mountings",
                )
    check_mountings([*former, *fresh])
    return _joined([*former, *fresh])


def _overlap(one: Mounting, following: Mounting) -> bool:
    return one.end is None or one.end > following.start


def _stands(m: Mounting) -> tuple[object, ...]:
    return m.place, m.height, m.orientation


def _joined(mountings: Sequence[Mounting]) -> Mountings:
    joined: list[Mounting] = []
    for m in sorted(mountings, key=lambda m: m.start):
        if joined and joined[-1].end == m.start and _stands(joined[-1]) == _stands(m):
            joined[-1] = structs.replace(joined[-1], end=m.end)
        else:
            joined.append(m)
    return tuple(joined)
