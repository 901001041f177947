# SPDX-License-Identifier: EUPL-1.2
"""How long stores keep readings: what is common to both of them.

`keep` maps a domain to the time (ns) for which its readings count; domains that are not in it are kept for ever. Ingest
refuses what is older on arrival, and the engine leaves alone every window that needs readings from before. A store
forgets only what is older by another `MARGIN_NS`, so that a wave which began a while ago, a batch in the spool or a
clock that differs a little never meets a hole: what counts is there, what is gone has long not counted.
"""

from collections.abc import Mapping

from hub.core.quantities import Quantities

DAY_NS = 86_400_000_000_000
MARGIN_NS = DAY_NS


def lifetimes(keep: Mapping[str, int]) -> Mapping[str, int]:
    """After how long (ns) a store forgets, by domain."""
    return {domain: kept + MARGIN_NS for domain, kept in keep.items()}


def by_quantity(keep: Mapping[str, int], quantities: Quantities) -> Mapping[str, int]:
    """After how long (ns) a store forgets, by quantity; quantities that are kept for ever are not in it."""
    lives = lifetimes(keep)
    return {q.id: lives[q.domain] for q in quantities if q.domain in lives}
