"""Taking an update apart that Batch refused, so that only what is bad is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mapping.profile import ProfileUpdate
from sink.coalescer import Coalescer, PendingUpdate, Record


def regroup(
    update: PendingUpdate, records: Sequence[Record], rebuild: Callable[[Record], ProfileUpdate]
) -> list[PendingUpdate]:
    """The updates, in order, that say what `records` said in `update`: rebuilt from the records, restricted to
    the attributes and events that `update` carried."""
    bodies = {event.body for event, _ in update.events}
    names = {event.name for event, _ in update.events if event.time_ms is None}
    scratch = Coalescer()
    for record in records:
        whole = rebuild(record)
        carried = whole._replace(
            attributes={name: value for name, value in whole.attributes.items() if name in update.attributes},
            events=tuple(e for e in whole.events if e.body in bodies or e.name in names),
        )
        scratch.add(carried, record, update.arrived)
    parts: list[PendingUpdate] = []
    while taken := scratch.take(1):
        parts += taken
        scratch.settle(taken[0])
    return parts


def halves(records: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
    """The earlier and the later half."""
    middle = len(records) // 2
    return records[:middle], records[middle:]
