# SPDX-License-Identifier: EUPL-1.2
"""Pictures are kept by their hash, whole or not at all."""

from pathlib import Path

import pytest

from hub.core.errors import Invalid, NotFound, Retry
from hub.storage.photos import PhotoFiles

A = "a" * 64


def test_what_was_put_is_found_until_it_is_dropped(tmp_path: Path) -> None:
    files = PhotoFiles(tmp_path / "photos")
    files.put(A, b"picture")
    files.put(A, b"picture")
    assert files.get(A) == b"picture"
    assert [path.name for path in (tmp_path / "photos").rglob("*") if path.is_file()] == [f"{A}.jpg"]
    files.drop(A)
    files.drop(A)
    with pytest.raises(NotFound, match="restore"):
        files.get(A)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "a" * 63])
def test_a_name_that_is_no_hash_leads_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(Invalid):
        PhotoFiles(tmp_path).get(name)


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "photos").write_text("a file where the folder should be")
    with pytest.raises(Retry, match="cannot be written"):
        PhotoFiles(tmp_path / "photos").put(A, b"picture")
