# SPDX-License-Identifier: EUPL-1.2
"""Where the hub keeps things: readings (SQLite or InfluxDB), the ledger, and the projections of indicator values.

    readings_sqlite.SqliteReadingStore         port ReadingStore, embedded default; readonly=True beside the writer
    readings_influx.InfluxReadingStore         port ReadingStore, InfluxDB 1.x, 2.x and later
    indicators_influx.InfluxIndicatorSink      port IndicatorSink, and `device_info` for dashboards
    ledger                                     registry, indicator values, corrections, keys

Import the modules by name: each loads its driver, and nobody should pay for a database that is not used.
"""

from hub.storage._influx_settings import InfluxSettings

__all__ = ["InfluxSettings"]
