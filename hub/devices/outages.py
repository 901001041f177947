# SPDX-License-Identifier: EUPL-1.2
"""Devices that fell silent together, as one outage: of a gateway, a part of the city, or a connector. Pure.

Each late device stopped somewhere between its last message and the end of the time in which the next one was due; those
of one outage share a moment in all these stretches. What they have in common is taken for its cause where at least
MOST_LATE of all behind it are late; of several candidates the one that explains most late devices while fewest behind
it still work. The limits are our judgement.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from hub.core.places import PlaceKind, RegistrySnapshot
from hub.core.readings import NS
from hub.devices.state import OVERDUE_AFTER, Finding, State

FEWEST = 3
MOST_LATE = 0.5
_LATE = frozenset({State.OVERDUE, State.SILENT})
_WORKING = frozenset({State.HEALTHY, State.CHECK_READINGS, State.FIRST_SEEN})


class Member(NamedTuple):
    """A device with what it has in common with others: by kind (gateway, part, connector) what it is, where known."""

    device: str
    finding: Finding
    behind: Mapping[str, str]


class Outage(NamedTuple):
    """`devices` stopped together at about `since` (ns); `behind` is how many there are in all, late or not."""

    kind: str
    what: str
    devices: Sequence[str]
    since: int
    behind: int


def members_of(registry: RegistrySnapshot, findings: Mapping[str, Finding]) -> Sequence[Member]:
    """Registered devices with their findings and what they have in common."""
    return [
        Member(name, finding, _behind(registry, name, finding))
        for name, finding in findings.items()
        if name in registry.devices
    ]


def _behind(registry: RegistrySnapshot, name: str, finding: Finding) -> Mapping[str, str]:
    device = registry.devices[name]
    place = registry.places.get(device.place or "")
    while place is not None and place.kind is not PlaceKind.PART:
        place = registry.places.get(place.parent or "")
    gateways = finding.link.gateways if finding.link else ()
    common = {"gateway": gateways[0] if gateways else "", "part": place.id if place else ""}
    return {kind: what for kind, what in {**common, "connector": device.connector}.items() if what}


def outages(members: Sequence[Member]) -> Sequence[Outage]:
    """The largest first; a device is in one of them at most."""
    left, found = list(members), list[Outage]()
    while (best := _best(left)) is not None:
        found.append(best)
        gone = set(best.devices)
        left = [member for member in left if member.device not in gone]
    return sorted(found, key=lambda outage: (-len(outage.devices), outage.kind, outage.what))


def _best(members: Sequence[Member]) -> Outage | None:
    groups: dict[tuple[str, str], list[Member]] = {}
    for member in members:
        if member.finding.state in _LATE | _WORKING and not _by_order(member.finding):
            for common in member.behind.items():
                groups.setdefault(common, []).append(member)
    candidates = [found for common, group in groups.items() if (found := _outage(*common, group)) is not None]
    return max(candidates, key=_explains, default=None)


def _by_order(finding: Finding) -> bool:
    """Somebody disabled its access, so its silence tells nothing of others."""
    return any(clause.code == "disabled" for clause in finding.clauses)


def _explains(outage: Outage) -> tuple[int, int, str]:
    """Late devices less those that still work; where that is equal, the narrower cause."""
    return 2 * len(outage.devices) - outage.behind, -outage.behind, outage.kind


def _outage(kind: str, what: str, group: Collection[Member]) -> Outage | None:
    together = _together([member for member in group if member.finding.state in _LATE])
    if len(together) < max(FEWEST, MOST_LATE * len(group)):
        return None
    since = max(member.finding.since or 0 for member in together)
    return Outage(kind, what, sorted(member.device for member in together), since, len(group))


def _together(late: Sequence[Member]) -> Sequence[Member]:
    """The most of them that may have stopped at one moment."""
    stretches = [
        (m.finding.since, m.finding.since + OVERDUE_AFTER * m.finding.interval * NS, m)
        for m in late
        if m.finding.since is not None and m.finding.interval
    ]
    best: Sequence[Member] = ()
    for moment, _, _ in stretches:
        found = [member for start, end, member in stretches if start <= moment <= end]
        if len(found) > len(best):
            best = found
    return best


_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "gateway": "{n} of {all} devices behind gateway {what} fell silent together: check its power and connection",
        "part": "{n} of {all} devices in {what} fell silent together: check power and coverage there",
        "connector": "{n} of {all} devices of {what} fell silent together: check its network server and broker session",
    },
    "cs": {
        "gateway": "{n} z {all} zařízení za bránou {what} zmlklo najednou: zkontrolujte její napájení a připojení",
        "part": "{n} z {all} zařízení v části {what} zmlklo najednou: zkontrolujte tam napájení a pokrytí",
        "connector": "{n} z {all} zařízení sítě {what} zmlklo najednou: zkontrolujte její server a spojení s brokerem",
    },
}


def words(outage: Outage, language: str, what: str | None = None) -> str:
    """The outage in a sentence; `what` is the name for people where there is one."""
    text = _WORDS[language][outage.kind]
    return text.format(n=len(outage.devices), all=outage.behind, what=what or outage.what)
