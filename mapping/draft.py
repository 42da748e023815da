"""What a mapping makes of one event, before it is encoded."""

from __future__ import annotations

from typing import Any, NamedTuple

from mapping.profile import AttributeValue


class Draft(NamedTuple):
    """Everything in it obeys Batch's rules. Attributes are keyed by bare name, as in ProfileUpdate."""

    custom_id: str
    attributes: dict[str, AttributeValue]
    event: str | None
    """The event's name; None if there is no event."""
    event_attributes: dict[str, Any]
    """In wire form: `date(name)` and `url(name)` are keys."""
