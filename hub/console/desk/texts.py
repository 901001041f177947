# SPDX-License-Identifier: EUPL-1.2
"""The desk's own words in Czech and English; words of the domain are those of `hub.console.texts`."""

from collections.abc import Mapping

from hub.console.language import Language

TEXTS: Mapping[str, Mapping[Language, str]] = {
    "desk": {"cs": "Pracovní stůl", "en": "Desk"},
    "overview": {"cs": "Přehled", "en": "Overview"},
    "devices": {"cs": "Zařízení", "en": "Devices"},
    "charts": {"cs": "Grafy", "en": "Charts"},
    "audit": {"cs": "Záznam změn", "en": "Audit log"},
    "navigation": {"cs": "Stránky", "en": "Pages"},
    "other_language": {"cs": "English", "en": "Česky"},
    "home": {"cs": "Veřejný přehled", "en": "Public overview"},
    "all": {"cs": "všechny", "en": "all"},
    "search": {"cs": "Hledat (název, id, místo, výrobní číslo)", "en": "Search (name, id, place, serial number)"},
    "state": {"cs": "Stav", "en": "State"},
    "part": {"cs": "Část města", "en": "Part of the city"},
    "name": {"cs": "Název", "en": "Name"},
    "place": {"cs": "Místo", "en": "Place"},
    "words": {"cs": "Proč", "en": "Why"},
    "tags": {"cs": "Štítky", "en": "Tags"},
    "origin": {"cs": "Původ", "en": "Origin"},
    "found": {"cs": "Nalezeno {n}, strana {page} z {pages}", "en": "{n} found, page {page} of {pages}"},
    "previous": {"cs": "Předchozí", "en": "Previous"},
    "next": {"cs": "Další", "en": "Next"},
    "nothing_found": {
        "cs": "Nic neodpovídá. Zrušte některý filtr, nebo zaregistrujte zařízení na stránce Nová zařízení.",
        "en": "Nothing matches. Take back a filter, or register a device.",
    },
    "add_tag": {"cs": "Přidat štítek", "en": "Add tag"},
    "tag": {"cs": "Štítek", "en": "Tag"},
    "confirm_tag": {
        "cs": "Štítek „{tag}“ dostane {n} zařízení: {names}.",
        "en": "{n} devices get the tag “{tag}”: {names}.",
    },
    "confirm": {"cs": "Provést", "en": "Do it"},
    "cancel": {"cs": "Zrušit", "en": "Cancel"},
    "select_first": {"cs": "Nejdřív vyberte zařízení v seznamu.", "en": "Select devices in the list first."},
    "tag_first": {"cs": "Napište štítek.", "en": "Enter a tag."},
    "tagged": {"cs": "Hotovo: {n} zařízení má štítek „{tag}“.", "en": "Done: {n} devices have the tag “{tag}”."},
    "outages": {"cs": "Společné výpadky", "en": "Grouped outages"},
    "outage": {"cs": "{part}: mlčí {silent} z {n} zařízení", "en": "{part}: {silent} of {n} devices are silent"},
    "no_outage": {"cs": "Žádná část města nemlčí.", "en": "No part of the city is silent."},
    "no_devices": {
        "cs": "Zatím není zaregistrováno žádné zařízení. Začněte registrací prvního.",
        "en": "No device is registered yet. Begin by registering the first one.",
    },
    "map_note": {
        "cs": "Schéma, ne mapa: poloha částí je přibližná. Číslo je počet zařízení v pořádku ze všech.",
        "en": "A scheme, not a map: positions are approximate. The figure is healthy devices of all.",
    },
    "device": {"cs": "Zařízení", "en": "Devices"},
    "quantity": {"cs": "Veličina", "en": "Quantity"},
    "period": {"cs": "Období", "en": "Period"},
    "day": {"cs": "den", "en": "day"},
    "week": {"cs": "týden", "en": "week"},
    "month": {"cs": "měsíc", "en": "month"},
    "show": {"cs": "Zobrazit", "en": "Show"},
    "flagged": {"cs": "podezřelé nebo vadné", "en": "suspect or fail"},
    "corrected": {"cs": "oprava", "en": "correction"},
    "choose": {"cs": "Vyberte veličinu a nejvýše osm zařízení.", "en": "Choose a quantity and up to eight devices."},
    "no_readings": {
        "cs": "V tomto období není žádné měření. Zvolte delší období nebo jiné zařízení.",
        "en": "There is no reading in this period. Choose a longer one, or another device.",
    },
    "drawn": {
        "cs": "Měření: {n}. Z delších řad se kreslí nejnižší a nejvyšší hodnota každého úseku. Čas: {zone}.",
        "en": "Readings: {n}. Of long series the lowest and highest of each stretch is drawn. Time: {zone}.",
    },
    "refused": {
        "cs": "Na to nemáte oprávnění. Požádejte správce o jinou roli.",
        "en": "Your roles do not allow this. Ask an administrator for another one.",
    },
    "ended": {"cs": "Přihlášení skončilo. Přihlaste se znovu.", "en": "Your session has ended. Sign in again."},
    "failed": {
        "cs": "Nepodařilo se to kvůli chybě v hubu. Příčinu najde správce v logu.",
        "en": "A fault in the hub prevented this. Its operator finds the cause in the log.",
    },
    "when": {"cs": "Kdy", "en": "When"},
    "who": {"cs": "Kdo", "en": "Who"},
    "what": {"cs": "Co", "en": "What"},
    "subject": {"cs": "Čeho se týká", "en": "Subject"},
    "before": {"cs": "Předtím", "en": "Before"},
    "after": {"cs": "Potom", "en": "After"},
    "no_audit": {"cs": "Zatím se nic nezměnilo.", "en": "Nothing was changed yet."},
}
