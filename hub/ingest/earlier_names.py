# SPDX-License-Identifier: EUPL-1.2
"""Names that devices had before their hardware was replaced: what the old one measured until then is still theirs.

A message may lie for days at a gateway or in a buffer. When it says by its own time that it was measured before the
replacement, it belongs to the series as if it had come in time; what is later, or has no time, waits as an unknown
device's, and its reason says what is known of the name. Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from hub import sdk
from hub.core.places import Device, Earlier
from hub.core.windows import format_instant
from hub.ingest.model_fields import Fields

Name = tuple[str, str]  # connector, external id
NO_NAMES: Mapping[Name, Sequence[Earlier]] = {}


class EarlierNames:
    """By (connector, external id) as messages say it, whose name that was and when."""

    def __init__(
        self,
        names: Mapping[Name, Sequence[Earlier]],
        devices: Iterable[Device],
        models: Mapping[str, Fields],
        identify: Callable[[str, str], str],
    ) -> None:
        self._names = {(connector, identify(connector, name)): owners for (connector, name), owners in names.items()}
        wanted = {one.device for owners in names.values() for one in owners}
        self._devices = {device.id: device for device in devices if device.id in wanted} if wanted else {}
        self._models = models

    def __contains__(self, name: Name) -> bool:
        """Whether somebody was called this."""
        return name in self._names

    def whose(
        self, connector: str, item: sdk.Reading | sdk.DeviceEvent | sdk.Uplink
    ) -> tuple[Device | None, Fields | None]:
        """Whose an item is by its own time, and what fields of its model mean; (None, None): nobody's."""
        owners = self._names.get((connector, item.device))
        time = None if owners is None or isinstance(item, sdk.Uplink) else item.time
        if time is None and isinstance(item, sdk.Reading):
            time = item.server_time
        for one in owners or ():
            if time is not None and one.start <= time < one.end:
                return self._devices.get(one.device), self._models.get(one.model)
        return None, None

    def words(self, name: Name) -> str:
        """What to add to the fault of an unknown device; "" for a name that nobody had."""
        if name not in self._names:
            return ""
        last = self._names[name][-1]
        return (
            f": it was the hardware of {last.device!r} until {format_instant(last.end)}, "
            "and only what it says to have measured before then is that device's"
        )
