"""What was said, for a marketer in plain words, and as JSON."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from streams.membership.lasting import Last, OfAudience, OfUser
from streams.membership.reading import Range


def user_as_json(user_id: str, found: OfUser, range: Range, complete: bool) -> dict[str, Any]:
    """`{"user_id", "complete", "partitions_read", "audiences": [{"audience", "member", "said_at", "appended_at",
    "messages", "topic", "partition", "offset", "not_delivered"}]}`; times in ISO 8601, UTC."""
    return {
        "user_id": user_id,
        "complete": complete,
        "partitions_read": range.read(),
        "audiences": [
            {
                "audience": audience,
                "member": last.member,
                "said_at": _iso(last.at_ms),
                "appended_at": _iso(last.place.appended_ms),
                "messages": found.messages[audience],
                "topic": last.place.topic,
                "partition": last.place.partition,
                "offset": last.place.offset,
                "not_delivered": last.not_delivered,
            }
            for audience, last in sorted(found.last.items())
        ],
    }


def audience_as_json(audience: str, found: OfAudience, range: Range, complete: bool) -> dict[str, Any]:
    """`{"audience", "complete", "partitions_read", "true", "false", "last_change", "messages", "without_user_id",
    "not_delivered": {reason: messages}}`."""
    return {
        "audience": audience,
        "complete": complete,
        "partitions_read": range.read(),
        "true": found.members(),
        "false": found.left(),
        "last_change": None if found.changed_ms is None else _iso(found.changed_ms),
        "messages": found.messages,
        "without_user_id": found.without_user,
        "not_delivered": dict(sorted(found.not_delivered.items())),
    }


def user_in_words(user_id: str, found: OfUser, range: Range, complete: bool) -> Iterator[str]:
    """Lines for a person."""
    yield from _interrupted(complete)
    if not found.last:
        yield f"Segment says nothing of user {user_id} in any audience, in {_read(range)}."
        yield "Is the userId written exactly so, and does the range go back far enough (--from)?"
        return
    yield f"What Segment last said of user {user_id}, in {_read(range)}:"
    width = max(map(len, found.last))
    for audience, last in sorted(found.last.items()):
        yield f"  {audience:{width}}  {'is in ' if last.member else 'is out'}  said {_when(last)}{_but(last)}"


def audience_in_words(
    audience: str, found: OfAudience, range: Range, complete: bool, others: Collection[str]
) -> Iterator[str]:
    """Lines for a person. `others` are the audiences that were heard of."""
    yield from _interrupted(complete)
    if not found.messages:
        yield f"Segment says nothing of audience {audience}, in {_read(range)}."
        close = difflib.get_close_matches(audience, others, n=3, cutoff=0.5)
        if close:
            yield f"Did you mean {', '.join(close)}?"
        return
    yield f"Audience {audience}, as Segment last said it, in {_read(range)}:"
    yield f"  in            {found.members():,} users"
    yield f"  out           {found.left():,} users"
    if found.changed_ms is not None:
        yield f"  last change   {_words(found.changed_ms)}"
    yield f"  messages      {found.messages:,}"
    if found.without_user:
        yield f"  no userId     {found.without_user:,} messages: they are of nobody whom Batch could know"
    for reason, count in sorted(found.not_delivered.items()):
        yield f"  not delivered {count:,} messages: {reason} (docs/mapping.md)"


def _interrupted(complete: bool) -> Iterator[str]:
    if not complete:
        yield "Interrupted: this is of a part of the range only."


def _when(last: Last) -> str:
    """The time of the event, and that of the record if it came much later."""
    late_s = (last.place.appended_ms - last.at_ms) / 1000
    came = f", and came {_words(last.place.appended_ms)}" if late_s >= 60 else ""
    return _words(last.at_ms) + came


def _but(last: Last) -> str:
    if last.not_delivered is None:
        return ""
    return f"; segbatch does not deliver it: {last.not_delivered} (docs/mapping.md)"


def _read(range: Range) -> str:
    parts = []
    for topic, partitions in range.read().items():
        all_of_them = len(partitions) == range.partitions[topic]
        where = "" if all_of_them else f" (partition {partitions[0]}, where this user's events are)"
        parts.append(f"topic {topic}{where}")
    return ", ".join(parts)


def _words(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _iso(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
