"""What a replayed dead letter asks of the worker: headers on the record that was written back to its source topic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, cast, get_args

from mapping.profile import ProfileUpdate
from sink.settlement import Part

REPLAYED = "segbatch.replayed"
PART = "segbatch.part"
LATE = "segbatch.late"
YES = b"1"
_MARK = (REPLAYED, YES)

HeaderList = Sequence[tuple[str, bytes | None]]
ReplayLate = Literal["send_without_time"]


class Replay(NamedTuple):
    """How a replayed record differs from a live one. It is never taken for a repeat of itself."""

    part: Part = "record"
    """What was not settled: only that is sent."""
    late: ReplayLate | None = None
    """What becomes of an event older than 24 hours, in the place of the setting `late_events`."""


def replay_headers(replay: Replay) -> list[tuple[str, bytes]]:
    """What is added to a record that is replayed."""
    headers = [(REPLAYED, YES), (PART, replay.part.encode())]
    return [*headers, (LATE, replay.late.encode())] if replay.late else headers


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
    )


def without_replay_headers(headers: HeaderList) -> list[tuple[str, bytes | None]]:
    """The record's own headers."""
    return [header for header in headers if header[0] not in (REPLAYED, PART, LATE)]


def only_part(update: ProfileUpdate, part: Part) -> ProfileUpdate:
    """What the update says of this part of its record."""
    if part == "event":
        return update._replace(attributes={})
    return update._replace(events=()) if part == "attributes" else update
