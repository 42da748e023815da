"""What becomes of one event, as the worker would decide it: mapped, skipped or rejected, and what is posted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from mapping.documented import Documented, documented
from mapping.mapper import compile_mapper
from mapping.mappings import MappingSet
from mapping.profile import (
    FieldProblem,
    MappingResult,
    ProfileEvent,
    ProfileUpdate,
    ProfileUpdates,
    Rejected,
    Skipped,
)
from mapping.read import read_record
from mapping.settings import MappingSettings
from mapping.timestamps import read_timestamp
from sink.coalescer import Coalescer
from sink.encoding import encode_update
from sink.lateness import LateEvents, timeliness, without_time

Outcome = Literal["mapped", "skipped", "rejected"]
Problems = tuple[FieldProblem, ...]
_TOO_OLD = "event_too_old"


class Meaning(NamedTuple):
    """What becomes of an event."""

    outcome: Outcome
    reason: str | None
    updates: tuple[Any, ...] = ()
    """As orjson writes them: the items of the posted array, or the one update in the document's shape."""
    fields: Problems = ()
    """Fields that were left out or changed."""
    detail: str | None = None
    """Of a rejected record, a sentence for a person."""


Reader: TypeAlias = Callable[[bytes], Meaning]


class Clock(NamedTuple):
    """The rule that Batch takes events of the last 24 hours, none of the future."""

    now_ms: float | None
    """Milliseconds since 1970; None turns the rule off."""
    late_events: LateEvents

    def judge(self, events: Iterable[ProfileEvent]) -> _Verdict:
        """What becomes of a record's events; they have the record's one timestamp."""
        now_ms = self.now_ms
        judged = set() if now_ms is None else {timeliness(event, now_ms) for event in events}
        if "late" in judged:
            return _LATE[self.late_events]
        return _Verdict("untimed", "event_in_future") if "future" in judged else _Verdict("sent")


class _Verdict(NamedTuple):
    fate: Literal["sent", "untimed", "skipped", "rejected"]
    """`untimed`: sent without its time. `skipped`, `rejected`: it leaves its update."""
    reason: str = ""


_LATE: dict[LateEvents, _Verdict] = {
    "dead_letter": _Verdict("rejected", _TOO_OLD),
    "send_without_time": _Verdict("untimed", _TOO_OLD),
    "skip": _Verdict("skipped", _TOO_OLD),
}


class _Parts:
    """What the coalescer asks of a record."""

    __slots__ = ("late_profiles", "order", "parts")
    bytes = 0

    def __init__(self) -> None:
        self.parts = 1
        self.late_profiles: Collection[str] = ()
        self.order = 0


def posted_meaning(settings: MappingSettings, clock: Clock, mappings: MappingSet | None = None) -> Reader:
    """A function from a record's value to its meaning, with updates as they are posted. It returns for any bytes.

    Without mappings the preset is in force.
    """
    map_record = compile_mapper(settings, mappings)
    return lambda record: meaning_of(map_record(record), clock)


def meaning_of(result: MappingResult, clock: Clock) -> Meaning:
    """What is posted of what the mapping gave."""
    if isinstance(result, Skipped | Rejected):
        return _nothing(result)
    updates = result.updates if isinstance(result, ProfileUpdates) else (result,)
    verdict = clock.judge(event for update in updates for event in update.events)
    posted: list[orjson.Fragment] = []
    for update in updates:
        if verdict.fate == "untimed":
            update = update._replace(events=tuple(without_time(event) for event in update.events))
        elif verdict.fate != "sent":
            update = update._replace(events=())
        posted += _posted(update)
    return _mapped(tuple(posted), result.problems, verdict)


def documented_meaning(settings: MappingSettings, clock: Clock) -> Reader:
    """The same with the update in the shape of Segment's document: names as they came, and no time."""

    def read(record: bytes) -> Meaning:
        result = documented(record, settings)
        if not isinstance(result, Documented):
            return _nothing(result)
        update = dict(result.update)
        happened = _field(record, "timestamp", lambda value: (read_timestamp(value) or (None,))[0])
        events = (ProfileEvent("", happened, b""),) if "event" in update else ()
        verdict = clock.judge(events)
        if verdict.fate in ("skipped", "rejected"):
            del update["event"]
        return _mapped((update,) if len(update) > 1 else (), result.problems, verdict)

    return read


def message_id(record: bytes) -> str | None:
    """The event's messageId, if it has one that is a string."""
    found = _field(record, "messageId", lambda value: value)
    return found if isinstance(found, str) else None


def _nothing(result: Skipped | Rejected) -> Meaning:
    if isinstance(result, Skipped):
        return Meaning("skipped", result.reason, (), result.problems)
    return Meaning("rejected", result.reason, (), result.problems, result.detail)


def _mapped(updates: tuple[Any, ...], fields: Problems, verdict: _Verdict) -> Meaning:
    """The outcome is the worst of the parts': an event that leaves the update, and the attributes that go."""
    if verdict.fate == "sent":
        return Meaning("mapped", None, updates, fields)
    if verdict.fate == "untimed":
        return Meaning("mapped", None, updates, (*fields, FieldProblem("time", verdict.reason)))
    if verdict.fate == "skipped" and updates:
        return Meaning("mapped", None, updates, (*fields, FieldProblem("event", verdict.reason)))
    return Meaning(verdict.fate, verdict.reason, updates, fields)


def _posted(update: ProfileUpdate) -> tuple[orjson.Fragment, ...]:
    """The items of the posted array, in order: one, unless the update is over Batch's limits."""
    if not update.attributes and not update.events:
        return ()
    coalescer = Coalescer()
    coalescer.add(update, _Parts(), 0.0)
    items = []
    while taken := coalescer.take(1):
        items.append(orjson.Fragment(encode_update(taken[0])))
        coalescer.settle(taken)
    return tuple(items)


def _field(record: bytes, name: str, read: Callable[[Any], Any]) -> Any:
    """A member of the event, read; None if the record cannot be."""
    found = read_record(map_event=lambda event, _: read(event.get(name)), record=record)
    return None if isinstance(found, Skipped | Rejected) else found
