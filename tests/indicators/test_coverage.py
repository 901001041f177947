# SPDX-License-Identifier: EUPL-1.2
"""What is measured, entered and blind adds up to the whole."""

import numpy as np
import pytest

from hub.indicators.formulas.base import Context, Outcome
from hub.indicators.formulas.coverage import integration


def covered(measured: float, entered: float, blind: float) -> Outcome:
    inputs = {"measured": np.array([measured]), "entered": np.array([entered]), "blind": np.array([blind])}
    return integration(inputs, Context({}, {}, np.array([86400.0]), {}, {}, {}))


def test_the_value_is_the_measured_share_and_the_others_stand_beside_it() -> None:
    found = covered(12, 5, 3)
    assert found.value.tolist() == [60.0]
    assert {name: share.tolist() for name, share in found.details.items()} == {
        "measured_share": [60.0],
        "entered_share": [25.0],
        "blind_share": [15.0],
    }


def test_nothing_to_cover_is_no_full_coverage() -> None:
    assert np.isnan(covered(0, 0, 0).value[0])


@pytest.mark.parametrize("lost", ["measured", "entered", "blind"])
def test_a_missing_count_gives_no_share(lost: str) -> None:
    assert np.isnan(covered(**({"measured": 1.0, "entered": 1.0, "blind": 1.0} | {lost: np.nan})).value[0])
