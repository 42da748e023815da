"""From what a template gives to what Batch takes: the fields of Segment's action "Update User Profile".

Values are coerced as Segment does, and then obey the same rules of Batch as the preset's. A bad field costs the field;
only an identifier that cannot be one costs the event.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mapping.coercion import one_text
from mapping.draft import Draft, new_draft
from mapping.event_attributes import EventRules, event_attributes
from mapping.identity import custom_id
from mapping.naming import Names, NameTable
from mapping.payload_attributes import attributes_of
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.profile_attributes import Attributes

Problems = list[FieldProblem]

NO_OBJECT = "the template does not give an object"


class PayloadRules(NamedTuple):
    """The settings that a payload is read with."""

    names: Names
    event: EventRules


def draft_of(payload: Any, rules: PayloadRules, problems: Problems) -> Draft | Skipped | Rejected:
    """A payload as Batch takes it. Adds to `problems`. Raises DigitsLost."""
    if type(payload) is not dict:
        return Rejected("mapping_failed", NO_OBJECT)
    names = rules.names
    user = custom_id_of(payload, problems)
    if not isinstance(user, str):
        return user
    attributes = profile_attributes_of(payload, rules, problems)
    event = payload.get("eventName")
    name = None if event is None else event_name_of(event, names.event, problems)
    if name is None:
        return new_draft((user, attributes, None, {}))
    return new_draft((user, attributes, name, event_attributes_of(payload, rules, problems)))


def custom_id_of(payload: dict[str, Any], problems: Problems) -> str | Skipped | Rejected:
    """`identifiers.custom_id`, which is required. Batch takes no other identifier: others are reported."""
    identifiers = payload.get("identifiers")
    if identifiers is None:
        return custom_id(None)
    if type(identifiers) is not dict:
        return Rejected("mapping_failed", "identifiers is not an object")
    given = identifiers.get("custom_id")
    if len(identifiers) > 1:
        others = identifiers.keys() - {"custom_id"}
        problems.extend(
            FieldProblem(f"identifiers.{key}", "identifier_not_supported") for key in sorted(others)
        )
    return custom_id(one_text(given))


def profile_attributes_of(payload: dict[str, Any], rules: PayloadRules, problems: Problems) -> Attributes:
    """`profileAttributes`: native slots and custom attributes."""
    members = payload.get("profileAttributes")
    if type(members) is not dict:
        members = _no_object(members, "profileAttributes", problems)
    return attributes_of(members, rules.names.slot, problems)


def event_name_of(value: Any, names: NameTable, problems: Problems) -> str | None:
    """`eventName`; None for no event, which is no problem if there is no name."""
    text = one_text(value)
    if text is None or text == "":
        return None
    if type(text) is not str:
        problems.append(FieldProblem("eventName", "missing_event_name"))
        return None
    name = names[text]
    if not name:
        problems.append(FieldProblem("eventName", "name_empty"))
        return None
    return name


def event_attributes_of(payload: dict[str, Any], rules: PayloadRules, problems: Problems) -> dict[str, Any]:
    """`eventAttributes`, in wire form."""
    members = payload.get("eventAttributes")
    if type(members) is not dict:
        members = _no_object(members, "eventAttributes", problems)
    return event_attributes(members, rules.event, problems)


def _no_object(holder: Any, path: str, problems: Problems) -> dict[str, Any]:
    if holder is not None:
        problems.append(FieldProblem(path, "object_expected"))
    return {}
