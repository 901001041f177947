# SPDX-License-Identifier: EUPL-1.2
"""One more process that uses the ledger: `python -m tests.storage.ledger.worker URL JOB NAME`.

It prints a line for everything that the ledger confirmed.
"""

import itertools
import sys
from collections.abc import Callable, Mapping

from hub.core.places import Device
from hub.storage.ledger import Ledger
from tests.storage.ledger.samples import HOUR, value

ROUNDS, BATCH = 12, 4


def say(word: object) -> None:
    print(word, flush=True)


def begin(ledger: Ledger, name: str) -> None:
    """Upgrade an empty database that others upgrade too, then try to become the one engine."""
    ledger.upgrade().open()
    say(ledger.schema.current())
    say(ledger.leases.take("engine", name, 0, 2**60))


def everything(ledger: Ledger, name: str) -> None:
    """Use all parts in turn, many times."""
    ledger.open()
    for number in range(ROUNDS):
        hours = range(number * BATCH, (number + 1) * BATCH)
        ledger.values.commit([(value(indicator=name, hour=hour), HOUR) for hour in hours], {name: number})
        ledger.devices.add_device(Device(id=f"{name}-{number}", connector="native", external_id=f"{name}-{number}"))
        say(ledger.commands.submit("redrive", {"by": name}))


def commit_for_ever(ledger: Ledger, name: str) -> None:
    """Commit pairs of a value and a cursor until killed."""
    ledger.open()
    for number in itertools.count(1):
        ledger.values.commit([(value(indicator=name, hour=number, number=float(number)), HOUR)], {name: number})
        say(number)


JOBS: Mapping[str, Callable[[Ledger, str], None]] = {job.__name__: job for job in (begin, everything, commit_for_ever)}

if __name__ == "__main__":
    with Ledger(sys.argv[1]) as opened:
        JOBS[sys.argv[2]](opened, sys.argv[3])
