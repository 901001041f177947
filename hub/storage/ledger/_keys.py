# SPDX-License-Identifier: EUPL-1.2
"""API keys. A secret reads `cityhub_<key id>_<43 characters>` and is shown once; the ledger has its SHA-256 only.

A plain fast hash is right here, where it would be wrong for passwords. Slow and salted hashes make up for secrets that
people choose and that can be guessed; these are 256 bits from the system's generator, which nobody can try out at any
speed, and no two are equal, so a salt would separate nothing. A fast hash lets every request be checked against the
ledger, so that a revoked key is dead at once, without a cache. The id in the secret finds the row by its key; the
hashes are then compared in constant time.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from hub.core.errors import Invalid, NotFound
from hub.core.ports import ApiKey, KeyRing
from hub.core.rights import GRANTS, Role
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import record
from hub.storage.ledger._database import Database

PREFIX = "cityhub"
SCOPES = frozenset(GRANTS)
_K = t.api_key.c


def key_id(secret: str) -> str | None:
    """Id of the key that a secret claims to belong to, None when it is no secret of the hub."""
    prefix, _, rest = secret.partition("_")
    number, _, random = rest.partition("_")
    return number if prefix == PREFIX and number and random and secret.isascii() else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check(name: str, scopes: frozenset[str], partner: str) -> None:
    if not name.strip():
        raise Invalid("must not be empty: say who uses the key", "name")
    unknown = sorted(scopes - SCOPES)
    if unknown or not scopes:
        raise Invalid(f"{', '.join(unknown) or 'none'} given; choose of {', '.join(sorted(SCOPES))}", "scopes")
    if Role.PARTNER in scopes and not partner:
        raise Invalid("say whose devices the key of a partner may see", "partner")
    if len(name) > 200 or len(partner) > 64 or not (name + partner).isprintable():
        raise Invalid("is too long (200) or has control characters", "name")


class Keys(KeyRing):
    """`KeyRing` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def create(
        self,
        name: str,
        scopes: frozenset[str],
        *,
        partner: str = "",
        expires_at: int | None = None,
        by: str = "",
    ) -> tuple[ApiKey, str]:
        """Make a key; the secret is returned this once."""
        _check(name, scopes, partner)
        if expires_at is not None and expires_at <= self._clock():
            raise Invalid("is over already", "expires_at")
        words, now = " ".join(sorted(scopes)), self._clock()
        key = ApiKey(secrets.token_hex(6), name, frozenset(scopes), partner, now, expires_at)
        secret = f"{PREFIX}_{key.id}_{secrets.token_urlsafe(32)}"
        row = {"id": key.id, "name": name, "scopes": words, "hash": _digest(secret), "created_at": now}
        row |= {"partner": partner, "expires_at": expires_at}
        with self._database.write() as connection:
            connection.execute(insert(t.api_key), row)
            record(
                connection,
                now,
                by,
                "key.create",
                key.id,
                {"name": name, "scopes": words, "partner": partner, "expires_at": expires_at},
            )
        return key, secret

    def verify(self, secret: str) -> ApiKey | None:
        """The key that has this secret, None when there is none or it is revoked."""
        number = key_id(secret)
        if number is None:
            return None
        one = select(t.api_key).where(_K.id == number, _K.revoked_at.is_(None))
        with self._database.read() as connection:
            row = connection.execute(one).first()
        if row is None or not hmac.compare_digest(row.hash, _digest(secret)):
            return None
        return _api_key(row) if row.expires_at is None or row.expires_at > self._clock() else None

    def revoke(self, key: str, *, by: str = "") -> None:
        """Make the key useless from now on; raise NotFound when there is no such key or it is revoked already."""
        now = self._clock()
        with self._database.write() as connection:
            one = update(t.api_key).where(_K.id == key, _K.revoked_at.is_(None)).values(revoked_at=now)
            if not connection.execute(one).rowcount:
                raise NotFound(f"no key {key!r} is in use: list the keys", "key")
            record(connection, now, by, "key.revoke", key, {})

    def keys(self) -> Sequence[ApiKey]:
        """All keys that are not revoked, ended ones too, oldest first."""
        statement = select(t.api_key).where(_K.revoked_at.is_(None)).order_by(_K.created_at, _K.id)
        with self._database.read() as connection:
            return [_api_key(row) for row in connection.execute(statement)]


def _api_key(row: Any) -> ApiKey:
    return ApiKey(row.id, row.name, frozenset(row.scopes.split()), row.partner, row.created_at, row.expires_at)
