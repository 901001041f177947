# SPDX-License-Identifier: EUPL-1.2
"""The console's own words in Czech and English; a test holds both columns to the same keys.

Words of the domain (status, origin, flag, grade) follow the table of DESIGN.md, section 3.
"""

from collections.abc import Mapping, Sequence

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
STATUS_NOTE: Mapping[str, Mapping[Language, str]] = {
    "provisional": {
        "cs": "Období nebo lhůta na opožděná měření ještě běží, hodnota se může změnit.",
        "en": "The period, or the time allowed for late readings, is still running; the value may change.",
    },
    "final": {
        "cs": "Období i lhůta na opožděná měření skončily. Každá další změna je vidět v historii.",
        "en": "The period and the time allowed for late readings are over. Any later change is kept in the history.",
    },
    "insufficient_data": {
        "cs": "Období i lhůta na opožděná měření skončily a dat je na hodnotu málo.",
        "en": "The period and the time allowed for late readings are over, and there is too little data for a value.",
    },
    "insufficient_open": {
        "cs": "Období nebo lhůta na opožděná měření ještě běží, hodnota může přibýt.",
        "en": "The period, or the time allowed for late readings, is still running; a value may come.",
    },
}
ORIGIN_NOTE: Mapping[str, Mapping[Language, str]] = {
    "measured": {"cs": "Ze samých měření.", "en": "From measurements alone."},
    "entered": {"cs": "Aspoň část údajů někdo zadal.", "en": "Some of the data were entered by a person."},
    "imported": {"cs": "Aspoň část údajů je dovezena ze souboru.", "en": "Some of the data were imported from a file."},
    "simulated": {
        "cs": "Aspoň část údajů vytvořil simulátor: není to měření.",
        "en": "Some of the data were made by a simulator: this is no measurement.",
    },
}
GRADE_NOTE: Mapping[str, Mapping[Language, str]] = {
    "reference": {"cs": "Všechna čidla jsou referenční.", "en": "All sensors are of reference grade."},
    "indicative": {
        "cs": "Aspoň jedno čidlo je jen orientační, ne referenční.",
        "en": "At least one sensor is indicative only, not of reference grade.",
    },
    "informative": {
        "cs": "Aspoň u jednoho čidla není kvalita měření doložena.",
        "en": "Of at least one sensor there is no evidence of its quality.",
    },
}
REVISION: Sequence[Mapping[Language, str]] = (  # by number; the last one stands for all that follow
    {"cs": "průběžný výpočet", "en": "computed while open"},
    {"cs": "první po uzavření", "en": "first after closing"},
    {"cs": "změna po uzavření", "en": "changed after closing"},
)
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
    "check_readings": {"cs": "zkontrolujte měření", "en": "check readings"},
    "registered": {"cs": "čeká na první zprávu", "en": "awaits first message"},
    "joined": {"cs": "připojeno k síti", "en": "joined the network"},
    "first_seen": {"cs": "první zpráva přišla", "en": "first message came"},
    "draft": {"cs": "rozpracováno", "en": "draft"},
    "maintenance": {"cs": "údržba", "en": "maintenance"},
    "retired": {"cs": "vyřazeno", "en": "retired"},
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
    "legend": {"cs": "Stupně indexu", "en": "Levels of the index"},
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
    "register": {"cs": "Příkaz k registraci", "en": "Command that registers it"},
    "register_how": {"cs": "Jak zařízení zaregistrovat", "en": "How to register a device"},
    "register_run": {
        "cs": "Spusťte příkaz na počítači, kde běží Cityhub, ve stejném adresáři a pod stejným uživatelem. Místo <…> "
        "doplňte část města, název místa malými písmeny bez diakritiky (nové místo se založí) a po kolika sekundách "
        "zařízení měří.",
        "en": "Run the command on the machine that runs Cityhub, in the same directory and as the same user. For <…> "
        "put the part of the city, the name of the site in plain lower-case letters (a new site is made), and how many "
        "seconds lie between readings.",
    },
    "register_title": {
        "cs": "Název pro lidi přidejte volbou",
        "en": "Add a name for people with the option",
    },
    "register_options": {
        "cs": "Byl-li Cityhub spuštěn s některou z těchto voleb, přidejte ji také:",
        "en": "If Cityhub was started with one of these options, add it too:",
    },
    "register_then": {
        "cs": "Čekající zprávy se pak samy zpracují: zařízení odtud zmizí a přibude mezi zařízeními.",
        "en": "The waiting messages are then taken in: the device leaves this list and joins the devices.",
    },
    "register_parts": {"cs": "Označení částí města", "en": "Ids of the parts of the city"},
    "register_not": {
        "cs": "Jméno obsahuje znaky, které nelze vypsat; opravte je v zařízení.",
        "en": "The name has characters that cannot be printed; mend it in the device.",
    },
    "blank_id": {"cs": "označení", "en": "id"},
    "blank_city": {"cs": "město", "en": "city"},
    "blank_part": {"cs": "část", "en": "part"},
    "blank_site": {"cs": "místo", "en": "site"},
    "blank_seconds": {"cs": "sekundy", "en": "seconds"},
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
        "cs": "Konečné hodnoty, které se změnily; odsazeně pod nimi ty, které se změnily jejich vlivem. "
        "Starší hodnota zůstává dohledatelná.",
        "en": "Final values that have changed; indented below them those that changed in consequence. "
        "The older value stays on record.",
    },
    "consequence": {"cs": "následkem toho", "en": "in consequence"},
    "and_more": {"cs": "Další změněné hodnoty, které zde nejsou:", "en": "Further changed values, not shown here:"},
    "at_least": {"cs": "nejméně", "en": "at least"},
    "newest_changes": {
        "cs": "Prohledány byly jen nejnovější hodnoty.",
        "en": "Only the newest values were looked at.",
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
    "counted": {"cs": "Platných vstupů", "en": "Valid inputs"},
    "components": {"cs": "Složky", "en": "Components"},
    "component": {"cs": "Složka", "en": "Component"},
    "band": {"cs": "Stupeň", "en": "Level"},
    "sources": {"cs": "Hodnoty, ze kterých vznikla", "en": "Values it was made of"},
    "more_sources": {"cs": "Další hodnoty", "en": "More values"},
    "decided": {"cs": "rozhoduje", "en": "decides"},
    "decided_by": {"cs": "Rozhoduje nejhorší:", "en": "The worst decides:"},
    "band_of": {"cs": "stupeň", "en": "level"},
    "of": {"cs": "z", "en": "of"},
    "one_is_best": {"cs": "1 je nejlepší", "en": "1 is the best"},
    "limits": {"cs": "Meze stupně", "en": "Limits of the level"},
    "before": {"cs": "Předchozí období", "en": "Period before"},
    "after": {"cs": "Následující období", "en": "Period after"},
    "neighbours": {"cs": "Sousední období", "en": "Neighbouring periods"},
    "of_expected": {"cs": "očekávaných", "en": "expected"},
    "valid": {"cs": "platných", "en": "valid"},
    "inputs": {"cs": "Měření v tomto období", "en": "Readings of this period"},
    "inputs_note": {
        "cs": "Klepnutím na řádek zobrazíte jednotlivá měření.",
        "en": "Select a line to see its readings.",
    },
    "all_used": {"cs": "všechna započtena", "en": "all used"},
    "readings": {"cs": "měření", "en": "readings"},
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
    "all_limits": {"cs": "Meze stupňů, horní mez včetně", "en": "Limits of the levels, upper limit included"},
    "illustrative": {
        "cs": "Ilustrativní: vlastní pravidlo Cityhubu, ne úřední postup.",
        "en": "Illustrative: Cityhub's own rule, no official method.",
    },
    "test_only": {
        "cs": "Jen ke zkoušení: na přehledu města se neukazuje.",
        "en": "For testing only: not shown in the overview of the city.",
    },
    "version": {"cs": "verze", "en": "version"},
    "citation": {"cs": "Zdroj", "en": "Source"},
    "uncertain": {"cs": "Neověřeno:", "en": "Not verified:"},
    "not_found": {"cs": "Tato stránka není", "en": "There is no such page"},
    "no_such_value": {
        "cs": "Pro tento ukazatel, místo a období není uložena žádná hodnota.",
        "en": "No value is stored for this indicator, place and period.",
    },
    "back": {"cs": "Zpět na přehled", "en": "Back to the overview"},
    "times_in": {"cs": "Časy jsou v pásmu", "en": "Times are in the zone"},
    "as_of": {"cs": "Stav k", "en": "As of"},
    "reload": {"cs": "Načíst znovu", "en": "Reload"},
}
