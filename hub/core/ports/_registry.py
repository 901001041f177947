# SPDX-License-Identifier: EUPL-1.2
"""Devices and places, as ingest and engine need them, and as those who change them do.

Every change says who makes it (`by`), raises the registry's version, and stands in the audit log with before and after.
`expected` is the revision on which a change is based: raise Conflict when another one came in between (None: any).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.core.places import Device, Mounting, Place, RegistrySnapshot
from hub.core.registry import AuditEntry, Certificate, Draft, Facility, Hardware, ImportRun, Note, Photo


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

    def add_device(self, device: Device, *, by: str = "") -> Device:
        """Register; in the same transaction leave a redrive order for its waiting messages. Raise Exists, NotFound."""
        ...

    def change_device(self, device: Device, *, by: str = "", expected: int | None = None) -> Device:
        """Replace all fields but id, origin of registration and mountings. Raise NotFound, Exists, Invalid, Conflict.

        A new connector or external id leaves a redrive order, as `add_device` does.
        """
        ...

    def mount(self, device: str, mounting: Mounting, *, by: str = "", expected: int | None = None) -> Device:
        """Move a device from `mounting.start` on (what is open ends then). Raise NotFound, Invalid, Conflict."""
        ...

    def correct_mountings(
        self, device: str, mountings: Sequence[Mounting], *, by: str = "", expected: int | None = None
    ) -> Device:
        """Say where a device really stood; touched windows are computed anew. Raise NotFound, Invalid, Conflict."""
        ...

    def replace_hardware(
        self,
        hardware: Hardware,
        totals: Mapping[str, tuple[float, float]],
        *,
        by: str = "",
        expected: int | None = None,
    ) -> Device:
        """Put another piece of hardware behind a device from `hardware.start` on; its id, place and series go on.

        `totals` has, by quantity in its canonical unit, the last total of the old meter and the first of the new one:
        the difference becomes a correction (calibrate, scale 1), so that totals go on without a jump.
        """
        ...

    def remove_device(self, device: str, *, by: str = "", why: str = "", expected: int | None = None) -> None:
        """Retire it: readings and values stay, its credential is disabled. Raise NotFound, Conflict."""
        ...

    def put_places(
        self, places: Sequence[Place], *, by: str = "", based_on: Mapping[str, Place | None] | None = None
    ) -> int:
        """Add or replace places, parents first; returns how many changed.

        `based_on` has, by id, the places as the caller saw them (None: not there): raise Conflict when one is another.
        """
        ...

    def remove_place(self, place: str, *, by: str = "", based_on: Place | None = None) -> None:
        """Take away a place where nothing ever stood and below which nothing lies. Raise NotFound, Exists, Conflict."""
        ...

    def put_facility(self, facility: Facility, *, by: str = "", expected: int | None = None) -> Facility:
        """Say what serves people at a place. Raise NotFound (the place), Invalid, Conflict."""
        ...

    def remove_facility(self, place: str, *, by: str = "", expected: int | None = None) -> None:
        """Take it back; raise NotFound, Conflict."""
        ...

    def facilities(self) -> Mapping[str, Facility]:
        """All by place."""
        ...

    def hardware(self, device: str) -> Sequence[Hardware]:
        """What stood behind a device, oldest first."""
        ...


class Records(Protocol):
    """What is kept beside devices and places: remarks, pictures, certificates, drafts."""

    def add_note(self, subject: str, text: str, *, by: str) -> Note:
        """Raise Invalid, NotFound."""
        ...

    def remove_note(self, note: int, *, by: str) -> None:
        """Raise NotFound."""
        ...

    def notes(self, subject: str) -> Sequence[Note]:
        """Newest first."""
        ...

    def add_photo(self, photo: Photo, *, by: str) -> Photo:
        """Record a picture whose bytes are stored already; returns it with its id. The same twice is one."""
        ...

    def remove_photo(self, photo: int, *, by: str) -> Photo:
        """Raise NotFound."""
        ...

    def photo_uses(self, sha256: str) -> int:
        """How many pictures that were not removed have these bytes."""
        ...

    def photos(self, subject: str) -> Sequence[Photo]:
        """Newest first."""
        ...

    def add_certificate(self, certificate: Certificate, *, by: str) -> Certificate:
        """Record it and make its correction in one transaction; returns it with both ids. Raise Invalid, NotFound."""
        ...

    def certificates(self, device: str) -> Sequence[Certificate]:
        """Newest first."""
        ...

    def save_draft(self, draft: Draft) -> Draft:
        """Add or overwrite; a person's own only. Raise Invalid when it is larger than 64 kB."""
        ...

    def draft(self, draft: str, *, by: str) -> Draft:
        """Raise NotFound."""
        ...

    def drafts(self, *, by: str | None = None) -> Sequence[Draft]:
        """Newest change first."""
        ...

    def drop_draft(self, draft: str, *, by: str) -> None:
        """Harmless when it is gone."""
        ...


class ImportBook(Protocol):
    """Imports into the registry: all or nothing, and to be undone."""

    def run(
        self,
        kind: str,
        file: str,
        *,
        places: Sequence[Place] = (),
        facilities: Sequence[Facility] = (),
        devices: Sequence[Device] = (),
        by: str,
    ) -> ImportRun:
        """Add or change all of these in one transaction, with one redrive order. Raise Invalid that names the item."""
        ...

    def undo(self, run: int, *, by: str) -> ImportRun:
        """Put everything back as it was before. Raise NotFound, Exists (undone already), Conflict (changed since)."""
        ...

    def runs(self, limit: int = 100) -> Sequence[ImportRun]:
        """Newest first."""
        ...


class AuditLog(Protocol):
    """Who changed what."""

    def read(
        self,
        *,
        subject: str | None = None,
        actor: str | None = None,
        action: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[AuditEntry]:
        """Newest first; `before` is the id of the last entry of the page before, `action` may end with `.*`."""
        ...


class AuditTrail(AuditLog, Protocol):
    """The record of changes, also for what is done outside of the ledger."""

    def note(self, at: int, actor: str, action: str, subject: str, detail: Mapping[str, object]) -> None:
        """Write down that `actor` did `action` at `at` (ns)."""
        ...
