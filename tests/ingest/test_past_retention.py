# SPDX-License-Identifier: EUPL-1.2
"""What is older than its domain is kept never reaches the store."""

import pytest

from hub import sdk
from hub.core.errors import Reject
from hub.core.quantities import Quantities
from hub.core.readings import NS, Origin
from hub.ingest.normalise import Conversions, normalise

NOW = 1_790_000_000 * NS
DAY = 86_400 * NS
CONVERSIONS = Conversions(Quantities.load(), {"air": 3 * DAY})


@pytest.mark.parametrize(
    ("quantity", "age", "kept"),
    [
        ("pm10", 3 * DAY, True),
        ("pm10", 3 * DAY + 1, False),
        ("no2", 30 * DAY, False),
        ("air_temperature", 3000 * DAY, True),
        ("pm10", 0, True),
    ],
)
def test_the_limit_of_the_domain_counts_from_the_arrival(quantity: str, age: int, kept: bool) -> None:
    reported = sdk.Reading("air-1", quantity, 20.0, time=NOW - age)
    if kept:
        assert normalise(reported, "air-1", Origin.MEASURED, CONVERSIONS, NOW, None).time == NOW - age
        return
    with pytest.raises(Reject, match="kept for 3 days") as caught:
        normalise(reported, "air-1", Origin.MEASURED, CONVERSIONS, NOW, None)
    assert caught.value.reason == "past_retention"


@pytest.mark.parametrize(("now", "kept"), [(0, True), (NOW - DAY, True), (NOW + DAY, True), (NOW + DAY + 1, False)])
def test_what_is_stored_long_after_its_arrival_is_bound_by_retention_as_of_now(now: int, kept: bool) -> None:
    reported = sdk.Reading("air-1", "pm10", 20.0, time=NOW - 2 * DAY)
    if kept:
        assert normalise(reported, "air-1", Origin.MEASURED, CONVERSIONS, NOW, None, now).time == NOW - 2 * DAY
        return
    with pytest.raises(Reject, match="kept for 3 days"):
        normalise(reported, "air-1", Origin.MEASURED, CONVERSIONS, NOW, None, now)


def test_only_retention_counts_from_now() -> None:
    """A time that was implausible on arrival does not become plausible by waiting."""
    reported = sdk.Reading("air-1", "pm10", 20.0, time=NOW + DAY)
    with pytest.raises(Reject) as caught:
        normalise(reported, "air-1", Origin.MEASURED, CONVERSIONS, NOW, None, NOW + 2 * DAY)
    assert caught.value.reason == "time_implausible"
