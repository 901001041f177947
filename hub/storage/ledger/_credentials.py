# SPDX-License-Identifier: EUPL-1.2
"""What clients show the broker: made here, shown once, kept as hashes that brokers can take as they are.

A secret is 192 bits of the system's generator. Slow hashes make up for secrets that people choose; this one nobody can
try out at any speed, so bcrypt has its lowest cost (4): the broker hashes at each connection and at each reload, and
with a higher cost ten thousand devices that come back after a power cut would keep it busy for minutes. The PBKDF2 of
Mosquitto (`$7$`, SHA-512, 101 rounds) is what `mosquitto_passwd` of release 2 writes.

Hashes are made before the transaction, so the ledger's one writer is held for inserts alone. `applied` is the version
that the provisioner has brought to the broker: a cursor, so a secret is known there when `applied() >= version()`.
A version that has changed under the provisioner counts as not applied. The audit says who issued what for whom, never
a secret nor a hash. What the broker refused is counted per (user, kind, topic), at most `MOST_TOPICS` topics a user.
"""

import hashlib
import re
import secrets
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import bcrypt
from msgspec.structs import replace
from sqlalchemy import Connection, func, insert, select, update

from hub.core.access import BrokerRefusal, Credential, CredentialKind
from hub.core.errors import Exists, Invalid, NotFound
from hub.core.places import check_device_id
from hub.core.ports import Credentials as CredentialsPort
from hub.core.ports import Issued
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._commands import leave_for_each
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump, load
from hub.storage.ledger._rows import Row
from hub.storage.ledger._statements import advance, execute_all, upsert

APPLIED = "credentials"  # cursor: the version that the broker has
MOST_TOPICS = 50  # of a user's refusals; what goes beyond is counted under the topic OTHERS
OTHERS = "…"
_COST = 4
_ROUNDS = 101
_MOST_AT_ONCE = 400  # names in one statement
_C, _R = t.credential.c, t.broker_refusal.c
_RESERVED = frozenset({"cityhub", "anonymous", "admin"})  # users that the hub itself has at brokers
_BAD_LEVEL = re.compile(r"[^/]+[#+]|[#+][^/]+|#/|\s|[\0-\x1f]")


