# SPDX-License-Identifier: EUPL-1.2
"""Users of a Mosquitto on this machine: its password file and its ACL file, and SIGHUP.

Both files are replaced whole (written beside, synced, renamed), so a crash leaves the old or the new one. What others
wrote into the password file stays: the hub's lines stand between two marks, and only what is between them changes; a
user of that name outside of the marks is refused, because Mosquitto would take either. The ACL file is the hub's own.

Mosquitto answers SIGHUP by reading both files, and disconnects those whose password is no longer right; others stay
(tried with 2.0.11). There is no answer to the signal, so `apply` returns when the files are
in place and the signal is sent.
"""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from hub.core.access import Credential, CredentialKind
from hub.core.errors import Retry, SettingsError
from hub.core.ports import Provisioner

BEGIN = "# begin cityhub: what stands between these lines is replaced"
END = "# end cityhub"


class MosquittoFiles(Provisioner):
    """`Provisioner` of files. Without `pid_file` nobody is signalled: Mosquitto has to be told otherwise."""

    def __init__(self, passwords: Path, acl: Path, pid_file: Path | None, hub_user: str) -> None:
        self._passwords = passwords
        self._acl = acl
        self._pid_file = pid_file
        self._hub_user = hub_user

    async def apply(self, credentials: Sequence[Credential]) -> Sequence[str]:
        """Return when the files are in place and Mosquitto was told; it knows all. Raise Retry, SettingsError."""
        await asyncio.to_thread(self._apply, credentials)
        return ()

    def _apply(self, credentials: Sequence[Credential]) -> None:
        try:
            there = self._passwords.read_text(encoding="utf-8") if self._passwords.exists() else ""
            passwords = password_lines(there, credentials)
            replace_file(self._acl, acl_text(self._hub_user, credentials))  # rights first: nobody is in without
            replace_file(self._passwords, passwords)
        except OSError as error:
            raise Retry(f"mqtt.password_file_out: cannot be written: {error}", after=10.0) from error
        if self._pid_file is not None:
            self._signal(self._pid_file)

    def _signal(self, file: Path) -> None:
        try:
            pid = int(file.read_text(encoding="ascii").strip())
            named = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise Retry(f"mqtt.pid_file: Mosquitto does not run, or writes no pid to {file}: {error}", 5.0) from error
        if named != "mosquitto":
            raise Retry(f"mqtt.pid_file: process {pid} is {named!r}, not mosquitto: the file is of an earlier one", 5.0)
        try:
            os.kill(pid, signal.SIGHUP)
        except PermissionError as error:
            raise SettingsError(
                "mqtt.pid_file",
                f"the hub may not signal Mosquitto (process {pid}): run both as one user, or have systemd reload "
                "mosquitto when the file changes (docs/credentials.md)",
            ) from error
        except ProcessLookupError as error:
            raise Retry(f"mqtt.pid_file: process {pid} has just ended", 2.0) from error


def password_lines(there: str, credentials: Sequence[Credential]) -> str:
    """The password file with the hub's section as it should be. Raise SettingsError for a name that others use."""
    foreign, inside = list[str](), False
    for line in there.splitlines():
        if line in (BEGIN, END):
            inside = line == BEGIN
        elif not inside:
            foreign.append(line)
    active = [one for one in credentials if one.disabled_at is None]
    taken = {line.partition(":")[0] for line in foreign} & {one.username for one in active}
    if taken:
        raise SettingsError(
            "mqtt.password_file_out",
            f"{min(taken)!r} stands there already, outside of the hub's section: remove that line",
        )
    own = [f"{one.username}:{one.hashes['mosquitto']}" for one in active]
    return "\n".join([*foreign, BEGIN, *own, END]) + "\n"


def acl_text(hub_user: str, credentials: Sequence[Credential]) -> str:
    """The ACL file: the hub everything, a device its own name, a bridge its prefix.

    The pattern holds for bridges too: none is named like a device, so it reaches nobody's topics.
    """
    lines = ["# written by cityhub: changes are lost", f"user {hub_user}", "topic readwrite #", "topic read $SYS/#", ""]
    for one in credentials:
        if one.kind is CredentialKind.BRIDGE and one.disabled_at is None:
            lines += [f"user {one.username}", f"topic write {one.prefix}", ""]
    return "\n".join([*lines, "pattern write devices/%u/#", "pattern read devices/%u/commands", ""])


def replace_file(file: Path, text: str) -> None:
    """Whole or not at all, readable by owner and group: Mosquitto runs as another user of the hub's group."""
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o640)
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    new.replace(file)
