# SPDX-License-Identifier: EUPL-1.2
"""Devices and places, as ingest, engine and those who change them need them."""

from collections.abc import Sequence
from typing import Protocol

from hub.core.places import Device, Place, RegistrySnapshot


class Registry(Protocol):
    """Devices and places, as ingest and engine need them."""

    def version(self) -> int:
        """Cheap: grows with every change."""
        ...

    def snapshot(self) -> RegistrySnapshot:
        """Everything at one version."""
        ...


class DeviceBook(Registry, Protocol):
    """The registry for those who change it."""

    def add_device(self, device: Device) -> Device:
        """Register; in the same transaction leave a redrive order for its waiting messages. Raise Exists, NotFound."""
        ...

    def remove_device(self, device: str) -> None:
        """Forget the registration; readings and values stay. Raise NotFound."""
        ...

    def put_places(self, places: Sequence[Place]) -> int:
        """Add or replace places, parents first; returns how many changed."""
        ...
