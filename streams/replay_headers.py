"""What a replayed dead letter asks of the worker: headers on the record that was written back to its source topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast, get_args

from mapping.profile import MappingResult, ProfileUpdate, ProfileUpdates, Rejected
from sink.lateness import without_time
from sink.settlement import Part, profile_hash

REPLAYED = "segbatch.replayed"
PART = "segbatch.part"
PROFILE = "segbatch.profile"
LATE = "segbatch.late"
YES = b"1"
_MARK = (REPLAYED, YES)

HeaderList = Sequence[tuple[str, bytes | None]]
ReplayLate = Literal["send_without_time"]
PROFILE_NOT_FOUND = "profile_not_found"
_NOT_FOUND = (
    "It was replayed for one of its profiles, and the mappings in force make no update of that. Correct them, or "
    "replay with --all-profiles."
)


class Replay(NamedTuple):
    """How a replayed record differs from a live one. It is never taken for a repeat of itself."""

    part: Part = "record"
    """What was not settled: only that is sent."""
    late: ReplayLate | None = None
    """What becomes of an event older than 24 hours, in the place of the setting `late_events`."""
    profile: str = ""
    """Of which profile the part is, as `profile_hash`; empty: of every profile that the record speaks of."""


def replay_headers(replay: Replay) -> list[tuple[str, bytes]]:
    """What is added to a record that is replayed."""
    more = ((PROFILE, replay.profile), (LATE, replay.late))
    return [
        (REPLAYED, YES),
        (PART, replay.part.encode()),
        *((name, said.encode()) for name, said in more if said),
    ]


def read_replay(headers: HeaderList) -> Replay | None:
    """None for a live record. A part or a rule for late events that is not known counts as none given."""
    if _MARK not in headers:
        return None
    found = dict(headers)
    part = (found.get(PART) or b"").decode(errors="replace")
    late = (found.get(LATE) or b"").decode(errors="replace")
    return Replay(
        cast(Part, part) if part in get_args(Part) else "record",
        cast(ReplayLate, late) if late in get_args(ReplayLate) else None,
        (found.get(PROFILE) or b"").decode(errors="replace"),
    )


def without_replay_headers(headers: HeaderList) -> list[tuple[str, bytes | None]]:
    """The record's own headers."""
    return [header for header in headers if header[0] not in (REPLAYED, PART, PROFILE, LATE)]


def asked_of(result: MappingResult, replay: Replay, oldest_ms: float) -> MappingResult:
    """What is asked for of what the mapping made of a replayed record. Batch takes events from `oldest_ms` on,
    milliseconds since 1970. Rejected if the mapping makes no update of the profile that is asked for."""
    if not isinstance(result, ProfileUpdate | ProfileUpdates):
        return result
    updates = result.updates if isinstance(result, ProfileUpdates) else (result,)
    asked = [
        _in_time(only_part(update, replay.part), replay.late, oldest_ms)
        for update in updates
        if replay.profile in ("", profile_hash(update.custom_id))
    ]
    if not asked:
        return Rejected(PROFILE_NOT_FOUND, _NOT_FOUND, result.problems)
    if len(asked) == 1:
        return asked[0]._replace(problems=result.problems)
    return ProfileUpdates(tuple(asked), result.problems)


def _in_time(update: ProfileUpdate, late: ReplayLate | None, oldest_ms: float) -> ProfileUpdate:
    if late is None:
        return update
    events = (
        event if event.time_ms is None or event.time_ms >= oldest_ms else without_time(event)
        for event in update.events
    )
    return update._replace(events=tuple(events))


def only_part(update: ProfileUpdate, part: Part) -> ProfileUpdate:
    """What the update says of this part of its record."""
    if part == "event":
        return update._replace(attributes={})
    return update._replace(events=()) if part == "attributes" else update
