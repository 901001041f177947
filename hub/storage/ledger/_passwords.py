# SPDX-License-Identifier: EUPL-1.2
"""Passwords: which are taken, and how they are kept.

Argon2id with the parameters that RFC 9106 (section 4, second recommended option) gives where memory is short:
t=3, p=4, m=64 MiB, salt of 128 bits, tag of 256 bits. At most `AT_ONCE` are computed at a time, so signing in takes
at most that times 64 MiB whatever arrives. A login that nobody has is verified against a hash that nothing fits, so
both take the same time.

What is asked of a password follows NIST SP 800-63B-4, section 3.1.1.2: length (here 12 characters at least, 256 at
most), no rules of composition, no change by the calendar, and a list of those that everybody tries first.
"""

import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from hub.core.errors import Invalid

SHORTEST, LONGEST = 12, 256
AT_ONCE = 2
_ONCE = "once:"  # before the hash of a password that has to be changed at the first sign-in

# of at least 12 characters, patterns that lists of leaked passwords have at their top; compared without case
_WORST = frozenset((
    *("123456789012", "1234567890123", "12345678901234", "123456789abc", "1q2w3e4r5t6y", "1qaz2wsx3edc"),
    *("qwertyuiop12", "qwertyuiopas", "qwerty123456", "abcdefghijkl", "iloveyou1234", "letmeinletmein"),
    *("password1234", "password12345", "passwordpassword", "welcome12345", "changemechangeme"),
    *("administrator", "administrator1", "adminadminadmin", "heslo1234567", "heslo12345678", "tajneheslo12"),
    *("tajneheslo123", "heslohesloheslo"),
))  # fmt: skip


def fold(password: str) -> str:
    """One form for what looks the same (NFKC), as keyboards differ in how they write diacritics."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, login: str) -> None:
    """Raise Invalid that says what to change."""
    plain = fold(password)
    if len(plain) < SHORTEST:
        raise Invalid(f"has {len(plain)} characters; take {SHORTEST} at least: a few words are good", "password")
    if len(plain) > LONGEST:
        raise Invalid(f"has {len(plain)} characters; take {LONGEST} at most", "password")
    low = plain.casefold()
    if low.strip() == login.casefold() or low.replace(login.casefold(), "").strip("0123456789 ") == "":
        raise Invalid("is made of the login or of digits alone; take a few words", "password")
    if low in _WORST or len(set(low)) < 4:
        raise Invalid("is among those that everybody tries first; take a few words", "password")


class Passwords:
    """Hashes and checks; bounded in what it uses at once."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobody: str | None = None

    def hash(self, password: str, *, once: bool = False) -> str:
        """What is kept of a password; `once`: it has to be changed."""
        with self._turn:
            return (_ONCE if once else "") + self._hasher.hash(fold(password))

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the one; takes the same time where nothing is kept."""
        if self._nobody is None:
            self._nobody = self.hash(secrets.token_urlsafe(32))
        shown = fold(password)[: LONGEST + 1]
        with self._turn:
            try:
                return self._hasher.verify((kept or self._nobody).removeprefix(_ONCE), shown) and kept is not None
            except (VerificationError, InvalidHashError):
                return False


def is_once(kept: str | None) -> bool:
    """Whether it has to be changed at the first sign-in."""
    return kept is not None and kept.startswith(_ONCE)
