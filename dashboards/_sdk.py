# SPDX-License-Identifier: EUPL-1.2
"""The one importer of the foundation SDK, so that its notice is met once.

The SDK warns at import that a newer dashboard schema exists. File provisioning reads the classic schema in every
Grafana that we support, so the notice is expected; here, and only here, it is silenced.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Prefer using dashboardv2", category=DeprecationWarning)
    from grafana_foundation_sdk.builders import common as widgets
    from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
    from grafana_foundation_sdk.builders.dashboard import (
        CustomVariable,
        Dashboard,
        FieldColor,
        QueryVariable,
        ThresholdsConfig,
    )
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.variants import Dataquery
    from grafana_foundation_sdk.models import common, dashboard

__all__ = [
    "Builder",
    "CustomVariable",
    "Dashboard",
    "Dataquery",
    "FieldColor",
    "JSONEncoder",
    "QueryVariable",
    "ThresholdsConfig",
    "common",
    "dashboard",
    "stat",
    "statetimeline",
    "table",
    "timeseries",
    "widgets",
]
