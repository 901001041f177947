# SPDX-License-Identifier: EUPL-1.2
"""Writing to InfluxDB 2.x and later, and whatever else speaks `/api/v2/write`, through influxdb-client.

The client blocks, so it lives in one thread of its own. Writes are SYNCHRONOUS: its default batching `write()` returns
normally with the server down. Its own retries are off; the hub's caller knows better when to try again.

A retention policy is a bucket of its own here, `<bucket>_<policy>`, with a retention rule and a DBRP mapping, so that
InfluxQL reads it by the same name as in 1.x.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hub.core.errors import HubError, SettingsError
from hub.storage._influx_durations import shard_duration
from hub.storage._influx_errors import away, reaction, words_of
from hub.storage._influx_settings import InfluxSettings

try:
    from influxdb_client.client.exceptions import InfluxDBError
    from influxdb_client.client.influxdb_client import InfluxDBClient
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
    from influxdb_client.domain.dbrp_create import DBRPCreate
    from influxdb_client.domain.write_precision import WritePrecision
    from influxdb_client.service.dbr_ps_service import DBRPsService
    from urllib3.exceptions import HTTPError
except ImportError as missing:
    raise SettingsError("influx.version", "InfluxDB 2.x needs the extra: pip install 'cityhub[influx]'") from missing

T = TypeVar("T")
_NS = 10**9


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

    async def policies(self) -> Mapping[str, int]:
        """Further DBRP mappings of the database, with the retention of their buckets in ns."""
        return await self._run(self._policies)

    async def keep(self, policy: str, duration: int) -> None:
        """Make or alter a bucket, and map it."""
        await self._run(lambda: self._keep(policy, duration))

    async def write(self, lines: bytes, policy: str = "") -> None:
        """Return when the server has answered that the lines are stored."""
        bucket, org = self._bucket_of(policy), self._settings.org
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
        self._map(bucket, self._settings.retention_policy or "autogen", default=True)

    def _map(self, bucket: Any, policy: str, *, default: bool) -> None:
        database = self._settings.database
        try:
            _untyped(DBRPsService)(self._client.api_client).post_dbrp(
                _untyped(DBRPCreate)(
                    org_id=bucket.org_id,
                    bucket_id=bucket.id,
                    database=database,
                    retention_policy=policy,
                    default=default,
                )
            )
        except InfluxDBError as error:
            hint = f"influx v1 dbrp create --db {database} --rp {policy} --bucket-id {bucket.id}"
            hint += " --default" if default else ""
            raise SettingsError("influx.token", f"may not make the DBRP mapping for reading; run: {hint}") from error

    def _bucket_of(self, policy: str) -> str:
        return f"{self._settings.bucket_name}_{policy}" if policy else self._settings.bucket_name

    def _mappings(self) -> Mapping[str, Any]:
        """DBRP mappings of the database to further buckets, by retention policy."""
        bucket = self._client.buckets_api().find_bucket_by_name(self._settings.bucket_name)
        found = _untyped(DBRPsService)(self._client.api_client).get_dbr_ps(
            org_id=bucket.org_id, db=self._settings.database
        )
        return {m.retention_policy: m for m in found.content or [] if m.bucket_id != bucket.id}

    def _policies(self) -> Mapping[str, int]:
        buckets = self._client.buckets_api()
        return {
            policy: sum(rule.every_seconds for rule in buckets.find_bucket_by_id(mapping.bucket_id).retention_rules)
            * _NS
            for policy, mapping in self._mappings().items()
        }

    def _keep(self, policy: str, duration: int) -> None:
        buckets, name = self._client.buckets_api(), self._bucket_of(policy)
        rules = _untyped(BucketRetentionRules)(
            type="expire",
            every_seconds=duration // _NS,
            shard_group_duration_seconds=shard_duration(duration) // _NS,
        )
        try:
            bucket = buckets.find_bucket_by_name(name)
            if bucket is None:
                main = buckets.find_bucket_by_name(self._settings.bucket_name)
                bucket = buckets.create_bucket(bucket_name=name, retention_rules=rules, org=main.org_id)
            else:
                bucket.retention_rules = [rules]
                buckets.update_bucket(bucket)
        except InfluxDBError as error:
            if getattr(error.response, "status", None) not in (401, 403):
                raise
            raise SettingsError(
                "influx.token", f"may not make or alter bucket {name!r}, which section retention needs: {error}"
            ) from error
        if policy not in self._mappings():
            self._map(bucket, policy, default=False)

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
