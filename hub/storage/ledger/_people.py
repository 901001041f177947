# SPDX-License-Identifier: EUPL-1.2
"""People and their sessions.

A session is a cookie of 256 random bits, of which the ledger has the SHA-256 (see `_keys` why a fast hash is right
there). It ends `IDLE` after it was last used, and `LONGEST` after it began; sooner when its owner signs out, changes
the password or is disabled. Person and session are read at each request, so a changed role counts at once. That a
session was used is written at most every `_NOTED`: reading a page must not write each time.

There is always an administrator: the last one who is not disabled cannot lose the role, be disabled or be removed.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, delete, insert, select, update

from hub.core import ports
from hub.core.access import Person, SessionView
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.readings import NS
from hub.core.rights import Role
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database
from hub.storage.ledger._passwords import Passwords, check_password, is_once

HOUR = 3600 * NS
IDLE = 12 * HOUR
IDLE_KEPT = 30 * 24 * HOUR  # "stay signed in on this phone"
LONGEST = 90 * 24 * HOUR
_NOTED = 300 * NS
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_P, _S = t.person.c, t.session.c
_LANGUAGES = ("", "cs", "en")


class People(ports.People):
    """`People` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock
        self._passwords = Passwords()

    def add(self, person: Person, password: str | None, *, by: str, once: bool = False) -> Person:
        """Raise Invalid (login, role, weak password), Exists. `once`: the password has to be changed first."""
        _check(person)
        if password is not None:
            check_password(password, person.login)
        kept = None if password is None else self._passwords.hash(password, once=once)
        now = self._clock()
        made = replace(person, created_at=now, must_change=is_once(kept))
        with self._database.write() as connection:
            if _row(connection, person.login) is not None:
                raise Exists(f"{person.login!r} is there already: take another login, or change that person", "login")
            connection.execute(insert(t.person), {**_columns(made), "login": made.login, "password": kept,
                               "created_at": now})  # fmt: skip
            record(connection, now, by, "person.add", f"person:{person.login}", _shown(made))
        return made

    def change(self, person: Person, *, by: str) -> Person:
        """Name, roles, partner, language, disabled. Disabling ends sessions. Raise NotFound, Invalid (last admin)."""
        _check(person)
        now = self._clock()
        with self._database.write() as connection:
            row = _found(connection, person.login)
            before = _person(row)
            made = replace(person, created_at=before.created_at, must_change=before.must_change)
            if _administers(before) and not _administers(made):
                _not_the_last(connection, person.login)
            connection.execute(update(t.person).where(_P.login == person.login).values(_columns(made)))
            if made.disabled_at is not None:
                connection.execute(delete(t.session).where(_S.login == person.login))
            record(connection, now, by, "person.change", f"person:{person.login}",
                   {"before": _shown(before), "after": _shown(made)})  # fmt: skip
        return made

    def set_password(self, login: str, password: str, *, by: str, once: bool = False, keep: str = "") -> None:
        """Ends all sessions but that of the cookie `keep`. Raise NotFound, Invalid."""
        check_password(password, login)
        kept, now = self._passwords.hash(password, once=once), self._clock()
        with self._database.write() as connection:
            _found(connection, login)
            connection.execute(update(t.person).where(_P.login == login).values(password=kept))
            others = delete(t.session).where(_S.login == login, _S.hash != _digest(keep))
            connection.execute(others)
            record(connection, now, by, "person.password", f"person:{login}", {"once": once})

    def verify(self, login: str, password: str) -> Person | None:
        """The person, in the same time whether the login exists or not; None when it is not so or is disabled."""
        with self._database.read() as connection:
            row = _row(connection, login)
        fits = self._passwords.fits(None if row is None else row.password, password)
        return _person(row) if row is not None and fits and row.disabled_at is None else None

    def get(self, login: str) -> Person:
        """Raise NotFound."""
        with self._database.read() as connection:
            return _person(_found(connection, login))

    def by_subject(self, issuer: str, subject: str) -> Person | None:
        """Who this is at an OpenID provider."""
        one = select(t.person).where(_P.issuer == issuer, _P.subject == subject)
        with self._database.read() as connection:
            row = connection.execute(one).first()
        return None if row is None or not issuer else _person(row)

    def all(self) -> Sequence[Person]:
        """In order of login."""
        with self._database.read() as connection:
            return [_person(row) for row in connection.execute(select(t.person).order_by(_P.login))]

    def begin(self, login: str, *, agent: str, kept: bool = False) -> str:
        """A new session; returns the cookie's secret. `kept` is one that lasts days, as on a phone."""
        secret, now = secrets.token_urlsafe(32), self._clock()
        idle = IDLE_KEPT if kept else IDLE
        with self._database.write() as connection:
            _found(connection, login)
            connection.execute(delete(t.session).where(_S.expires_at <= now))
            row = {"hash": _digest(secret), "login": login, "created_at": now, "seen_at": now}
            connection.execute(insert(t.session), {**row, "expires_at": now + idle, "agent": agent[:200]})
            record(connection, now, login, "session.begin", f"person:{login}", {"agent": agent[:200]})
        return secret

    def session(self, secret: str) -> Person | None:
        """Whose session this is, and moves its end; None when it ended or the person is disabled."""
        now, name = self._clock(), _digest(secret)
        joined = select(t.person, _S.seen_at, _S.expires_at, _S.created_at.label("began"))
        joined = joined.join(t.session, _S.login == _P.login).where(_S.hash == name)
        with self._database.read() as connection:
            row = connection.execute(joined).first()
        if row is None or row.expires_at <= now or row.disabled_at is not None:
            return None
        if now - row.seen_at >= _NOTED:
            self._used(name, now, min(now + row.expires_at - row.seen_at, row.began + LONGEST))
        return _person(row)

    def end(self, secret: str) -> None:
        """Sign out."""
        now = self._clock()
        with self._database.write() as connection:
            login = connection.execute(select(_S.login).where(_S.hash == _digest(secret))).scalar()
            if login is not None:
                connection.execute(delete(t.session).where(_S.hash == _digest(secret)))
                record(connection, now, login, "session.end", f"person:{login}", {})

    def sessions(self, login: str) -> Sequence[SessionView]:
        """Those that go on, the newest first."""
        going = select(t.session).where(_S.login == login, _S.expires_at > self._clock())
        with self._database.read() as connection:
            rows = connection.execute(going.order_by(_S.created_at.desc(), _S.hash)).all()
        return [SessionView(row.hash[:16], row.created_at, row.seen_at, row.expires_at, row.agent) for row in rows]

    def end_others(self, secret: str) -> int:
        """End every other session of whose this is; returns how many there were."""
        now, name = self._clock(), _digest(secret)
        with self._database.write() as connection:
            login = connection.execute(select(_S.login).where(_S.hash == name, _S.expires_at > now)).scalar()
            if login is None:
                return 0
            others = delete(t.session).where(_S.login == login, _S.hash != name)
            ended = connection.execute(others).rowcount
            record(connection, now, login, "session.end_others", f"person:{login}", {"ended": ended})
            return ended

    def end_all(self, login: str, *, by: str) -> None:
        """End every session of somebody."""
        with self._database.write() as connection:
            connection.execute(delete(t.session).where(_S.login == login))
            record(connection, self._clock(), by, "session.end_all", f"person:{login}", {})

    def _used(self, name: str, now: int, expires: int) -> None:
        with self._database.write() as connection:
            connection.execute(update(t.session).where(_S.hash == name).values(seen_at=now, expires_at=expires))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _row(connection: Connection, login: str) -> Any:
    return connection.execute(select(t.person).where(_P.login == login)).first()


