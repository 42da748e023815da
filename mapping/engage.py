"""Engage computations: audiences and journeys speak of membership (Segment, "Engage destinations")."""

from __future__ import annotations

from typing import Any, NamedTuple

_MEMBERSHIP_CLASSES = frozenset(("audience", "journey_step"))
_MEMBERSHIP = {"true": True, "false": False}
"""Journeys send the words."""


class Membership(NamedTuple):
    key: str
    """The audience's key: the name of the trait or property that says it."""
    member: bool


def read_membership(personas: Any, holder: dict[str, Any]) -> Membership | None:
    """What `context.personas` and the traits or properties say of an audience; None if they say nothing."""
    if type(personas) is not dict:
        return None
    key = personas.get("computation_key")
    if type(key) is not str or not key:
        return None
    computation = personas.get("computation_class")
    if type(computation) is not str or computation not in _MEMBERSHIP_CLASSES:
        return None
    member = holder.get(key)
    if type(member) is str:
        member = _MEMBERSHIP.get(member)
    return Membership(key, member) if type(member) is bool else None


def make_membership_boolean(event: dict[str, Any]) -> None:
    """Journeys say a membership with the words "true" and "false": own mappings find the booleans that audiences say it
    with. Changes the event."""
    context = event.get("context")
    if type(context) is not dict:
        return
    holder = event.get("properties" if event.get("type") == "track" else "traits")
    if type(holder) is dict:
        membership = read_membership(context.get("personas"), holder)
        if membership is not None:
            holder[membership.key] = membership.member
