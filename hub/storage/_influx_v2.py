# SPDX-License-Identifier: EUPL-1.2
"""Writing to InfluxDB 2.x and later, and whatever else speaks `/api/v2/write`, through influxdb-client.

The client blocks, so it lives in one thread of its own. Writes are SYNCHRONOUS: its default batching `write()` returns
normally with the server down. Its own retries are off; the hub's caller knows better when to try again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hub.core.errors import HubError, SettingsError
from hub.storage._influx_errors import away, reaction, words_of
from hub.storage._influx_settings import InfluxSettings

try:
    from influxdb_client.client.exceptions import InfluxDBError
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.domain.dbrp_create import DBRPCreate
    from influxdb_client.domain.write_precision import WritePrecision
    from influxdb_client.service.dbr_ps_service import DBRPsService
    from urllib3.exceptions import HTTPError
except ImportError as missing:
    raise SettingsError("influx.version", "InfluxDB 2.x needs the extra: pip install 'cityhub[influx]'") from missing

T = TypeVar("T")


class V2Writer:
    """A `LineWriter` on influxdb-client."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="influx-write")
        self._client = _client(settings)
        self._writes = self._client.write_api(write_options=SYNCHRONOUS)

    async def prepare(self) -> None:
        """Stop where the bucket is missing; map the database of InfluxQL to it where nothing does yet."""
        await self._run(self._prepare)

    async def write(self, lines: bytes) -> None:
        """Return when the server has answered that the lines are stored."""
        bucket, org = self._settings.bucket_name, self._settings.org
        await self._run(lambda: self._writes.write(bucket, org, lines, WritePrecision.NS))

    async def close(self) -> None:
        """Close the client's connections."""
        await self._run(self._close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except InfluxDBError as error:
            raise self._wrap(error) from error
        except HTTPError as error:
            raise away(error, self._settings) from error

    def _wrap(self, error: Any) -> HubError:
        status = getattr(error, "status", None) or getattr(error.response, "status", None) or 500
        headers = dict(getattr(error, "headers", None) or {})
        return reaction(int(status), headers, words_of(getattr(error, "body", "") or "", headers), self._settings, "2")

    def _prepare(self) -> None:
        name, database = self._settings.bucket_name, self._settings.database
        bucket = self._client.buckets_api().find_bucket_by_name(name)
        if bucket is None:
            raise SettingsError(
                "influx.bucket", f"InfluxDB at {self._settings.url} has no bucket {name!r}: make it there"
            )
        mappings = _untyped(DBRPsService)(self._client.api_client)
        found = mappings.get_dbr_ps(org_id=bucket.org_id, db=database).content or []
        if any(mapping.bucket_id == bucket.id for mapping in found):
            return
        if found:
            raise SettingsError(
                "influx.database", f"the DBRP mapping of {database!r} leads to another bucket than {name!r}"
            )
        policy = self._settings.retention_policy or "autogen"
        try:
            mappings.post_dbrp(
                _untyped(DBRPCreate)(
                    org_id=bucket.org_id, bucket_id=bucket.id, database=database, retention_policy=policy, default=True
                )
            )
        except InfluxDBError as error:
            hint = f"influx v1 dbrp create --db {database} --rp {policy} --bucket-id {bucket.id} --default"
            raise SettingsError("influx.token", f"may not make the DBRP mapping for reading; run: {hint}") from error

    def _close(self) -> None:
        self._writes.close()
        self._client.close()


def _client(settings: InfluxSettings) -> Any:
    trust = {"ssl_ca_cert": settings.ca_file} if settings.ca_file else {}
    timeout_ms = round(settings.timeout_s * 1000)
    return _untyped(InfluxDBClient)(
        settings.url, settings.token, org=settings.org, timeout=timeout_ms, retries=False, **trust
    )


def _untyped(name: Any) -> Any:
    """The package ships a marker of type information, but its generated half has none."""
    return name
