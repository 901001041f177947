# SPDX-License-Identifier: EUPL-1.2
"""Words of the field pages in Czech and English, by page group; a test holds both columns to the same keys."""

from collections.abc import Mapping

from hub.console.language import Language

Words = Mapping[str, Mapping[Language, str]]

PROBLEMS: Words = {
    "needed": {"cs": "Vyplňte prosím.", "en": "Please fill this in."},
    "no_number": {"cs": "„{given}“ není číslo. Napište třeba 3,5.", "en": "“{given}” is no number. Write 3.5, say."},
    "not_whole": {"cs": "„{given}“ není celé číslo.", "en": "“{given}” is no whole number."},
    "out_of_range": {"cs": "Zadejte hodnotu od {low} do {high}.", "en": "Enter a value from {low} to {high}."},
    "no_plain_text": {"cs": "Napište prostý text na jeden řádek.", "en": "Write one line of plain text."},
    "too_long": {
        "cs": "Text má {length} znaků, nejvýše jich může být {most}.",
        "en": "{length} characters; at most {most}.",
    },
    "bad_id": {
        "cs": "Označení smí mít jen písmena A–Z bez diakritiky, číslice, _ a -; nejvýše 64 znaků.",
        "en": "The id takes letters A to Z, digits, _ and - alone, 64 at most.",
    },
    "exists": {"cs": "Takové zařízení už je zaregistrováno.", "en": "Such a device is registered already."},
    "conflict": {
        "cs": "Mezitím to změnil někdo jiný. Podívejte se na nový stav a zkuste to znovu.",
        "en": "Somebody else changed this in between. Look at the new state and try again.",
    },
    "gone": {"cs": "Tohle už v evidenci není.", "en": "This is not in the registry any more."},
    "position_half": {
        "cs": "Zadejte zeměpisnou šířku i délku, nebo nechte obě prázdné.",
        "en": "Enter both latitude and longitude, or leave both empty.",
    },
    "outside": {
        "cs": "Poloha je {distance} km od nejbližší části města. Nejsou šířka a délka prohozené?",
        "en": "This is {distance} km from the nearest part of the city. Are latitude and longitude swapped?",
    },
    "site_needed": {"cs": "Vyberte místo, nebo pojmenujte nové.", "en": "Choose a site, or name a new one."},
    "part_needed": {"cs": "Vyberte část města pro nové místo.", "en": "Choose the part of the city of the new site."},
    "site_unknown": {
        "cs": "Takové místo v evidenci není. Vyberte ho znovu.",
        "en": "There is no such site. Choose again.",
    },
    "bad_eui": {"cs": "DevEUI má 16 šestnáctkových číslic.", "en": "A DevEUI has 16 hexadecimal digits."},
    "bad_sticker": {
        "cs": "Ze štítku nejde přečíst DevEUI. Naskenujte ho znovu, nebo opište 16 znaků DevEUI. ({problem})",
        "en": "The label names no DevEUI that can be read. Scan it again, or type its 16 digits. ({problem})",
    },
    "bad_join_eui": {"cs": "JoinEUI má 16 šestnáctkových číslic.", "en": "A JoinEUI has 16 hexadecimal digits."},
    "bad_app_key": {
        "cs": "AppKey má 32 šestnáctkových číslic. Opište ho znovu ze štítku nebo ze seznamu výrobce.",
        "en": "An AppKey has 32 hexadecimal digits. Enter it again from the label or the maker's list.",
    },
    "network_away": {
        "cs": "Síťový server to neudělal, zařízení v něm ještě není. Zkuste to za chvíli, nebo zavolejte operátora.",
        "en": "The network server did not do it; the device is not there yet. Try again soon, or call the operator.",
    },
    "no_photo": {"cs": "Vyberte fotku.", "en": "Choose a photo."},
    "photo_large": {
        "cs": "Fotka musí mít méně než 10 MB. Vyfoťte ji v menším rozlišení.",
        "en": "A photo must have less than 10 MB. Take it with a lower resolution.",
    },
    "photo_bad": {
        "cs": "Soubor není použitelný obrázek JPEG, PNG ani WebP. Vyfoťte ho znovu.",
        "en": "The file is no usable picture in JPEG, PNG or WebP. Take it anew.",
    },
    "no_time": {"cs": "Zadejte datum a čas.", "en": "Enter date and time."},
    "total_half": {
        "cs": "Zadejte poslední stav starého i první stav nového, nebo nechte oba prázdné.",
        "en": "Enter both the last total of the old and the first of the new one, or leave both empty.",
    },
    "confirm": {"cs": "Potvrďte zaškrtnutím, že to chcete.", "en": "Tick to confirm that you want this."},
}

