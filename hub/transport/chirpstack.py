# SPDX-License-Identifier: EUPL-1.2
"""Devices of a ChirpStack v4 network server, through its REST API (the service chirpstack-rest-api).

ChirpStack itself speaks gRPC; the REST service beside it maps the same calls, and their errors to HTTP status codes
(api/proto/api/device.proto of the ChirpStack project). Adding is idempotent: a device, or keys, that exist already are
no error. It creates first and never asks before, because a key of a tenant gets 401 and not 404 for what is not there.
An AppKey passes through: it is neither stored nor logged, and no error quotes it. LoRaWAN 1.0.x keeps the AppKey in
`nwkKey` (so says device.proto).
"""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import httpx

from hub.core.errors import Exists, Invalid, Retry, SettingsError, Stop

Outcome = Literal["created", "exists"]


class ChirpstackAccess(NamedTuple):
    """Where the REST service is, and what it is shown; `profiles` are device profiles by model, "" for all others."""

    url: str
    token: str
    application: str
    profiles: Mapping[str, str]
    ca_file: Path | None = None
    timeout_s: float = 10.0


class Chirpstack:
    """Adds, disables and deletes devices. Raises Retry (away), Stop (token, application), Invalid (the request)."""

    def __init__(self, access: ChirpstackAccess) -> None:
        self._access = access
        self._verify: ssl.SSLContext | bool = True
        if access.ca_file is not None:
            try:
                self._verify = ssl.create_default_context(cafile=str(access.ca_file))
            except OSError as error:
                raise SettingsError("chirpstack.ca_file", f"{access.ca_file} cannot be read: {error}") from error

    async def add(self, dev_eui: str, join_eui: str, app_key: str, *, name: str, model: str, profile: str) -> Outcome:
        """Make a device with its keys; one that exists keeps its name, and gets these keys.

        `profile` (UUID) is that of the request, "" for the one of the `model`.
        """
        profile = profile or self._access.profiles.get(model, "") or self._access.profiles.get("", "")
        if not profile:
            raise Invalid(
                f"no device profile is known for model {model or 'none'}: name one (its UUID is in ChirpStack under "
                "Device profiles), or set chirpstack.device_profiles",
                "device_profile",
            )
        device = {
            "devEui": dev_eui,
            "name": name,
            "applicationId": self._access.application,
            "deviceProfileId": profile,
            "joinEui": join_eui,
        }
        made = await self._call("POST", "/api/devices", {"device": device}, allowed=(409,))
        keys = {"deviceKeys": {"devEui": dev_eui, "nwkKey": app_key}}
        path = f"/api/devices/{dev_eui}/keys"
        if (await self._call("POST", path, keys, allowed=(409,))).status_code == 409:
            await self._call("PUT", path, keys)
        return "exists" if made.status_code == 409 else "created"

    async def disable(self, dev_eui: str, *, disabled: bool = True) -> None:
        """Let it join and send no more, or again; what ChirpStack knows of it stays."""
        found = (await self._call("GET", f"/api/devices/{dev_eui}")).json()
        device = found.get("device") if isinstance(found, dict) else None
        if not isinstance(device, dict):
            raise Stop("chirpstack.url: what answers is no ChirpStack REST API: it sends no device")
        await self._call("PUT", f"/api/devices/{dev_eui}", {"device": {**device, "isDisabled": disabled}})

    async def delete(self, dev_eui: str) -> bool:
        """Take it out; False when it was gone already."""
        return (await self._call("DELETE", f"/api/devices/{dev_eui}", allowed=(404,))).status_code != 404

    async def _call(
        self, method: str, path: str, body: Mapping[str, object] | None = None, allowed: tuple[int, ...] = ()
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._access.token}"}
        try:
            async with httpx.AsyncClient(
                base_url=self._access.url, headers=headers, timeout=self._access.timeout_s, verify=self._verify
            ) as client:
                answer = await client.request(method, path, json=body)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict) as error:
            kind = type(error).__name__
            raise Retry(
                f"ChirpStack at {self._access.url} does not answer ({kind}); chirpstack.url names it", 30
            ) from error
        if not answer.is_success and answer.status_code not in allowed:
            raise _refusal(answer)
        return answer


def _refusal(answer: httpx.Response) -> Exception:
    """What a refusal asks for, in words; ChirpStack's own are quoted, for they hold no keys."""
    said = _message(answer)
    status = answer.status_code
    if status in (401, 403):
        return Stop(
            f"chirpstack.token: ChirpStack does not accept it for this ({status}: {said}): make an API key of the "
            "tenant in ChirpStack, and look whether chirpstack.application_id and the device profile are its own"
        )
    if status == 404:
        return Invalid(
            f"ChirpStack does not know it ({said}): look at application, device profile and DevEUI", "device"
        )
    if status == 409:
        return Exists(f"it is in ChirpStack already ({said})", "device")
    if status == 429 or status >= 500:
        return Retry(f"ChirpStack cannot do it now ({status}: {said})", 30)
    return Invalid(f"ChirpStack refuses it ({status}: {said})", "device_profile" if "profile" in said else "device")


def _message(answer: httpx.Response) -> str:
    try:
        document = answer.json()
    except ValueError:
        return "no reason given"
    text = document.get("message") if isinstance(document, dict) else None
    return str(text)[:200] if text else "no reason given"
