# SPDX-License-Identifier: EUPL-1.2
"""Device models from the command line."""

from typing import Any

import msgspec

from hub.app import Parts
from hub.commands._output import print_json, print_table
from hub.core.errors import NotFound
from hub.settings import Settings


def list_models(settings: Settings, text: str, *, json: bool) -> None:
    """Print models in order of manufacturer and name."""
    found = [m for m in Parts(settings).models.values() if text.casefold() in f"{m.id} {m.label}".casefold()]
    rows: list[dict[str, Any]] = [
        {"id": m.id, "model": m.label, "connector": m.connector or None, "interval": m.interval, "grade": m.grade,
         "quantities": [row.quantity for row in m.quantities]}
        for m in sorted(found, key=lambda model: (model.label, model.id))
    ]  # fmt: skip
    if json:
        print_json(rows)
        return
    print_table(
        "Device models",
        ["id", "model", "connector", "interval", "grade", "quantities"],
        [[*list(row.values())[:-1], ", ".join(row["quantities"])] for row in rows],
    )


def show_model(settings: Settings, model: str, *, json: bool) -> None:
    """Print all facts of a model; null where no evidence was found."""
    found = Parts(settings).models.get(model)
    if found is None:
        raise NotFound(f"no model {model!r}; `cityhub model list` names them", "model")
    facts = msgspec.to_builtins(found)
    if json:
        print_json(facts)
    else:
        rows = [(name, value if isinstance(value, str) else _told(value)) for name, value in facts.items()]
        print_table(found.label, ["fact", "value"], rows)


def _told(value: object) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()
