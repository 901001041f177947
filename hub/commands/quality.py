# SPDX-License-Identifier: EUPL-1.2
"""Quality control from the command line: what the tests say about a table of readings."""

from pathlib import Path

import msgspec

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import Invalid
from hub.indicators.quality.on_table import CASES, cases, check_table
from hub.indicators.quality.trial import Params
from hub.indicators.table import read_table
from hub.settings import Settings


def check(
    settings: Settings, inputs: Path, quantity: str | None, *, test: str | None, params: str | None, json: bool
) -> None:
    """Print the flag of each row."""
    table = read_table(_text(inputs))
    if set(CASES) <= set(table.columns):
        _show_cases(cases(table), json=json)
        return
    if quantity is None and test is None:
        raise Invalid("name the quantity whose tests are to be made, or one test with its parameters", "quantity")
    parts = Parts(settings)
    if quantity is not None:
        parts.quantities.get(quantity)
    rows = check_table(table, quantity or "value", parts.rules(), parts.city().zone, test, _params(params))
    if json:
        print_json(rows)
        return
    columns = ("row", "device", "time", "value", "flag", "test")
    print_table(quantity or test or "", columns, [[getattr(row, name) for name in columns] for row in rows])


def _show_cases(found: object, *, json: bool) -> None:
    if json:
        print_json(found)
        return
    rows = msgspec.to_builtins(found)
    print_table("Cases", ("row", "test", "flags"), [[row[name] for name in ("row", "test", "flags")] for row in rows])


def _params(text: str | None) -> Params:
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, object])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Invalid(f'{text!r} is no JSON object such as {{"suspect": 25}}: {error}', "params") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(str(error), str(path)) from error
