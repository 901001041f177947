# SPDX-License-Identifier: EUPL-1.2
"""Orders about quarantined messages, as they stand in the ledger's command table.

An order is carried out at least once: a process that dies before it reports finds it pending again. Both kinds are
harmless when repeated. What else stands in an order (the shard) is for others.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct, convert
from msgspec.structs import replace

from hub.core.errors import Invalid
from hub.core.journal import STATES
from hub.core.ports import Journal, QuarantineFilter

Identify = Callable[[str, str], str]  # connector, external id -> external id as its messages say it


class QuarantineOrder(Struct, frozen=True):
    """Which messages an order is about; None means any. Times in ns."""

    state: str | None = "waiting"
    reason: str | None = None
    connector: str | None = None
    external_id: str | None = None
    ids: list[int] | None = None
    device: str | None = None
    topic: str | None = None
    since: int | None = None
    until: int | None = None
    why: str = ""
    by: str = ""

    def filter(self) -> QuarantineFilter:
        """The messages meant."""
        return QuarantineFilter(**{name: getattr(self, name) for name in QuarantineFilter._fields})


def order_of(arguments: Mapping[str, object], identify: Identify) -> QuarantineOrder:
    """The order that stands in `arguments`; raise Invalid or msgspec.ValidationError."""
    order = convert(dict(arguments), QuarantineOrder)
    if order.state is not None and order.state not in STATES:
        raise Invalid(f"no state {order.state!r}; there are {', '.join(STATES)}", "state")
    if order.connector is not None and order.external_id is not None:
        return replace(order, external_id=identify(order.connector, order.external_id))
    return order


async def purge(journal: Journal, order: QuarantineOrder, now: int) -> Mapping[str, object]:
    """Take the payloads of all messages meant away, for good, with the reason and who gave it."""
    if not order.why.strip():
        raise Invalid("say why: it is kept with the messages", "why")
    where = order.filter()
    if all(value is None for name, value in where._asdict().items() if name != "state"):
        raise Invalid(
            "name at least one of reason, connector, external id, device, topic, since, until or ids", "purge"
        )
    return {"purged": await journal.purge(where, order.why, order.by, now)}
