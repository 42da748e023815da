"""Taking an update apart that Batch refused, so that only what is bad is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mapping.profile import ProfileUpdate
from sink.coalescer import Coalescer, PendingUpdate, Record


def regroup(
    update: PendingUpdate, records: Sequence[Record], rebuild: Callable[[Record], ProfileUpdate]
) -> list[PendingUpdate]:
    """The updates, in order, that say what `records` said in `update`: attributes rebuilt from the records,
    restricted to those that `update` carried, and the events that it carried."""
    scratch = Coalescer()
    for record in records:
        whole = rebuild(record)
        carried = whole._replace(
            attributes={name: value for name, value in whole.attributes.items() if name in update.attributes},
            events=tuple(event for event, owner in update.events if owner is record),
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
