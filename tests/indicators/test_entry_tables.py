# SPDX-License-Identifier: EUPL-1.2
"""Tables as offices make them, CSV and XLSX; what cannot be read names row, column and cure."""

import io
import re
import zipfile
from datetime import date, datetime

import openpyxl  # type: ignore[import-untyped]  # ships no type information
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.errors import Invalid
from hub.indicators.entry_forms import Form
from hub.indicators.entry_tables import MOST_ROWS, Fault, Row, read_sheet
from tests.indicators.entered import workbook

PLAIN = 'indicator,place,period,value,source,reason\r\nbudget,havirov,2025,1234.5,"Rozpočet, s. 7",\r\n'
CZECH = "Ukazatel;Místo;Období;Hodnota;Zdroj;Důvod\r\nbudget;havirov;2025;1 234,5;Rozpočet, s. 7;\r\n"
FORM = Form("budget", "havirov", "2025", 1234.5, "Rozpočet, s. 7")
HEAD = ("indicator", "place", "period", "value", "source")

FILES = {
    "comma": PLAIN.encode(),
    "comma with BOM": PLAIN.encode("utf-8-sig"),
    "Czech Excel with BOM": CZECH.encode("utf-8-sig"),
    "Czech with hard blanks": CZECH.replace("1 234", "1\u00a0234").encode(),
    "Czech with points": CZECH.replace("1 234,5", "1234.5").encode(),
    "names without diacritics, another order": (
        "ZDROJ;obdobi;misto;ukazatel;hodnota\nRozpočet, s. 7;2025;havirov;budget;1234,5\n".encode()
    ),
    "tabs": CZECH.replace(";", "\t").encode(),
    "lines of Unix": PLAIN.replace("\r\n", "\n").encode(),
    "XLSX": workbook(HEAD, ("budget", "havirov", 2025, 1234.5, "Rozpočet, s. 7")),
    "XLSX with texts": workbook(HEAD, ("budget", "havirov", "2025", "1 234,5", "Rozpočet, s. 7"), (None, None), ()),
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_one_figure_in_all_the_forms_that_offices_write(content: bytes) -> None:
    found = read_sheet(content)
    assert ([row.form for row in found.rows], found.faults) == ([FORM], [])


def test_windows_1250_is_read_and_told() -> None:
    found = read_sheet(CZECH.encode("cp1250"))
    assert [row.form for row in found.rows] == [FORM]
    assert found.notes == ("read as Windows-1250, because it is no UTF-8",)


def test_dates_stand_for_periods() -> None:
    rows = [(datetime(2025, 3, 1), "sheet"), (date(2025, 4, 1), "sheet")]  # noqa: DTZ001  as spreadsheets have them
    book = workbook(HEAD, *(("spent", "havirov", day, 1, source) for day, source in rows))
    assert [row.form.period for row in read_sheet(book).rows] == [date(2025, 3, 1), date(2025, 4, 1)]
    text = "ukazatel;místo;období;hodnota;zdroj\nspent;havirov;1. 3. 2025;1;x\nspent;havirov;2025-04;1;x\n"
    assert [row.form.period for row in read_sheet(text.encode()).rows] == [date(2025, 3, 1), "2025-04"]


def test_rows_keep_their_numbers_and_only_empty_ones_are_passed_over() -> None:
    text = "indicator,place,period,value,source\n\nbudget,havirov,2024,,\nbudget,havirov,2025,5,x\n"
    found = read_sheet(text.encode())
    assert (found.rows, found.faults, found.empty) == ([Row(4, Form("budget", "havirov", "2025", 5.0, "x"))], [], 2)


def test_what_keeps_spreadsheets_from_computing_a_text_is_taken_off() -> None:
    text = "indicator,place,period,value,source,note\nbudget,havirov,2025,5,'=A1,it's\n"
    form = read_sheet(text.encode()).rows[0].form
    assert (form.source, form.note) == ("=A1", "it's")


ROW_FAULTS = {
    "no figure": ("budget,havirov,2025,,x", "value", "is missing (a formula whose result was not saved"),
    "several missing": ("budget,,2025,,x", "place, value", "are missing"),
    "no number": ("budget,havirov,2025,seven,x", "value", "'seven' is no number: write it like 1234.5"),
    "decimal comma": ('budget,havirov,2025,"1,5",x', "value", "'1,5' is no number: write it like 1234.5"),
    "percent sign": ("budget,havirov,2025,12 %,x", "value", "'12 %' is no number: write it like 1234.5"),
    "no such date": ("budget,havirov,31.2.2025,5,x", "period", "'31.2.2025' is no date: "),
    "a cell too many": ("budget,havirov,2025,5,x,y", None, "cell 6 stands under no column name: 'y'"),
}  # fmt: skip


@pytest.mark.parametrize(("row", "column", "problem"), ROW_FAULTS.values(), ids=ROW_FAULTS)
def test_a_row_that_cannot_be_read_names_column_and_cure(row: str, column: str | None, problem: str) -> None:
    (fault,) = read_sheet(f"indicator,place,period,value,source\n{row}\n".encode()).faults
    assert fault[:2] == (2, column)
    assert fault.problem.startswith(problem)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (True, "True is no number"),
        (date(2025, 3, 1), "2025-03-01 .* is no number: format the cell"),
        ("#REF!", "no num"),
    ],
)
def test_cells_of_another_kind_are_no_figures(value: object, problem: str) -> None:
    found = read_sheet(workbook(HEAD, ("budget", "havirov", 2025, value, "x")))
    assert re.search(problem, found.faults[0].problem)


