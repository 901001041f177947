# SPDX-License-Identifier: EUPL-1.2
"""Rounding as authorities do it: half away from zero ("commercial"), on the decimal that was meant.

A mean of decimals is rarely the exact binary number: 44.25 may come out as 44.249999999999996. The scaled value is
therefore first brought to the nearest multiple of 1e-6, which hides that noise and nothing that an instrument can
measure. The result is the double nearest to the decimal, so equal decimals are equal bits.
"""

import numpy as np
import numpy.typing as npt

_NOISE_DIGITS = 6


def half_up(values: npt.NDArray[np.float64], digits: int) -> npt.NDArray[np.float64]:
    """Round to `digits` decimals (negative: tens, hundreds); NaN stays NaN, and -0.0 becomes 0.0."""
    scale = 10.0 ** abs(digits)
    scaled = values * scale if digits >= 0 else values / scale
    whole = np.floor(np.round(np.abs(scaled), _NOISE_DIGITS) + 0.5)
    rounded = np.copysign(whole, scaled)
    return np.asarray((rounded / scale if digits >= 0 else rounded * scale) + 0.0, dtype=np.float64)
