# SPDX-License-Identifier: EUPL-1.2
"""Writes the dashboards as JSON, or with --check says which committed file is not what the code makes.

python -m dashboards.build [--city FILE] [--out FOLDER] [--check]
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dashboards import air_by_part
from dashboards._sdk import JSONEncoder
from hub.core.quantities import Quantities
from hub.devices.city import City, load_city
from hub.indicators.catalogue import load_catalogue

FOLDER = Path(__file__).parent / "grafana" / "dashboards"


def render(city: City) -> Mapping[str, str]:
    """File name to JSON text of every dashboard."""
    definitions = load_catalogue(Quantities.load()).definitions
    boards = {"air-by-part.json": air_by_part.build(city.places, definitions, city.time_zone)}
    encoder = JSONEncoder(indent=2, sort_keys=True, ensure_ascii=False)
    return {name: encoder.encode(board.build()) + "\n" for name, board in boards.items()}


def stale(folder: Path, files: Mapping[str, str]) -> Sequence[str]:
    """Names of files that are missing, differ, or that no code makes."""
    there = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in files.keys() | there.keys() if files.get(name) != there.get(name))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line; returns 1 when --check finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m dashboards.build", description=__doc__)
    parser.add_argument("--city", type=Path, help="city configuration; default: the packaged one")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the JSON files")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args(argv)
    files = render(load_city(options.city))
    if options.check:
        different = stale(options.out, files)
        for name in different:
            sys.stderr.write(f"{options.out / name} is not what the code makes: run python -m dashboards.build\n")
        return 1 if different else 0
    options.out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        json.loads(text)  # never leave a file behind that Grafana cannot read
        (options.out / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
