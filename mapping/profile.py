"""The data that the mapping hands to the sink: what one Segment event says of one Batch profile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias


class DateString(str):
    """An RFC 3339 UTC time that leaves as `date(name)` (Batch, Profile API, "Date")."""

    __slots__ = ()


class UrlString(str):
    """A URL that leaves as `url(name)` (Batch, Profile API, "URL")."""

    __slots__ = ()


class ArrayDelta(NamedTuple):
    """A partial update of a string array, on the wire `{"$add": [...], "$remove": [...]}`."""

    add: tuple[str, ...]
    remove: tuple[str, ...]


AttributeValue: TypeAlias = str | int | float | bool | list[str] | ArrayDelta | None
"""`DateString` and `UrlString` are strings here; None deletes the attribute."""


class FieldProblem(NamedTuple):
    """A field that was left out, or changed on its way, and why. Never carries the field's value."""

    field: str
    """Where the field stood in the Segment event, e.g. `traits.address` or `event`."""
    reason: str
    """A short snake_case word of a closed list: it is a label of a metric."""


class ProfileEvent(NamedTuple):
    """One event of a profile, ready to be posted."""

    name: str
    time_ms: int | None
    """When it happened, milliseconds since 1970 UTC; None where the wire form has no `time`."""
    body: bytes
    """The JSON object as posted: name, `time` (if time_ms is set) and attributes (if any)."""


class ProfileUpdate(NamedTuple):
    """What one Segment event asks Batch to change. `attributes` is keyed by bare name: `date(x)`, `url(x)`
    and `x` are one attribute, whose form is the type of its value."""

    custom_id: str
    attributes: dict[str, AttributeValue]
    events: tuple[ProfileEvent, ...]
    problems: tuple[FieldProblem, ...]
    timestamp_ms: int | None
    """The Segment event's `timestamp`, milliseconds since 1970 UTC; None if it has none that can be read."""
    message_id: str | None = None
    """The Segment event's `messageId`, where the update has an event; by it repeats are known."""


new_event: Callable[[tuple[str, int | None, bytes]], ProfileEvent] = partial(tuple.__new__, ProfileEvent)
new_update: Callable[
    [
        tuple[
            str,
            dict[str, AttributeValue],
            tuple[ProfileEvent, ...],
            tuple[FieldProblem, ...],
            int | None,
            str | None,
        ]
    ],
    ProfileUpdate,
] = partial(tuple.__new__, ProfileUpdate)
"""As the classes, from a tuple of their fields. A named tuple's own constructor is a Python function: where one is made
for every event, that shows."""


class Skipped(NamedTuple):
    """A record that asks nothing of Batch. `reason` is of a closed list."""

    reason: str
    problems: tuple[FieldProblem, ...] = ()


class Rejected(NamedTuple):
    """A record that cannot be delivered as it is: a dead letter. `reason` is of a closed list; `detail` is a
    sentence for a person, without any value of the record."""

    reason: str
    detail: str
    problems: tuple[FieldProblem, ...] = ()


class ProfileUpdates(NamedTuple):
    """What one Segment event asks of several profiles: its mappings name different custom_ids. Each is there once."""

    updates: tuple[ProfileUpdate, ...]
    problems: tuple[FieldProblem, ...] = ()
    """Those of all mappings; the updates have none."""


MappingResult: TypeAlias = ProfileUpdate | ProfileUpdates | Skipped | Rejected
