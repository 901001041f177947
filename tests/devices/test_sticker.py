# SPDX-License-Identifier: EUPL-1.2
"""Labels of LoRaWAN devices, as scanned and as typed."""

import pytest

from hub.core.errors import Invalid
from hub.devices.sticker import parse_sticker

TR005 = "LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:OAABBCCDDEEFF:SYYWWNNNNNN:PFOOBAR:CAF2C"


def test_the_example_of_tr005_is_read_whole() -> None:
    found = parse_sticker(TR005)
    assert (found.join_eui, found.dev_eui) == ("1122334455667788", "aabbccddeeff0011")
    assert (found.vendor_id, found.profile_id) == (0xAABB, 0x1122)
    assert (found.owner_token, found.serial, found.proprietary) == ("AABBCCDDEEFF", "YYWWNNNNNN", "FOOBAR")
    assert found.checksum_ok is True
    assert found.notes == ()


def test_optional_fields_may_all_be_missing() -> None:
    found = parse_sticker("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122")
    assert (found.dev_eui, found.checksum_ok) == ("aabbccddeeff0011", None)


def test_a_wrong_checksum_is_told_and_not_refused() -> None:
    found = parse_sticker(TR005[:-1] + "D")
    assert found.checksum_ok is False
    assert "checksum" in found.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "24E124136B502217",
        "24e124136b502217",
        "24:E1:24:13:6B:50:22:17",
        "24-E1-24-13-6B-50-22-17",
        " 24 E1 24 13 6B 50 22 17\n",
        '{"devEUI": "24E124136B502217", "SN": "6136B50221"}',
        "https://example.org/setup?deveui=24E124136B502217&x=1",
        "https://example.org/d/24E124136B502217",
    ],
)
def test_a_dev_eui_is_read_in_every_dress(text: str) -> None:
    assert parse_sticker(text).dev_eui == "24e124136b502217"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing was scanned"),
        ("24E124136B50221", "16 digits are needed, there are 15"),
        ("24E124136B5022177", "16 digits are needed, there are 17"),
        ("24E124136B50221O", "0 (zero) is meant?"),
        ("Vchod vlevo", "is none of 0-9 and A-F"),
        ("LW:D1:1122334455667788:AABBCCDDEEFF0011:AABB1122", "TR005 has D0"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF0011", "cut off"),
        ("LW:", "is not known"),
        ("LW:D0:112233445566778:AABBCCDDEEFF0011:AABB1122", "JoinEUI: 16 digits are needed, there are 15"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB112", "ProfileID: 8 digits"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:X1", "none of O, S, P"),
        ("LW:D0:1122334455667788:AABBCCDDEEFF0011:AABB1122:S1:S2", "twice"),
        ('{"devEUI": ', "begins like JSON"),
        ("[1]", "no object"),
        ('{"name": "x"}', "names no DevEUI"),
        ("https://example.org/", "names no DevEUI"),
        ("http://[", "cannot be read"),
        ("A" * 1001, "no label"),
    ],
)
def test_what_is_no_label_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_sticker(text)
    assert said in caught.value.detail
    assert caught.value.where == "text"
