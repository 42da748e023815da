"""Taking an update apart that Batch refused, so that only what is bad is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mapping.profile import ProfileUpdate
from sink.coalescer import Coalescer, PendingUpdate, Record
from sink.settlement import Settlement

Rebuild = Callable[[Record, str], ProfileUpdate]
"""What a record says of the profile with this custom_id."""


def regroup(update: PendingUpdate, records: Sequence[Record], rebuild: Rebuild) -> list[PendingUpdate]:
    """The updates, in order, that say what `records` said in `update`: attributes rebuilt from the records,
    restricted to those that `update` carried, and the events that it carried."""
    scratch = Coalescer()
    for record in records:
        whole = rebuild(record, update.custom_id)
        carried = whole._replace(
            attributes={name: value for name, value in whole.attributes.items() if name in update.attributes},
            events=tuple(event for event, owner in update.events if owner is record),
        )
        scratch.add(carried, record, update.arrived)
    parts: list[PendingUpdate] = []
    while taken := scratch.take(1):
        parts += taken
        scratch.settle(taken)
    return parts


def restrict(update: PendingUpdate, live: list[Record], rebuild: Rebuild) -> None:
    """Leave out of an update that is out what other records than the live ones said. Where array deltas of the live
    ones do not compose into one update, which is rare, the attributes stay as they were merged: to repeat them does
    no harm."""
    parts = [record.parts for record in live]
    rebuilt = regroup(update, live, rebuild)
    for record, count in zip(live, parts, strict=True):
        record.parts = count
    update.records = live
    update.events = [pair for part in rebuilt for pair in part.events]
    if len(rebuilt) == 1:
        update.attributes = rebuilt[0].attributes


def live_parts(
    updates: Sequence[PendingUpdate], settlement: Settlement
) -> tuple[list[PendingUpdate], list[PendingUpdate]]:
    """Updates with something live in them, reduced to that, and those without."""
    ours: list[PendingUpdate] = []
    gone: list[PendingUpdate] = []
    for update in updates:
        live = [record for record in update.records if settlement.is_live(record)]
        if live and len(live) < len(update.records):
            restrict(update, live, settlement.rebuild)
        (ours if live else gone).append(update)
    return ours, gone


def halves(records: Sequence[Record]) -> tuple[Sequence[Record], Sequence[Record]]:
    """The earlier and the later half."""
    middle = len(records) // 2
    return records[:middle], records[middle:]
