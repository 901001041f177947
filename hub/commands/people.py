# SPDX-License-Identifier: EUPL-1.2
"""People from the command line. Passwords are asked for or made, never arguments: those stand in lists of processes."""

import secrets
import sys
import time
from collections.abc import Sequence
from getpass import getpass

from msgspec.structs import replace

from hub.app import Parts
from hub.commands._output import print_table
from hub.core.access import Person
from hub.core.errors import Invalid
from hub.core.rights import Role
from hub.datadir import write_atomically
from hub.settings import Settings
from hub.storage.ledger import Ledger

BY = "command line"
FIRST = "admin"


def add_person(settings: Settings, login: str, name: str, roles: Sequence[str], partner: str) -> None:
    """Add somebody with a one-time password, shown this once."""
    secret = one_time_password()
    person = Person(login=login, name=name, roles=frozenset(roles), partner=partner)
    with Parts(settings).ledger().open() as ledger:
        ledger.people.add(person, secret, by=BY, once=True)
    print(f"{login} is added; the password has to be changed at the first sign-in:\n{secret}")


def list_people(settings: Settings) -> None:
    """Print everybody."""
    with Parts(settings).ledger().open() as ledger:
        rows = [
            (p.login, p.name, ", ".join(sorted(p.roles)), p.partner, "disabled" if p.disabled_at else "")
            for p in ledger.people.all()
        ]
    print_table("People", ["login", "name", "roles", "partner", ""], rows)


def disable_person(settings: Settings, login: str) -> None:
    """Let somebody in no longer; ends the sessions at once."""
    with Parts(settings).ledger().open() as ledger:
        ledger.people.change(replace(ledger.people.get(login), disabled_at=time.time_ns()), by=BY)
    print(f"{login} is disabled and signed out everywhere")


def reset_password(settings: Settings, login: str) -> None:
    """Ask for a new password at a terminal, else make a one-time one."""
    with Parts(settings).ledger().open() as ledger:
        ledger.people.get(login)
        if sys.stdin.isatty():
            secret = asked_password()
            ledger.people.set_password(login, secret, by=BY)
            print(f"the password of {login} is changed; all sessions have ended")
            return
        secret = one_time_password()
        ledger.people.set_password(login, secret, by=BY, once=True)
    print(f"one-time password of {login}, to be changed at the next sign-in:\n{secret}")


def first_administrator(parts: Parts, ledger: Ledger) -> str:
    """Make the first administrator where nobody is there; returns what to tell. Harmless when repeated.

    At a terminal the password is asked for; else a one-time one stands in a file that its owner alone can read.
    """
    if ledger.people.all():
        return ""
    file = parts.data.root / "admin.password"
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    secret = asked_password() if asked else one_time_password()
    person = Person(login=FIRST, name="", roles=frozenset({Role.ADMIN}))
    if asked:
        ledger.people.add(person, secret, by="init")
        return f"sign in as {FIRST!r}"
    write_atomically(file, secret.encode() + b"\n", 0o600)  # first: a crash in between leaves a file, not a lost secret
    ledger.people.add(person, secret, by="init", once=True)
    return f"sign in as {FIRST!r} with the one-time password in {file}, then delete that file"


def demo_administrator(parts: Parts, ledger: Ledger) -> str:
    """The demo's administrator: what to sign in with, as long as its password is the one that was made here.

    For a demo alone, on loopback and with simulated data: the password stays in a file and is shown at every start.
    """
    file = parts.data.root / "admin.password"
    if not ledger.people.all():
        secret = file.read_text(encoding="utf-8").strip() if file.exists() else one_time_password()
        write_atomically(file, secret.encode() + b"\n", 0o600)  # first: a crash in between leaves a file to go on with
        ledger.people.add(Person(login=FIRST, roles=frozenset({Role.ADMIN})), secret, by="demo")
    secret = file.read_text(encoding="utf-8").strip() if file.exists() else ""
    if secret and ledger.people.verify(FIRST, secret) is not None:
        return f"Sign in as {FIRST} with the password {secret}"
    return f"Sign in as {FIRST} with the password that was chosen"


def one_time_password() -> str:
    """96 random bits, in groups that can be read out."""
    text = secrets.token_hex(12)
    return "-".join(text[i : i + 6] for i in range(0, len(text), 6))


def asked_password() -> str:
    """A password typed twice the same."""
    first = getpass("Password (12 characters at least; a few words are good): ")
    if getpass("Once more: ") != first:
        raise Invalid("the two differ; try again", "password")
    return first
