# SPDX-License-Identifier: EUPL-1.2
"""Reason codes: why a message or a reading was not used, in words for a technician.

A code is stable (metrics, API, logs); its texts are for people. Every code that the hub can set stands here.
"""

from collections.abc import Mapping

from msgspec import Struct


class Reason(Struct, frozen=True):
    """`title` says what is wrong, `hint` what to do; both by language (`en`, `cs`)."""

    title: Mapping[str, str]
    hint: Mapping[str, str]


def _reason(en: str, en_hint: str, cs: str, cs_hint: str) -> Reason:
    return Reason({"en": en, "cs": cs}, {"en": en_hint, "cs": cs_hint})


REASONS: Mapping[str, Reason] = {
    "unknown_device": _reason(
        "New device",
        "Register the device; its waiting messages are then taken in.",
        "Nové zařízení",
        "Zaregistrujte zařízení; čekající zprávy se pak samy zpracují.",
    ),
    "not_allowed": _reason(
        "The network server may not bring this device",
        "Add the device to what the bridge may bring, if it really is behind that network server; then it is taken in.",
        "Síťový server toto zařízení přinášet nesmí",
        "Je-li zařízení opravdu za tímto síťovým serverem, přidejte je k povoleným u jeho připojení; pak se zpracuje.",
    ),
    "no_connector": _reason(
        "No connector owns this topic",
        "Check the topic in the device's settings, or add a connector or mapping for it.",
        "Téma nepatří žádnému konektoru",
        "Zkontrolujte téma v nastavení zařízení, nebo přidejte konektor či mapování.",
    ),
    "empty": _reason(
        "Empty message",
        "The device sends nothing but the topic; check its payload template.",
        "Prázdná zpráva",
        "Zařízení posílá jen téma bez obsahu; zkontrolujte šablonu zprávy.",
    ),
    "too_large": _reason(
        "Message too large",
        "Send fewer readings in one message; the limit is the setting ingest.max_payload_bytes.",
        "Příliš velká zpráva",
        "Posílejte méně měření najednou; mez určuje nastavení ingest.max_payload_bytes.",
    ),
    "malformed": _reason(
        "Payload cannot be read",
        "The text is not in the format of this topic; the detail names the place of the fault.",
        "Obsah nelze přečíst",
        "Obsah neodpovídá formátu tohoto tématu; podrobnost říká, kde je chyba.",
    ),
    "bad_structure": _reason(
        "Payload has a wrong structure",
        "A field is missing or has a wrong type; the detail names it.",
        "Obsah má chybnou strukturu",
        "Některé pole chybí nebo má chybný typ; podrobnost je jmenuje.",
    ),
    "no_readings": _reason(
        "Network server sent no decoded values",
        "Set a payload codec for this device profile in the network server.",
        "Síťový server neposlal dekódované hodnoty",
        "Nastavte v síťovém serveru dekodér obsahu pro tento typ zařízení.",
    ),
    "connector_failed": _reason(
        "Connector failed",
        "A fault in the connector itself; report it with this message, then redrive.",
        "Konektor selhal",
        "Chyba je v konektoru; nahlaste ji s touto zprávou a po opravě zprávu zpracujte znovu.",
    ),
    "bad_device_id": _reason(
        "Device id is not allowed",
        "Use 1 to 64 of A-Z a-z 0-9 _ - in the topic.",
        "Nepovolené označení zařízení",
        "V tématu použijte 1 až 64 znaků A-Z a-z 0-9 _ -.",
    ),
    "unknown_quantity": _reason(
        "Unknown quantity",
        "Use a name of the list of quantities, or map the field; the detail names it.",
        "Neznámá veličina",
        "Použijte název ze seznamu veličin nebo pole namapujte; podrobnost je jmenuje.",
    ),
    "unknown_unit": _reason(
        "Unknown unit",
        "Send one of the units that the quantity takes; the detail lists them.",
        "Neznámá jednotka",
        "Posílejte některou z jednotek dané veličiny; podrobnost je vypisuje.",
    ),
    "not_finite": _reason(
        "Value is not a number",
        "The device reports NaN or infinity: check the sensor.",
        "Hodnota není číslo",
        "Zařízení hlásí NaN nebo nekonečno: zkontrolujte čidlo.",
    ),
    "time_missing": _reason(
        "Retained message without time",
        "Switch off retain in the device, or send a time with each reading.",
        "Uložená (retained) zpráva bez času",
        "Vypněte v zařízení příznak retain, nebo posílejte čas měření.",
    ),
    "time_implausible": _reason(
        "Device clock is wrong",
        "The time is before 2000 or more than 5 minutes ahead: set the device's clock.",
        "Zařízení má špatný čas",
        "Čas je před rokem 2000 nebo více než 5 minut napřed: nastavte hodiny zařízení.",
    ),
    "past_retention": _reason(
        "Older than what is kept",
        "The hub keeps this domain for fewer days (settings, section retention); nothing needs to be done.",
        "Starší, než co se uchovává",
        "Tato oblast se uchovává jen po kratší dobu (nastavení, oddíl retention); není třeba nic dělat.",
    ),
    "conflict": _reason(
        "Another value is stored for this time",
        "The stored value stays. To correct it, send the reading with a higher revision.",
        "Pro tento čas je uložena jiná hodnota",
        "Uložená hodnota zůstává. Opravu pošlete s vyšší revizí.",
    ),
    "out_of_range": _reason(
        "Value outside of the plausible range",
        "Stored with flag 4 and never used in a value: check the sensor.",
        "Hodnota mimo možný rozsah",
        "Uložena s příznakem 4 a do ukazatelů nevstupuje: zkontrolujte čidlo.",
    ),
    "clock_replaced": _reason(
        "Device clock was wrong; the network server's time counts",
        "Stored with flag 3: set the device's clock.",
        "Zařízení mělo špatný čas; platí čas síťového serveru",
        "Uloženo s příznakem 3: nastavte hodiny zařízení.",
    ),
    "rejected_by_store": _reason(
        "Store refused the reading",
        "The detail has the store's own words; redrive when the cause is removed.",
        "Úložiště měření odmítlo",
        "Podrobnost uvádí slova úložiště; po odstranění příčiny zpracujte znovu.",
    ),
}

REFUSED: Mapping[str, str] = {  # what to do about a sample of what was refused beyond the quota
    "en": "It is gone: only this sample of what came beyond the quota is kept. Register or ignore the device, or purge "
    "what waits of it; then what it sends from now on has room.",
    "cs": "Je ztracena: z toho, co přišlo nad kvótu, zůstává jen tento vzorek. Zaregistrujte nebo ignorujte zařízení, "
    "nebo smažte jeho čekající zprávy; pak bude místo pro to, co pošle dál.",
}


def hint_of(reason: str, state: str) -> Mapping[str, str]:
    """What to do about a quarantined message in this state, by language. What is too large has no quota to free."""
    if state == "refused" and reason != "too_large":
        return REFUSED
    return REASONS.get(reason, UNKNOWN).hint


UNKNOWN = _reason(
    "Unknown reason",
    "Set by another release of the hub; see the detail.",
    "Neznámý důvod",
    "Zapsala jiná verze; viz podrobnost.",
)
