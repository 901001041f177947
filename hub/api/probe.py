# SPDX-License-Identifier: EUPL-1.2
"""Ask every part how it is: all at once, each within its time, and whatever goes wrong is an answer too."""

import asyncio
import logging
from collections.abc import Sequence

from hub.api.services import HealthCheck
from hub.core.errors import HubError
from hub.core.ports import PartHealth

logger = logging.getLogger(__name__)


async def probe(checks: Sequence[HealthCheck], seconds: float) -> Sequence[PartHealth]:
    """The health of every part, in the order of the checks."""
    return await asyncio.gather(*(_ask(check, seconds) for check in checks))


async def _ask(check: HealthCheck, seconds: float) -> PartHealth:
    name = getattr(check, "__qualname__", type(check).__name__)
    try:
        async with asyncio.timeout(seconds):
            return await check()
    except TimeoutError:
        return PartHealth(name, False, f"no answer within {seconds:g} s", "See whether it hangs; restart it if so.")
    except HubError as error:
        return PartHealth(name, False, str(error), "See the log of the hub.")
    except Exception:
        logger.exception("health check %s failed", name)
        return PartHealth(name, False, "the check itself failed", "See the log of the hub.")
