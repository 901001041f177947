# SPDX-License-Identifier: EUPL-1.2
"""Columns of a recorded table become messages; what does not fit is named with line and column."""

import json
from pathlib import Path

import pytest

from hub.commands.replay import check
from hub.commands.replay_mapping import Column, Plan, ReplayMapping, Row, Valid, parse_column, read_mapping
from hub.commands.replay_table import Table
from hub.core.errors import Invalid
from hub.core.quantities import Quantities

QUANTITIES = Quantities.load()
PM10 = {"pm10": Column("pm10", "ug/m3")}


def rows(table: Table, mapping: ReplayMapping) -> list[dict[str, object]]:
    """Messages of a table as JSON, with their topic; errors as text."""
    found = []
    for row in Plan(mapping, table.header, QUANTITIES).rows(table):
        if isinstance(row, Row):
            found.append({"topic": row.publication.topic, **json.loads(row.publication.payload)})
        else:
            found.append({"error": str(row)})
    return found


def table(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Table:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Table(file)


def test_a_row_becomes_a_native_message_marked_imported(tmp_path: Path) -> None:
    given = table(tmp_path, "start,pm10\n2023-01-01T01:00,46\n")
    mapping = ReplayMapping(device="THARA", time="start", zone="+01:00", columns=PM10)
    assert rows(given, mapping) == [
        {
            "topic": "devices/THARA/readings",
            "time": "2023-01-01T00:00:00Z",
            "readings": {"pm10": {"value": 46.0, "unit": "ug/m3"}},
            "origin": "imported",
        }
    ]


def test_stamps_at_the_end_of_the_interval_are_moved_to_its_start(tmp_path: Path) -> None:
    given = table(tmp_path, "t,pm10\n2018-06-15T09:00:00Z,5\n")
    mapping = ReplayMapping(device="A", time="t", stamp="end", period="PT1H", columns=PM10)
    assert [row["time"] for row in rows(given, mapping)] == ["2018-06-15T08:00:00Z"]


def test_empty_cells_are_not_measured_and_empty_rows_send_nothing(tmp_path: Path) -> None:
    given = table(tmp_path, "time,pm10,no2\n2023-01-01T00:00Z,,7\n2023-01-01T01:00Z,,NA\n")
    mapping = ReplayMapping(device="A", columns={**PM10, "no2": Column("no2")})
    assert [row["readings"] for row in rows(given, mapping)] == [{"no2": 7.0}]


def test_values_that_the_source_calls_invalid_are_left_out(tmp_path: Path) -> None:
    given = table(tmp_path, "time,pm10,ok\n2023-01-01T00:00Z,5,1\n2023-01-01T01:00Z,6,-1\n")
    mapping = ReplayMapping(device="A", columns={"pm10": Column("pm10", valid=Valid("ok", (1, 2)))})
    assert [row["readings"] for row in rows(given, mapping)] == [{"pm10": 5.0}]


@pytest.mark.parametrize(
    "text",
    [
        "time;pm10\n2023-01-01T00:00Z;12,5\n",
        "time\tpm10\n2023-01-01T00:00Z\t12.5\n",
        "\ufefftime,pm10\r\n2023-01-01T00:00Z,12.5\r\n",
        'time,pm10\n"2023-01-01T00:00Z"," 12.5 "\n',
        "time,pm10,note\n2023-01-01T00:00Z,12.5,Šumbark\n".encode("cp1250"),
    ],
    ids=["semicolon", "tab", "bom-crlf", "quoted", "cp1250"],
)
def test_csv_as_spreadsheets_write_it(tmp_path: Path, text: str | bytes) -> None:
    mapping = ReplayMapping(device="A", columns={"pm10": Column("pm10")})
    assert [row["readings"] for row in rows(table(tmp_path, text), mapping)] == [{"pm10": 12.5}]


def test_json_lines_with_the_device_in_a_field(tmp_path: Path) -> None:
    text = '{"id": "x1", "time": "2023-01-01T00:00:00Z", "pm10": 1.5, "extra": {"a": 1}}\n\n{"id": "x2", "time": 7}\n'
    given = table(tmp_path, text, "t.jsonl")
    mapping = ReplayMapping(device_column="id", device_prefix="d-", columns={"pm10": Column("pm10")})
    assert [row["topic"] for row in rows(given, mapping)] == ["devices/d-x1/readings"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2023-01-01T00:00Z,abc", ["line 2", "column pm10", "'abc'"]),
        ("2023-01-01T00:00Z,inf", ["line 2", "column pm10", "finite"]),
        ("yesterday,1", ["line 2", "column time", "'yesterday'"]),
        ("2023-01-01T00:00,1", ["line 2", "column time", "zone"]),
    ],
)
def test_a_row_at_fault_is_named_with_line_and_column(tmp_path: Path, line: str, words: list[str]) -> None:
    [found] = rows(table(tmp_path, f"time,pm10\n{line}\n"), ReplayMapping(device="A", columns=PM10))
    assert all(word in str(found["error"]) for word in words), found


