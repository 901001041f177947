# SPDX-License-Identifier: EUPL-1.2
"""Who is asking, people and keys."""

from typing import Annotated

from pydantic import Field

from hub.api.schemas.common import Model, example
from hub.core.rights import Role

Roles = Annotated[list[Role], Field(min_length=1, max_length=6, description="What they may do is the union.")]
Partner = Annotated[str, Field(max_length=64, description="Whose devices a partner sees.")]


class WhoOut(Model):
    """Who is asking, and what he may do."""

    model_config = example(name="jana", kind="person", roles=["technician"], partner="", actions=["devices", "read"])

    name: str
    kind: str = Field(description="person, key, or open: anybody, where reads are open.")
    roles: list[str]
    partner: str
    actions: list[str]


class PersonIn(Model):
    """Somebody to add."""

    model_config = example(login="jana", name="Jana Nováková", roles=["technician"], partner="", language="cs")

    login: Annotated[str, Field(pattern="^[a-z0-9][a-z0-9._@-]{0,63}$", description="What he signs in with.")]
    name: Annotated[str, Field(max_length=200, description="Name to show.")] = ""
    roles: Roles
    partner: Partner = ""
    language: Annotated[str, Field(pattern="^(cs|en)?$", description="cs, en, or empty.")] = ""


class PersonChange(Model):
    """What is to change of somebody; what is left out stays."""

    model_config = example(roles=["viewer"], disabled=False)

    name: Annotated[str | None, Field(max_length=200, description="Name to show.")] = None
    roles: Roles | None = None
    partner: Partner | None = None
    disabled: bool | None = None


class PersonOut(Model):
    """Somebody who signs in."""

    model_config = example(
        login="jana", name="Jana Nováková", roles=["technician"], partner="", language="cs", disabled=False,
        must_change=False,
    )  # fmt: skip

    login: str
    name: str
    roles: list[str]
    partner: str
    language: str
    disabled: bool
    must_change: bool


class PersonMade(PersonOut):
    """Somebody with a one-time password, shown this once."""

    model_config = example(
        login="jana", name="", roles=["technician"], partner="", language="", disabled=False, must_change=True,
        password="eaf1cb-35c359-9fadf6-f32f80",  # noqa: S106 an example
    )  # fmt: skip

    password: str


class PeopleOut(Model):
    """Everybody."""

    model_config = example(
        items=[
            {"login": "jana", "name": "Jana Nováková", "roles": ["technician"], "partner": "", "language": "cs",
             "disabled": False, "must_change": False}
        ]
    )  # fmt: skip

    items: list[PersonOut]


class KeyIn(Model):
    """A key to make."""

    model_config = example(name="Grafana", roles=["viewer"], partner="")

    name: Annotated[str, Field(min_length=1, max_length=200, description="Who uses it.")]
    roles: Roles
    partner: Partner = ""


class KeyOut(Model):
    """A key without its secret."""

    model_config = example(id="b39c43a6e464", name="Grafana", roles=["viewer"], partner="")

    id: str
    name: str
    roles: list[str]
    partner: str


class KeyMade(KeyOut):
    """A key with its secret, shown this once."""

    model_config = example(
        id="b39c43a6e464", name="Grafana", roles=["viewer"], partner="",
        secret="cityhub_b39c43a6e464_...",  # noqa: S106 an example
    )  # fmt: skip

    secret: str


class KeysOut(Model):
    """All keys that are not revoked."""

    model_config = example(items=[{"id": "b39c43a6e464", "name": "Grafana", "roles": ["viewer"], "partner": ""}])

    items: list[KeyOut]
