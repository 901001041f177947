# SPDX-License-Identifier: EUPL-1.2
"""The guide's example is a connector that works."""

import json
import re
from pathlib import Path

from hub.sdk import Connector, RawMessage, Router, render


def test_the_example_of_the_guide_decodes_the_sample_of_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "adding-a-connector.md").read_text(encoding="utf-8")
    code, expected = (re.search(rf"```{kind}\n(.*?)```", guide, re.DOTALL) for kind in ("python", "json"))
    assert code
    assert expected
    module: dict[str, object] = {}
    exec(code[1], module)  # the guide is ours
    connector = module["CONNECTOR"]
    assert isinstance(connector, Connector)
    route = Router([connector]).match("wmbusmeters/meter")
    assert route is not None
    payload = b'{"total_m3": 123.4, "timestamp": "2026-11-23T10:00:00Z", "name": "unread"}'
    decoded = list(connector.decode(RawMessage("wmbusmeters/meter", payload), route.variables))
    assert render(decoded) == json.loads(expected[1])
