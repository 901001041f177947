# SPDX-License-Identifier: EUPL-1.2
"""Findings of quality control in InfluxDB, in the very points of the readings.

    <quantity>_qartod        integer: what quality control found, only where it found something
    <quantity>_qartod_test   string: the test that it is due to

They are the engine's fields; `<quantity>_qc` and `qc` stay ingest's, so that each field has one writer. A field once
written cannot be taken away: a reading that is good again gets 1 and "". `replace` asks first what stands there and
writes what differs. No path depends on DELETE.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from time import time_ns

from hub.core.ports import FlagStretch, QualityFinding
from hub.core.quantities import Quantities
from hub.core.readings import Flag, Series
from hub.storage import _influx_query as ql
from hub.storage._influx_http import Frame, Influx
from hub.storage._influx_lines import Scalar, fields_by_domain, head, line
from hub.storage._influx_retention import Clock, Policies
from hub.storage._influx_settings import InfluxSettings
from hub.storage._reading_key import FIRST_NS, LAST_NS

_LINES_A_REQUEST = 5_000
_FLAG, _TEST = "_qartod", "_qartod_test"
_GOOD = QualityFinding(Flag.GOOD, "")
_Found = dict[tuple[Series, int], QualityFinding]


class InfluxFlagStore:
    """A `FlagStore` in InfluxDB; connects at its first use. `keep`: how long (ns) a domain's readings are kept."""

    def __init__(
        self,
        settings: InfluxSettings,
        quantities: Quantities,
        *,
        keep: Mapping[str, int] | None = None,
        clock: Clock = time_ns,
    ) -> None:
        self._influx = Influx(settings)
        self._quantities = quantities
        domains = fields_by_domain(quantities)
        self._policies = Policies(
            self._influx, settings.retention_policy, domains, keep or {}, writer=False, clock=clock
        )

    async def replace(self, stretches: Sequence[FlagStretch]) -> None:
        """Make the stretches say this and nothing else. Raise Retry, or Stop where InfluxDB refuses a line."""
        await self._policies.ready()
        for some in ql.batches(stretches, ql.STATEMENTS_A_REQUEST):
            stood = await self._read(some)
            wanted: _Found = {(s.series, time): found for s in some for time, found in s.findings.items()}
            gone = dict.fromkeys(stood.keys() - wanted.keys(), _GOOD)
            differs = {key: found for key, found in wanted.items() if stood.get(key) != found}
            lines = [self._line(*key, found) for key, found in sorted((gone | differs).items())]
            for part in ql.batches(lines, _LINES_A_REQUEST):
                await self._influx.write("\n".join(part).encode())

    async def findings(
        self, series: Sequence[Series], start: int, end: int
    ) -> Mapping[tuple[Series, int], QualityFinding]:
        """Findings on the series with start <= time < end (ns)."""
        await self._policies.ready()
        return await self._read([FlagStretch(s, start, end, {}) for s in series])

    async def close(self) -> None:
        """Release connections."""
        await self._influx.close()

    async def _read(self, stretches: Sequence[FlagStretch]) -> _Found:
        found: _Found = {}
        for some in ql.batches(list(self._statements(stretches)), ql.STATEMENTS_A_REQUEST):
            async for frame in self._influx.query(";".join(some)):
                found.update(_findings(frame))
        return found

    def _statements(self, stretches: Sequence[FlagStretch]) -> Iterator[str]:
        """One for the devices whose quantity is asked for in the same stretch."""
        alike: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        for s in stretches:
            if s.series.quantity in self._quantities:
                between = max(s.start, FIRST_NS), min(s.end - 1, LAST_NS)
                alike[s.series.quantity, *between].add(s.series.device)
        for (quantity, first, last), devices in alike.items():
            source = self._policies.source(str(self._quantities.get(quantity).domain))
            columns = [ql.identifier(quantity + suffix) for suffix in (_FLAG, _TEST)]
            for some in ql.batches(sorted(devices), ql.DEVICES_A_STATEMENT):
                yield ql.select(columns, source, some, (first, last))

    def _line(self, series: Series, time: int, found: QualityFinding) -> str:
        domain = str(self._quantities.get(series.quantity).domain)
        fields: dict[str, Scalar] = {series.quantity + _FLAG: int(found.flag), series.quantity + _TEST: found.test}
        return line(head(domain, {"device": series.device}), fields, time)


def _findings(frame: Frame) -> Iterator[tuple[tuple[Series, int], QualityFinding]]:
    """What still stands: a reading that became good again is none."""
    series = Series(frame.tags["device"], frame.columns[1].removesuffix(_FLAG))
    for time, flag, test, *_ in frame.values:
        if flag is not None and (flag, test or "") != _GOOD:
            yield (series, int(time or 0)), QualityFinding(int(flag), str(test or ""))
