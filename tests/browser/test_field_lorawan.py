# SPDX-License-Identifier: EUPL-1.2
"""A technician with a phone registers a LoRaWAN device by its label, and keeps a photo of it."""

import io
import re
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.test_field_stories import looked_at, sign_in


def picture(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "#3a7a4a").save(out, "JPEG")
    return out.getvalue()


def test_a_label_leads_to_a_model_a_site_and_the_steps_at_the_network_server(phone: Page, pictures: Path) -> None:
    sign_in(phone)
    navigation = phone.get_by_role("navigation", name="Cityhub")
    expect(navigation.get_by_role("link", name="Terén")).to_have_attribute("aria-current", "page")
    phone.get_by_role("button", name="Zaregistrovat zařízení").click()
    label = phone.get_by_label("Štítek zařízení (QR kód nebo DevEUI)")
    label.fill("LW:D0:1122334455667788:A81758FFFE0312AO:00840001")
    label.press("Enter")
    expect(phone.locator("#sticker-wrong")).to_be_visible()
    looked_at(phone, pictures / "field-label-wrong.png")
    label.fill("LW:D0:1122334455667788:A81758FFFE0312AB:00840001:SSN-77")
    phone.get_by_role("button", name="Přečíst štítek").click()
    expect(phone.locator("#external_id")).to_have_value("a81758fffe0312ab")
    looked_at(phone, pictures / "field-label.png")
    phone.get_by_label("Typ zařízení").select_option("elsys-ers-co2")
    phone.get_by_label("Název pro lidi").fill("Třída 3.B")
    phone.get_by_role("button", name="Dál").click()
    phone.get_by_label("Název nového místa").fill("Základní škola")
    phone.get_by_label("Část města").select_option(label="Havířov-Město")
    phone.get_by_role("button", name="Zaregistrovat a vydat přihlašovací údaje").click()
    expect(phone.locator("#steps")).to_contain_text("Join EUI: 1122334455667788")
    looked_at(phone, pictures / "field-network-server.png")
    phone.goto("/field/devices/trida-3-b")
    photo = phone.locator("#photo")
    add = phone.get_by_role("button", name="Přidat fotku")
    photo.set_input_files({"name": "large.jpg", "mimeType": "image/jpeg", "buffer": bytes(12_000_000)})
    add.click()
    assert "10 MB" in photo.evaluate("field => field.validationMessage")
    photo.set_input_files({"name": "wall.jpg", "mimeType": "image/jpeg", "buffer": picture(800, 600)})
    phone.get_by_label("Popisek fotky").fill("nad tabulí")
    add.click()
    expect(phone.get_by_role("img", name="nad tabulí")).to_be_visible()
    looked_at(phone, pictures / "field-photo.png")
    phone.set_viewport_size({"width": 1366, "height": 900})
    looked_at(phone, pictures / "field-device-wide.png")
    phone.get_by_role("link", name="Předávací protokol").click()
    expect(phone).to_have_url(re.compile(r"/protocol$"))
    looked_at(phone, pictures / "field-protocol.png")
