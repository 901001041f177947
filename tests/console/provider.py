# SPDX-License-Identifier: EUPL-1.2
"""A small OpenID provider on a free loopback port: everybody who comes is `claims`, and consents.

It holds the hub to the rules: client and secret, redirect address, PKCE verifier, a code once. What a test sets in
`spoil` replaces claims of the ID token; `refuse` is an error that it answers with.
"""

import base64
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

from hub.console.oidc._provider import challenge
from tests.servers import free_port

CLIENT, SECRET = "cityhub", "s3cret: with / odd + letters"


class FakeProvider:
    """Its state, and the app."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "Eva.Nová", "name": "Eva Nová"}
        self.spoil: dict[str, Any] = {}
        self.refuse = ""
        self.shared_secret = False
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.asked: dict[str, dict[str, str]] = {}
        self.app = self._made()

    def turn_key(self) -> None:
        """From now on another key signs."""
        self.key = RSAKey.generate_key(2048, auto_kid=True)

    def _made(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        def discovery() -> dict[str, str]:
            ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            return {"issuer": self.issuer, **{name: self.issuer + path for name, path in ends.items()}}

        @app.get("/jwks")
        def jwks() -> Any:
            return KeySet([self.key]).as_dict()

        @app.get("/authorize")
        def authorize(request: Request) -> RedirectResponse:
            asked = dict(request.query_params)
            assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT, "S256")
            code = secrets.token_urlsafe(8)
            self.asked[code] = asked
            answer = {"error": self.refuse} if self.refuse else {"code": code}
            back = urlencode({**answer, "state": asked["state"], "iss": self.issuer})
            return RedirectResponse(f"{asked['redirect_uri']}?{back}", 303)

        @app.post("/token")
        def token(
            request: Request,
            code: str = Form(),
            redirect_uri: str = Form(),
            code_verifier: str = Form(),
        ) -> dict[str, str]:
            shown = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
            asked = self.asked.pop(code, None)
            if shown != f"{CLIENT}:s3cret%3A+with+%2F+odd+%2B+letters":
                raise HTTPException(401)
            if asked is None or asked["redirect_uri"] != redirect_uri:
                raise HTTPException(400)
            if asked["code_challenge"] != challenge(code_verifier):
                raise HTTPException(400)
            return {"access_token": "x", "token_type": "Bearer", "id_token": self._token(asked["nonce"])}

        return app

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.claims}
        if self.shared_secret:
            secret = OctKey.import_key((SECRET * 2).encode())
            return jwt.encode({"alg": "HS256", "kid": self.key.kid}, {**claims, **self.spoil}, secret)
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, {**claims, **self.spoil}, self.key)


@contextmanager
def provider() -> Iterator[FakeProvider]:
    """The provider, listening; it stops at the end."""
    port = free_port()
    made = FakeProvider(port)
    server = uvicorn.Server(uvicorn.Config(made.app, host="127.0.0.1", port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(30)