FIELD: Words = {
    "field": {"cs": "Terén", "en": "Field"},
    "errors": {"cs": "Něco je třeba opravit", "en": "Something needs mending"},
    "needs_hand": {"cs": "Co potřebuje zásah", "en": "What needs a hand"},
    "all_well": {
        "cs": "Všechna zařízení jsou v pořádku. Nové začnete tlačítkem Zaregistrovat zařízení.",
        "en": "All devices are well. Begin a new one with Register a device.",
    },
    "register_device": {"cs": "Zaregistrovat zařízení", "en": "Register a device"},
    "inbox": {"cs": "Nová zařízení", "en": "New devices"},
    "search": {"cs": "Hledat", "en": "Search"},
    "search_what": {"cs": "Název, označení nebo výrobní číslo", "en": "Name, id or serial number"},
    "no_match": {
        "cs": "Nic takového v evidenci není. Zkuste kratší slovo, nebo zařízení zaregistrujte.",
        "en": "Nothing like that is registered. Try a shorter word, or register the device.",
    },
    "drafts": {"cs": "Rozdělané registrace", "en": "Registrations begun"},
    "no_drafts": {"cs": "Žádná rozdělaná registrace.", "en": "No registration is begun."},
    "resume": {"cs": "Pokračovat", "en": "Go on"},
    "drop": {"cs": "Zahodit", "en": "Discard"},
    "unnamed": {"cs": "zatím bez názvu", "en": "no name yet"},
    "step": {"cs": "Krok", "en": "Step"},
    "next": {"cs": "Dál", "en": "Next"},
    "back_step": {"cs": "Zpět", "en": "Back"},
    "optional": {"cs": "nepovinné", "en": "optional"},
    "offline": {
        "cs": "Není spojení. Nic se neztratilo: údaje jsou v telefonu a odešlou se, až bude spojení.",
        "en": "No connection. Nothing is lost: the data are kept on the phone and are sent when it is back.",
    },
    "choose": {"cs": "Vyberte", "en": "Choose"},
}

