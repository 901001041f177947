# SPDX-License-Identifier: EUPL-1.2
"""Retention in InfluxDB: a policy (1.x) or bucket (2.x) of its own for every domain that is not kept for ever.

No path depends on DELETE. A limited domain's lines go to the policy `keep_<domain>` of the same database, which the
server itself empties; its duration follows the settings whenever the writer connects. What was written to the default
policy before is still read, by naming both behind FROM, until all of it is past the limit; it is never deleted by the
hub. Each point stands in exactly one of the two: a line that changes a point of the default policy is written there.

A policy once made is used for good: a domain that is kept for ever again gets one without end.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from hub.storage import _influx_query as ql
from hub.storage._influx_durations import FOR_EVER
from hub.storage._influx_http import Influx
from hub.storage._influx_lines import QC
from hub.storage.retention import lifetimes

PREFIX = "keep_"
_REFRESH_S = 3600.0


class Clock(Protocol):
    """ns since 1970."""

    def __call__(self) -> int: ...


class Policies:
    """Where lines of each domain go, and what stands behind FROM. Only a `writer` makes or alters policies."""

    def __init__(
        self,
        influx: Influx,
        default: str,
        domains: Iterable[str],
        keep: Mapping[str, int],
        *,
        writer: bool,
        clock: Clock = time.time_ns,
    ) -> None:
        self._influx = influx
        self._default = default
        self._domains = frozenset(domains)
        self._lives = lifetimes(keep)
        self._writer = writer
        self._clock = clock
        self._own: Mapping[str, str] = {}
        self._past: frozenset[str] = frozenset()
        self._due = -1.0
        self._looking = asyncio.Lock()

    async def ready(self) -> None:
        """Know the policies, and as the writer make them what the settings say; cheap when that is done."""
        if time.monotonic() < self._due:
            return
        async with self._looking:
            if time.monotonic() >= self._due:
                await self._look()

    async def _look(self) -> None:
        known = {name: life for name, life in (await self._influx.policies()).items() if name.startswith(PREFIX)}
        if self._writer:
            known |= await self._settle(known)
        own = {domain: PREFIX + domain for domain in self._domains if PREFIX + domain in known}
        self._past = frozenset([domain for domain in own if not await self._counts_in_default(domain)])
        self._own = own
        self._influx.route({domain.encode(): policy for domain, policy in own.items()})
        complete = all(domain in own for domain in self._lives)  # a reader may be there before the writer
        self._due = time.monotonic() + _REFRESH_S if complete else -1.0

    def source(self, domain: str) -> str:
        """What stands behind FROM."""
        before, own = ql.source(domain, self._default), self._own.get(domain)
        if own is None:
            return before
        return ql.source(domain, own) if domain in self._past else f"{before}, {ql.source(domain, own)}"

    def sources(self, domain: str) -> Sequence[tuple[str, bool]]:
        """The same one by one, and whether it is the default policy beside the domain's own."""
        before, own = ql.source(domain, self._default), self._own.get(domain)
        if own is None:
            return [(before, False)]
        both = [(before, True), (ql.source(domain, own), False)]
        return both[1:] if domain in self._past else both

    @property
    def own(self) -> Mapping[str, str]:
        """Policies by domain, of those that have one."""
        return self._own

    async def _settle(self, known: Mapping[str, int]) -> Mapping[str, int]:
        wanted = wanted_policies(known, self._lives)
        for name, life in wanted.items():
            await self._influx.keep(name, life)
        return wanted

    async def _counts_in_default(self, domain: str) -> bool:
        """Whether the default policy holds anything of the domain that is not past the limit."""
        since = self._clock() - self._lives[domain] if domain in self._lives else 0
        asked = f'SELECT "{QC}" FROM {ql.source(domain, self._default)} WHERE time >= {since} LIMIT 1'  # noqa: S608 -- quoted
        async for frame in self._influx.query(asked):
            if frame.values:
                return True
        return False


def wanted_policies(known: Mapping[str, int], lives: Mapping[str, int]) -> Mapping[str, int]:
    """Policies to make or to alter, with their duration (ns, 0 for ever). `known`: those with our prefix."""
    wanted = dict.fromkeys(known, FOR_EVER) | {PREFIX + domain: life for domain, life in lives.items()}
    return {name: life for name, life in wanted.items() if known.get(name) != life}
