# SPDX-License-Identifier: EUPL-1.2
"""Samples: what a connector promises, as files beside it.

`samples/NAME.in.EXT` is a payload, byte for byte. Beside it stands either `NAME.out.json`, what it must decode to, or
`NAME.err`: a reason code on the first line, then fragments that the detail must contain, one a line. Its topic is in
`NAME.topic`; without that file it is the connector's first topic, each variable replaced by its own name. A family
that is configured has one folder per configuration instead: `samples/STEM/mapping.*` and the samples beside it.

Running a sample decodes it with `received` 0 and compares; nothing is written, so expectations stay hand-made.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from hub.core.errors import DecodeError
from hub.sdk._types import ConfigurableConnector, Connector, Decoded, DeviceEvent, RawMessage, Reading, Uplink, singly
from hub.sdk.discovery import configured
from hub.sdk.times import rfc3339
from hub.sdk.topics import Router

_TIMES = ("time", "server_time")


class Sample(Struct, frozen=True):
    """One payload file with its expectation."""

    connector: Connector
    payload: Path

    @property
    def name(self) -> str:
        """What the sample is called in test reports."""
        return f"{self.connector.name}/{self._stem}"

    @property
    def topic(self) -> str:
        """The topic it arrived on."""
        file = self._beside("topic")
        return (
            file.read_text(encoding="utf-8").strip() if file.exists() else re.sub(r"[{}]", "", self.connector.topics[0])
        )

    def problem(self) -> str | None:
        """None when the connector keeps its promise, else what differs."""
        route = Router([self.connector]).match(self.topic)
        if route is None:
            return f"topic {self.topic!r} is none of {', '.join(self.connector.topics)}"
        message = RawMessage(self.topic, self.payload.read_bytes())
        try:
            decoded = list(self.connector.decode(message, route.variables))
        except DecodeError as error:
            return self._compare_error(error)
        return self._compare(render(decoded))

    def _compare(self, got: list[dict[str, Any]]) -> str | None:
        file = self._beside("out.json")
        if not file.exists():
            return f"{file.name} is missing; it decodes to {json.dumps(got, ensure_ascii=False)}"
        want = json.loads(file.read_text(encoding="utf-8"))
        return None if got == want else f"decodes to\n{json.dumps(got, indent=2, ensure_ascii=False)}"

    def _compare_error(self, error: DecodeError) -> str | None:
        file = self._beside("err")
        if not file.exists():
            return f"is refused with {error.reason}: {error.detail}"
        reason, *fragments = file.read_text(encoding="utf-8").strip().splitlines()
        missing = [fragment for fragment in fragments if fragment not in error.detail]
        if error.reason == reason and not missing:
            return None
        return f"is refused with {error.reason}: {error.detail}; expected {reason} with {missing or fragments}"

    @property
    def _stem(self) -> str:
        return self.payload.name.partition(".in.")[0]

    def _beside(self, suffix: str) -> Path:
        return self.payload.with_name(f"{self._stem}.{suffix}")


def find_samples(connector: Connector | ConfigurableConnector, folder: Path) -> tuple[Sample, ...]:
    """All samples of a connector; `folder` is its `samples` folder. ValueError when an expectation has no payload."""
    if isinstance(connector, ConfigurableConnector):
        return tuple(sample for stem in _folders(folder) for sample in _configured_samples(connector, stem))
    payloads = sorted(folder.glob("*.in.*"))
    expected = {file.name.partition(".")[0] for pattern in ("*.out.json", "*.err") for file in folder.glob(pattern)}
    orphans = expected - {payload.name.partition(".")[0] for payload in payloads}
    if orphans:
        raise ValueError(f"{folder}: no payload .in.* for {', '.join(sorted(orphans))}")
    return tuple(Sample(connector, payload) for payload in payloads)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir())


def _configured_samples(family: ConfigurableConnector, folder: Path) -> Iterator[Sample]:
    for mapping in folder.glob("mapping.*"):
        yield from find_samples(configured(family, folder.name, mapping.read_text(encoding="utf-8")), folder)


def render(decoded: Iterable[Decoded]) -> list[dict[str, Any]]:
    """What was decoded as JSON data: times in RFC 3339, fields at their default left out."""
    return [_render(item) for item in singly(decoded)]


def _render(item: Reading | DeviceEvent | Uplink) -> dict[str, Any]:
    defaults = {field.name: field.default for field in structs.fields(item)}
    shown = {k: v for k, v in structs.asdict(item).items() if v != defaults[k]}
    shown = {k: rfc3339(v) if k in _TIMES else v for k, v in shown.items()}
    if isinstance(item, Uplink):
        return {"uplink": {**shown, "gateways": list(item.gateways)}}
    return shown if isinstance(item, Reading) else {"event": shown.pop("kind"), **shown}
