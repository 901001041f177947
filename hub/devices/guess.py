# SPDX-License-Identifier: EUPL-1.2
"""Which model an unknown device may be, from what it has shown: its connector, how its EUI begins, the names it sends.

A guess, with its reasons, for a person to confirm. Names of fields that only few models have say more than common ones;
a manufacturer's EUI says who made it and not what it is. Pure: equal input gives equal order.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from hub.devices.models import DeviceModel

_MOST = 5


class Candidate(NamedTuple):
    """A model, how much speaks for it (0 to 1, only an order), and why, in Czech and English."""

    model: str
    score: float
    reason: Mapping[str, str]


def guess_model(
    connector: str,
    external_id: str,
    topic: str,
    fields_seen: Collection[str],
    models: Mapping[str, DeviceModel],
    vendor_id: int | None = None,
) -> Sequence[Candidate]:
    """Candidates, the best first, at most five; none where nothing speaks for any.

    `fields_seen` are names of the payload or of quantities; `topic` may name a model; `vendor_id` is from a sticker.
    """
    fitting = [model for model in models.values() if not connector or connector.partition(".")[0] in model.connectors]
    found = [_judge(model, external_id, topic, frozenset(fields_seen), vendor_id) for model in fitting]
    if len(fitting) == 1 and found[0].score == 0:
        only = fitting[0]
        words = {"cs": f"jediný typ pro {connector}", "en": f"the only model of {connector}"}
        return [Candidate(only.id, 0.1, words)]
    good = [candidate for candidate in found if candidate.score > 0]
    return sorted(good, key=lambda candidate: (-candidate.score, candidate.model))[:_MOST]


def _judge(model: DeviceModel, external_id: str, topic: str, seen: frozenset[str], vendor_id: int | None) -> Candidate:
    score, cs, en = 0.0, [], []
    eui = external_id.lower().replace("-", "").replace(":", "")
    prefix = next((prefix for prefix in model.sticker.eui_prefixes if eui.startswith(prefix)), None)
    if prefix is not None or (vendor_id is not None and vendor_id == model.sticker.vendor_id):
        score += 0.3
        cs.append(f"výrobce podle EUI nebo štítku: {model.vendor}")
        en.append(f"manufacturer by EUI or label: {model.vendor}")
    if model.name and _plain(model.name) in _plain(topic):
        score += 0.2
        cs.append("téma obsahuje název typu")
        en.append("the topic contains the model's name")
    known = frozenset(model.fields) | {row.quantity for row in model.quantities}
    common = sorted(seen & known)
    if common:
        # both ways: a model that explains all that was seen, and of which all was seen
        score += 0.5 * len(common) ** 2 / (len(seen) * max(len(frozenset(model.fields) or known), len(common)))
        cs.append(f"posílá {', '.join(common[:4])}")
        en.append(f"it sends {', '.join(common[:4])}")
    return Candidate(model.id, round(score, 4), {"cs": "; ".join(cs), "en": "; ".join(en)})


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
