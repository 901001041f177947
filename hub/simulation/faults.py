# SPDX-License-Identifier: EUPL-1.2
"""What goes wrong in a simulated city, on request.

Faults of a message are drawn for each (device, time), and at most one strikes; faults of a device are drawn for each
(device, UTC day) and last that day, or are given by name from a moment on. Both are functions of the seed: a run with
faults repeats exactly, and a run without is the truth to compare with.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct, structs

from hub.core.errors import Invalid
from hub.core.readings import NS
from hub.simulation.noise import Noise

FAULTS: Mapping[str, str] = {
    "drop": "the message is never sent",
    "late": "the message is sent 1 to 24 hours later, with its true time",
    "duplicate": "the message is sent a second time, 1 to 60 seconds later",
    "conflict": "a second message with the same time and other values follows 1 to 60 seconds later",
    "garbage": "a cut-off telegram goes ahead of the message",
    "wrong_clock": "the message says 1970, or a time ten years ahead",
    "drift": "the device's values are too high, by 1 % at the start of a UTC day and 25 % at its end",
    "stuck": "the device repeats its first values of the UTC day",
    "silent": "the device sends nothing for the UTC day",
}
OF_MESSAGE = ("drop", "late", "duplicate", "conflict", "garbage", "wrong_clock")
OF_DEVICE = ("silent", "stuck", "drift")
LATEST = 24 * 3600  # seconds that a late message may be late

Lasting = Literal["silent", "stuck", "drift", "implausible"]


class DeviceFault(Struct, frozen=True):
    """A device at fault from `since` (ns): as in `FAULTS`, or implausible (values far outside of any range)."""

    device: str
    fault: Lasting
    since: int


class Faults(Struct, frozen=True, kw_only=True):
    """Share of messages, or of device days, with each fault of `FAULTS`, from 0 to 1; and single devices at fault."""

    drop: float = 0.0
    late: float = 0.0
    duplicate: float = 0.0
    conflict: float = 0.0
    garbage: float = 0.0
    wrong_clock: float = 0.0
    drift: float = 0.0
    stuck: float = 0.0
    silent: float = 0.0
    devices: Sequence[DeviceFault] = ()

    def __post_init__(self) -> None:
        """Invalid names the rate that makes no sense."""
        for name in FAULTS:
            rate = getattr(self, name)
            if not 0 <= rate <= 1:
                raise Invalid(f"the rate must be from 0 to 1, got {rate:g}", name)
        for names in (OF_MESSAGE, OF_DEVICE):
            total = sum(getattr(self, name) for name in names)
            if total > 1 + 1e-9:
                raise Invalid(f"the rates must add up to 1 at most, got {total:g}", ", ".join(names))

    @classmethod
    def parse(cls, given: Sequence[str]) -> "Faults":
        """Faults from texts such as `late=0.05`; Invalid names the one at fault."""
        return structs.replace(cls(), **dict(_rate(text) for text in given))

    def of_message(self, noise: Noise, t: int) -> str | None:
        """Fault of the message about time `t` (s)."""
        return self._drawn(OF_MESSAGE, noise.uniform(t, 50))

    def of_device(self, noise: Noise, device: str, t: int) -> tuple[str, int] | None:
        """Fault that a device has at time `t` (s), and since when (s)."""
        for given in self.devices:
            if given.device == device and given.since <= t * NS:
                return given.fault, given.since // NS
        day = t // 86400
        name = self._drawn(OF_DEVICE, noise.uniform(day, 51))
        return None if name is None else (name, day * 86400)

    def _drawn(self, names: Sequence[str], number: float) -> str | None:
        for name in names:
            number -= getattr(self, name)
            if number < 0:
                return name
        return None


NO_FAULTS = Faults()


def demo_faults(now: int) -> Faults:
    """Faults of the demo at `now` (ns): one device silent for six hours, one sending impossible values for three."""
    hour = 3600 * NS
    return Faults(
        devices=(
            DeviceFault("sim-lighting-2", "silent", now - 6 * hour),
            DeviceFault("sim-noise-2", "implausible", now - 3 * hour),
        )
    )


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    name = name.strip().replace("-", "_")
    if name not in FAULTS:
        raise Invalid(f"no such fault; there are {', '.join(FAULTS)}", name or "fault")
    try:
        return name, float(rate)
    except ValueError:
        raise Invalid(f"write a rate from 0 to 1, such as {name}=0.05; got {text!r}", name) from None


def check_devices(faults: Faults, known: Iterable[str]) -> None:
    """Invalid where a fault is given for a device that the city does not have."""
    ids = set(known)
    for given in faults.devices:
        if given.device not in ids:
            raise Invalid("the simulated city has no such device", given.device)
