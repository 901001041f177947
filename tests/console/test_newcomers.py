# SPDX-License-Identifier: EUPL-1.2
"""New devices on the page `/`, and the command that registers one."""

import shlex

import pytest

from hub.console._newcomers import command
from hub.core.journal import JournalBatch, Quarantined
from tests.console.town import NOW, Town, row_of

PLACE = "--place havirov/<part>/<site> --interval <seconds>"


@pytest.mark.parametrize(
    ("connector", "external_id", "line"),
    [
        ("native", "door-7", f"cityhub device add door-7 {PLACE}"),
        ("chirpstack", "a84041", f"cityhub device add a84041 {PLACE} --connector chirpstack --external-id=a84041"),
        ("mapped", "Hlavní 5", f"cityhub device add <id> {PLACE} --connector mapped '--external-id=Hlavní 5'"),
        ("native", "-7", f"cityhub device add <id> {PLACE} --external-id=-7"),
        ("mapped", "a\nb", ""),
        ("mapped", "a\u202eb", ""),
        ("mapped", "", ""),
    ],
)
def test_the_command_names_what_is_known(connector: str, external_id: str, line: str) -> None:
    assert command(connector, external_id, "havirov", "en") == line


@pytest.mark.parametrize("name", ["x; rm -rf /", "$(reboot)", "`reboot`", "a'b", 'a"b', "x && y", "~", "*"])
def test_a_name_made_to_be_run_by_a_shell_stays_one_word(name: str) -> None:
    assert shlex.split(command("mapped", name, "havirov", "en"))[-1] == f"--external-id={name}"


def test_a_hub_of_several_cities_leaves_the_city_open() -> None:
    assert "--place <město>/<část>/<místo> --interval <sekundy>" in command("native", "door-7", "", "cs")


async def test_the_page_gives_command_and_ids_of_the_parts_in_both_languages(lively: Town) -> None:
    czech, english = await lively.page(), await lively.page("/?lang=en")
    line = "cityhub device add door-7 --place havirov/&lt;část&gt;/&lt;místo&gt; --interval &lt;sekundy&gt;"
    assert line in czech
    assert "Čekající zprávy se pak samy zpracují" in czech
    assert "--place havirov/&lt;part&gt;/&lt;site&gt; --interval &lt;seconds&gt;" in english
    assert "The waiting messages are then taken in" in english
    assert "Šumbark: <code>havirov/sumbark</code>" in czech


async def test_without_new_devices_there_is_nothing_to_explain(town: Town) -> None:
    html = await town.page()
    assert "Žádné neznámé zařízení se nehlásí" in html
    assert "cityhub device add" not in html


async def test_all_messages_that_wait_are_counted_however_many(town: Town) -> None:
    waiting = [
        Quarantined(received=NOW, topic="t", payload=b"", reason="unknown_device", detail="", external_id="chatty")
    ]
    await town.journal.commit(JournalBatch(quarantined=waiting * 5001))
    assert row_of(await town.page(), "chatty").startswith("chatty t 5001 ")
