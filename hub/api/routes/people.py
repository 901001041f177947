# SPDX-License-Identifier: EUPL-1.2
"""`/session`, `/people` and `/keys`: who is asking, and who may ask. Secrets are shown once, when made."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from msgspec.structs import replace

from hub.api.auth import Reader, ServicesDep, allow
from hub.api.schemas.access import (
    KeyIn,
    KeyMade,
    KeysOut,
    PeopleOut,
    PersonChange,
    PersonIn,
    PersonMade,
    PersonOut,
    WhoOut,
)
from hub.api.services import Services
from hub.core.access import Person
from hub.core.errors import NotFound
from hub.core.ports import ApiKey, People
from hub.core.rights import Action, Caller, actions

router = APIRouter(tags=["access"])

Admin = Annotated[Caller, Depends(allow(Action.ACCESS))]
Login = Annotated[str, Path(max_length=64, description="Login of the person.")]


@router.get("/session", response_model=WhoOut, summary="Who am I?")
def get_session(caller: Reader) -> Mapping[str, Any]:
    """Who asks, in which roles, and what these allow."""
    return {
        "name": caller.name,
        "kind": caller.kind,
        "roles": sorted(caller.roles),
        "partner": caller.partner,
        "actions": sorted(actions(caller.roles)),
    }


@router.get(
    "/people", dependencies=[Depends(allow(Action.ACCESS))], response_model=PeopleOut, summary="People who sign in"
)
def list_people(services: ServicesDep) -> Mapping[str, Any]:
    """Everybody, in order of login; those disabled too."""
    return {"items": [_person(person) for person in _people(services).all()]}


@router.post("/people", status_code=201, response_model=PersonMade, summary="Add somebody")
def add_person(services: ServicesDep, caller: Admin, given: PersonIn) -> Mapping[str, Any]:
    """The answer has a one-time password, shown this once, that has to be changed at the first sign-in."""
    password = secrets.token_hex(12)
    fields = {**given.model_dump(), "roles": frozenset(map(str, given.roles))}
    made = _people(services).add(Person(**fields), password, by=caller.name, once=True)
    return {**_person(made), "password": password}


@router.patch("/people/{login}", response_model=PersonOut, summary="Change somebody")
def change_person(services: ServicesDep, caller: Admin, login: Login, given: PersonChange) -> Mapping[str, Any]:
    """Change name, roles or partner, or disable; it counts at once, and who is disabled is signed out."""
    before = _people(services).get(login)
    fields: dict[str, Any] = given.model_dump(exclude_none=True, exclude={"disabled", "roles"})
    if given.roles is not None:
        fields["roles"] = frozenset(map(str, given.roles))
    if given.disabled is not None:
        fields["disabled_at"] = (before.disabled_at or services.clock_ns()) if given.disabled else None
    return _person(_people(services).change(replace(before, **fields), by=caller.name))


@router.post("/people/{login}/password", response_model=PersonMade, summary="Give a one-time password")
def reset_password(services: ServicesDep, caller: Admin, login: Login) -> Mapping[str, Any]:
    """Make a new one-time password, shown this once; all sessions of the person end."""
    password = secrets.token_hex(12)
    _people(services).set_password(login, password, by=caller.name, once=True)
    return {**_person(_people(services).get(login)), "password": password}


@router.get("/keys", dependencies=[Depends(allow(Action.ACCESS))], response_model=KeysOut, summary="API keys")
def list_keys(services: ServicesDep) -> Mapping[str, Any]:
    """All keys that are not revoked; never their secrets."""
    return {"items": [_key(key) for key in services.keys.keys()]}  # noqa: SIM118 a port\'s method, no dict


@router.post("/keys", status_code=201, response_model=KeyMade, summary="Make a key")
def create_key(services: ServicesDep, caller: Admin, given: KeyIn) -> Mapping[str, Any]:
    """The answer has the secret, shown this once."""
    roles = frozenset(map(str, given.roles))
    key, secret = services.keys.create(given.name, roles, partner=given.partner, by=caller.name)
    return {**_key(key), "secret": secret}


@router.delete("/keys/{key}", status_code=204, response_class=Response, summary="Revoke a key")
def revoke_key(
    services: ServicesDep, caller: Admin, key: Annotated[str, Path(max_length=64, description="Id of the key.")]
) -> None:
    """The key is worth nothing from now on, wherever it is still used."""
    services.keys.revoke(key, by=caller.name)


def _people(services: Services) -> People:
    if services.people is None:
        raise NotFound("this hub has no people, only keys")
    return services.people


def _person(person: Person) -> dict[str, Any]:
    return {
        "login": person.login,
        "name": person.name,
        "roles": sorted(person.roles),
        "partner": person.partner,
        "language": person.language,
        "disabled": person.disabled_at is not None,
        "must_change": person.must_change,
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "roles": sorted(key.scopes), "partner": key.partner}
