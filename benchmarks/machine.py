# SPDX-License-Identifier: EUPL-1.2
"""What the operating system says of processes, and what machine and versions these are. Linux."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import psutil

from hub import __version__
from hub.transport.embedded import find_binary

_PACKAGES = ("paho-mqtt", "msgspec", "orjson", "uvloop", "httpx", "influxdb-client", "sqlalchemy", "numpy")


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time charged to the processes so far, of all their threads; also of one that has just ended."""
    total = 0.0
    for pid in pids:
        times = psutil.Process(pid).cpu_times()
        total += times.user + times.system
    return total


def pss_bytes(pids: Iterable[int]) -> int:
    """Proportional set size of the processes: pages that they share are counted once."""
    return sum(int(psutil.Process(pid).memory_full_info().pss) for pid in pids)


def is_running(pid: int) -> bool:
    """Whether the process still works; one that ended and was not waited for does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def is_connected(pid: int, port: int) -> bool:
    """Whether the process has a TCP connection to `port` on this machine."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return False
    return any(c.raddr and c.raddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in connections)


def facts() -> dict[str, object]:
    """The machine, without its name."""
    model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return {
        "cpu": model[1] if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of everything that takes part."""
    found = {"cityhub": __version__, "python": platform.python_version()}
    found |= {name: version(name) for name in _PACKAGES}
    found["mosquitto"] = _said(["mosquitto", "-h"], r"mosquitto version ([^\s]+)")
    found["influxdb"] = _said(["influxd", "version"], r"v([^\s]+)")
    found["nats-server"] = _said([str(find_binary()), "--version"], r"v([^\s]+)")
    return found


def _said(command: list[str], pattern: str) -> str:
    search = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    binary = shutil.which(command[0], path=search)
    if binary is None:
        return "not installed"
    done = subprocess.run([binary, *command[1:]], capture_output=True, text=True, timeout=20, check=False)
    match = re.search(pattern, done.stdout + done.stderr)
    return match[1] if match else "unknown"
