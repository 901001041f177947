# SPDX-License-Identifier: EUPL-1.2
"""Pictures as they come from a phone, made fit to keep. Pure: bytes in, bytes out.

A picture is turned as its EXIF says, made smaller where it is larger than anybody looks at, and written anew from its
pixels alone: where it was taken, by which phone, and whatever else was hidden in it is gone. What a file claims to hold
is looked at before it is decoded, so that a small file cannot fill the memory. The same file gives the same bytes.
"""

import hashlib
import io
from typing import TYPE_CHECKING, NamedTuple

from hub.core.errors import Invalid

if TYPE_CHECKING:
    from PIL import Image

MOST_BYTES = 10_000_000  # of the file that is sent
MOST_PIXELS = 64_000_000
LONGEST_SIDE = 2048
FORMATS = ("JPEG", "PNG", "WEBP")
MEDIA_TYPE = "image/jpeg"
_QUALITY = 85


class Picture(NamedTuple):
    """A picture as it is kept: JPEG without any data about itself."""

    content: bytes
    sha256: str
    width: int
    height: int


def prepare(content: bytes) -> Picture:
    """The picture of a file; Invalid says why it is none that can be kept."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as found:
            _check_size(found.size)
            found.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a JPEG is decoded near to the size that is kept
            return _kept(found)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid(f"has more than {MOST_PIXELS // 1_000_000} million pixels: send it smaller", "photo") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        cure = "is no picture in JPEG, PNG or WebP, or is damaged: take it anew, or save it as JPEG"
        raise Invalid(cure, "photo") from error


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if width * height > MOST_PIXELS:
        raise Invalid(f"has {width} x {height} pixels: send at most {MOST_PIXELS // 1_000_000} million", "photo")


def _kept(found: "Image.Image") -> Picture:
    from PIL import Image, ImageOps

    turned = ImageOps.exif_transpose(found)
    turned.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    bare = Image.new("RGB", turned.size, "white")  # pixels alone: nothing of the file's own data comes along
    layer = turned.convert("RGBA")
    bare.paste(layer, mask=layer)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=_QUALITY, optimize=True)
    content = out.getvalue()
    return Picture(content, hashlib.sha256(content).hexdigest(), *bare.size)