class Credentials(CredentialsPort):
    """`Credentials` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int], shards: int = 1) -> None:
        self._database = database
        self._clock = clock
        self._shards = shards

    def issue(self, username: str, *, by: str, bridge: str = "", allow: Sequence[str] = ()) -> Issued:
        """For a device, or with `bridge` (topic filter) for a network server. Raise NotFound, Exists, Invalid."""
        check_name(username)
        if bridge:
            check_bridge(username, bridge)
        return self._add([username], by, prefix=bridge, allow=tuple(allow))[0]

    def issue_many(self, usernames: Sequence[str], *, by: str) -> Sequence[Issued]:
        """For many devices in one transaction, all or none; in their order. Raise NotFound, Exists."""
        return self._add(list(dict.fromkeys(usernames)), by)

    def _add(self, names: Sequence[str], by: str, prefix: str = "", allow: Sequence[str] = ()) -> Sequence[Issued]:
        made = _fresh(names)
        kind = CredentialKind.BRIDGE if prefix else CredentialKind.DEVICE
        with self._database.write() as connection:
            now = self._clock()
            if prefix:
                _require_devices(connection, allow, "allow")
                _refuse_device_names(connection, names)
            else:
                _require_devices(connection, names, "device")
            _refuse_taken(connection, names)
            issued = [
                Issued(
                    Credential(
                        username=name, kind=kind, hashes=hashes, prefix=prefix, allow=tuple(allow),
                        issued_at=now, issued_by=by,
                    ),
                    secret,
                )
                for name, (secret, hashes) in made.items()
            ]  # fmt: skip
            execute_all(connection, insert(t.credential), [_row(credential) for credential, _ in issued])
            for name in names:
                record(connection, now, by, "credential.issue", name, _told(kind, prefix, allow))
            advance(connection, t.CREDENTIAL_VERSION)
            if prefix:
                self._told_ingest(connection, now)
        return issued

    def rotate(self, username: str, *, by: str) -> Issued:
        """A new secret; the old one is worth nothing from then on. Also enables again. Raise NotFound."""
        secret, hashes = _fresh([username])[username]
        with self._database.write() as connection:
            now, old = self._clock(), _one(connection, username)
            if old.kind is CredentialKind.DEVICE:
                _require_devices(connection, [username], "device")
            new = replace(old, hashes=hashes, issued_at=now, issued_by=by, disabled_at=None, disabled_why="")
            _put(connection, self._database.dialect, new)
            record(connection, now, by, "credential.rotate", username, {"enabled_again": old.disabled_at is not None})
            advance(connection, t.CREDENTIAL_VERSION)
            if old.kind is CredentialKind.BRIDGE and old.disabled_at is not None:
                self._told_ingest(connection, now)
        return Issued(new, secret)

    def disable(self, username: str, *, by: str, why: str = "") -> Credential:
        """Shut it out and end its session at the broker. Raise NotFound."""
        with self._database.write() as connection:
            now, old = self._clock(), _one(connection, username)
            if old.disabled_at is not None:
                return old
            disable_in(connection, now, [username], by=by, why=why)
            if old.kind is CredentialKind.BRIDGE:
                self._told_ingest(connection, now)
            return replace(old, disabled_at=now, disabled_why=why)

    def allow(self, username: str, devices: Sequence[str], *, by: str) -> Credential:
        """Which devices a bridge may bring. Raise NotFound, Invalid."""
        with self._database.write() as connection:
            now, old = self._clock(), _one(connection, username)
            if old.kind is not CredentialKind.BRIDGE:
                raise Invalid(f"{username!r} is a device: it brings nobody but itself", "allow")
            _require_devices(connection, devices, "allow")
            new = replace(old, allow=tuple(sorted(set(devices))))
            _put(connection, self._database.dialect, new)
            sides = {"before": {"allow": old.allow}, "after": {"allow": new.allow}}
            record(connection, now, by, "credential.allow", username, sides)
            advance(connection, t.CREDENTIAL_VERSION)
            self._told_ingest(connection, now)
        return new

    def _told_ingest(self, connection: Connection, now: int) -> None:
        """Ingest learns of allow-lists by the registry's version; what it kept out may be let in now."""
        advance(connection, t.REGISTRY_VERSION)
        leave_for_each(connection, now, "redrive", {"reason": "not_allowed"}, self._shards)

    def get(self, username: str) -> Credential | None:
        """That of one client."""
        with self._database.read() as connection:
            row = connection.execute(select(t.credential).where(_C.username == username)).mappings().first()
        return None if row is None else _credential(row)

    def all(self) -> Sequence[Credential]:
        """In order of name, disabled ones too."""
        with self._database.read() as connection:
            return [
                _credential(row) for row in connection.execute(select(t.credential).order_by(_C.username)).mappings()
            ]

    def version(self) -> int:
        """Cheap: grows with every change."""
        one = select(t.counter.c.value).where(t.counter.c.name == t.CREDENTIAL_VERSION)
        with self._database.read() as connection:
            return int(connection.execute(one).scalar() or 0)

    def applied(self) -> int:
        """The version that the broker was brought to last; 0 when none ever was."""
        one = select(t.cursor.c.position).where(t.cursor.c.name == APPLIED)
        with self._database.read() as connection:
            return int(connection.execute(one).scalar() or 0)

    def mark_applied(self, version: int) -> None:
        """The broker has this version now."""
        with self._database.write() as connection:
            connection.execute(upsert(self._database.dialect, t.cursor), {"name": APPLIED, "position": version})

    def refused(self, refusals: Sequence[BrokerRefusal]) -> None:
        """Add what the broker refused to what is there."""
        if not refusals:
            return
        names = sorted({refusal.username for refusal in refusals})
        with self._database.write() as connection:
            there = {(r.username, r.kind, r.topic): r for r in _refusals(connection, names)}
            known = set(connection.execute(select(_C.username).where(_C.username.in_(names))).scalars())
            rows = _added(there, [refusal for refusal in refusals if refusal.username in known])
            execute_all(connection, upsert(self._database.dialect, t.broker_refusal), [_refusal_row(r) for r in rows])

    def refusals(self, username: str | None = None) -> Sequence[BrokerRefusal]:
        """Newest first."""
        with self._database.read() as connection:
            found = _refusals(connection, None if username is None else [username])
        return sorted(found, key=lambda refusal: -refusal.last)


