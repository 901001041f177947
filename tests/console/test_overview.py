# SPDX-License-Identifier: EUPL-1.2
"""The page `/` over real files."""

import re
from dataclasses import replace

import pytest

from hub.console._changes import last_seq
from hub.console._overview import preview
from hub.core.indicators import Status
from hub.core.readings import Origin, Reading
from hub.core.windows import HOUR
from tests.console.town import HOUR_AGO, Away, Outline, Town, device, index, row_of


async def test_an_empty_hub_says_so_in_every_section(town: Town) -> None:
    html = await town.page()
    for words in ("zatím bez hodnoty", "žádné zařízení", "V karanténě nic není", "Žádná konečná hodnota"):
        assert words in html


async def test_all_eight_parts_stand_on_the_map_by_name(lively: Town) -> None:
    svg = re.search(r'<svg class="map".*?</svg>', await lively.page(), re.DOTALL)
    assert svg
    assert svg[0].count('class="edge') == 8
    for name in ("Šumbark", "Podlesí", "Bludovice", "Životice", "Dolní Suchá", "Dolní Datyně"):
        assert f'class="name">{name}' in svg[0].replace("\n", "") or name.split()[0] in svg[0]


async def test_a_part_shows_index_label_status_coverage_and_window(lively: Town) -> None:
    html = await lively.page()
    assert row_of(html, "Podlesí") == "Podlesí 3 Zhoršená konečná 100 % 23. 11. 2026 10:00–11:00"


async def test_a_lower_bound_is_marked_and_names_what_is_missing(lively: Town) -> None:
    row = row_of(await lively.page(), "Havířov-Město")
    assert "≥ 2 Přijatelná" in row
    assert "dolní mez" in row
    assert "Chybí: Stanice Thara" in row


async def test_insufficient_data_is_no_number(lively: Town) -> None:
    assert row_of(await lively.page(), "Dolní Suchá").startswith(
        "Dolní Suchá – nedostatek dat chybí: Stanice Thara 0 %"
    )


async def test_the_open_hour_without_data_leaves_the_hour_before_on_the_page(town: Town) -> None:
    opened = {"start": HOUR_AGO + HOUR, "end": HOUR_AGO + 2 * HOUR, "closed": False, "revision": 0}
    town.values(index("havirov/podlesi", 3))
    town.values(index("havirov/podlesi", None, **opened))
    assert "3 Zhoršená" in row_of(await town.page(), "Podlesí")


async def test_a_closed_hour_without_data_is_not_replaced_by_an_older_value(town: Town) -> None:
    town.values(index("havirov/podlesi", 3, start=HOUR_AGO - HOUR, end=HOUR_AGO))
    town.values(index("havirov/podlesi", None))
    assert "nedostatek dat" in row_of(await town.page(), "Podlesí")


@pytest.mark.parametrize("what", ["value", "device"])
async def test_anything_simulated_puts_the_banner_on_the_page(town: Town, what: str) -> None:
    assert "SIMULACE" not in await town.page()
    if what == "value":
        town.values(index("havirov/podlesi", 1, origin=Origin.SIMULATED, status=Status.PROVISIONAL))
    else:
        town.ledger.devices.add_device(device("sim-1", "Čidlo", Origin.SIMULATED))
    assert 'class="simulated"' in await town.page()


async def test_devices_are_listed_with_their_state_in_words(lively: Town) -> None:
    html = await lively.page()
    assert "poslední zpráva před 3 h, čekána každých 15 min" in html
    assert "podezřelých 3 z 6 posledních měření" in html
    assert html.index("Koš u školy") < html.index("Hluk u křižovatky") < html.index("Ovzduší náměstí")


async def test_a_store_that_does_not_answer_leaves_the_rest_of_the_page(lively: Town) -> None:
    lively.services = replace(lively.services, readings=Away(lively.store))
    html = await lively.page()
    assert "Úložiště měření teď neodpovídá" in html
    assert "Zhoršená" in html