REGISTER: Words = {
    "step_device": {"cs": "Zařízení", "en": "Device"},
    "step_site": {"cs": "Místo", "en": "Site"},
    "step_access": {"cs": "Přihlašovací údaje", "en": "Credentials"},
    "step_check": {"cs": "Kontrola", "en": "Check"},
    "step_protocol": {"cs": "Protokol", "en": "Protocol"},
    "model": {"cs": "Typ zařízení", "en": "Device model"},
    "model_none": {"cs": "jiný, bez typu", "en": "another one, no model"},
    "label": {"cs": "Štítek (LoRaWAN)", "en": "Label (LoRaWAN)"},
    "sticker": {"cs": "Štítek zařízení (QR kód nebo DevEUI)", "en": "Label of the device (QR code or DevEUI)"},
    "sticker_hint": {
        "cs": "Vložte text z čtečky QR kódů, nebo opište DevEUI. Bez štítku nechte prázdné.",
        "en": "Paste what the QR scanner read, or type the DevEUI. Leave it empty where there is no label.",
    },
    "read_label": {"cs": "Přečíst štítek", "en": "Read the label"},
    "scan": {"cs": "Naskenovat fotoaparátem", "en": "Scan with the camera"},
    "no_camera": {"cs": "QR kód se nepřečetl, zkuste to znovu", "en": "No QR code was read, try again"},
    "checksum_wrong": {
        "cs": "Kontrolní součet štítku nesouhlasí: porovnejte DevEUI se štítkem.",
        "en": "The checksum of the label does not fit: compare the DevEUI with the label.",
    },
    "proposed": {"cs": "Podle štítku to může být:", "en": "By its label it may be:"},
    "by_label": {"cs": "Podle štítku", "en": "By the label"},
    "find": {"cs": "Hledat typ", "en": "Search models"},
    "find_model": {"cs": "Hledat typ, výrobce nebo oblast", "en": "Search model, maker or domain"},
    "no_model": {
        "cs": "Takový typ tu není. Zkuste kratší slovo, nebo nechte bez typu.",
        "en": "There is no such model. Try a shorter word, or leave it without one.",
    },
    "title": {"cs": "Název pro lidi", "en": "Name for people"},
    "title_hint": {"cs": "Třeba „Ovzduší náměstí“", "en": "“Air at the square”, say"},
    "id": {"cs": "Označení", "en": "Id"},
    "id_hint": {
        "cs": "Prázdné: vznikne z názvu. Bude i uživatelským jménem zařízení.",
        "en": "Empty: made of the name. It is the device's user name too.",
    },
    "connector": {"cs": "Jak se zařízení připojuje", "en": "How the device connects"},
    "external_id": {"cs": "Jak se hlásí (DevEUI)", "en": "What it calls itself (DevEUI)"},
    "external_hint": {
        "cs": "U zařízení připojených přímo nechte prázdné.",
        "en": "Leave it empty for devices that connect directly.",
    },
    "serial": {"cs": "Výrobní číslo", "en": "Serial number"},
    "interval": {"cs": "Po kolika sekundách posílá", "en": "Seconds between messages"},
    "interval_hint": {
        "cs": "Bez něj nelze poznat, že zařízení mlčí.",
        "en": "Without it nobody can tell that the device is silent.",
    },
    "here": {"cs": "Kde stojíte", "en": "Where you stand"},
    "latitude": {"cs": "Zeměpisná šířka (stupně)", "en": "Latitude (degrees)"},
    "longitude": {"cs": "Zeměpisná délka (stupně)", "en": "Longitude (degrees)"},
    "locate": {"cs": "Použít polohu telefonu", "en": "Use the phone's position"},
    "no_position": {"cs": "Telefon polohu nedal", "en": "The phone gave no position"},
    "sort": {"cs": "Seřadit místa podle polohy", "en": "Sort sites by position"},
    "map": {"cs": "Mapa míst: body jsou místa, hvězda jste vy", "en": "Map of sites: dots are sites, the star is you"},
    "sites": {"cs": "Místa v evidenci", "en": "Known sites"},
    "no_sites": {
        "cs": "Zatím tu žádné místo není. Pojmenujte první.",
        "en": "There is no site yet. Name the first one.",
    },
    "new_site": {"cs": "Nové místo", "en": "A new site"},
    "site_name": {"cs": "Název nového místa", "en": "Name of the new site"},
    "part": {"cs": "Část města", "en": "Part of the city"},
    "height": {"cs": "Výška nad zemí (m)", "en": "Height above ground (m)"},
    "orientation": {"cs": "Orientace (stupně od severu)", "en": "Orientation (degrees from north)"},
    "finish": {"cs": "Zaregistrovat a vydat přihlašovací údaje", "en": "Register and issue credentials"},
    "registered": {"cs": "Zařízení je zaregistrováno.", "en": "The device is registered."},
    "once": {
        "cs": "Heslo vidíte jen teď. Zadejte ho do zařízení, než půjdete dál.",
        "en": "You see the secret now only. Enter it in the device before you go on.",
    },
    "host": {"cs": "Server", "en": "Server"},
    "port": {"cs": "Port", "en": "Port"},
    "user": {"cs": "Uživatel", "en": "User name"},
    "secret": {"cs": "Heslo", "en": "Secret"},
    "topic": {"cs": "Téma", "en": "Topic"},
    "qr": {"cs": "QR kód s přihlašovacími údaji", "en": "QR code with the credentials"},
    "issued": {
        "cs": "Heslo už bylo vydáno a znovu ho zobrazit nelze. Nedošlo-li k vám, vydejte nové.",
        "en": "The secret was issued and cannot be shown again. If it did not reach you, issue a new one.",
    },
    "not_issued": {"cs": "Zařízení zatím nemá heslo.", "en": "The device has no secret yet."},
    "issue": {"cs": "Vydat heslo", "en": "Issue a secret"},
    "network": {
        "cs": "Zařízení posílá přes síťový server LoRaWAN; heslo k Cityhubu nepotřebuje.",
        "en": "The device sends through a LoRaWAN network server; it needs no secret of Cityhub.",
    },
    "at_network": {"cs": "Síťový server LoRaWAN", "en": "LoRaWAN network server"},
    "network_form": {
        "cs": "Cityhub založí zařízení v síťovém serveru sám. AppKey si neukládá, jen ho předá.",
        "en": "Cityhub makes the device in the network server itself. It passes the AppKey on and does not keep it.",
    },
    "join_eui": {"cs": "JoinEUI (prázdné: samé nuly)", "en": "JoinEUI (empty: zeros)"},
    "app_key": {"cs": "AppKey (32 znaků)", "en": "AppKey (32 digits)"},
    "create_there": {"cs": "Založit v síťovém serveru", "en": "Make it in the network server"},
    "created": {
        "cs": "Zařízení je v síťovém serveru založeno. Zapněte ho, aby se připojilo.",
        "en": "The device is made in the network server. Switch it on, so that it joins.",
    },
    "exists": {
        "cs": "Zařízení v síťovém serveru už bylo a dostalo tento AppKey. Zapněte ho, aby se připojilo.",
        "en": "The device was in the network server already and has this AppKey now. Switch it on, so that it joins.",
    },
    "steps": {
        "cs": "Zařízení založte v síťovém serveru takto:",
        "en": "Make the device in the network server like this:",
    },
    "to_check": {"cs": "Ke kontrole instalace", "en": "To the installation check"},
}

