# SPDX-License-Identifier: EUPL-1.2
"""What is known of devices, gathered from where it is kept, for one as for thousands: `hub.devices.state` judges.

Each source is asked once for all devices of a call. Corrections are only ever added and credentials have a version, so
both are kept between calls and only what is new is read. Calls block (not for the event loop); `batteries` alone
awaits, because readings do.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from itertools import chain

from hub.core.access import BrokerRefusal, Credential
from hub.core.corrections import MAINTENANCE, in_effect
from hub.core.indicators import Correction
from hub.core.journal import DeviceSeen, EventRecord, UplinkSeen
from hub.core.places import Device
from hub.core.ports import CorrectionBook, Credentials, JournalReader, ReadingStore
from hub.core.readings import Reading
from hub.devices.models import BatteryRule, DeviceModel
from hub.devices.state import EVENTS, Battery, Evidence, Finding, FlagCount, State, device_state

_QUANTITY = {"level": "battery_level", "voltage": "battery_voltage"}  # by the kind of a model's rule
_USUAL = BatteryRule(kind="level", low=20.0, critical=10.0)  # where no model says otherwise: our judgement
_NO_FLAGS: Mapping[str, FlagCount] = {}
_NO_BATTERIES: Mapping[str, Battery] = {}


class Watch:
    """The state of devices by all that is known. `credentials` and `corrections` are None where there are none."""

    def __init__(
        self,
        journals: Sequence[JournalReader],
        credentials: Credentials | None = None,
        corrections: CorrectionBook | None = None,
    ) -> None:
        self._journals = journals
        self._credentials = credentials
        self._corrections = corrections
        self._lock = threading.Lock()
        self._known: list[Correction] = []
        self._issued: tuple[int, Mapping[str, Credential]] = (-1, {})

    def seen(self) -> Mapping[str, DeviceSeen]:
        """Newest transmission of each device over all journals, with the sum of its messages."""
        newest: dict[str, DeviceSeen] = {}
        for name, record in chain.from_iterable(journal.seen().items() for journal in self._journals):
            known = newest.get(name)
            newest[name] = record if known is None else _merged(known, record)
        return newest

    def findings(
        self,
        devices: Collection[Device],
        now: int,
        *,
        flags: Mapping[str, FlagCount] = _NO_FLAGS,
        batteries: Mapping[str, Battery] = _NO_BATTERIES,
        retired: Collection[str] = (),
    ) -> Mapping[str, Finding]:
        """By device: state and reasons at `now` (ns)."""
        seen, known = self.seen(), self.evidence(devices, now, batteries=batteries, retired=retired)
        return {
            device.id: device_state(
                device, seen.get(device.id), flags.get(device.id, FlagCount()), now, known[device.id]
            )
            for device in devices
        }

    def finding(
        self,
        device: Device,
        now: int,
        *,
        flags: FlagCount | None = None,
        battery: Battery | None = None,
        retired: bool = False,
    ) -> Finding:
        """The same for one device."""
        name = device.id
        found = self.findings(
            [device],
            now,
            flags={name: flags} if flags else _NO_FLAGS,
            batteries={name: battery} if battery else _NO_BATTERIES,
            retired=[name] if retired else (),
        )
        return found[name]

    def evidence(
        self,
        devices: Collection[Device],
        now: int,
        *,
        batteries: Mapping[str, Battery] = _NO_BATTERIES,
        retired: Collection[str] = (),
    ) -> Mapping[str, Evidence]:
        """By device: what is known beside its messages."""
        names = [device.id for device in devices]
        events, uplinks = self._events(names), self._uplinks(names)
        refusals, credentials = self._refusals(names), self._all_credentials()
        maintenance = self._maintenance(now)
        return {
            name: Evidence(
                events=events.get(name, ()),
                uplinks=uplinks.get(name, ()),
                refusals=refusals.get(name, ()),
                credential=credentials.get(name),
                battery=batteries.get(name),
                maintenance_until=maintenance.get(name),
                standing=State.RETIRED if name in retired else None,
            )
            for name in names
        }

    def _events(self, names: Collection[str]) -> Mapping[str, Sequence[EventRecord]]:
        found: dict[str, list[EventRecord]] = {}
        for journal in self._journals:
            for name, rows in journal.events_of(names, EVENTS).items():
                found.setdefault(name, []).extend(rows)
        return {name: sorted(rows, key=lambda row: -row.received)[:EVENTS] for name, rows in found.items()}

    def _uplinks(self, names: Collection[str]) -> Mapping[str, Sequence[UplinkSeen]]:
        found: dict[str, list[UplinkSeen]] = {}
        for journal in self._journals:
            for name, rows in journal.uplinks(names).items():
                found.setdefault(name, []).extend(rows)
        return {name: sorted(rows, key=lambda row: -row.received) for name, rows in found.items()}

    def _refusals(self, names: Sequence[str]) -> Mapping[str, Sequence[BrokerRefusal]]:
        if self._credentials is None:
            return {}
        found: dict[str, list[BrokerRefusal]] = {}
        for row in self._credentials.refusals(names[0] if len(names) == 1 else None):
            found.setdefault(row.username, []).append(row)
        return found

    def _all_credentials(self) -> Mapping[str, Credential]:
        if self._credentials is None:
            return {}
        version = self._credentials.version()  # before the rows: they may be newer than it says, never older
        with self._lock:
            if self._issued[0] != version:
                self._issued = version, {row.username: row for row in self._credentials.all()}
            return self._issued[1]

    def _maintenance(self, now: int) -> Mapping[str, int]:
        """Until when each device is in maintenance now, those that are not left out."""
        if self._corrections is None:
            return {}
        with self._lock:
            self._known += self._corrections.after(self._known[-1].id if self._known else 0)
            rows = in_effect(self._known)
        until: dict[str, int] = {}
        for row in rows:
            if row.action == MAINTENANCE and row.start <= now < row.end:
                until[row.device] = max(row.end, until.get(row.device, 0))
        return until


def _merged(a: DeviceSeen, b: DeviceSeen) -> DeviceSeen:
    newer = max(a, b, key=lambda seen: seen.received)
    return DeviceSeen(device=a.device, received=newer.received, time=newer.time, messages=a.messages + b.messages)


async def batteries(
    readings: ReadingStore, devices: Collection[Device], models: Mapping[str, DeviceModel]
) -> Mapping[str, Battery]:
    """The last battery reading of each device that has one. Raise Retry while the store is away."""
    rules = {device.id: _rule(models.get(device.model)) for device in devices}
    wanted = {name: _QUANTITY[rule.kind] for name, rule in rules.items() if rule.kind in _QUANTITY}
    series = [one for one in await readings.series(list(wanted)) if one.quantity == wanted[one.device]]
    newest = await readings.latest(series)
    return {one.device: _battery(row, rules[one.device]) for one, row in newest.items()}


def _rule(model: DeviceModel | None) -> BatteryRule:
    """What the model says; a device without a model may still report the level of a battery."""
    return _USUAL if model is None else model.battery


def _battery(reading: Reading, rule: BatteryRule) -> Battery:
    return Battery(reading.value, rule.unit, rule.low, rule.critical)
