# SPDX-License-Identifier: EUPL-1.2
"""What is kept beside devices and places: remarks, pictures, certificates, drafts.

`subject` is `device:<id>` or `place:<id>`, of a device that is or was registered. Remarks and pictures that are removed
stay in the table, marked so. In the audit their subject is the device's or the place's id, so that its history is one.
Drafts are nobody else's business: each person sees its own, and they leave no trace in the audit.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, delete, func, insert, select, update

from hub.core.corrections import CALIBRATE, check_correction
from hub.core.errors import Invalid, NotFound
from hub.core.indicators import Correction
from hub.core.ports import Records as Port
from hub.core.registry import Certificate, Draft, Note, Photo
from hub.storage.ledger import _tables as t
from hub.storage.ledger._audit import Change, record_changes
from hub.storage.ledger._corrections import insert_correction
from hub.storage.ledger._database import Database
from hub.storage.ledger._json import dump, load
from hub.storage.ledger._statements import upsert

_N, _P, _C, _D = t.note.c, t.photo.c, t.certificate.c, t.draft.c
_LONGEST_NOTE = 4_000
_LARGEST_DRAFT = 64 * 1024
_SUBJECTS = {"device": t.device, "place": t.place}
_PHOTO = ("media_type", "width", "height", "size", "caption")
_CERTIFICATE = ("quantity", "number", "laboratory", "issued", "valid_from", "valid_to", "scale", "shift", "note")


class Records(Port):
    """`Records` on the ledger's database."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def add_note(self, subject: str, text: str, *, by: str) -> Note:
        """Raise Invalid, NotFound."""
        if not text.strip():
            raise Invalid("must not be empty", "text")
        if len(text) > _LONGEST_NOTE:
            raise Invalid(f"has {len(text)} characters; at most {_LONGEST_NOTE}", "text")
        with self._database.write() as connection:
            _require(connection, subject)
            now = self._clock()
            row = {"subject": subject, "text": text, "made_by": by, "made_at": now}
            number = int(connection.execute(insert(t.note).values(**row).returning(_N.id)).scalar_one())
            made = Note(id=number, subject=subject, text=text, by=by, at=now)
            record_changes(connection, now, by, [Change("note.add", _id(subject), None, made)])
            return made

    def remove_note(self, note: int, *, by: str) -> None:
        """Raise NotFound."""
        with self._database.write() as connection:
            row = connection.execute(select(t.note).where(_N.id == note, _N.removed_at.is_(None))).first()
            if row is None:
                raise NotFound(f"there is no note {note}", "note")
            now = self._clock()
            connection.execute(update(t.note).where(_N.id == note).values(removed_at=now))
            record_changes(connection, now, by, [Change("note.remove", _id(row.subject), _note(row), None)])

    def notes(self, subject: str) -> Sequence[Note]:
        """Newest first."""
        statement = select(t.note).where(_N.subject == subject, _N.removed_at.is_(None)).order_by(_N.id.desc())
        with self._database.read() as connection:
            return [_note(row) for row in connection.execute(statement)]

    def add_photo(self, photo: Photo, *, by: str) -> Photo:
        """Record a picture whose bytes are stored already; the same twice is one. Raise Invalid, NotFound."""
        with self._database.write() as connection:
            _require(connection, photo.subject)
            same = select(t.photo).where(
                _P.subject == photo.subject, _P.sha256 == photo.sha256, _P.removed_at.is_(None)
            )
            known = connection.execute(same).first()
            if known is not None:
                return _photo(known)
            now = self._clock()
            kept = asdict(photo)
            row = {
                "subject": photo.subject, "sha256": photo.sha256, "made_by": by, "made_at": now,
                "document": dump({name: kept[name] for name in _PHOTO}),
            }  # fmt: skip
            number = int(connection.execute(insert(t.photo).values(**row).returning(_P.id)).scalar_one())
            made = replace(photo, id=number, by=by, at=now)
            record_changes(connection, now, by, [Change("photo.add", _id(photo.subject), None, made)])
            return made

    def remove_photo(self, photo: int, *, by: str) -> Photo:
        """Raise NotFound."""
        with self._database.write() as connection:
            row = connection.execute(select(t.photo).where(_P.id == photo, _P.removed_at.is_(None))).first()
            if row is None:
                raise NotFound(f"there is no photo {photo}", "photo")
            now = self._clock()
            connection.execute(update(t.photo).where(_P.id == photo).values(removed_at=now))
            record_changes(connection, now, by, [Change("photo.remove", _id(row.subject), _photo(row), None)])
            return _photo(row)

    def photo_uses(self, sha256: str) -> int:
        """How many pictures that were not removed have these bytes."""
        statement = select(func.count()).select_from(t.photo).where(_P.sha256 == sha256, _P.removed_at.is_(None))
        with self._database.read() as connection:
            return int(connection.execute(statement).scalar_one())

    def photos(self, subject: str) -> Sequence[Photo]:
        """Newest first."""
        statement = select(t.photo).where(_P.subject == subject, _P.removed_at.is_(None)).order_by(_P.id.desc())
        with self._database.read() as connection:
            return [_photo(row) for row in connection.execute(statement)]

    def add_certificate(self, certificate: Certificate, *, by: str) -> Certificate:
        """Record it and make its correction, where it corrects anything. Raise Invalid, NotFound."""
        _check_certificate(certificate)
        with self._database.write() as connection:
            _require(connection, f"device:{certificate.device}")
            now = self._clock()
            correction = 0
            if (certificate.scale, certificate.shift) != (1.0, 0.0):
                draft = _correction(certificate, by)
                check_correction(draft)
                correction = insert_correction(connection, now, draft, "correction.add").id
            kept = asdict(certificate)
            row = {
                "device": certificate.device, "correction": correction, "made_by": by, "made_at": now,
                "document": dump({name: kept[name] for name in _CERTIFICATE}),
            }  # fmt: skip
            number = int(connection.execute(insert(t.certificate).values(**row).returning(_C.id)).scalar_one())
            made = replace(certificate, id=number, correction=correction, by=by, at=now)
            record_changes(connection, now, by, [Change("certificate.add", certificate.device, None, made)])
            return made

    def certificates(self, device: str) -> Sequence[Certificate]:
        """Newest first."""
        statement = select(t.certificate).where(_C.device == device).order_by(_C.id.desc())
        with self._database.read() as connection:
            return [
                Certificate(
                    id=r.id, device=r.device, correction=r.correction, by=r.made_by, at=r.made_at, **load(r.document)
                )
                for r in connection.execute(statement)
            ]

    def save_draft(self, draft: Draft) -> Draft:
        """Add (id "": one is given) or overwrite one's own. Raise NotFound; Invalid when it is larger than 64 kB."""
        document = dump(dict(draft.document))
        if len(document.encode()) > _LARGEST_DRAFT:
            raise Invalid("is larger than 64 kB: leave pictures out of it", "document")
        with self._database.write() as connection:
            now = self._clock()
            known = connection.execute(select(t.draft).where(_D.id == draft.id)).first()
            if known is not None and known.made_by != draft.by:
                raise NotFound(f"you have no draft {draft.id!r}", "draft")
            made = replace(
                draft,
                id=draft.id or secrets.token_urlsafe(12),
                made_at=known.made_at if known else now,
                changed_at=now,
            )
            row = {"id": made.id, "kind": made.kind, "document": document, "made_by": made.by,
                   "made_at": made.made_at, "changed_at": now}  # fmt: skip
            connection.execute(upsert(self._database.dialect, t.draft), row)
            return made

    def draft(self, draft: str, *, by: str) -> Draft:
        """Raise NotFound."""
        with self._database.read() as connection:
            row = connection.execute(select(t.draft).where(_D.id == draft, _D.made_by == by)).first()
        if row is None:
            raise NotFound(f"you have no draft {draft!r}", "draft")
        return _draft(row)

    def drafts(self, *, by: str | None = None) -> Sequence[Draft]:
        """Newest change first."""
        statement = select(t.draft).order_by(_D.changed_at.desc(), _D.id)
        with self._database.read() as connection:
            rows = connection.execute(statement if by is None else statement.where(_D.made_by == by)).all()
        return [_draft(row) for row in rows]

    def drop_draft(self, draft: str, *, by: str) -> None:
        """Harmless when it is gone."""
        with self._database.write() as connection:
            connection.execute(delete(t.draft).where(_D.id == draft, _D.made_by == by))


