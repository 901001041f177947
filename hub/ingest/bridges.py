# SPDX-License-Identifier: EUPL-1.2
"""Which devices a network server may bring: the broker bounds topics, and below a bridge's prefix this bounds devices.

Several bridges may reach one topic, and a message does not say who brought it: then what any of them may bring counts,
and one without a list may bring all. Nothing is asked here while no bridge has a list.
"""

from collections.abc import Sequence

from hub.ingest.interpret import Fault, Interpretation, set_aside

Bridges = Sequence[tuple[str, frozenset[str]]]


def allowed_on(topic: str, bridges: Bridges) -> frozenset[str] | None:
    """Ids of the devices that may come on this topic; None when nothing bounds them."""
    lists = [allow for prefix, allow in bridges if _matches(prefix, topic)]
    return frozenset().union(*lists) if lists and all(lists) else None


def bounded(meaning: Interpretation, bridges: Bridges) -> Interpretation:
    """The meaning, or the whole message set aside where it speaks for a device that may not be brought on its topic."""
    allowed = allowed_on(meaning.delivery.topic, bridges)
    if allowed is None:
        return meaning
    spoken_for = {row.device for row in meaning.rows} | {event.device for event in meaning.events if event.device}
    strangers = sorted((spoken_for | ({meaning.device} if meaning.device else set())) - allowed)
    if not strangers:
        return meaning
    detail = f"no bridge that reaches {meaning.delivery.topic!r} may bring {', '.join(strangers[:5])}"
    return set_aside(meaning.delivery, Fault("not_allowed", detail), meaning.connector)


def _matches(prefix: str, topic: str) -> bool:
    """MQTT: `+` is one level, `#` at the end all that follow, none too."""
    wanted, levels = prefix.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)]
    return len(wanted) == len(levels) and all(w in ("+", level) for w, level in zip(wanted, levels, strict=True))
