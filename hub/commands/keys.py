# SPDX-License-Identifier: EUPL-1.2
"""API keys from the command line."""

from collections.abc import Sequence

from hub.app import Parts
from hub.commands._output import print_table
from hub.settings import Settings


def create_key(settings: Settings, name: str, scopes: Sequence[str], partner: str = "") -> None:
    """Make a key and show its secret this once."""
    with Parts(settings).ledger().open() as ledger:
        key, secret = ledger.keys.create(name, frozenset(scopes), partner=partner, by="command line")
    print(f"{key.id} {key.name} ({', '.join(sorted(key.scopes))}); the secret is shown this once:\n{secret}")


def list_keys(settings: Settings) -> None:
    """Print all keys; never their secrets."""
    with Parts(settings).ledger().open() as ledger:
        keys = ledger.keys.keys()
    print_table("API keys", ["id", "name", "scopes"], [(k.id, k.name, ", ".join(sorted(k.scopes))) for k in keys])


def revoke_key(settings: Settings, key: str) -> None:
    """Make a key useless."""
    with Parts(settings).ledger().open() as ledger:
        ledger.keys.revoke(key)
    print(f"{key} is revoked")
