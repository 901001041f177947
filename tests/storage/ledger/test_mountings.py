# SPDX-License-Identifier: EUPL-1.2
"""Where a device stood, over its removal and its return."""

import pytest

from hub.core.errors import Invalid
from hub.core.places import Mounting
from hub.storage.ledger._mountings import continued, ended

A, B = "havirov/mesto", "havirov/sumbark"


@pytest.mark.parametrize(
    ("mountings", "left"),
    [
        ([], ()),
        ([Mounting(A, 0)], (Mounting(A, 0, 50),)),
        ([Mounting(A, 0, 20), Mounting(B, 20)], (Mounting(A, 0, 20), Mounting(B, 20, 50))),
        ([Mounting(A, 0, 90)], (Mounting(A, 0, 50),)),
        ([Mounting(A, 0, 50), Mounting(B, 50)], (Mounting(A, 0, 50),)),
        ([Mounting(A, 60)], ()),
    ],
)
def test_a_removal_at_50_ends_what_is_open_and_what_was_to_come(
    mountings: list[Mounting], left: tuple[Mounting, ...]
) -> None:
    assert ended(mountings, 50) == left


@pytest.mark.parametrize(
    ("former", "given", "after"),
    [
        ([], [Mounting(A, 0)], (Mounting(A, 0),)),
        ([Mounting(A, 0, 50)], [], (Mounting(A, 0, 50),)),
        ([Mounting(A, 0, 50)], [Mounting(A, 0)], (Mounting(A, 0),)),
        ([Mounting(A, 0, 50)], [Mounting(B, 0)], (Mounting(A, 0, 50), Mounting(B, 50))),
        ([Mounting(A, 0, 50)], [Mounting(A, 70)], (Mounting(A, 0, 50), Mounting(A, 70))),
        ([Mounting(A, 0, 20)], [Mounting(A, 0)], (Mounting(A, 0, 20), Mounting(A, 50))),
        ([Mounting(A, 0, 20)], [Mounting(B, 20, 50), Mounting(A, 50)],
         (Mounting(A, 0, 20), Mounting(B, 20, 50), Mounting(A, 50))),
    ],
)  # fmt: skip
def test_a_device_removed_at_50_continues(
    former: list[Mounting], given: list[Mounting], after: tuple[Mounting, ...]
) -> None:
    assert continued(former, 50, given) == after


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([Mounting(B, 49)], "the device stood at havirov/mesto until"),
        ([Mounting(B, 5, 60)], "the device stood at havirov/mesto until"),
        ([Mounting(B, 0, 40)], "must end after its start"),
        ([Mounting(A, 60), Mounting(B, 70)], "at the same time"),
    ],
)
def test_a_return_that_contradicts_the_past_is_refused(given: list[Mounting], message: str) -> None:
    with pytest.raises(Invalid, match=message):
        continued([Mounting(A, 0, 50)], 50, given)
