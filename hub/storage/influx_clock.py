# SPDX-License-Identifier: EUPL-1.2
"""InfluxDB's clock against this machine's, by the Date header of its answers (whole seconds)."""

import time
from email.utils import parsedate_to_datetime

import httpx

from hub.core.errors import Retry
from hub.storage._influx_settings import InfluxSettings


def clock_offset(settings: InfluxSettings) -> float:
    """Seconds that the server's clock is ahead; exact to about a second."""
    before = time.time()
    try:
        answer = httpx.get(
            f"{settings.url.rstrip('/')}/ping", timeout=settings.timeout_s, verify=settings.ca_file or True
        )
        told = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise Retry(f"{settings.url} tells no time: {error}") from error
    return told + 0.5 - (before + time.time()) / 2  # the header cuts the fraction off
