# SPDX-License-Identifier: EUPL-1.2
"""Quality control of stored readings after QARTOD: thresholds as data, pure tests, flags that can be recomputed."""

from hub.indicators.quality.checks import Checked, Finding, checked, flags_of
from hub.indicators.quality.rules import Rules, load_rules

__all__ = ["Checked", "Finding", "Rules", "checked", "flags_of", "load_rules"]
