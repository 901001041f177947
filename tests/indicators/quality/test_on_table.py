# SPDX-License-Identifier: EUPL-1.2
"""Quality control of tables from outside: what `cityhub quality check` prints."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.core.errors import Invalid
from hub.core.quantities import Quantities
from hub.core.windows import zone
from hub.indicators.quality import Rules, load_rules
from hub.indicators.quality.on_table import cases, check_table
from hub.indicators.table import read_table

HOURS = "\n".join(f"2026-01-01T{h:02d}:00,{v}" for h, v in enumerate(["10", "12", "900", "", "11", "-50"]))
TABLE = f"time,pm10\n{HOURS}\n"
CASES = 'test,params_json,values_json\nspike,"{""suspect"": 25, ""fail"": 50}","[10, 12, 999.99, null, 15]"\n'


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules(Quantities.load())


def test_all_tests_of_a_quantity(rules: Rules) -> None:
    rows = check_table(read_table(TABLE), "pm10", rules, zone("Europe/Prague"))
    assert [(row.flag, row.test) for row in rows] == [
        (1, None), (1, None), (3, "spike"), (9, None), (1, None), (4, "gross_range"),
    ]  # fmt: skip
    assert (rows[2].row, rows[2].value, rows[2].time) == (3, 900, "2026-01-01T02:00")


def test_one_test_on_each_device_of_a_table_in_any_order_of_devices(rules: Rules) -> None:
    text = "device,value\na,10\nb,500\na,99\nb,510\na,11\nb,520\n"
    rows = check_table(read_table(text), "value", rules, zone("UTC"), "spike", {"suspect": 20})
    assert [row.flag for row in rows] == [2, 2, 3, 1, 2, 2]
    assert [row.test for row in rows] == [None, None, "spike", None, None, None]


def test_a_table_of_cases() -> None:
    (case,) = cases(read_table(CASES))
    assert (case.test, list(case.flags)) == ("spike", [2, 4, 2, 9, 2])
    timed = read_table(
        'test,params_json,values_json,times_json\nrate_of_change,"{""threshold"": 1}","[0, 30, 90]","[0, 60, 90.5]"\n'
    )
    assert [list(c.flags) for c in cases(timed)] == [[1, 1, 3]]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("value\n1\n", "inputs"),
        ("time,pm2_5\n2026-01-01T00:00Z,1\n", "inputs"),
        ("time,value\nyesterday,1\n", "row 1"),
        ("time,value\n2026-01-01T00:00Z,1\n2026-01-01T00:00Z,1\n", "row 2"),
        ("time,value\n2026-01-01T00:00Z,much\n", "row 1, column value"),
    ],
)
def test_what_is_wrong_with_a_table_is_named(rules: Rules, text: str, named: str) -> None:
    with pytest.raises(Invalid) as error:
        check_table(read_table(text), "pm10", rules, zone("UTC"))
    assert error.value.where == named


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ('spike,{,"[1]"', "row 1"),
        ('spike,3,"[1]"', "row 1, column params_json"),
        ('spike,{},"[""a""]"', "row 1, column values_json"),
    ],
)
def test_what_is_wrong_with_a_case_is_named(row: str, named: str) -> None:
    with pytest.raises(Invalid) as error:
        cases(read_table(f"test,params_json,values_json\n{row}\n"))
    assert error.value.where == named


def test_the_command_prints_json_for_scripts(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(TABLE)
    (tmp_path / "cases.csv").write_text(CASES)
    run = CliRunner().invoke
    told = run(app, ["quality", "check", "--inputs", str(tmp_path / "in.csv"), "--quantity", "pm10", "--json"])
    assert told.exit_code == 0
    assert '"flag": 3' in told.stdout
    told = run(app, ["quality", "check", "--inputs", str(tmp_path / "cases.csv"), "--json"])
    assert told.stdout.replace("\n", "").replace(" ", "") == '[{"row":1,"test":"spike","flags":[2,4,2,9,2]}]'
