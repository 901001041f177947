# SPDX-License-Identifier: EUPL-1.2
"""A technician with a phone: whole stories in a real browser against a real hub."""

import re
import time
import tomllib
from pathlib import Path

import paho.mqtt.client as mqtt
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from hub.app import Parts
from hub.core.places import Device, Mounting
from hub.settings import load_settings
from tests.browser.conftest import PASSWORD
from tests.e2e.hub_process import RunningHub


def sign_in(page: Page, login: str = "technician", password: str = PASSWORD) -> None:
    page.goto("/sign-in?next=/field")
    page.locator("#login").fill(login)
    page.locator("#password").fill(password)
    page.locator("form[action='/sign-in'] button").click()


def looked_at(page: Page, file: Path) -> None:
    """Take a picture, and let axe find nothing to complain about."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{file.name} is wider than the phone"
    page.screenshot(path=file, full_page=True)


def publish(port: int, user: str, secret: str, topic: str, payload: str) -> int:
    """Publish once as a device would, by QoS 1; the broker's answer to CONNECT (0: let in)."""
    answer: list[int] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=user)
    client.username_pw_set(user, secret)
    client.on_connect = lambda c, u, f, reason, p: answer.append(reason.value)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        sent = client.publish(topic, payload, qos=1)
        for _ in range(100):
            if answer and (answer[0] != 0 or sent.is_published()):
                break
            try:
                sent.wait_for_publish(0.1)
            except (RuntimeError, ValueError):
                break
    finally:
        client.disconnect()
        client.loop_stop()
    return answer[0] if answer else -1


def test_wrong_password_is_told_and_lets_nobody_in(phone: Page, pictures: Path) -> None:
    sign_in(phone, password="wrong")
    expect(phone.get_by_role("alert")).to_be_visible()
    looked_at(phone, pictures / "sign-in-wrong.png")
    phone.goto("/field")
    assert "/sign-in" in phone.url


def test_a_device_is_registered_with_the_network_cut_once_and_its_first_reading_is_seen(
    phone: Page, hub: RunningHub, pictures: Path
) -> None:
    sign_in(phone)
    looked_at(phone, pictures / "field-start.png")
    phone.get_by_role("button", name="Zaregistrovat zařízení").click()
    phone.get_by_label("Název pro lidi").fill("Ovzduší náměstí")
    phone.get_by_label("Po kolika sekundách posílá").fill("900")
    looked_at(phone, pictures / "field-device.png")
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Dál").click()
    expect(phone.locator("#offline")).to_be_visible()
    phone.screenshot(path=pictures / "field-offline.png")
    phone.context.set_offline(False)
    expect(phone).to_have_url(re.compile(r"/site$"))
    phone.get_by_role("button", name="Použít polohu telefonu").click()
    expect(phone.locator(".sitemap text", has_text="★")).to_be_visible()
    assert phone.locator("#latitude").input_value() == "49.779500"
    phone.get_by_label("Název nového místa").fill("Náměstí Republiky")
    phone.get_by_label("Část města").select_option(label="Havířov-Město")
    looked_at(phone, pictures / "field-site.png")
    phone.get_by_role("button", name="Zaregistrovat a vydat přihlašovací údaje").click()
    secret = phone.locator("#secret").inner_text()
    looked_at(phone, pictures / "field-credentials.png")
    phone.get_by_role("link", name="Ke kontrole instalace").click()
    expect(phone.get_by_text("Čekáme na první zprávu")).to_be_visible()
    looked_at(phone, pictures / "field-check-waiting.png")
    port = int(tomllib.loads(hub.config.read_text())["mqtt"]["port"])
    topic = "devices/ovzdusi-namesti/readings"
    assert publish(port, "ovzdusi-namesti", secret, topic, '{"readings": {"pm10": 20.3}}') == 0
    expect(phone.get_by_text("Zařízení posílá a Cityhub mu rozumí.")).to_be_visible(timeout=60_000)
    expect(phone.get_by_text("20,3")).to_be_visible(timeout=60_000)
    looked_at(phone, pictures / "field-check.png")
    phone.goto("/field/devices/ovzdusi-namesti")
    looked_at(phone, pictures / "field-device-page.png")
    phone.get_by_role("button", name="Vydat nové heslo").click()
    assert phone.locator("#secret").inner_text() != secret


def test_an_unknown_device_is_claimed_in_two_steps_and_the_language_switched(
    phone: Page, hub: RunningHub, pictures: Path
) -> None:
    hub.command("publish", "devices/door-7/readings", '{"readings": {"pm10": 12}}')
    sign_in(phone)
    phone.goto("/field/inbox")
    for _ in range(60):
        if phone.get_by_role("button", name="Zaregistrovat door-7").count():
            break
        phone.wait_for_timeout(500)
        phone.reload()
    looked_at(phone, pictures / "field-inbox.png")
    phone.get_by_role("button", name="Zaregistrovat door-7").click()
    expect(phone.locator("#external_id")).to_have_value("door-7")
    phone.get_by_role("link", name="English").click()
    expect(phone.locator("label[for=external_id]")).to_have_text("What it calls itself (DevEUI)")
    expect(phone.locator("#external_id")).to_have_value("door-7")


def test_a_device_falls_silent_and_the_list_and_its_page_say_why(phone: Page, hub: RunningHub, pictures: Path) -> None:
    """What it measured two hours ago is all that it delivers; it should speak each minute."""
    parts = Parts(load_settings(hub.config))
    with parts.ledger().open() as ledger:
        mounted = [Mounting("havirov/mesto", 0)]
        quiet = Device(
            id="quiet-1", connector="native", external_id="quiet-1", title="Hluk u školy", interval=60,
            mountings=mounted,
        )  # fmt: skip
        ledger.devices.add_device(quiet)
    then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * 3600))
    told = f'{{"time": "{then}", "readings": {{"sound_level": 55, "battery_level": 64}}}}'
    hub.command("publish", "devices/quiet-1/readings", told)
    sign_in(phone)
    why = re.compile(r"poslední zpráva před .*, čekána každých 60 s")
    row = phone.get_by_role("listitem").filter(has_text="Hluk u školy")
    for _ in range(120):
        if row.filter(has_text="mlčí").count() and row.filter(has_text=why).filter(has_text="64").count():
            break
        phone.wait_for_timeout(500)
        phone.reload()
    expect(row).to_contain_text("mlčí")
    expect(row).to_contain_text(why)
    looked_at(phone, pictures / "field-silent-list.png")
    row.get_by_role("link").click()
    expect(phone.locator(".state.silent")).to_have_text("mlčí")
    expect(phone.get_by_text(why)).to_be_visible()
    expect(phone.locator("#battery")).to_contain_text("64")
    looked_at(phone, pictures / "field-silent.png")