def test_a_percentage_and_a_time_of_day_are_refused() -> None:
    rows = [("budget", "havirov", 2025, 0.12, "x"), ("spent", "havirov", datetime(2025, 3, 1, 12), 5, "x")]  # noqa: DTZ001
    assert read_sheet(workbook(HEAD, *rows, percent="D2")).faults == [
        Fault(2, "value", "'12 %' is no number: write it like 1234,5"),
        Fault(3, "period", "2025-03-01 12:00:00 is a time of day; write the period, such as 2025 or 2025-03"),
    ]


def packed(size: int) -> bytes:
    """A zip that unpacks to much more."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(2):
            file.writestr(f"xl/worksheets/sheet{number}.xml", b" " * (size // 2))
    return out.getvalue()


def far(number: int) -> bytes:
    """A workbook with a header, and a figure in the row of this number."""
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    for column, cell in enumerate(("budget", "havirov", 2025, 5, "x"), 1):
        book.active.cell(number, column, cell)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


WHOLE = {
    "nothing": (b"", "file: is empty; the first row names the columns"),
    "an unknown column": (b"indicator,place,period,value,source,author\n", "row 1: there is no column 'author'; there"),
    "a column twice": (b"indicator;ukazatel\n", "row 1: the column indicator stands there twice"),
    "columns missing": (b"indicator,place,period\n", r"row 1: the columns value, source \(hodnota, zdroj\) are"),
    "UTF-16": ("indicator".encode("utf-16"), "the columns place, period, value, source .* are missing"),
    "old Excel": (b"\xd0\xcf\x11\xe0 and so on", "file: is an old or encrypted Excel file: save it as XLSX"),
    "another zip": (packed(10), "file: cannot be read as XLSX: save it again"),
    "a broken zip": (b"PK\x03\x04 nothing", "file: cannot be read as XLSX: save it again"),
    "a zip bomb": (packed(65 * 2**20), "file: unpacks to more than 64 MiB"),
    "an open quotation mark": (b'indicator,place\n"x', "file: is no CSV: "),
    "no text at all": (b"\x81\x83\x88 \xff", "file: is text neither in UTF-8 nor in Windows-1250"),
    "rows too far down": (far(MOST_ROWS + 2), "file: has more than 5000 rows: divide it"),
    "too many rows": (
        b"indicator,place,period,value,source\n" + b"a,b,2025,1,x\n" * (MOST_ROWS + 1), "file: has more than 5000 rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), WHOLE.values(), ids=WHOLE)
def test_a_file_that_cannot_be_read_says_what_to_do(content: bytes, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        read_sheet(content)


def test_the_first_sheet_counts_and_that_there_are_others_is_told() -> None:
    book = openpyxl.load_workbook(io.BytesIO(FILES["XLSX"]))
    book.create_sheet("Poznámky").append(["anything"])
    out = io.BytesIO()
    book.save(out)
    found = read_sheet(out.getvalue())
    assert ([row.form for row in found.rows], found.notes) == ([FORM], ("read the first of 2 sheets, 'Sheet'",))


def test_a_figure_far_down_is_found_in_its_row() -> None:
    found = read_sheet(far(MOST_ROWS + 1))
    assert ([row.number for row in found.rows], found.empty) == ([MOST_ROWS + 1], MOST_ROWS - 1)


BROKEN = st.builds(lambda at, byte, cut: _damaged(FILES["XLSX"], at, byte, cut), *[st.integers(0, 10_000)] * 3)


def _damaged(content: bytes, at: int, byte: int, cut: int) -> bytes:
    changed = bytearray(content)
    changed[at % len(content)] = byte % 256
    return bytes(changed[: max(2, len(content) - cut // 100)])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | BROKEN)
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes) -> None:
    try:
        read_sheet(content)
    except Invalid as error:
        assert error.where in ("file", "row 1")
