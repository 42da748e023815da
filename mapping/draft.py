"""What a mapping makes of one event, before it is encoded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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


new_draft: Callable[[tuple[str, dict[str, AttributeValue], str | None, dict[str, Any]]], Draft] = partial(
    tuple.__new__, Draft
)
"""As `Draft`, from a tuple of its fields. A named tuple's own constructor is a Python function: where one is made for
every event, that shows."""