def disable_in(connection: Connection, now: int, usernames: Sequence[str], *, by: str, why: str) -> None:
    """Disable within the writer's transaction, as retiring a device does; harmless where there is no credential."""
    for name in usernames:
        one = update(t.credential).where(_C.username == name, _C.disabled_at.is_(None))
        if connection.execute(one.values(disabled_at=now, disabled_why=why)).rowcount:
            record(connection, now, by, "credential.disable", name, {"why": why})
            advance(connection, t.CREDENTIAL_VERSION)


def read_bridges(connection: Connection) -> Sequence[tuple[str, frozenset[str]]]:
    """Topic filter and allow-list of bridges, none where no list bounds anything.

    A list counts on when its bridge is disabled: what it brought before may still be on its way.
    """
    of_bridges = select(_C.prefix, _C.allow, _C.disabled_at).where(_C.kind == str(CredentialKind.BRIDGE))
    found = [(prefix, frozenset(load(allow)), at) for prefix, allow, at in connection.execute(of_bridges)]
    if not any(allow for _, allow, _ in found):
        return ()
    return tuple(sorted(((p, allow) for p, allow, at in found if allow or at is None), key=lambda one: one[0]))


def refuse_bridge_names(connection: Connection, names: Sequence[str]) -> None:
    """A device is not named like a bridge: at the broker both would be one. Raise Exists."""
    bridges = set(connection.execute(select(_C.username).where(_C.kind == str(CredentialKind.BRIDGE))).scalars())
    for name in names:
        if name in bridges:
            raise Exists(f"{name!r} is the name of a network server's bridge: give the device another id", "id")


def check_name(username: str) -> str:
    """A name that is safe in password files, topics and subjects, and not one of the hub's own. Raise Invalid."""
    check_device_id(username)
    if username in _RESERVED:
        raise Invalid(f"{username!r} is a name of the hub's own at the broker: choose another", "username")
    return username


def check_bridge(username: str, prefix: str) -> None:
    """The filter of a network server: it must not reach devices' own topics nor the hub's. Raise Invalid."""
    check_name(username)
    first = prefix.split("/", 1)[0]
    if not prefix or len(prefix) > 256 or _BAD_LEVEL.search(prefix):
        raise Invalid(f"{prefix!r} is no topic filter, such as application/+/device/+/event/+", "prefix")
    if first in {"#", "+", "devices", "indicators", "alarms", "cityhub", ""} or first.startswith("$"):
        raise Invalid(
            f"{prefix!r} would reach topics that are not the network server's: begin with a level of its own, such as "
            "application/#",
            "prefix",
        )


def mosquitto_hash(secret: str, salt: bytes) -> str:
    """The hash of a password file, as `mosquitto_passwd` of release 2 makes it."""
    digest = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def _hashes(secret: str) -> Mapping[str, str]:
    return {
        "bcrypt": bcrypt.hashpw(secret.encode(), bcrypt.gensalt(_COST)).decode(),
        "mosquitto": mosquitto_hash(secret, secrets.token_bytes(12)),
    }


def _fresh(names: Sequence[str]) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """A secret and its hashes for each; both hashes leave the interpreter's lock, so two cores share the work."""
    made = [secrets.token_urlsafe(24) for _ in names]
    if len(made) == 1:
        return {names[0]: (made[0], _hashes(made[0]))}
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, zip(made, pool.map(_hashes, made), strict=True), strict=True))


def _told(kind: CredentialKind, prefix: str, allow: Sequence[str]) -> Mapping[str, object]:
    return {"kind": str(kind)} | ({"prefix": prefix, "allow": list(allow)} if prefix else {})


