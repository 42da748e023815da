"""What becomes of one event, as the worker would decide it: mapped, skipped or rejected, and what is posted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from mapping.documented import Documented, documented
from mapping.mapper import compile_mapper
from mapping.profile import FieldProblem, ProfileEvent, ProfileUpdate, Rejected, Skipped
from mapping.read import read_record
from mapping.settings import MappingSettings
from mapping.timestamps import read_timestamp
from sink.coalescer import Coalescer, PendingUpdate
from sink.delivery import LateEvents
from sink.lateness import timeliness, without_time

Outcome = Literal["mapped", "skipped", "rejected"]
_TOO_OLD = "event_too_old"


class Meaning(NamedTuple):
    """What becomes of an event. `fields` are the fields that were left out or changed."""

    outcome: Outcome
    reason: str | None
    updates: tuple[PendingUpdate, ...] = ()
    fields: tuple[FieldProblem, ...] = ()


class DocumentedMeaning(NamedTuple):
    """The same, with the update in the document's shape."""

    outcome: Outcome
    reason: str | None
    updates: tuple[dict[str, Any], ...] = ()
    fields: tuple[FieldProblem, ...] = ()


class _Parts:
    """What the coalescer asks of a record."""

    __slots__ = ("parts",)
    bytes = 0

    def __init__(self) -> None:
        self.parts = 1


class _Verdict(NamedTuple):
    """What the 24-hour rule says of an event."""

    outcome: Outcome = "mapped"
    """`mapped`: the event goes, with or without its time. Else it leaves its update."""
    timed: bool = True
    problem: FieldProblem | None = None


_TIMELY = _Verdict()


def compile_meaning(
    settings: MappingSettings, late_events: LateEvents, now_ms: float | None
) -> Callable[[bytes], Meaning]:
    """A function from a record's value to its meaning, which returns for any bytes.

    `now_ms`: the clock, milliseconds since 1970; None turns off the rule that an event may be 24 hours old.
    """
    map_record = compile_mapper(settings)

    def meaning(record: bytes) -> Meaning:
        result = map_record(record)
        if isinstance(result, Skipped):
            return Meaning("skipped", result.reason, (), result.problems)
        if not isinstance(result, ProfileUpdate):
            return Meaning("rejected", result.reason, (), result.problems)
        return _timed(result, late_events, now_ms)

    return meaning


def compile_documented(
    settings: MappingSettings, late_events: LateEvents, now_ms: float | None
) -> Callable[[bytes], DocumentedMeaning]:
    """The same in the shape of Segment's document: names as they came, and no time."""

    def meaning(record: bytes) -> DocumentedMeaning:
        result = documented(record, settings)
        if isinstance(result, Skipped):
            return DocumentedMeaning("skipped", result.reason, (), result.problems)
        if not isinstance(result, Documented):
            return DocumentedMeaning("rejected", result.reason, (), result.problems)
        update, fields = result
        verdict = _TIMELY
        if "event" in update:
            verdict = _judge(ProfileEvent("", _timestamp_ms(record), b""), late_events, now_ms)
        if verdict.problem is not None:
            fields = (*fields, verdict.problem)
        if verdict.outcome == "mapped":
            return DocumentedMeaning("mapped", None, (update,), fields)
        rest = {key: value for key, value in update.items() if key != "event"}
        outcome, reason = _without_event(verdict, left="attributes" in rest)
        return DocumentedMeaning(outcome, reason, (rest,) if "attributes" in rest else (), fields)

    return meaning


def _timed(update: ProfileUpdate, late_events: LateEvents, now_ms: float | None) -> Meaning:
    """An update under the 24-hour rule. The mapping makes at most one event of a record."""
    verdict = _judge(update.events[0], late_events, now_ms) if update.events else _TIMELY
    fields = update.problems if verdict.problem is None else (*update.problems, verdict.problem)
    if verdict.outcome == "mapped":
        if not verdict.timed:
            update = update._replace(events=tuple(without_time(event) for event in update.events))
        return Meaning("mapped", None, posted(update), fields)
    update = update._replace(events=())
    outcome, reason = _without_event(verdict, left=bool(update.attributes))
    return Meaning(outcome, reason, posted(update) if update.attributes else (), fields)


def _judge(event: ProfileEvent, late_events: LateEvents, now_ms: float | None) -> _Verdict:
    judged = "timely" if now_ms is None else timeliness(event, now_ms)
    if judged == "timely":
        return _TIMELY
    if judged == "future":
        return _Verdict(timed=False, problem=FieldProblem("time", "event_in_future"))
    if late_events == "send_without_time":
        return _Verdict(timed=False, problem=FieldProblem("time", _TOO_OLD))
    if late_events == "skip":
        return _Verdict("skipped", problem=FieldProblem("event", _TOO_OLD))
    return _Verdict("rejected")


def _without_event(verdict: _Verdict, *, left: bool) -> tuple[Outcome, str | None]:
    """A record's outcome is the worst of its parts': its event that left, and the attributes that go."""
    if verdict.outcome == "skipped" and left:
        return "mapped", None
    return verdict.outcome, _TOO_OLD


def posted(update: ProfileUpdate) -> tuple[PendingUpdate, ...]:
    """The updates that leave for it, in order: one, unless it is over Batch's limits."""
    coalescer = Coalescer()
    coalescer.add(update, _Parts(), 0.0)
    updates: list[PendingUpdate] = []
    while taken := coalescer.take(1):
        updates += taken
        coalescer.settle(taken[0])
    return tuple(updates)


def message_id(record: bytes) -> str | None:
    """The event's messageId, if it has one that is a string."""
    found = read_record(map_event=_message_id, record=record)
    return found if isinstance(found, str) else None


def _message_id(event: dict[str, Any], _: list[FieldProblem]) -> str | None:
    found = event.get("messageId")
    return found if isinstance(found, str) else None


def _timestamp_ms(record: bytes) -> int | None:
    found = read_record(map_event=_timestamp, record=record)
    return None if found is None or isinstance(found, Skipped | Rejected) else found


def _timestamp(event: dict[str, Any], _: list[FieldProblem]) -> int | None:
    moment = read_timestamp(event.get("timestamp"))
    return moment[0] if moment else None
