"""What of a call's updates can be posted now, and in which form."""

from __future__ import annotations

from collections.abc import Sequence

from sink.client import MAX_BYTES
from sink.coalescer import PendingUpdate
from sink.encoding import encode_update
from sink.lateness import LateEvents, is_timely, leave_out_untimely
from sink.settlement import Observer, Settlement
from sink.unchanged import settle_unchanged


def in_time(
    updates: Sequence[PendingUpdate],
    now_ms: float,
    late_events: LateEvents,
    settlement: Settlement,
    observer: Observer,
) -> tuple[list[PendingUpdate], list[PendingUpdate]]:
    """Takes out events that Batch would refuse for their time at `now_ms`, milliseconds since 1970. The updates that
    can be sent, and those that have nothing to say: their records are settled."""
    sendable: list[PendingUpdate] = []
    ended: list[PendingUpdate] = []
    for update in updates:
        if not update.attributes and not update.events:
            # A part of an update from which was left out what Batch has.
            settle_unchanged(update, settlement)
            ended.append(update)
            continue
        if update.events and not is_timely(update, now_ms):
            leave_out_untimely(update, now_ms, late_events, settlement, observer)
        if update.attributes or update.events:
            sendable.append(update)
            continue
        for record in update.records:
            settlement.skipped(record, "event_too_old")
        ended.append(update)
    return sendable, ended


def wire_forms(updates: Sequence[PendingUpdate]) -> list[bytes]:
    """The updates as posted: of the first ones, as many as fit in one call, at least one."""
    items: list[bytes] = []
    size = 1
    for update in updates:
        item = encode_update(update)
        size += len(item) + 1
        if items and size > MAX_BYTES:
            break
        items.append(item)
    return items
