# SPDX-License-Identifier: EUPL-1.2
"""How commands write figures."""

import pytest

from hub.commands._output import plain_number


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1_234_567_891.0, 15, "1234567891"),
        (617_283_945.25, 15, "617283945.25"),
        (0.01997, 15, "0.01997"),
        (35.0, 15, "35"),
        (1_234_567_891.0, 3, "1230000000"),
    ],
)
def test_figures_are_written_in_full(value: float, digits: int, text: str) -> None:
    assert plain_number(value, digits) == text
