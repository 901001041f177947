# SPDX-License-Identifier: EUPL-1.2
"""Words of the pages about what comes in: import, quarantine, accounting, new devices."""

from collections.abc import Mapping

from hub.console.language import Language

FLOW: Mapping[str, Mapping[Language, str]] = {
    "kind": {"cs": "Co se nahrává", "en": "What is imported"},
    "kind_devices": {"cs": "zařízení", "en": "devices"},
    "kind_places": {"cs": "místa", "en": "places"},
    "file": {"cs": "Vybrat soubor CSV či XLSX", "en": "Choose a CSV or XLSX file"},
    "too_large": {"cs": "Soubor je větší než 20 MB. Rozdělte ho.", "en": "The file exceeds 20 MB. Split it."},
    "export": {"cs": "Stáhnout současný stav:", "en": "Download what there is now:"},
    "preview": {"cs": "Náhled: {file}", "en": "Preview: {file}"},
    "row": {"cs": "Řádek", "en": "Row"},
    "id": {"cs": "Označení", "en": "Id"},
    "becomes": {"cs": "Co se stane", "en": "What becomes of it"},
    "details": {"cs": "Sloupec a náprava, nebo změny", "en": "Column and cure, or changes"},
    "create": {"cs": "vznikne", "en": "created"},
    "change": {"cs": "změní se", "en": "changed"},
    "unchanged": {"cs": "beze změny", "en": "unchanged"},
    "error": {"cs": "chyba", "en": "error"},
    "shown_of": {"cs": "Zobrazeno {n} řádků z {all}, chyby první.", "en": "{n} of {all} rows shown, errors first."},
    "faulty": {
        "cs": "Tabulka má chyby v {n} řádcích. Nic se nenahraje, dokud je neopravíte a soubor nevyberete znovu.",
        "en": "{n} rows are at fault. Nothing is imported before you mend them and choose the file again.",
    },
    "nothing_new": {"cs": "Nic se nemění, není co nahrávat.", "en": "Nothing changes, there is nothing to import."},
    "run_import": {"cs": "Nahrát", "en": "Import"},
    "plan_changed": {
        "cs": "Evidence se mezitím změnila. Prohlédněte si nový náhled.",
        "en": "The registry has changed meanwhile. Look at the new preview.",
    },
    "imported": {"cs": "Nahráno: {counts}.", "en": "Imported: {counts}."},
    "imports": {"cs": "Nahrané tabulky", "en": "Imports"},
    "no_imports": {"cs": "Zatím nebylo nic nahráno.", "en": "Nothing was imported yet."},
    "what_file": {"cs": "Soubor", "en": "File"},
    "counts": {"cs": "Počty", "en": "Counts"},
    "undo": {"cs": "Vrátit zpět", "en": "Undo"},
    "undo_ask": {
        "cs": "Vše z tabulky „{file}“ se vrátí do stavu před nahráním.",
        "en": "Everything of the table “{file}” goes back to what it was before.",
    },
    "undone": {"cs": "vráceno {at}, {by}", "en": "undone {at}, {by}"},
    "undo_done": {"cs": "Nahrání tabulky „{file}“ je vráceno.", "en": "The import of “{file}” is undone."},
    "reason": {"cs": "Důvod", "en": "Reason"},
    "connector": {"cs": "Konektor", "en": "Connector"},
    "source": {"cs": "Zdroj", "en": "Source"},
    "source_filter": {"cs": "Zdroj (jak se zařízení jmenuje)", "en": "Source (as the device names itself)"},
    "no_connector": {"cs": "(žádný)", "en": "(none)"},
    "received_at": {"cs": "Přijato", "en": "Received"},
    "payload": {"cs": "Začátek obsahu", "en": "Beginning of the payload"},
    "cure": {"cs": "Podrobnost a náprava", "en": "Detail and cure"},
    "none_waiting": {
        "cs": "Nic tu nečeká. Je-li nastaven filtr, zrušte ho.",
        "en": "Nothing waits here. If a filter is set, take it back.",
    },
    "matching": {
        "cs": "Odpovídá {n} zpráv, zobrazeno nejnovějších {shown}. Vyberte řádky, jinak platí celý filtr.",
        "en": "{n} messages match, the newest {shown} are shown. Select rows, else the whole filter counts.",
    },
    "redrive": {"cs": "Zkusit znovu", "en": "Redrive"},
    "ignore": {"cs": "Ignorovat zařízení", "en": "Ignore device"},
    "purge": {"cs": "Smazat obsah", "en": "Erase payloads"},
    "redrive_ask": {
        "cs": "Znovu se zpracuje {n} zpráv. Co stále nejde použít, čeká dál.",
        "en": "{n} messages are taken through again. What still cannot be used waits on.",
    },
    "ignore_ask": {
        "cs": "Zprávy zařízení {names} se budou jen počítat a zahazovat, i ty, které čekají.",
        "en": "Messages of {names} are counted and dropped from now on, those that wait too.",
    },
    "purge_ask": {
        "cs": "Obsah {n} zpráv se smaže navždy. Zůstane, že přišly a proč byly odloženy.",
        "en": "The payloads of {n} messages are erased for good. That they came, and why they waited, is kept.",
    },
    "why": {"cs": "Proč (zůstane v záznamu)", "en": "Why (it is kept)"},
    "why_first": {"cs": "Napište důvod.", "en": "Enter a reason."},
    "filter_first": {
        "cs": "Vyberte zprávy v seznamu, nebo zvolte filtr.",
        "en": "Select messages in the list, or choose a filter.",
    },
    "source_first": {
        "cs": "Vyberte v seznamu zprávy zařízení, která se mají ignorovat.",
        "en": "Select messages of the devices to be ignored.",
    },
    "working": {"cs": "Pracuje se: {done} z {total}.", "en": "At work: {done} of {total}."},
    "ordered": {"cs": "Příkaz čeká na příjem zpráv.", "en": "The order waits for ingest."},
    "result_tried": {"cs": "zkoušeno", "en": "tried"},
    "result_redriven": {"cs": "přijato", "en": "taken in"},
    "result_waiting": {"cs": "čeká dál", "en": "wait on"},
    "result_ignored": {"cs": "od ignorovaných zařízení, vyřazeno", "en": "of ignored devices, dropped"},
    "result_purged": {"cs": "smazáno", "en": "purged"},
    "order_done": {"cs": "Hotovo ({result}).", "en": "Done ({result})."},
    "grain": {"cs": "Po", "en": "By"},
    "by_hour": {"cs": "hodinách (2 dny)", "en": "hour (2 days)"},
    "by_day": {"cs": "dnech (31 dní)", "en": "day (31 days)"},
    "equations": {
        "cs": "Přijato = zpracováno + odloženo + odmítnuto + ignorováno. Měření = uloženo + opakovaně + rozpor + "
        "zamítnuto. Co nevychází, je červené s rozdílem; příčinu hledá příkaz cityhub reconcile.",
        "en": "Received = decoded + quarantined + refused + ignored. Readings = stored + duplicate + conflict + "
        "rejected. What does not come out is red with its difference; cityhub reconcile finds the cause.",
    },
    "balanced": {"cs": "Všechny účty vycházejí.", "en": "All accounts come out."},
    "unbalanced": {"cs": "Nevychází řádků: {n}.", "en": "Rows that do not come out: {n}."},
    "no_accounts": {
        "cs": "V tomto období nic nepřišlo. Má-li něco chodit, řekne příčinu příkaz cityhub doctor.",
        "en": "Nothing came in this period. If something should have, the command cityhub doctor tells why.",
    },
    "time": {"cs": "Doba příjmu", "en": "Arrival"},
    "received": {"cs": "Přijato", "en": "Received"},
    "decoded": {"cs": "Zpracováno", "en": "Decoded"},
    "quarantined": {"cs": "Odloženo", "en": "Quarantined"},
    "refused_n": {"cs": "Odmítnuto", "en": "Refused"},
    "ignored": {"cs": "Ignorováno", "en": "Ignored"},
    "readings": {"cs": "Měření", "en": "Readings"},
    "stored": {"cs": "Uloženo", "en": "Stored"},
    "duplicate": {"cs": "Opakovaně", "en": "Duplicate"},
    "conflict": {"cs": "Rozpor", "en": "Conflict"},
    "rejected": {"cs": "Zamítnuto", "en": "Rejected"},
    "difference": {"cs": "Rozdíl", "en": "Difference"},
    "waiting": {"cs": "Čeká zpráv", "en": "Waiting"},
    "first_last": {"cs": "První a poslední", "en": "First and last"},
    "tells": {"cs": "Co říká", "en": "What it tells"},
    "guess": {"cs": "Nejspíš model", "en": "Likely model"},
    "register": {"cs": "Zaregistrovat", "en": "Register"},
    "no_newcomers": {
        "cs": "Žádné neznámé zařízení se neozývá. Zapněte nové, do minuty po první zprávě se tu objeví; "
        "nebo ho zaregistrujte předem v terénu.",
        "en": "No device that is not registered has been heard. Switch one on: it appears within a minute of its first "
        "message. Or register it beforehand on the field pages.",
    },
    "newcomers": {
        "cs": "Ozývají se zařízení, která nejsou v evidenci: {n}. Po registraci se čekající zprávy samy zpracují.",
        "en": "{n} devices talk without being registered. Once registered, their waiting messages are taken in.",
    },
}