DEVICE: Words = {
    "check": {"cs": "Kontrola instalace", "en": "Installation check"},
    "waiting_first": {"cs": "Čekáme na první zprávu …", "en": "Waiting for the first message …"},
    "nothing_yet": {
        "cs": "Zapněte zařízení a ověřte server, port, uživatele, heslo a téma. Stránka se obnovuje sama.",
        "en": "Switch the device on; check server, port, user name, secret and topic. The page renews itself.",
    },
    "works": {"cs": "Zařízení posílá a Cityhub mu rozumí.", "en": "The device sends and Cityhub understands it."},
    "no_use": {
        "cs": "Zařízení posílá, ale Cityhub z toho zatím nemá žádné měření.",
        "en": "The device sends, but Cityhub has no reading of it yet.",
    },
    "refused": {"cs": "Broker zařízení odmítl", "en": "The broker refused the device"},
    "next_due": {"cs": "Další zprávu čekáme", "en": "The next message is due"},
    "readings_last": {"cs": "Poslední měření", "en": "Last readings"},
    "no_readings": {"cs": "Zatím žádné měření.", "en": "No reading yet."},
    "events": {"cs": "Co hlásí síť", "en": "What the network says"},
    "protocol": {"cs": "Předávací protokol", "en": "Installation protocol"},
    "print": {"cs": "Vytisknout", "en": "Print"},
    "remarks": {"cs": "Poznámka", "en": "Remark"},
    "save": {"cs": "Uložit", "en": "Save"},
    "saved": {"cs": "Uloženo.", "en": "Saved."},
    "done_by": {"cs": "Zapsal(a)", "en": "Recorded by"},
    "signature": {"cs": "Podpis", "en": "Signature"},
    "mountings": {"cs": "Kde zařízení stálo", "en": "Where it stood"},
    "moved_at": {"cs": "Od kdy (prázdné: teď)", "en": "From when (empty: now)"},
    "replaced_at": {"cs": "Od kdy (prázdné: teď)", "en": "From when (empty: now)"},
    "from": {"cs": "Od (prázdné: teď)", "en": "From (empty: now)"},
    "to": {"cs": "Do", "en": "To"},
    "reason": {"cs": "Důvod", "en": "Reason"},
    "maintenance_reason": {"cs": "Důvod údržby", "en": "Reason of the maintenance"},
    "since": {"cs": "od", "en": "since"},
    "hardware": {"cs": "Vyměnit přístroj", "en": "Replace the hardware"},
    "hardware_note": {
        "cs": "Zařízení, místo i řada měření pokračují. U měřidel opište poslední stav starého a první stav nového.",
        "en": "Device, place and series go on. Of meters enter the last total of the old and the first of the new one.",
    },
    "hardware_list": {"cs": "Přístroje", "en": "Hardware"},
    "new_serial": {"cs": "Nové výrobní číslo", "en": "New serial number"},
    "new_external_id": {"cs": "Nové DevEUI (prázdné: stejné)", "en": "New DevEUI (empty: the same)"},
    "last_total": {"cs": "Starý, poslední stav", "en": "Old one, last total"},
    "first_total": {"cs": "Nový, první stav", "en": "New one, first total"},
    "signal": {"cs": "Signál", "en": "Signal"},
    "battery": {"cs": "Baterie", "en": "Battery"},
    "gateways": {"cs": "brány", "en": "gateways"},
    "lost": {"cs": "ztraceno", "en": "lost"},
    "photos": {"cs": "Fotky", "en": "Photos"},
    "no_photos": {"cs": "Zatím žádná fotka.", "en": "No photo yet."},
    "photo": {"cs": "Fotka (JPEG, PNG, WebP, méně než 10 MB)", "en": "Photo (JPEG, PNG, WebP, less than 10 MB)"},
    "caption": {"cs": "Popisek fotky", "en": "Caption of the photo"},
    "add_photo": {"cs": "Přidat fotku", "en": "Add the photo"},
    "remove_photo": {"cs": "Odebrat fotku", "en": "Remove the photo"},
    "samples": {"cs": "Poslední zprávy, jak přišly", "en": "Last messages as they came"},
    "made": {"cs": "měření", "en": "readings"},
    "registered_at": {"cs": "Zaregistrováno", "en": "Registered"},
    "credential": {"cs": "Přihlašovací údaje", "en": "Credentials"},
    "rotate": {"cs": "Vydat nové heslo", "en": "Issue a new secret"},
    "rotate_note": {
        "cs": "Staré heslo hned přestane platit a zařízení se odpojí.",
        "en": "The old secret ends at once and the device is cut off.",
    },
    "disable": {"cs": "Zablokovat přístup", "en": "Disable access"},
    "disabled": {"cs": "Přístup je zablokován", "en": "Access is disabled"},
    "sure": {"cs": "Ano, opravdu", "en": "Yes, I am sure"},
    "why": {"cs": "Proč", "en": "Why"},
    "move": {"cs": "Přestěhovat", "en": "Move"},
    "maintenance": {"cs": "Údržba", "en": "Maintenance"},
    "maintenance_note": {
        "cs": "Měření z té doby se nezapočtou.",
        "en": "Readings of that time do not count.",
    },
    "hours": {"cs": "Kolik hodin od teď", "en": "Hours from now"},
    "notes": {"cs": "Poznámky", "en": "Remarks"},
    "no_notes": {"cs": "Zatím žádná poznámka.", "en": "No remark yet."},
    "retire": {"cs": "Vyřadit zařízení", "en": "Retire the device"},
    "retire_note": {
        "cs": "Naměřené hodnoty zůstanou, přístup skončí.",
        "en": "What it measured stays; its access ends.",
    },
    "history": {"cs": "Historie", "en": "History"},
    "unknown_model": {"cs": "bez typu", "en": "no model"},
    "claim": {"cs": "Zaregistrovat", "en": "Register"},
    "ignore": {"cs": "Ignorovat", "en": "Ignore"},
    "ignored_why": {"cs": "cizí zařízení", "en": "foreign device"},
    "no_new": {
        "cs": "Žádné neznámé zařízení se nehlásí. Zapněte nové zařízení a podívejte se znovu.",
        "en": "No unknown device has called. Switch the new device on and look again.",
    },
    "missing_device": {"cs": "Takové zařízení v evidenci není.", "en": "There is no such device."},
    "missing_draft": {"cs": "Tato registrace už skončila.", "en": "This registration has ended."},
}

