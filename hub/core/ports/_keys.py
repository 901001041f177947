# SPDX-License-Identifier: EUPL-1.2
"""API keys."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class ApiKey(NamedTuple):
    """A key without its secret. Scopes: roles of `hub.core.rights`, or `write` and `read` of earlier keys.

    `partner` bounds a key of that role to its own devices. Times in ns; a key without `expires_at` does not end.
    """

    id: str
    name: str
    scopes: frozenset[str]
    partner: str = ""
    created_at: int = 0
    expires_at: int | None = None


class KeyRing(Protocol):
    """API keys; only hashes are stored."""

    def create(
        self,
        name: str,
        scopes: frozenset[str],
        *,
        partner: str = "",
        expires_at: int | None = None,
        by: str = "",
    ) -> tuple[ApiKey, str]:
        """Make a key; the secret is returned this once. Raise Invalid."""
        ...

    def verify(self, secret: str) -> ApiKey | None:
        """The key that has this secret, None when there is none, it is revoked or has ended."""
        ...

    def revoke(self, key: str, *, by: str = "") -> None:
        """Make the key useless; raise NotFound."""
        ...

    def keys(self) -> Sequence[ApiKey]:
        """All keys that are not revoked, ended ones too, oldest first."""
        ...
