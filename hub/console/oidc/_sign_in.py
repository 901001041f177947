# SPDX-License-Identifier: EUPL-1.2
"""One sign-in from leaving for the provider to the session; knows no web framework.

What has to be remembered meanwhile (state, nonce, PKCE verifier, where to go on) travels in a cookie that is encrypted
with a key of this process (JWE, A256GCM) and counts for ten minutes: nothing is kept on the server that a flood could
fill, and after a restart one begins again. The state binds the provider's answer to the browser that left.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey

from hub.console.oidc._people import Admission
from hub.console.oidc._provider import Provider
from hub.console.oidc._refusals import Refusal

KEPT_S = 600
_SEAL = {"alg": "dir", "enc": "A256GCM"}


class Departure(NamedTuple):
    """Where the browser goes, and the cookie that it keeps."""

    address: str
    cookie: str


class Arrival(NamedTuple):
    """The new session's secret, and where to go on."""

    session: str
    next: str


class SignIn:
    """Signing in at one provider. Calls block: not for the event loop. `public_url` is the hub's own, if given."""

    def __init__(
        self,
        provider: Provider,
        admission: Admission,
        *,
        title: str,
        public_url: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.title, self.public_url = title, public_url.rstrip("/")
        self._provider, self._admission, self._clock = provider, admission, clock
        self._key = OctKey.generate_key(256)

    def leave(self, redirect: str, wish: str) -> Departure:
        """Begin. Raise Refusal (the provider is away)."""
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        address = self._provider.address(redirect=redirect, **kept)
        claims = {**kept, "redirect": redirect, "next": wish, "exp": int(self._clock()) + KEPT_S}
        return Departure(
            address, jwt.encode(_SEAL, claims, self._key, registry=JWERegistry(algorithms=list(_SEAL.values())))
        )

    def arrive(self, answer: Mapping[str, str], cookie: str, agent: str) -> Arrival:
        """Finish with what the provider sent the browser back with. Raise Refusal."""
        kept = self._opened(cookie)
        if not hmac.compare_digest(kept["state"].encode(), answer.get("state", "").encode()):
            raise Refusal("oidc_lost", "the state is not that of this browser")
        issuer = self._provider.settings.issuer
        if answer.get("iss", issuer) != issuer:
            raise Refusal("oidc_token", "the answer is another issuer's")
        if "error" in answer or not answer.get("code"):
            raise Refusal("oidc_refused", "the provider answered with an error instead of a code")
        claims = self._provider.claims(
            answer["code"], redirect=kept["redirect"], nonce=kept["nonce"], verifier=kept["verifier"]
        )
        person = self._admission.person(issuer, claims)
        return Arrival(self._admission.people.begin(person.login, agent=agent), kept["next"])

    def _opened(self, cookie: str) -> Mapping[str, str]:
        try:
            claims = jwt.decode(cookie, self._key, registry=JWERegistry(algorithms=list(_SEAL.values()))).claims
        except (JoseError, ValueError) as error:
            raise Refusal("oidc_lost", "no sign-in was begun in this browser") from error
        if claims["exp"] <= self._clock():
            raise Refusal("oidc_lost", "the sign-in was begun too long ago")
        return claims