async def test_new_devices_are_counted_by_who_calls(lively: Town) -> None:
    row = row_of(await lively.page(), "door-7")
    assert row.startswith("door-7 devices/door-7/readings 3 23. 11. 2026 10:50 23. 11. 2026 11:10 ")


async def test_quarantine_gives_reason_hint_and_escaped_payload(lively: Town) -> None:
    html = await lively.page()
    assert "Obsah nelze přečíst" in html
    assert "podrobnost říká, kde je chyba" in html
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in html
    assert "<script" not in html


async def test_a_title_that_is_markup_stays_text(town: Town) -> None:
    town.ledger.devices.add_device(device("x", "<img src=x onerror=alert(1)>"))
    assert "<img" not in await town.page()


async def test_the_page_says_how_old_it_is_and_does_not_reload_by_itself(town: Town) -> None:
    html = await town.page()
    assert "Stav k 23. 11. 2026 11:20:00 (Europe/Prague, UTC+1)" in html
    assert 'http-equiv="refresh"' not in html


async def test_a_device_called_like_its_site_is_named_once_in_the_readers_language_with_its_part(town: Town) -> None:
    town.ledger.devices.add_device(device("air-1", "Stanice Thara"))
    row = re.search(r"<li>.*?<b>Stanice Thara</b>(.*?)<br>", await town.page())
    assert row
    assert "Stanice Thara" not in row[1]
    assert "Havířov-Město" in row[1]
    english = await town.page("/?lang=en")
    assert "<b>Thara station</b>" in english
    assert "Stanice Thara" not in english


async def test_a_device_with_a_name_of_its_own_is_shown_with_site_and_part(lively: Town) -> None:
    assert '<b>Ovzduší náměstí</b> <span class="at">Stanice Thara, Havířov-Město</span>' in await lively.page()


async def test_a_device_that_sends_simulated_readings_is_marked_whatever_its_registration_says(town: Town) -> None:
    town.ledger.devices.add_device(device("air-1", "Čidlo"))
    await town.store.put([Reading("air-1", "pm10", 20.0, HOUR_AGO, origin=Origin.SIMULATED)])
    assert "SIMULACE" in await town.page()


async def test_the_page_nests_needs_no_script_and_loads_nothing_from_elsewhere(lively: Town) -> None:
    outline = Outline(await lively.page())
    assert outline.outside == []
    assert outline.seen.isdisjoint({"script", "iframe", "object", "style"})


async def test_headers_forbid_scripts_and_framing(town: Town) -> None:
    async with town.client as browser:
        policy = (await browser.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy


async def test_the_style_sheet_is_served_under_the_address_in_the_page(town: Town) -> None:
    html = await town.page()
    href = re.search(r'rel="stylesheet" href="([^"]+)"', html)
    assert href
    assert "--ink" in await town.page(href[1])


async def test_language_switch_is_remembered(town: Town) -> None:
    async with town.client as browser:
        assert 'lang="cs"' in (await browser.get("/")).text
        assert "Air by part of the city" in (await browser.get("/?lang=en")).text
        assert 'lang="en"' in (await browser.get("/")).text


async def test_the_newest_change_is_found_whatever_its_number(town: Town) -> None:
    found = [last_seq(town.ledger.values)]
    for number in range(1, 10):
        town.values(index("havirov/podlesi", 1, start=number * HOUR, end=(number + 1) * HOUR))
        found.append(last_seq(town.ledger.values))
    assert found == list(range(10))


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"a": 1}', '{"a": 1}'),
        (b"\x00tab\tline\n", "·tab·line·"),
        (b"\xff\xfe\x00", "0xfffe00"),
        ("č".encode() * 100, "č" * 80 + " … (200 B)"),
        (b"x" + "č".encode() * 100, "x" + "č" * 79 + " … (201 B)"),
        (b"", ""),
    ],
)
def test_payload_previews_are_short_and_visible(payload: bytes, text: str) -> None:
    assert preview(payload) == text
