# SPDX-License-Identifier: EUPL-1.2
"""Waiting for what is away (store, journal, spool, disk): again and again, and visibly, because what waits is not lost.

Whoever waits says so in `waiting_for`, which health shows, and in the log, at a limited rate. Stop is never waited out.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from hub.core.errors import Retry
from hub.core.logs import RateLimited

T = TypeVar("T")


class Patience:
    """Of one pipeline; `waiting_for` says what it waits for now, None while it does not."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]], log: RateLimited) -> None:
        self.sleep = sleep
        self.waiting_for: str | None = None
        self._log = log

    def wait_for(self, error: Retry) -> None:
        """Tell that something is away; the caller sleeps, or tries another way."""
        self.waiting_for = str(error)
        self._log.warning("waiting", "ingest waits", detail=str(error), seconds=error.after)

    def over(self) -> None:
        """It answered."""
        self.waiting_for = None

    async def insist(self, action: Callable[[], Awaitable[T]]) -> T:
        """Try until it works; Stop passes through."""
        while True:
            try:
                result = await action()
            except Retry as error:
                self.wait_for(error)
                await self.sleep(error.after)
            else:
                self.over()
                return result