def _require(connection: Connection, subject: str) -> None:
    kind, _, name = subject.partition(":")
    table = _SUBJECTS.get(kind)
    if table is None or not name:
        raise Invalid(f"{subject!r} is neither device:<id> nor place:<id>", "subject")
    if connection.execute(select(table.c.id).where(table.c.id == name)).first() is None:
        raise NotFound(f"there is no {kind} {name!r}", "subject")


def _id(subject: str) -> str:
    return subject.partition(":")[2]


def _check_certificate(certificate: Certificate) -> None:
    for name in ("quantity", "number", "laboratory", "issued"):
        if not getattr(certificate, name).strip():
            raise Invalid("must not be empty: copy it from the certificate", name)
    if certificate.valid_to <= certificate.valid_from:
        raise Invalid("must be after `valid_from`", "valid_to")


def _correction(c: Certificate, by: str) -> Correction:
    return Correction(
        id=0, device=c.device, quantity=c.quantity, start=c.valid_from, end=c.valid_to, action=CALIBRATE, flag=None,
        by=by, reason=f"calibration certificate {c.number} of {c.laboratory}, {c.issued}", scale=c.scale, shift=c.shift,
    )  # fmt: skip


def _note(row: Any) -> Note:
    return Note(id=row.id, subject=row.subject, text=row.text, by=row.made_by, at=row.made_at)


def _photo(row: Any) -> Photo:
    return Photo(
        id=row.id, subject=row.subject, sha256=row.sha256, by=row.made_by, at=row.made_at, **load(row.document)
    )


def _draft(row: Any) -> Draft:
    return Draft(
        id=row.id, kind=row.kind, document=load(row.document), by=row.made_by, made_at=row.made_at,
        changed_at=row.changed_at,
    )  # fmt: skip
