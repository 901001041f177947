# SPDX-License-Identifier: EUPL-1.2
"""The provider: what it says of itself, the exchange of a code for an ID token, and whether that token holds.

After OpenID Connect Core 1.0 (3.1, the authorization code flow), Discovery 1.0, PKCE (RFC 7636, S256 alone) and issuer
identification (RFC 9207). Only signatures with a key pair count: with `none` or a shared secret whoever knows
the client could make tokens. What the provider says of itself is kept for an hour; a token signed by a key that is not
known has the keys read again. Redirects are not followed, and the client's secret goes to the token endpoint alone.

Calls block: not for the event loop.
"""

import base64
import hashlib
import hmac
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from hub.console.oidc._refusals import Refusal

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_KEPT_S, _LEEWAY_S = 3600.0, 60
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class ProviderSettings:
    """How the hub is known at the provider; an empty secret is a public client. `scopes` are parted by spaces."""

    issuer: str
    client_id: str
    client_secret: str = ""
    scopes: str = "openid profile email"
    ca_file: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True, kw_only=True)
class _Described:
    """What the provider says of itself."""

    authorize: str
    token: str
    jwks: str
    post_secret: bool
    read_at: float


class Provider:
    """One OpenID provider; safe to be called from several threads (at worst something is read twice)."""

    def __init__(self, settings: ProviderSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings, self._clock = settings, clock
        self._described: _Described | None = None
        self._keys: KeySet | None = None

    def address(self, *, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """Where the browser is sent to sign in. Raise Refusal (the provider is away)."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        end = self._description().authorize
        return f"{end}{'&' if urlsplit(end).query else '?'}{urlencode(query)}"

    def claims(self, code: str, *, redirect: str, nonce: str, verifier: str) -> Mapping[str, Any]:
        """What the ID token for this code says, verified. Raise Refusal."""
        told = self._description()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        headers, client_id, secret = (
            {"Accept": "application/json"},
            self.settings.client_id,
            self.settings.client_secret,
        )
        if not secret or told.post_secret:
            form |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
        else:  # RFC 6749, 2.3.1: both are form-encoded before they are joined
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        answer = self._json("POST", told.token, refused="oidc_refused", data=form, headers=headers)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Refusal("oidc_token", "the token endpoint gave no ID token")
        return check_claims(self._decoded(token), self.settings, nonce, int(self._clock()))

    def _decoded(self, token: str) -> Mapping[str, Any]:
        keys, fresh = self._keys, self._keys is None
        for again in (False, True):
            if keys is None or again:
                keys = self._keys = self._read_keys()
            try:
                return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            except InvalidKeyIdError as error:
                if fresh or again:
                    raise Refusal("oidc_token", "the ID token is signed by an unknown key") from error
            except (JoseError, ValueError) as error:
                raise Refusal("oidc_token", f"the ID token does not hold: {type(error).__name__}") from error
        raise AssertionError("the second round returns or raises")

    def _description(self) -> _Described:
        known, now = self._described, self._clock()
        if known is None or now - known.read_at > _KEPT_S:
            known = self._described = self._described_now(now)
            self._keys = None
        return known

    def _described_now(self, now: float) -> _Described:
        issuer = self.settings.issuer
        told = self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if told.get("issuer") != issuer:
            raise Refusal("oidc_away", "the provider calls itself another issuer than oidc.issuer")
        ends = [told.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
        authorize, token, jwks = [end if isinstance(end, str) and is_safe(end) else "" for end in ends]
        if not (authorize and token and jwks):
            raise Refusal("oidc_away", "the provider names no endpoints, or some without TLS")
        methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        post = "client_secret_basic" not in methods and "client_secret_post" in methods
        return _Described(authorize=authorize, token=token, jwks=jwks, post_secret=post, read_at=now)

    def _read_keys(self) -> KeySet:
        told: Any = self._json("GET", self._description().jwks)
        try:
            return KeySet.import_key_set(told)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise Refusal("oidc_away", f"the provider's keys cannot be read: {type(error).__name__}") from error

    def _json(self, method: str, url: str, *, refused: str = "oidc_away", **sent: Any) -> dict[str, Any]:
        """The object that the provider answers. `refused` is what an answer of 4xx means."""
        try:
            trusted = ssl.create_default_context(cafile=self.settings.ca_file or None)
            with httpx.Client(timeout=self.settings.timeout_s, verify=trusted) as client:
                answer = client.request(method, url, **sent)
                content = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise Refusal("oidc_away", f"{urlsplit(url).path} does not answer: {type(error).__name__}") from error
        if not isinstance(content, dict):
            code = refused if 400 <= answer.status_code < 500 else "oidc_away"
            raise Refusal(code, f"{urlsplit(url).path} answers {answer.status_code}, not an object")
        return content


def challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def is_safe(url: str) -> bool:
    """Whether what goes there cannot be read on the way: TLS, or this machine itself."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


def check_claims(claims: Mapping[str, Any], settings: ProviderSettings, nonce: str, now: int) -> Mapping[str, Any]:
    """The claims again when all of OpenID Connect Core 3.1.3.7 holds; raise Refusal."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    expires, made, given = claims.get("exp"), claims.get("iat"), claims.get("nonce")
    subject, party = claims.get("sub"), claims.get("azp")
    wrong = {
        "issuer": claims.get("iss") != settings.issuer,
        "audience": settings.client_id not in audiences,
        "authorized party": party != settings.client_id if party is not None else len(audiences) > 1,
        "expiry": not _is_number(expires) or now - _LEEWAY_S >= expires,
        "time of issue": not _is_number(made) or made > now + _LEEWAY_S,
        "nonce": not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()),
        "subject": not isinstance(subject, str) or not 0 < len(subject) <= 255,
    }
    if bad := [name for name, is_wrong in wrong.items() if is_wrong]:
        raise Refusal("oidc_token", f"the ID token has the wrong {', '.join(bad)}")
    return claims


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
