# SPDX-License-Identifier: EUPL-1.2
"""What connectors name by tables exists in the hub: quantities, and units that those take."""

import pytest

from connectors.ttn.normalized import _INDOOR, SCHEMA
from hub.core.quantities import Quantities
from hub.sdk import CODEC_FIELDS, Field

QUANTITIES = Quantities.load()
TABLES = {"codec": CODEC_FIELDS, "normalized": SCHEMA, "indoor": _INDOOR}
ROWS = [(name, row) for name, table in TABLES.items() for row in table.values() if row is not None]


@pytest.mark.parametrize(("table", "row"), ROWS, ids=lambda v: v if isinstance(v, str) else v.key)
def test_a_row_names_a_quantity_and_a_unit_it_takes(table: str, row: Field) -> None:
    assert QUANTITIES.factor(row.quantity, row.unit).scale > 0


@pytest.mark.parametrize(
    ("quantity", "unit"),
    [("rssi", "dBm"), ("snr", "dB"), ("battery_level", "%"), ("packet_count", None), ("spreading_factor", None)],
)
def test_what_network_servers_say_of_the_link_is_known(quantity: str, unit: str | None) -> None:
    assert QUANTITIES.factor(quantity, unit) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("unit", "quantity"),
    # symbols of RFC 8428 section 12.1 and RFC 8798 tables 1 and 2 that city sensors have a use for
    [
        ("Cel", "air_temperature"), ("K", "air_temperature"), ("%RH", "relative_humidity"), ("Pa", "air_pressure"),
        ("hPa", "air_pressure"), ("m/s", "wind_speed"), ("km/h", "wind_speed"), ("deg", "wind_direction"),
        ("mm", "precipitation"), ("W/m2", "solar_irradiance"), ("ug/m3", "pm10"), ("kg/m3", "pm10"), ("ppm", "co2"),
        ("Bspl", "sound_level"), ("lx", "illuminance"), ("%EL", "battery_level"), ("V", "battery_voltage"),
        ("mV", "battery_voltage"), ("dBm", "rssi"), ("dBW", "rssi"), ("dB", "snr"), ("m3", "water_volume"),
        ("l", "water_volume"), ("kWh", "energy"), ("Wh", "energy"), ("J", "energy"), ("W", "power"), ("kW", "power"),
        ("count", "vehicle_count"), ("/100", "fill_level"), ("/", "fill_level"), ("W.s", "energy"),
    ],
)  # fmt: skip
def test_senml_units_reach_the_quantities_they_are_for(unit: str, quantity: str) -> None:
    assert QUANTITIES.factor(quantity, unit).scale > 0
