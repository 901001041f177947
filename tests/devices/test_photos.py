# SPDX-License-Identifier: EUPL-1.2
"""Pictures are kept turned, small and without a word about themselves; what is no picture is refused."""

import io
import struct
import zlib

import pytest
from PIL import Image

from hub.core.errors import Invalid
from hub.devices.photos import LONGEST_SIDE, prepare

_ORIENTATION, _GPS = 0x0112, 0x8825


def picture(form: str, size: tuple[int, int] = (40, 20), **said: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, form, **said)
    return out.getvalue()


def from_a_phone() -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = 6  # turned by a quarter
    exif.get_ifd(_GPS)[1] = "N"
    return picture("JPEG", exif=exif.tobytes(), comment=b"Jana's phone")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_pictures_of_all_formats_are_kept_as_jpeg(form: str) -> None:
    kept = prepare(picture(form))
    assert Image.open(io.BytesIO(kept.content)).format == "JPEG"
    assert (kept.width, kept.height) == (40, 20)


def test_a_picture_is_turned_and_says_nothing_of_where_it_was_taken() -> None:
    kept = prepare(from_a_phone())
    found = Image.open(io.BytesIO(kept.content))
    assert found.size == (20, 40)
    assert not found.getexif()
    assert b"Exif" not in kept.content
    assert b"Jana" not in kept.content


def test_a_large_picture_is_made_smaller() -> None:
    kept = prepare(picture("JPEG", (3000, 1500)))
    assert (kept.width, kept.height) == (LONGEST_SIDE, LONGEST_SIDE // 2)


def test_the_same_file_gives_the_same_bytes() -> None:
    assert prepare(from_a_phone()).sha256 == prepare(from_a_phone()).sha256


def bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (b"", "is no picture"),
        (b"%PDF-1.7", "is no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is no picture"),
        (picture("GIF"), "is no picture"),
        (from_a_phone()[:-200], "is no picture"),
        (bomb(), "million"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_cure(content: bytes, cure: str) -> None:
    with pytest.raises(Invalid, match=cure):
        prepare(content)
