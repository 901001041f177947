# SPDX-License-Identifier: EUPL-1.2
"""What is measured, entered and blind adds up to the whole."""

import numpy as np
import pytest

from hub.core.places import Device, Mounting
from hub.core.readings import Columns, Series
from hub.core.windows import HOUR, Calendar, parse_instant
from hub.indicators.catalogue import Catalogue
from hub.indicators.formulas.base import Context, Outcome
from hub.indicators.formulas.coverage import integration
from hub.indicators.kernel import compute


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


# --- through the kernel ----------------------------------------------------------------------------------------

DAY = parse_instant("2026-10-25T00:00:00+02:00")  # of 25 hours


def of_the_day(catalogue: Catalogue, prague: Calendar, indicator: str) -> float:
    """A site with an hourly device that sent 20 times, 5 of them suspect, a silent one and one without interval."""
    series = [Series("hourly", "pm10"), Series("plain", "pm10")]
    columns = Columns(
        series,
        np.array([0] * 20 + [1], dtype=np.int32),
        np.array([*(DAY + i * HOUR for i in range(20)), DAY + 20 * HOUR], dtype=np.int64),
        np.full(21, 12.0),
        np.array([3] * 5 + [1] * 16, dtype=np.uint8),
        np.zeros(21, dtype=np.uint8),
    )
    intervals = {"hourly": 3600, "plain": None, "silent": 3600}
    devices = {
        name: Device(id=name, connector="c", external_id=name, interval=interval, mountings=(Mounting("t/p/s", 0),))
        for name, interval in intervals.items()
    }
    r = compute(catalogue, catalogue.get(indicator), prague, ["t/p/s"], DAY, DAY + 1, columns, devices)
    return float(r.value[0, 0])


@pytest.mark.parametrize(
    ("indicator", "figure"),
    [
        ("data_capture", 30.0),  # 15 good readings of 2 x 25 that were promised
        ("suspect_share", 23.81),  # 5 of 21
        ("silent_devices", 1.0),
    ],
)
def test_how_readings_came_is_told_per_day(
    indicator: str, figure: float, catalogue: Catalogue, prague: Calendar
) -> None:
    assert of_the_day(catalogue, prague, indicator) == figure
