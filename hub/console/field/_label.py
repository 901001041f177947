# SPDX-License-Identifier: EUPL-1.2
"""A LoRaWAN device's label in a registration's first step: what was scanned fills the form. Pure.

What is read is put into the form's own fields, where the technician sees and may change it; the text itself is taken
away, so that it is read once. A model is chosen only where one alone speaks for itself best; else the technician does.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from hub.console.field._forms import Wrong
from hub.console.field.texts import DOMAIN
from hub.console.language import Language
from hub.core.errors import Invalid
from hub.core.quantities import Domain
from hub.devices.guess import guess_model
from hub.devices.models import DeviceModel
from hub.devices.sticker import parse_sticker

LORAWAN = ("chirpstack", "ttn")
LABEL_FIELDS = ("join_eui", "vendor", "checksum")  # kept in the draft beside what the form shows
Form = Mapping[str, Any]


class Option(NamedTuple):
    """A model to choose, and what speaks for it."""

    id: str
    label: str
    why: str = ""


def wish(sent: Mapping[str, str], before: Form) -> str:
    """What somebody wants who sent the first step: label, find or next.

    Enter presses the first button of a form, in whatever field: a field that was filled tells more than the button.
    """
    action = sent.get("action", "")
    if sent.get("sticker", "").strip():
        return "label"
    if action == "find" or sent.get("find", "").strip() != str(before.get("find", "")).strip():
        return "find"
    return "label" if action == "label" and not sent.get("title", "").strip() else "next"


def read_label(form: Mapping[str, str], models: Mapping[str, DeviceModel]) -> dict[str, str]:
    """The fields that the label fills, of a form with `sticker`. Raise Wrong at the sticker."""
    try:
        found = parse_sticker(form.get("sticker", ""))
    except Invalid as error:
        raise Wrong("sticker", "bad_sticker", problem=error.detail) from error
    chosen = form.get("connector", "")
    fills = {
        "sticker": "",
        "connector": chosen if chosen in LORAWAN else LORAWAN[0],
        "external_id": found.dev_eui,
        "join_eui": found.join_eui,
        "vendor": "" if found.vendor_id is None else str(found.vendor_id),
        "checksum": "wrong" if found.checksum_ok is False else "",
    }
    if found.serial:
        fills["serial"] = found.serial[:100]
    ranked = guess_model(fills["connector"], found.dev_eui, "", (), models, found.vendor_id)
    if not form.get("model") and ranked and (len(ranked) == 1 or ranked[0].score > ranked[1].score):
        fills["model"] = ranked[0].model
    return fills


def proposed(form: Form, models: Mapping[str, DeviceModel], language: Language) -> Sequence[Option]:
    """Models that a LoRaWAN device with this DevEUI may be, with the reason."""
    connector, eui, vendor = (str(form.get(key, "")) for key in ("connector", "external_id", "vendor"))
    if connector not in LORAWAN or not eui:
        return []
    found = guess_model(connector, eui, "", (), models, int(vendor) if vendor.isdecimal() else None)
    return [Option(c.model, models[c.model].label, c.reason[language]) for c in found]


def choices(
    models: Mapping[str, DeviceModel], form: Form, language: Language
) -> Sequence[tuple[str, Sequence[Option]]]:
    """Models by domain that the search finds, in the order of the domains; the chosen one is always among them."""
    wanted, chosen = _plain(str(form.get("find", ""))).split(), str(form.get("model", ""))
    found = [m for m in models.values() if m.id == chosen or _fits(m, wanted)]
    groups = []
    for domain in Domain:
        rows = sorted((m for m in found if _domain(m) is domain), key=lambda m: m.label.casefold())
        if rows:
            options = [Option(m.id, f"{m.label} ({m.title[language]})" if m.title else m.label) for m in rows]
            groups.append((DOMAIN[domain.value][language], options))
    return groups


def _domain(model: DeviceModel) -> Domain:
    return next(iter(model.domains), Domain.DEVICE)


def _fits(model: DeviceModel, wanted: Collection[str]) -> bool:
    domains = [word for d in model.domains for word in DOMAIN[d.value].values()]
    words = _plain(" ".join([model.label, *model.title.values(), *domains]))
    return all(word in words for word in wanted)


def _plain(text: str) -> str:
    """Lower case without accents: technicians type as fast as they can."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
