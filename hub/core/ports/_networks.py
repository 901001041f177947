# SPDX-License-Identifier: EUPL-1.2
"""Servers of device networks, in which devices are made."""

from typing import Literal, Protocol


class NetworkServer(Protocol):
    """A LoRaWAN network server in which devices are made. Raises Retry, Stop, Invalid; no error quotes a key."""

    async def add(
        self, dev_eui: str, join_eui: str, app_key: str, *, name: str, model: str, profile: str
    ) -> Literal["created", "exists"]:
        """Make a device with its keys; one that exists gets these keys."""
        ...

    async def disable(self, dev_eui: str, *, disabled: bool = True) -> None:
        """Let it join and send no more, or again."""
        ...
