# SPDX-License-Identifier: EUPL-1.2
"""API keys."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ApiKey(NamedTuple):
    """A key without its secret. Scopes: `admin` (everything), `write`, `read`."""

    id: str
    name: str
    scopes: frozenset[str]


class KeyRing(Protocol):
    """API keys; only hashes are stored."""

    def create(self, name: str, scopes: frozenset[str]) -> tuple[ApiKey, str]:
        """Make a key; the secret is returned this once."""
        ...

    def verify(self, secret: str) -> ApiKey | None:
        """The key that has this secret, None when there is none or it is revoked."""
        ...

    def revoke(self, key: str) -> None:
        """Make the key useless; raise NotFound."""
        ...

    def keys(self) -> Sequence[ApiKey]:
        """All keys that are not revoked."""
        ...
