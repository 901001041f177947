# SPDX-License-Identifier: EUPL-1.2
"""Brings credentials from the ledger to the broker, and what the broker refused from there to the ledger.

Runs in the supervisor's process, twice a second: the version in the ledger is looked at (by key); where it differs
from what was applied last, the full state is read and applied. So whatever died in between, the next round ends in the
right state. At start all is applied again, because the broker may have been changed or replaced meanwhile. What fails
is tried again with growing pauses and told in health; nobody who is connected already is affected by that.

Refusals are counted by (user, kind, topic) and written every few seconds: a device that is refused a thousand times a
second costs the ledger one row. `MOST_WAITING` bounds what is held of them.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from hub.core.access import BrokerRefusal
from hub.core.errors import HubError, Retry
from hub.core.ports import Credentials, PartHealth, Provisioner
from hub.transport import BrokerEvent

_LOG = logging.getLogger("cityhub.credentials")
_EVERY = 0.5  # s between looks at the version
_WRITE_EVERY = 2.0  # s between writes of refusals
_LONGEST = 30.0  # s between tries
MOST_WAITING = 5_000  # refusals of different (user, kind, topic) between two writes
_LOOK_AGAIN = 10.0  # s between looks at a broker that lacks somebody: the secret may be on its way
_SHOWN = 3  # names in a line
_BY_HAND = "this broker is not managed by the hub: enter credentials there by hand (docs/credentials.md)"


class Provisioning:
    """One broker's credentials. `provisioner` None: somebody enters them by hand."""

    def __init__(self, credentials: Credentials, provisioner: Provisioner | None) -> None:
        self._credentials = credentials
        self._provisioner = provisioner
        self._waiting: dict[tuple[str, str, str], BrokerRefusal] = {}
        self._written = 0.0
        self._missing: Sequence[str] = ()
        self._looked = 0.0
        self._applied: int | None = None  # of this run: what was applied by an earlier one is applied again
        self._state = PartHealth("credentials", True, _BY_HAND if provisioner is None else "not applied yet")

    def health(self) -> PartHealth:
        """What the broker knows."""
        return self._state

    def refused(self, event: BrokerEvent, username: str) -> None:
        """Count what the broker refused a client."""
        now = time.time_ns()
        key = (username, event.kind, event.topic)
        old = self._waiting.get(key)
        if old is None and len(self._waiting) >= MOST_WAITING:
            return
        self._waiting[key] = (
            BrokerRefusal(
                username=username, kind=event.kind, topic=event.topic, text=event.text, count=1, first=now, last=now
            )
            if old is None
            else replace(old, count=old.count + 1, last=now)
        )

    async def run(self) -> None:
        """For ever."""
        pause = _EVERY
        while True:
            try:
                await self.once()
                pause = _EVERY
            except HubError as error:
                pause = min(max(pause * 2, error.after if isinstance(error, Retry) else 5.0), _LONGEST)
                self._fail(error)
            await asyncio.sleep(pause)

    async def once(self) -> None:
        """Apply what is new, write what was refused. Raise what the broker or the ledger says."""
        if self._provisioner is not None:
            version = await asyncio.to_thread(self._credentials.version)
            again = self._missing and time.monotonic() - self._looked >= _LOOK_AGAIN
            if version != self._applied or again:
                await self._apply(self._provisioner, version)
        if self._waiting and time.monotonic() - self._written >= _WRITE_EVERY:
            self._written = time.monotonic()
            waiting, self._waiting = self._waiting, {}
            await asyncio.to_thread(self._credentials.refused, list(waiting.values()))

    async def _apply(self, provisioner: Provisioner, version: int) -> None:
        """The version was read before the state: a change in between is applied, and then once more."""
        known = await asyncio.to_thread(self._credentials.all)
        began = time.monotonic()
        self._missing, self._looked = await provisioner.apply(known), time.monotonic()
        await asyncio.to_thread(self._credentials.mark_applied, version)
        self._applied = version
        active = sum(one.disabled_at is None for one in known)
        detail = f"the broker knows version {version}: {active} clients, {len(known) - active} disabled"
        self._state = PartHealth("credentials", True, detail + lost(self._missing))
        fields = {"version": version, "clients": active, "seconds": round(time.monotonic() - began, 3)}
        _LOG.info("credentials applied", extra={"fields": fields})

    def _fail(self, error: HubError) -> None:
        detail = f"the broker has not the newest credentials yet: {error}"
        if detail != self._state.detail:
            _LOG.warning("credentials not applied", extra={"fields": {"detail": str(error)}})
        self._state = PartHealth("credentials", False, detail, "mend what it names; it is tried again by itself")


def lost(missing: Sequence[str]) -> str:
    """Words for clients that the broker does not know; "" for none."""
    if not missing:
        return ""
    names = ", ".join(missing[:_SHOWN]) + (f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else "")
    return f"; it does not know {names}: renew their secrets (docs/credentials.md)"


def username_of(event: BrokerEvent, names: Mapping[str, str]) -> str:
    """Whose event this is: the user that the line names, else the user of that client id, else the client id itself.

    The hub tells devices to use their user name as client id, so that last one is nearly always right.
    """
    _, named, rest = event.text.partition('User "')
    return rest.partition('"')[0] if named else names.get(event.client, event.client)