def _found(connection: Connection, login: str) -> Any:
    row = _row(connection, login)
    if row is None:
        raise NotFound(f"nobody has the login {login!r}: list the people", "login")
    return row


def _person(row: Any) -> Person:
    return Person(
        login=row.login,
        name=row.name,
        roles=frozenset(row.roles.split()),
        partner=row.partner,
        language=row.language,
        issuer=row.issuer,
        subject=row.subject,
        created_at=row.created_at,
        disabled_at=row.disabled_at,
        must_change=is_once(row.password),
    )


def _columns(person: Person) -> dict[str, object]:
    """What a change may touch."""
    return {
        "name": person.name,
        "roles": " ".join(sorted(person.roles)),
        "partner": person.partner,
        "language": person.language,
        "issuer": person.issuer,
        "subject": person.subject,
        "disabled_at": person.disabled_at,
    }


def _shown(person: Person) -> dict[str, object]:
    return {**_columns(person), "login": person.login}


def _administers(person: Person) -> bool:
    return Role.ADMIN in person.roles and person.disabled_at is None


def _not_the_last(connection: Connection, login: str) -> None:
    others = connection.execute(select(t.person).where(_P.login != login)).all()
    if not any(_administers(_person(row)) for row in others):
        raise Invalid(f"{login} is the last administrator: make somebody else one first", "roles")


def _check(person: Person) -> None:
    if not _LOGIN.fullmatch(person.login):
        raise Invalid(f"{person.login!r} is none: 1 to 64 of a-z 0-9 . _ @ -, beginning with a-z or 0-9", "login")
    unknown = sorted(person.roles - set(Role))
    if unknown or not person.roles:
        raise Invalid(f"{', '.join(unknown) or 'none'} given; choose of {', '.join(Role)}", "roles")
    if Role.PARTNER in person.roles and not person.partner:
        raise Invalid("say whose devices a partner may see", "partner")
    if person.language not in _LANGUAGES:
        raise Invalid(f"{person.language!r} is none of cs, en", "language")
    if len(person.name) > 200 or not (person.name + person.partner).isprintable():
        raise Invalid("has more than 200 characters or control characters", "name")
