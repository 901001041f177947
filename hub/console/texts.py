# SPDX-License-Identifier: EUPL-1.2
"""The console's own words in Czech and English; a test holds both columns to the same keys.

Words of the domain (status, origin, flag, grade) follow the table of DESIGN.md, section 3.
"""

from collections.abc import Mapping

from hub.console.language import Language

STATUS: Mapping[str, Mapping[Language, str]] = {
    "provisional": {"cs": "předběžná", "en": "provisional"},
    "final": {"cs": "konečná", "en": "final"},
    "insufficient_data": {"cs": "nedostatek dat", "en": "insufficient data"},
}
ORIGIN: Mapping[str, Mapping[Language, str]] = {
    "measured": {"cs": "měřeno", "en": "measured"},
    "entered": {"cs": "zadáno", "en": "entered"},
    "imported": {"cs": "dovezeno", "en": "imported"},
    "simulated": {"cs": "SIMULACE", "en": "SIMULATED"},
}
GRADE: Mapping[str, Mapping[Language, str]] = {
    "reference": {"cs": "referenční", "en": "reference"},
    "indicative": {"cs": "orientační", "en": "indicative"},
    "informative": {"cs": "informativní", "en": "informative"},
}
FLAG: Mapping[int, Mapping[Language, str]] = {
    1: {"cs": "dobré", "en": "good"},
    2: {"cs": "nehodnoceno", "en": "not evaluated"},
    3: {"cs": "podezřelé", "en": "suspect"},
    4: {"cs": "vadné", "en": "fail"},
    9: {"cs": "chybí", "en": "missing"},
}
STATE: Mapping[str, Mapping[Language, str]] = {
    "healthy": {"cs": "v pořádku", "en": "healthy"},
    "overdue": {"cs": "opožděné", "en": "overdue"},
    "silent": {"cs": "mlčí", "en": "silent"},
    "suspect": {"cs": "podezřelé hodnoty", "en": "suspect readings"},
    "waiting": {"cs": "čeká na první zprávu", "en": "awaits first message"},
}

