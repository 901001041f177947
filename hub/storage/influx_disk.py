# SPDX-License-Identifier: EUPL-1.2
"""How much room the hub's database takes in InfluxDB, and where, as far as the server says so.

InfluxDB 1.x tells the size of every shard (`SHOW STATS`) and its directory (`SHOW DIAGNOSTICS`) to administrators; 2.x
and later tell neither over their API.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from hub.core.errors import HubError
from hub.storage._influx_http import Influx
from hub.storage._influx_settings import InfluxSettings


class InfluxDisk(NamedTuple):
    """Bytes of the database, and the directory on this machine, None where it is on another one."""

    bytes: int
    directory: Path | None


async def influx_disk(settings: InfluxSettings) -> InfluxDisk | None:
    """None where the server does not tell, or does not answer."""
    influx = Influx(settings)
    try:
        if not (await influx.version()).startswith("1."):
            return None
        sizes = [
            int(dict(zip(frame.columns, row, strict=True)).get("diskBytes") or 0)
            for frame in await influx.administer("SHOW STATS FOR 'shard'")
            if frame.tags.get("database") == settings.database
            for row in frame.values
        ]
        told = await influx.administer("SHOW DIAGNOSTICS FOR 'config-data'")
    except HubError:
        return None
    finally:
        await influx.close()
    named = [row[list(f.columns).index("dir")] for f in told if "dir" in f.columns for row in f.values]
    here = Path(str(named[0])) if named and _local(settings.url) else None
    return InfluxDisk(sum(sizes), here if here is not None and _there(here) else None)


def _local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _there(directory: Path) -> bool:
    """Whether the directory can be seen: a forwarded port or a container looks local and is not."""
    try:
        return directory.is_dir()
    except OSError:
        return False