@pytest.mark.parametrize(
    ("mapping", "word"),
    [
        (ReplayMapping(device="A", columns={"pm11": Column("pm10")}), "pm11"),
        (ReplayMapping(device="A", columns={"pm10": Column("pm_10")}), "pm_10"),
        (ReplayMapping(device="A", columns={"pm10": Column("pm10", "parsec")}), "parsec"),
        (ReplayMapping(device="A", columns={"pm10": Column("pm10"), "no2": Column("pm10")}), "both pm10"),
        (ReplayMapping(device="A", time="when", columns=PM10), "when"),
        (ReplayMapping(device="a/b", columns=PM10), "a/b"),
        (ReplayMapping(columns=PM10), "device"),
        (ReplayMapping(device="A"), "no column"),
        (ReplayMapping(device="A", stamp="end", columns=PM10), "period"),
        (ReplayMapping(device="A", zone="Mars/Olympus", columns=PM10), "Mars/Olympus"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_before_anything_is_sent(
    tmp_path: Path, mapping: ReplayMapping, word: str
) -> None:
    given = table(tmp_path, "time,pm10,no2\n2023-01-01T00:00Z,1,2\n")
    with pytest.raises(Invalid) as caught:
        Plan(mapping, given.header, QUANTITIES)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("t.csv", "", "empty"),
        ("t.csv", "a,b,a\n1,2,3\n", "'a' stands twice"),
        ("t.jsonl", "[1]\n", "line 1"),
        ("t.jsonl", "", "empty"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, name: str, text: str, word: str) -> None:
    with pytest.raises(Invalid, match=word):
        table(tmp_path, text, name)


def test_the_mapping_file_names_the_key_at_fault() -> None:
    with pytest.raises(Invalid, match=r"m\.yaml.*colunms"):
        read_mapping("device: A\ncolunms: {}\n", "m.yaml")


def test_columns_of_the_command_line() -> None:
    assert parse_column("PM 10=pm10:ug/m3") == ("PM 10", Column("pm10", "ug/m3"))
    with pytest.raises(Invalid, match="pm10"):
        parse_column("pm10")


def test_the_check_counts_what_would_be_sent(tmp_path: Path) -> None:
    given = table(tmp_path, "time,pm10\n2023-01-01T01:00Z,1\n2023-01-01T00:00Z,2\n2023-01-01T02:00Z,x\n")
    found = check(Plan(ReplayMapping(device="A", columns=PM10), given.header, QUANTITIES), given)
    assert (found.messages, found.readings, found.devices, found.bad) == (2, 2, ("A",), 1)
    assert found.first < found.last


@pytest.mark.parametrize(
    ("stamp", "words"),
    [
        ("2024-03-31T02:30", "skipped"),
        ("2024-10-27T02:30", "twice"),
        ("1985-01-01T00:00", "before 2000"),
        ("2099-01-01T00:00", "future"),
    ],
)
def test_times_that_never_were_or_are_not_clear_are_rows_at_fault(tmp_path: Path, stamp: str, words: str) -> None:
    given = table(tmp_path, f"time,pm10\n{stamp},1\n")
    [found] = rows(given, ReplayMapping(device="A", zone="Europe/Prague", columns=PM10))
    assert words in str(found["error"])


@pytest.mark.parametrize(("meant", "utc"), [("earlier", "00:30"), ("later", "01:30")])
def test_the_mapping_may_say_which_of_the_repeated_hours_is_meant(tmp_path: Path, meant: str, utc: str) -> None:
    given = table(tmp_path, "time,pm10\n2024-10-27T02:30,1\n")
    mapping = ReplayMapping(device="A", zone="Europe/Prague", ambiguous=meant, columns=PM10)  # type: ignore[arg-type]
    assert [row["time"] for row in rows(given, mapping)] == [f"2024-10-27T{utc}:00Z"]


def test_an_unquoted_decimal_comma_is_a_row_at_fault_not_another_number(tmp_path: Path) -> None:
    given = table(tmp_path, "time,pm10\n2024-03-31T00:00:00Z,8,5\n")
    [found] = rows(given, ReplayMapping(device="A", columns=PM10))
    assert "3 cells instead of 2" in str(found["error"])