TEXTS: Mapping[str, Mapping[Language, str]] = {
    "overview": {"cs": "Přehled", "en": "Overview"},
    "skip": {"cs": "Přejít k obsahu", "en": "Skip to content"},
    "other_language": {"cs": "English", "en": "Česky"},
    "simulated_banner": {
        "cs": "SIMULACE – zobrazené hodnoty pocházejí ze simulovaných čidel, nejsou to měření.",
        "en": "SIMULATED – the values shown come from simulated sensors, they are no measurements.",
    },
    "map_title": {"cs": "Ovzduší podle částí města", "en": "Air by part of the city"},
    "map_note": {
        "cs": "Schéma, ne mapa: poloha částí je přibližná. Klepnutím zjistíte, z čeho hodnota vznikla.",
        "en": "A scheme, not a map: the position of the parts is approximate. Select one to see how its value arose.",
    },
    "legend": {"cs": "Třídy indexu", "en": "Bands of the index"},
    "no_value_yet": {"cs": "zatím bez hodnoty", "en": "no value yet"},
    "part": {"cs": "Část města", "en": "Part of the city"},
    "index": {"cs": "Index", "en": "Index"},
    "coverage": {"cs": "Pokrytí", "en": "Coverage"},
    "status": {"cs": "Stav", "en": "Status"},
    "window": {"cs": "Období", "en": "Period"},
    "lower_bound": {"cs": "dolní mez", "en": "lower bound"},
    "lower_bound_note": {
        "cs": "Dolní mez: chybějící údaje mohou hodnotu jen zhoršit. Chybí:",
        "en": "Lower bound: what is missing could only make the value worse. Missing:",
    },
    "missing": {"cs": "Chybí", "en": "Missing"},
    "devices": {"cs": "Zařízení", "en": "Devices"},
    "no_devices": {"cs": "Zatím není zaregistrováno žádné zařízení.", "en": "No device is registered yet."},
    "healthy_devices": {"cs": "Zařízení v pořádku", "en": "Healthy devices"},
    "more_devices": {"cs": "a další:", "en": "and more:"},
    "flags_unknown": {
        "cs": "Úložiště měření teď neodpovídá, podezřelé hodnoty nelze zjistit.",
        "en": "The store of readings does not answer now, suspect readings cannot be told.",
    },
    "place": {"cs": "Místo", "en": "Place"},
    "device": {"cs": "Zařízení", "en": "Device"},
    "new_devices": {"cs": "Nová zařízení", "en": "New devices"},
    "new_devices_note": {
        "cs": "Posílají zprávy, ale nejsou zaregistrována. Zprávy čekají a po registraci se samy zpracují.",
        "en": "They send messages but are not registered. The messages wait and are taken in after registration.",
    },
    "no_new_devices": {"cs": "Žádné neznámé zařízení se nehlásí.", "en": "No unknown device has called."},
    "external_id": {"cs": "Hlásí se jako", "en": "Calls itself"},
    "topic": {"cs": "Téma", "en": "Topic"},
    "waiting": {"cs": "Čeká zpráv", "en": "Messages waiting"},
    "first": {"cs": "První", "en": "First"},
    "last": {"cs": "Poslední", "en": "Last"},
    "quarantine": {"cs": "Karanténa", "en": "Quarantine"},
    "quarantine_note": {
        "cs": "Zprávy, které nelze použít. Nic se neztrácí: po odstranění příčiny je lze zpracovat znovu.",
        "en": "Messages that cannot be used. Nothing is lost: once the cause is removed they can be taken in again.",
    },
    "no_quarantine": {"cs": "V karanténě nic není.", "en": "Nothing is in quarantine."},
    "received": {"cs": "Přijato", "en": "Received"},
    "reason": {"cs": "Důvod", "en": "Reason"},
    "payload": {"cs": "Obsah", "en": "Payload"},
    "newest_shown": {"cs": "Jen nejnovější zprávy.", "en": "Newest messages only."},
    "changes": {
        "cs": "Pozdní a opravená měření, která změnila hodnotu",
        "en": "Late and corrected readings that changed a value",
    },
    "changes_note": {
        "cs": "Konečné hodnoty, které se změnily. Starší hodnota zůstává dohledatelná.",
        "en": "Final values that have changed. The older value stays on record.",
    },
    "no_changes": {"cs": "Žádná konečná hodnota se nezměnila.", "en": "No final value has changed."},
    "indicator": {"cs": "Ukazatel", "en": "Indicator"},
    "old_value": {"cs": "Původně", "en": "Before"},
    "new_value": {"cs": "Nyní", "en": "Now"},
    "cause": {"cs": "Příčina", "en": "Cause"},
    "changed_at": {"cs": "Změněno", "en": "Changed"},
    "explain": {"cs": "Z čeho hodnota vznikla", "en": "How the value arose"},
    "value": {"cs": "Hodnota", "en": "Value"},
    "origin": {"cs": "Původ", "en": "Origin"},
    "grade": {"cs": "Třída měření", "en": "Grade"},
    "revision": {"cs": "Revize", "en": "Revision"},
    "computed_at": {"cs": "Vypočteno", "en": "Computed"},
    "count": {"cs": "Počet platných", "en": "Valid inputs"},
    "of_expected": {"cs": "z očekávaných", "en": "of expected"},
    "components": {"cs": "Složky", "en": "Components"},
    "component": {"cs": "Složka", "en": "Component"},
    "band": {"cs": "Třída", "en": "Band"},
    "sources": {"cs": "Hodnoty, ze kterých vznikla", "en": "Values it was made of"},
    "inputs": {"cs": "Použitá měření", "en": "Readings used"},
    "no_inputs": {"cs": "Pro toto období není uloženo žádné měření.", "en": "No reading is stored for this period."},
    "inputs_cut": {"cs": "Zobrazena je jen část měření:", "en": "Only a part of the readings is shown:"},
    "inputs_unknown": {
        "cs": "Úložiště měření teď neodpovídá; zkuste to za chvíli.",
        "en": "The store of readings does not answer now; try again in a moment.",
    },
    "quantity": {"cs": "Veličina", "en": "Quantity"},
    "time": {"cs": "Čas", "en": "Time"},
    "flag": {"cs": "Kvalita", "en": "Quality"},
    "used": {"cs": "započteno", "en": "used"},
    "not_used": {"cs": "nezapočteno", "en": "not used"},
    "revisions": {"cs": "Historie", "en": "History"},
    "definition": {"cs": "Definice", "en": "Definition"},
    "version": {"cs": "verze", "en": "version"},
    "upto": {"cs": "do", "en": "up to"},
    "above": {"cs": "vyšší", "en": "above"},
    "citation": {"cs": "Zdroj", "en": "Source"},
    "uncertain": {"cs": "Neověřeno:", "en": "Not verified:"},
    "not_found": {"cs": "Tato stránka není", "en": "There is no such page"},
    "no_such_value": {
        "cs": "Pro tento ukazatel, místo a období není uložena žádná hodnota.",
        "en": "No value is stored for this indicator, place and period.",
    },
    "back": {"cs": "Zpět na přehled", "en": "Back to the overview"},
    "times_in": {"cs": "Časy jsou v pásmu", "en": "Times are in the zone"},
}
