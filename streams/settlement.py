"""The end of records: what completes them in their ledgers, and what is counted of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, cast

from mapping.profile import ProfileUpdate, ProfileUpdates
from sink import coalescer
from sink.coalescer import PendingUpdate
from sink.settlement import Part, Refusal
from streams.dead_letter_limits import DeadLetterLimits
from streams.ledger import Ledger
from streams.metrics import Metrics
from streams.records import Ending, Record
from streams.repeats import RepeatWindow
from streams.replay_headers import only_part

NO_TIMESTAMP = 0
DEAD_LETTERED = Ending.DEAD_LETTERED


class Letters(Protocol):
    """The dead-letter topic."""

    def write(self, record: Record, refusal: Refusal) -> None:
        """Write a letter; when Kafka has confirmed it, settle the part of the record that it stands for."""
        ...


class RecordSettlement:
    """Implements `sink.settlement.Settlement` for Kafka records."""

    def __init__(
        self,
        metrics: Metrics,
        limits: DeadLetterLimits | None = None,
        repeats: RepeatWindow | None = None,
        *,
        single_topic: bool = True,
    ) -> None:
        self._metrics = metrics
        self.limits = limits or DeadLetterLimits()
        self.repeats = RepeatWindow(0, 1.0) if repeats is None else repeats
        self._single_topic = single_topic
        self.letters: Letters | None = None
        self._held_back: dict[Ledger, Record] = {}
        """Of each partition the first record that stays undone since a limit was reached."""

    def accepted(self, updates: Sequence[PendingUpdate]) -> None:
        """Batch took these updates: a part of each of their records is done."""
        ended = 0
        appended: list[tuple[int, int]] = []
        records = cast("list[Record]", [record for update in updates for record in update.records])
        for record in records:
            ledger = record.ledger
            if ledger.forgotten:
                continue
            if record.parts == 1 and record.ending is not DEAD_LETTERED:
                record.parts = 0
                ledger.complete(record.offset)
                ended += 1
            else:
                self.settle(record, Ending.ACCEPTED, "")
            appended.append(record.message.timestamp())
        now_ms = time.time() * 1000
        self._metrics.latency.observe([(now_ms - at) / 1000 for kind, at in appended if kind != NO_TIMESTAMP])
        if ended:
            self._metrics.records_ended("accepted", "", ended)
            self.limits.accepted(ended)
        if self.limits.runs:
            accepted = {record for update in updates for record in cast("list[Record]", update.records)}
            self.limits.end_runs({record.place for record in accepted})
        self._metrics.updates_accepted(len(updates))

    def skipped(self, record: coalescer.Record, reason: str) -> None:
        """A part of the record asks nothing of Batch."""
        self.settle(cast(Record, record), Ending.SKIPPED, reason)

    def dead_letter(self, record: coalescer.Record, refusal: Refusal) -> None:
        """A part of the record cannot be delivered; it is done when the letter is confirmed. If the limits do not let
        the letter through, the record stays undone."""
        if self.letters is None:
            raise RuntimeError("no dead-letter topic was given")
        own = cast(Record, record)
        if not self.limits.admits(own.place, refusal):
            self.hold_back(own)
            return
        if own.order and refusal.part != "attributes" and not refusal.delivered:
            self._forget_event(own)
        part, profile = _unsettled(own, refusal.part), _profile(own, refusal.profile)
        self.letters.write(own, replace(refusal, part=part, profile=profile))

    def hold_back(self, record: Record) -> None:
        """A limit was reached: this record, and what comes after it, stays undone."""
        first = self._held_back.get(record.ledger, record)
        self._held_back[record.ledger] = min(first, record, key=lambda each: each.offset)

    def held_back(self) -> list[Record]:
        """Of each partition that is ours the first record that was held back."""
        return [record for record in self._held_back.values() if not record.ledger.forgotten]

    def forget_held_back(self) -> None:
        """They are read again."""
        self._held_back.clear()

    def _forget_event(self, record: Record) -> None:
        """It was taken for one that will be accepted: if it comes again, that is no repeat. But of several profiles the
        others may be accepted, and would have their events twice."""
        updates = _mapped_again(record) if len(self.repeats) else ()
        if len(updates) == 1 and updates[0].message_id is not None:
            self.repeats.forget(updates[0].message_id)

    def letter_confirmed(self, record: Record, refusal: Refusal) -> None:
        """Kafka has the letter."""
        if refusal.delivered:
            self._metrics.copies.inc()
            self.settle(record, Ending.ACCEPTED, "")
        else:
            self.settle(record, Ending.DEAD_LETTERED, refusal.reason)

    def is_live(self, record: coalescer.Record) -> bool:
        """Whether the record's partition is still ours to send for."""
        return cast(Record, record).ledger.sending

    def home(self, update: PendingUpdate) -> int | None:
        """The assignment of the records, if each has the profile's id for its key: all records of the profile are in
        that partition then. None with several source topics: workers share each of them as they like."""
        if not self._single_topic:
            return None
        records = cast("list[Record]", update.records)
        key, ledger = update.custom_id.encode(), records[0].ledger
        for record in records:
            if record.ledger is not ledger or record.message.key() != key:
                return None
        return ledger.assignment

    def says_again(self, update: PendingUpdate) -> bool:
        """Whether a repair or a replayed letter is among the records."""
        records = cast("list[Record]", update.records)
        return any(record.repair or record.replay is not None for record in records)

    def rebuild(self, record: coalescer.Record, custom_id: str) -> ProfileUpdate:
        """What the record says of the profile, mapped once more by the mappings that it was mapped with, without
        events that went their own way and without what was superseded."""
        own = cast(Record, record)
        update = next((each for each in _mapped_again(own) if each.custom_id == custom_id), None)
        if update is None:
            raise RuntimeError("a record that was mapped once cannot be mapped again")
        superseded = own.superseded.get(custom_id)
        if superseded:
            kept = {name: value for name, value in update.attributes.items() if name not in superseded}
            update = update._replace(attributes=kept)
        if own.replay is not None:
            update = only_part(update, own.replay.part)
        return update._replace(events=()) if custom_id in own.late_profiles else update

    def settle(self, record: Record, ending: Ending, reason: str) -> None:
        """One part of the record ended; with the last one the record is done, and its outcome is the worst."""
        record.parts -= 1
        if ending >= record.ending:
            record.ending, record.reason = ending, reason
        if record.parts > 0 or record.ledger.forgotten:
            return
        record.ledger.complete(record.offset)
        self._metrics.records_ended(record.ending.name.lower(), record.reason)


def _mapped_again(record: Record) -> Sequence[ProfileUpdate]:
    """The updates that its mappings make of the record."""
    result = None if record.map_record is None else record.map_record(record.message.value())
    if isinstance(result, ProfileUpdates):
        return result.updates
    return (result,) if isinstance(result, ProfileUpdate) else ()


def _unsettled(record: Record, refused: Part) -> Part:
    """What of the record stays undone when this part of it is refused: all that was asked, unless another part has
    ended or is on its way."""
    asked: Part = "record" if record.replay is None else record.replay.part
    alone = record.parts == 1 and record.ending is Ending.SKIPPED and not record.late_profiles
    return asked if alone or refused == "record" else refused


def _profile(record: Record, refused: str) -> str:
    """Of which profile it stays undone: the one that was asked for, else this one where the record speaks of others
    too. A record of one profile names none: if mappings identify it otherwise later, its letter is about that one."""
    if record.replay is not None and record.replay.profile:
        return record.replay.profile
    return refused if refused and len(_mapped_again(record)) > 1 else ""
