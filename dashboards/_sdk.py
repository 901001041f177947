# SPDX-License-Identifier: EUPL-1.2
"""The classic dashboard builder of the foundation SDK, imported without its notice.

The SDK warns at import that a newer schema exists. File provisioning reads the classic schema in every Grafana that we
support, so the notice is expected; here, and only here, it is silenced.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Prefer using dashboardv2", category=DeprecationWarning)
    from grafana_foundation_sdk.builders.dashboard import (
        CustomVariable,
        Dashboard,
        FieldColor,
        QueryVariable,
        ThresholdsConfig,
    )

__all__ = ["CustomVariable", "Dashboard", "FieldColor", "QueryVariable", "ThresholdsConfig"]