CONNECTOR: Words = {
    "native": {"cs": "přímo k hubu (MQTT)", "en": "directly to the hub (MQTT)"},
    "chirpstack": {"cs": "LoRaWAN přes ChirpStack", "en": "LoRaWAN through ChirpStack"},
    "ttn": {"cs": "LoRaWAN přes The Things Stack", "en": "LoRaWAN through The Things Stack"},
}

DOMAIN: Words = {
    "air": {"cs": "Ovzduší", "en": "Air"},
    "noise": {"cs": "Hluk", "en": "Noise"},
    "weather": {"cs": "Počasí", "en": "Weather"},
    "traffic": {"cs": "Doprava", "en": "Traffic"},
    "parking": {"cs": "Parkování", "en": "Parking"},
    "waste": {"cs": "Odpady", "en": "Waste"},
    "energy": {"cs": "Energie", "en": "Energy"},
    "water": {"cs": "Voda", "en": "Water"},
    "lighting": {"cs": "Osvětlení", "en": "Lighting"},
    "sport": {"cs": "Sport", "en": "Sport"},
    "social": {"cs": "Sociální služby", "en": "Social services"},
    "satisfaction": {"cs": "Spokojenost", "en": "Satisfaction"},
    "device": {"cs": "Ostatní", "en": "Others"},
}

GROUPS: tuple[Words, ...] = (FIELD, REGISTER, DEVICE)


def words(language: Language) -> Mapping[str, str]:
    """All words of the field pages in one language."""
    return {key: row[language] for group in GROUPS for key, row in group.items()}
