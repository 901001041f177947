# SPDX-License-Identifier: EUPL-1.2
"""Ledgers as earlier releases wrote them: SQL dumps in `releases/<version>.sql`.

With each release, after its last change to the ledger, run from the project's root

    .venv/bin/python -m tests.storage.ledger.releases 1.2.0

and commit the file. It is never changed afterwards: a test opens every one of them with the newest code.
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace

from hub.core.places import Device, Mounting, Place, PlaceKind
from hub.core.ports import ValueQuery
from hub.storage.ledger import Ledger, sqlite_url
from tests.storage.ledger.samples import FULL, HOUR, final, value

DEVICE = Device(id="d", connector="native", external_id="d", interval=60, mountings=(Mounting("havirov", 0),))
FOLDER = Path(__file__).parent / "releases"


def release_files() -> list[Path]:
    """All dumps, oldest first by name."""
    return sorted(FOLDER.glob("*.sql"))


def write_contents(ledger: Ledger, place: str = "havirov/mesto", device: str = "meter-1") -> None:
    """Something of every table, so that a migration that forgets one is noticed."""
    title = {"cs": "Místo", "en": "Place"}
    city = Place(id="havirov", kind=PlaceKind.MUNICIPALITY, title=title, population=68947)
    ledger.devices.put_places([city, Place(id=place, kind=PlaceKind.PART, title=title, latitude=49.78)])
    mounted = (Mounting("havirov", 0, HOUR), Mounting(place, HOUR))
    ledger.devices.add_device(replace(DEVICE, id=device, external_id=device, mountings=mounted))
    gone = replace(DEVICE, id=f"{device}-old", external_id=f"{device}-old")
    ledger.devices.add_device(gone)
    ledger.devices.remove_device(gone.id)
    ledger.values.commit([(value(place=place), HOUR), (FULL, HOUR), (value(place=place, hour=1), HOUR)], {"touch:0": 7})
    ledger.values.commit([(final(place=place), HOUR), (value(place=place, hour=2, number=None), HOUR)], {})
    ledger.corrections.add(device, 0, HOUR, "override_flag", by="dana", reason="wet sensor", flag=4, quantity="pm10")
    ledger.keys.create(device, frozenset({"read", "write"}), by="admin")
    ledger.holds.add(device, 0, 2**60)
    ledger.leases.take(device, "me", 0, 2**60)
    ledger.commands.done(ledger.commands.submit("redrive", {"reason": "malformed"}), {"count": 3})


def expected_contents(ledger: Ledger) -> object:
    """Everything that the next release must still find, without what differs from run to run."""
    registry = ledger.devices.snapshot()
    return {
        "devices": {name: _as_given(device) for name, device in registry.devices.items()},
        "former": {name: _as_given(replace(device, mountings=())) for name, device in registry.former.items()},
        "stood": {name: [(m.place, m.start) for m in device.mountings] for name, device in registry.former.items()},
        "places": registry.places,
        "values": ledger.values.values(ValueQuery()),
        "revisions": ledger.values.revisions("i", "havirov/mesto", 0),
        "due": ledger.values.due(HOUR, 10),
        "cursor": ledger.values.cursor("touch:0"),
        "corrections": [replace(c, made_at=0) for c in ledger.values.corrections()],
        "holds": ledger.values.holds(1),
        "lease": ledger.leases.owner("meter-1", 1),
        "keys": [(key.name, key.scopes) for key in ledger.keys.keys()],  # noqa: SIM118 - a key ring, no dict
        "pending": ledger.commands.pending(),
        "audit": [(e.actor, e.action) for e in ledger.audit.entries() if not e.action.startswith("place.")],
    }


def load_release(dump: Path, file: Path) -> None:
    """Make the SQLite file that a dump describes."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))


def main() -> None:
    """Write the dump of the release named on the command line; refuse to replace one."""
    target = FOLDER / f"{sys.argv[1]}.sql"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ledger.db"
        with Ledger(sqlite_url(file)) as ledger:
            write_contents(ledger.upgrade())
        FOLDER.mkdir(exist_ok=True)
        with closing(sqlite3.connect(file)) as connection, target.open("x", encoding="utf-8") as out:
            out.write("\n".join(connection.iterdump()))
    print(target)


if __name__ == "__main__":
    main()


def _as_given(device: Device) -> Device:
    """Without what the registry adds: an earlier release counted no revisions."""
    return replace(device, registered_at=0, revision=0)
