# SPDX-License-Identifier: EUPL-1.2
"""Who the claims are in the hub, and with which roles.

A person is known by (issuer, sub) alone. A login or an e-mail that is the same proves nothing: who may choose his name
at the provider would else become whoever he likes. With a claim of roles the provider decides: its roles replace those
of the hub at each sign-in; with none left all sessions end and nobody is let in. Without one the hub's own roles stay.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec.structs import replace

from hub.console.oidc._refusals import Refusal
from hub.core import ports
from hub.core.access import Person
from hub.core.errors import Exists, Invalid

BY = "oidc"


class People(ports.People, Protocol):
    """People whose sessions can be ended all."""

    def end_all(self, login: str, *, by: str) -> None:
        """End every session of somebody."""
        ...


@dataclass(frozen=True, kw_only=True)
class Rules:
    """`roles_claim` may be a path with dots (`realm_access.roles`); "" leaves roles to the hub.

    `roles` gives the hub's role for a value of that claim; `default_role` is for who has none ("": nobody). Who is not
    known is made a person with `create`, else refused.
    """

    roles_claim: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str = ""
    partner_claim: str = ""
    create: bool = False


class Admission:
    """Finds or makes the person of some claims."""

    def __init__(self, people: People, rules: Rules) -> None:
        self.people, self._rules = people, rules

    def person(self, issuer: str, claims: Mapping[str, Any]) -> Person:
        """The person, with the roles of the claims. Raise Refusal."""
        known = self.people.by_subject(issuer, claims["sub"])
        if known is None and not self._rules.create:
            raise Refusal("oidc_unknown", "nobody here is this person at the provider")
        if known is not None and known.disabled_at is not None:
            raise Refusal("oidc_disabled", f"{known.login} is disabled")
        roles = granted(claims, self._rules, known)
        if not roles:
            if known is not None:
                self.people.end_all(known.login, by=BY)
            raise Refusal("oidc_no_role", "the provider gives no role that the hub knows")
        wish = wished(issuer, claims, self._rules, roles) if known is None else replace(
            known, roles=roles, partner=_partner(claims, self._rules) or known.partner
        )  # fmt: skip
        try:
            return self._made(wish) if known is None else self._changed(known, wish)
        except Invalid as error:  # the last administrator, or a partner without a name
            raise Refusal("oidc_no_role", f"the roles cannot be given: {error}") from error

    def _changed(self, known: Person, wish: Person) -> Person:
        return known if wish == known else self.people.change(wish, by=BY)

    def _made(self, wish: Person) -> Person:
        try:
            return self.people.add(wish, None, by=BY)
        except Exists:  # somebody else has that login, which stays his; or the same person came twice at once
            if (same := self.people.by_subject(wish.issuer, wish.subject)) is not None:
                return same
            mark = hashlib.sha256(f"{wish.issuer} {wish.subject}".encode()).hexdigest()[:8]
            return self.people.add(replace(wish, login=f"{wish.login[:55]}-{mark}"), None, by=BY)


def granted(claims: Mapping[str, Any], rules: Rules, known: Person | None) -> frozenset[str]:
    """The roles that somebody gets now."""
    default = frozenset({rules.default_role} - {""})
    if not rules.roles_claim:
        return default if known is None else known.roles
    given = _claim(claims, rules.roles_claim)
    values = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    return (
        frozenset(rules.roles[value] for value in values if isinstance(value, str) and value in rules.roles) or default
    )


def wished(issuer: str, claims: Mapping[str, Any], rules: Rules, roles: frozenset[str]) -> Person:
    """A person as the claims tell; the login is made to be one of the hub."""
    name = "".join(letter for letter in str(claims.get("name") or "") if letter.isprintable())[:200]
    locale = str(claims.get("locale") or "")[:2].lower()
    return Person(
        login=login_of(claims),
        name=name,
        roles=roles,
        partner=_partner(claims, rules),
        language=locale if locale in {"cs", "en"} else "",
        issuer=issuer,
        subject=claims["sub"],
    )


def login_of(claims: Mapping[str, Any]) -> str:
    """A login from the user's name or e-mail at the provider, else from its subject."""
    wish = str(claims.get("preferred_username") or claims.get("email") or "").lower()
    plain = re.sub(r"[^a-z0-9._@-]+", "-", wish).lstrip("._@-")[:64]
    return plain or f"person-{hashlib.sha256(str(claims['sub']).encode()).hexdigest()[:8]}"


def _partner(claims: Mapping[str, Any], rules: Rules) -> str:
    found = _claim(claims, rules.partner_claim) if rules.partner_claim else ""
    return found if isinstance(found, str) else ""


def _claim(claims: Mapping[str, Any], path: str) -> object:
    """A claim by its name (which may have dots itself), else by its path."""
    if path in claims:
        return claims[path]
    found: object = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
