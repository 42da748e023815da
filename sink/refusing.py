"""What Batch refuses for good, and how people learn of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sink.client import Answer, PartialError
from sink.coalescer import PendingUpdate, Record
from sink.masking import Masking, mask_attribute, mask_message
from sink.settlement import Observer, Part, Refusal, Settlement, profile_hash


class Ground(NamedTuple):
    """Why a record becomes a dead letter: a word of a closed list, and a sentence."""

    reason: str
    detail: str


REFUSED_ALONE = Ground("refused_by_batch", "Batch refuses this record on its own.")
POISON = Ground("poison", "Batch answers 500 to this record while it takes others.")
GAVE_UP = Ground("gave_up", "Batch took no call with this record for delivery.give_up_after_s.")
EVENT_REFUSED = Ground(
    "event_refused_by_batch", "Batch took the update but refused an event of it, without saying which."
)


def refuse(
    update: PendingUpdate, ground: Ground, answer: Answer, attempts: int, settlement: Settlement
) -> None:
    """The update's records become dead letters."""
    message = mask_message(answer.message, [update])
    profile = profile_hash(update.custom_id)
    for record in update.records:
        part = _part(update, record)
        refusal = Refusal(*ground, answer.status, message, attempts, part=part, profile=profile)
        settlement.dead_letter(record, refusal)


def _part(update: PendingUpdate, record: Record) -> Part:
    """What the update carried of the record; attributes of one record are not told from another's."""
    with_event = any(owner is record for _, owner in update.events)
    if not update.attributes:
        return "event"
    return "record" if with_event else "attributes"


def report_partial_errors(
    updates: Sequence[PendingUpdate],
    errors: Sequence[PartialError],
    attempts: int,
    settlement: Settlement,
    observer: Observer,
) -> None:
    """Batch took the updates but for these fields and events (Batch, Profile API, "Partial errors")."""
    masking = Masking(updates)
    refused: dict[int, list[str]] = {}
    for error in errors:
        if not 0 <= error.bulk_index < len(updates):
            continue
        update = updates[error.bulk_index]
        message = masking.mask(error.reason)
        if error.attribute is not None:
            observer.field_refused(REFUSED_ALONE.reason, mask_attribute(error.attribute, update), message)
        else:
            observer.field_refused(EVENT_REFUSED.reason, "event", message)
            refused.setdefault(error.bulk_index, []).append(message)
    for index, messages in refused.items():
        message, profile = "; ".join(messages), profile_hash(updates[index].custom_id)
        copy = Refusal(
            *EVENT_REFUSED, "202", message, attempts, delivered=True, part="event", profile=profile
        )
        _copy_records_with_events(updates[index], copy, settlement)


def _copy_records_with_events(update: PendingUpdate, copy: Refusal, settlement: Settlement) -> None:
    """Batch does not say which event it refused: each record that brought one is copied."""
    for record in {id(record): record for _, record in update.events}.values():
        record.parts += 1
        settlement.dead_letter(record, copy)
