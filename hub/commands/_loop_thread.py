# SPDX-License-Identifier: EUPL-1.2
"""An event loop in a thread of its own, for work that computes for long.

Leases and heartbeats stay on the main loop and keep their beat, however long a wave takes. Everything that is bound to
a loop (the engine, its store) is used on this one alone.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """Runs coroutines on its own loop until stopped."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Await `work` on the other loop; cancelling the wait cancels the work, and waits for it to end."""
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        waiting = asyncio.wrap_future(future)
        try:
            return await waiting
        except asyncio.CancelledError:
            future.cancel()
            raise

    async def stop(self) -> None:
        """End the loop after what runs on it has been cancelled."""
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop))
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)
        self._loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
