# SPDX-License-Identifier: EUPL-1.2
"""What waits in a spool, as others see it: read-only, while ingest appends and drains.

Messages in the spool are acknowledged and not yet accounted for. Counted are frames behind the position that the
journal has committed; what is torn or damaged ends its segment, as it does for the drain.
"""

from pathlib import Path

from hub.core.journal import SpoolPosition
from hub.core.ports import SpoolState
from hub.ingest._frames import FIRST, frame_at
from hub.ingest.spool import _HEAD  # layout of a spooled frame: messages, oldest arrival


def waiting_in(folder: Path, done: SpoolPosition) -> SpoolState:
    """Messages, bytes and the oldest arrival behind `done`."""
    messages, size, oldest = 0, 0, list[int]()
    for path in sorted(folder.glob("*.seg")):
        number = int(path.stem)
        if number < done.segment:
            continue
        try:
            with path.open("rb") as file:
                end, offset = path.stat().st_size, max(FIRST, done.offset if number == done.segment else 0)
                while (frame := frame_at(file, offset, end)) is not None:
                    if frame.payload is not None and len(frame.payload) >= _HEAD.size:
                        some, first = _HEAD.unpack_from(frame.payload)
                        messages, size = messages + some, size + frame.end - offset
                        oldest.append(first)
                    offset = frame.end
        except FileNotFoundError:  # drained and dropped meanwhile
            continue
    return SpoolState(messages, size, min(oldest, default=None))
