# SPDX-License-Identifier: EUPL-1.2
"""Formulas of weather: how heat and cold feel, and degree days. Temperatures are in °C, humidity in %, wind in m/s.

Heat index and humidex are one line each and stand here; tests hold them against pythermalcomfort. UTCI is a polynomial
of 210 terms and is that library's. It loads numba (some seconds, some 200 MB), so it is imported when the first window
has all four inputs, and never before. See docs/decisions/thermal-comfort.md.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from hub.indicators.formulas.base import Context, Floats, Formula

_ROTHFUSZ = (  # coefficients for °C of powers (of t, of rh), as published with the equation
    (-8.784695, 0, 0), (1.61139411, 1, 0), (2.338549, 0, 1), (-0.14611605, 1, 1), (-1.2308094e-2, 2, 0),
    (-1.6424828e-2, 0, 2), (2.211732e-3, 2, 1), (7.2546e-4, 1, 2), (-3.582e-6, 2, 2),
)  # fmt: skip


def heat_index(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Heat index in °C from `t` and `rh` by the regression of Rothfusz (NWS Technical Attachment SR 90-23, 1990).

    Undefined below the parameter `lowest`: the regression is one of hot weather and turns around below it.
    """
    t, rh = inputs["t"], _humidity(inputs["rh"])
    index: Floats = np.sum([c * t**i * rh**j for c, i, j in _ROTHFUSZ], axis=0)
    return np.where(t >= context.parameters["lowest"], index, np.nan)


def humidex(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Humidex in °C from `t` and `rh`: t + 5/9 (e - 10), e the vapour pressure in hPa after Magnus.

    Masterton and Richardson (1979) in the form of Rana et al. (2013), https://doi.org/10.1016/j.enbuild.2013.04.019.
    """
    t = inputs["t"]
    feels: Floats = t + 5.0 / 9.0 * (_vapour_pressure(t, _humidity(inputs["rh"])) - 10.0)
    return feels


def utci(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Universal Thermal Climate Index in °C of air `t`, mean radiant `tr`, wind `v` at 10 m and `rh`.

    Undefined outside the polynomial's limits (Bröde et al. 2012, https://doi.org/10.1007/s00484-011-0454-1): t -50 to
    50 °C, tr - t -30 to 70 K, v 0.5 to 17 m/s, and above 5 kPa of vapour.
    """
    t, tr, v, rh = inputs["t"], inputs["tr"], inputs["v"], _humidity(inputs["rh"])
    inside = _between(t, -50, 50) & _between(tr - t, -30, 70) & _between(v, 0.5, 17)
    inside &= _between(_vapour_pressure(t, rh), 0, 50)
    value = np.full(len(t), np.nan)
    if inside.any():
        from pythermalcomfort.models import utci as universal  # type: ignore[import-untyped]  # it ships no types

        # limits are checked above: the library would write a warning for every value outside of them
        found = universal(
            tdb=t[inside], tr=tr[inside], v=v[inside], rh=rh[inside], limit_inputs=False, round_output=False
        )
        value[inside] = np.asarray(found.utci, dtype=np.float64)
    return value


def heating_degrees(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Heating degrees in K of a day from `tmin` and `tmax`: base - mean where the mean is at most the threshold."""
    mean = (inputs["tmin"] + inputs["tmax"]) / 2.0
    return _degrees(mean, mean <= context.parameters["threshold"], context.parameters["base"] - mean)


def cooling_degrees(inputs: Mapping[str, Floats], context: Context) -> Floats:
    """Cooling degrees in K of a day from `tmin` and `tmax`: mean - base where the mean is at least the threshold."""
    mean = (inputs["tmin"] + inputs["tmax"]) / 2.0
    return _degrees(mean, mean >= context.parameters["threshold"], mean - context.parameters["base"])


def _degrees(mean: Floats, counts: npt.NDArray[np.bool_], difference: Floats) -> Floats:
    return np.where(np.isnan(mean), np.nan, np.where(counts, difference, 0.0))


def _vapour_pressure(t: Floats, rh: Floats) -> Floats:
    """Of water in hPa, after Magnus."""
    pressure: Floats = 6.112 * 10.0 ** (7.5 * t / (237.7 + t)) * rh / 100.0
    return pressure


def _between(values: Floats, low: float, high: float) -> npt.NDArray[np.bool_]:
    return np.asarray((values >= low) & (values <= high))


def _humidity(rh: Floats) -> Floats:
    """Sensors read up to 105 % in fog: that is 100 %."""
    clipped: Floats = np.clip(rh, 0.0, 100.0)
    return clipped


FORMULAS: Mapping[str, Formula] = {
    "heat_index": Formula(
        heat_index,
        ("t", "rh"),
        parameters=frozenset({"lowest"}),
        undefined="too cold for the heat index, which is one of hot weather",
    ),
    "humidex": Formula(humidex, ("t", "rh")),
    "utci": Formula(
        utci,
        ("t", "tr", "v", "rh"),
        undefined="outside the limits of UTCI (air -50 to 50 °C, radiant 30 below to 70 above it, wind 0.5 to 17 m/s)",
    ),
    "heating_degrees": Formula(heating_degrees, ("tmin", "tmax"), parameters=frozenset({"threshold", "base"})),
    "cooling_degrees": Formula(cooling_degrees, ("tmin", "tmax"), parameters=frozenset({"threshold", "base"})),
}
