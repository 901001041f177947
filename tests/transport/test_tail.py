# SPDX-License-Identifier: EUPL-1.2
"""Following a log file that its writer rotates."""

from pathlib import Path

from hub.transport._tail import Tail


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def test_gives_each_line_once_and_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "log"
    tail = Tail(path)
    assert tail.read() == []
    append(path, "one\ntw")
    assert tail.read() == ["one"]
    append(path, "o\n")
    assert tail.read() == ["two"]
    assert tail.read() == []
    tail.close()


def test_from_the_end_leaves_out_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "old\n")
    tail = Tail(path, from_end=True)
    append(path, "new\n")
    assert tail.read() == ["new"]
    tail.close()


def test_rotation_loses_no_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "one\n")
    tail = Tail(path)
    assert tail.read() == ["one"]
    append(path, "two\n")
    path.rename(tmp_path / "log.1")
    append(path, "three\n")
    assert tail.read() == ["two", "three"]
    tail.close()


def test_between_rename_and_new_file_it_waits(tmp_path: Path) -> None:
    path = tmp_path / "log"
    append(path, "one\n")
    tail = Tail(path)
    tail.read()
    path.rename(tmp_path / "log.1")
    assert tail.read() == []
    append(path, "two\n")
    assert tail.read() == ["two"]
    tail.close()
