# SPDX-License-Identifier: EUPL-1.2
"""What Grafana does to an InfluxQL query before it sends it: variables, time filter, interval."""

import re
from collections.abc import Mapping, Sequence

NS_PER_MS = 1_000_000
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]|\$(\w+)")
_SPECIAL = re.compile(r"([\\^$*+?.()|\[\]{}/])")


def interpolate(query: str, variables: Mapping[str, Sequence[str]], start: int, end: int) -> str:
    """The query as sent for [start, end] ns; an unknown variable is an error, where Grafana would send its name."""
    macros = {
        "timeFilter": f"time >= {start // NS_PER_MS}ms and time <= {end // NS_PER_MS}ms",
        "__interval": "1h",
        "interval": "1h",
    }

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[3] or match[4]
        if name in macros:
            return macros[name]
        return as_regex(variables[name]) if match[2] == "regex" else ",".join(variables[name])

    return _VARIABLE.sub(value, query)


def as_regex(values: Sequence[str]) -> str:
    """Format `regex`: special characters escaped, several values as alternatives."""
    escaped = [_SPECIAL.sub(r"\\\1", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
