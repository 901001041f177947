# SPDX-License-Identifier: EUPL-1.2
"""Rows of a recorded file, CSV or JSON lines, one at a time with their line numbers.

CSV: comma, semicolon or tab, found in the header line; UTF-8 with or without BOM, else Windows-1250. JSON lines: one
object a line, of which the first line's keys and those of later lines count as columns.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import msgspec

from hub.commands.replay_mapping import Cell
from hub.core.errors import Invalid

_TOO_MANY = "\0"  # the name of what is no column: why the row cannot be read
_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")


class Table:
    """A file with a header; iterate for (line number, cells by column name)."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise Invalid("no such file", str(path))
        self.path = path
        self._json = path.suffix.lower() in _JSON_SUFFIXES
        self._encoding = _encoding(path)
        self.header = self._json_header() if self._json else self._csv_header()

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, Cell]]]:
        return self._json_rows() if self._json else self._csv_rows()

    def _open(self) -> IO[str]:
        return self.path.open(encoding=self._encoding, newline="")

    def _csv_header(self) -> list[str]:
        with self._open() as file:
            first = file.readline().rstrip("\r\n")
        if not first:
            raise Invalid("the file is empty", str(self.path))
        self._delimiter = max(",;\t", key=first.count)
        header = [name.strip() for name in next(csv.reader([first], delimiter=self._delimiter))]
        double = {name for name in header if header.count(name) > 1}
        if double:
            raise Invalid(f"column {min(double)!r} stands twice in the header", str(self.path))
        return header

    def _csv_rows(self) -> Iterator[tuple[int, Mapping[str, Cell]]]:
        with self._open() as file:
            reader = csv.reader(file, delimiter=self._delimiter)
            next(reader)
            for cells in reader:
                if len(cells) > len(self.header):
                    yield reader.line_num, {_TOO_MANY: f"{len(cells)} cells instead of {len(self.header)}"}
                elif cells:
                    padded = [*cells, *[""] * (len(self.header) - len(cells))]
                    yield reader.line_num, dict(zip(self.header, padded, strict=False))

    def _json_header(self) -> list[str]:
        names: dict[str, None] = {}
        for _, cells in self._json_rows():
            names.update(dict.fromkeys(cells))
        if not names:
            raise Invalid("the file is empty", str(self.path))
        return list(names)

    def _json_rows(self) -> Iterator[tuple[int, Mapping[str, Cell]]]:
        decoder = msgspec.json.Decoder(dict[str, str | int | float | bool | list | dict | None])  # type: ignore[type-arg]  # nested values are passed over
        with self._open() as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    cells = decoder.decode(line)
                except msgspec.MsgspecError as error:
                    raise Invalid(f"not a JSON object: {error}", f"{self.path} line {number}") from error
                yield number, {k: v for k, v in cells.items() if not isinstance(v, list | dict)}


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is, else the Czech Windows code page."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            while file.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1250"
    return "utf-8-sig"
