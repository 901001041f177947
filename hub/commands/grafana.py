# SPDX-License-Identifier: EUPL-1.2
"""Dashboards from the command line: this city's, written to files or pushed into a running Grafana."""

from pathlib import Path

from hub.app import Parts
from hub.core.errors import Invalid
from hub.settings import Settings


def push_dashboards(settings: Settings, url: str, token_file: Path) -> None:
    """Create or replace the dashboards of this city in a running Grafana."""
    try:
        from dashboards.build import render
        from dashboards.push import push
    except ImportError as error:
        raise Invalid(f"{error.name} is missing: pip install 'cityhub[grafana]'", "dashboards") from error
    try:
        token = token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Invalid(str(error), "--token-file") from error
    for address in push(url, token, render(Parts(settings).city())):
        print(f"{url.rstrip('/')}{address}")


def build_dashboards(settings: Settings, out: Path) -> None:
    """Write the dashboards of this city as JSON for Grafana's provisioning."""
    try:
        from dashboards.build import render
    except ImportError as error:
        raise Invalid(f"{error.name} is missing: pip install 'cityhub[grafana]'", "dashboards") from error
    out.mkdir(parents=True, exist_ok=True)
    for name, text in render(Parts(settings).city()).items():
        (out / name).write_text(text, encoding="utf-8")
        print(out / name)