def _chunks(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[first : first + _MOST_AT_ONCE] for first in range(0, len(names), _MOST_AT_ONCE))


def _require_devices(connection: Connection, names: Sequence[str], where: str) -> None:
    column = t.device.c.id
    known: set[str] = set()
    for some in _chunks(list(names)):
        known |= set(
            connection.execute(select(column).where(column.in_(some), t.device.c.removed_at.is_(None))).scalars()
        )
    missing = [name for name in names if name not in known]
    if missing:
        raise NotFound(f"no device {missing[0]!r} is registered: register it first", where)


def _refuse_device_names(connection: Connection, names: Sequence[str]) -> None:
    if connection.execute(select(t.device.c.id).where(t.device.c.id.in_(names))).first() is not None:
        raise Exists(f"{names[0]!r} is the id of a device: give the bridge another name", "username")


def _refuse_taken(connection: Connection, names: Sequence[str]) -> None:
    for some in _chunks(names):
        taken = connection.execute(select(func.min(_C.username)).where(_C.username.in_(some))).scalar()
        if taken is not None:
            raise Exists(f"{taken!r} has a credential already: rotate it to get a new secret", "username")


def _one(connection: Connection, username: str) -> Credential:
    row = connection.execute(select(t.credential).where(_C.username == username)).mappings().first()
    if row is None:
        raise NotFound(f"{username!r} has no credential: issue one first", "username")
    return _credential(row)


def _put(connection: Connection, dialect: str, credential: Credential) -> None:
    connection.execute(upsert(dialect, t.credential), _row(credential))


def _row(credential: Credential) -> Row:
    return {
        "username": credential.username,
        "kind": str(credential.kind),
        "hashes": dump(dict(credential.hashes)),
        "prefix": credential.prefix,
        "allow": dump(list(credential.allow)),
        "issued_at": credential.issued_at,
        "issued_by": credential.issued_by,
        "disabled_at": credential.disabled_at,
        "disabled_why": credential.disabled_why,
    }


def _credential(row: Mapping[Any, Any]) -> Credential:
    return Credential(
        username=row["username"],
        kind=CredentialKind(row["kind"]),
        hashes=load(row["hashes"]),
        prefix=row["prefix"],
        allow=tuple(load(row["allow"])),
        issued_at=row["issued_at"],
        issued_by=row["issued_by"],
        disabled_at=row["disabled_at"],
        disabled_why=row["disabled_why"],
    )


def _refusals(connection: Connection, names: Sequence[str] | None) -> list[BrokerRefusal]:
    columns = _R.username, _R.kind, _R.topic, _R.text, _R.count, _R.first_at, _R.last_at
    statement = select(*columns) if names is None else select(*columns).where(_R.username.in_(names))
    return [
        BrokerRefusal(username=user, kind=kind, topic=topic, text=text, count=count, first=first, last=last)
        for user, kind, topic, text, count, first, last in connection.execute(statement)
    ]


def _added(
    there: Mapping[tuple[str, str, str], BrokerRefusal], news: Iterable[BrokerRefusal]
) -> Sequence[BrokerRefusal]:
    """The rows that change: counts added, topics beyond the bound under one name."""
    rows, changed = dict(there), dict[tuple[str, str, str], BrokerRefusal]()
    for new in news:
        key = (new.username, new.kind, new.topic[:512])
        if key not in rows and sum(user == new.username for user, _, _ in rows) >= MOST_TOPICS:
            key = (new.username, new.kind, OTHERS)
        old = rows.get(key)
        rows[key] = changed[key] = replace(
            new,
            topic=key[2],
            text=new.text[:500],
            count=new.count + (old.count if old else 0),
            first=min(new.first, old.first) if old else new.first,
        )
    return list(changed.values())


def _refusal_row(refusal: BrokerRefusal) -> Row:
    return {
        "username": refusal.username,
        "kind": refusal.kind,
        "topic": refusal.topic,
        "text": refusal.text,
        "count": refusal.count,
        "first_at": refusal.first,
        "last_at": refusal.last,
    }
