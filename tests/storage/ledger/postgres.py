# SPDX-License-Identifier: EUPL-1.2
"""A real PostgreSQL on a free loopback port, of its own files, stopped and forgotten afterwards.

PostgreSQL refuses to run as root, so as root its programs run as the user `postgres` that its package brings.
Without the programs the test is skipped, saying so; where CI is set it fails.
"""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.servers import free_port

USER, PASSWORD = "hub", "correct-horse"
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=60")


class Postgres:
    """A running server; `database` makes an empty one, or a copy of `template`, and returns its URL."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._numbers = itertools.count()

    def url(self, database: str, user: str = USER, password: str = PASSWORD) -> str:
        """URL as an operator would write it in the settings."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def database(self, template: str = "template0") -> str:
        """Make a database; returns its name."""
        name = f"ledger_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def execute(self, sql: str, database: str = "postgres") -> None:
        """Run one statement outside of any transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(sql.encode())


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server; the `with` block ends it."""
    programs = _programs()
    with tempfile.TemporaryDirectory(prefix="cityhub-pg-") as folder:
        home = Path(folder)
        (home / "password").write_text(PASSWORD)
        _give_to_postgres(home)
        data = str(home / "data")
        _run(programs, "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", "--pwfile", str(home / "password"),
             "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        port = _start(programs, home)
        try:
            yield Postgres(port)
        finally:
            _run(programs, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")


def _start(programs: Path, home: Path) -> int:
    """Start on a free port; another one when somebody was faster."""
    for attempt in range(3):
        port = free_port()
        settings = [*QUICK, "listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={home}"]
        options = " ".join(f"-c {setting}" for setting in settings)
        log = str(home / f"log-{attempt}")
        try:
            _run(programs, "pg_ctl", "-D", str(home / "data"), "-l", log, "-o", options, "-w", "-t", "30", "start")
        except RuntimeError:
            if attempt == 2:
                raise
        else:
            return port
    raise AssertionError("unreachable")


def _programs() -> Path:
    """Folder of initdb and pg_ctl, the newest version's."""
    on_path = shutil.which("pg_ctl")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda p: int(p.parts[-3]))
    found = [Path(on_path).resolve(), *folders] if on_path else folders
    if found and (not _is_root() or shutil.which("runuser")):
        return found[-1].parent
    missing = "PostgreSQL's initdb and pg_ctl (and runuser, as root) are not installed"
    if os.environ.get("CI"):
        pytest.fail(f"{missing}: CI has to test the ledger on both databases")
    pytest.skip(missing)


def _is_root() -> bool:
    return os.geteuid() == 0


def _give_to_postgres(home: Path) -> None:
    if _is_root():
        for path in (home, home / "password"):
            shutil.chown(path, "postgres", "postgres")


def _run(programs: Path, program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs; RuntimeError with what it printed."""
    switch: Sequence[str] = ("runuser", "-u", "postgres", "--") if _is_root() else ()
    with tempfile.TemporaryFile() as output:  # a pipe would be kept open by the server that pg_ctl leaves behind
        done = subprocess.run(
            [*switch, str(programs / program), *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", check=False, timeout=60,
        )  # fmt: skip
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{program}: {output.read().decode(errors='replace')}")
