"""From what a template gives to what Batch takes: the fields of Segment's action "Update User Profile".

Values are coerced as Segment does (actions-core: ajv with `coerceTypes`), and then obey the same rules of Batch as the
preset's. A bad field costs the field; only an identifier that cannot be one costs the event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mapping.draft import Draft
from mapping.event_attributes import EventRules, event_attributes
from mapping.identity import custom_id
from mapping.naming import Names, NameTable
from mapping.natives import RESERVED_NAMES, email_address, is_timezone, marketing, phone_number, split_locale
from mapping.numbers import WrittenFloat, number_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.profile_attributes import CONTEXT_TEXT_LIMIT, Attributes
from mapping.refusal import Refused
from mapping.values import attribute_value

Problems = list[FieldProblem]

NO_OBJECT = "the template does not give an object"
_ABSENT = object()


class PayloadRules(NamedTuple):
    """The settings that a payload is read with."""

    names: Names
    event: EventRules


def draft_of(payload: Any, rules: PayloadRules, problems: Problems) -> Draft | Skipped | Rejected:
    """A payload as Batch takes it. Adds to `problems`. Raises DigitsLost."""
    if type(payload) is not dict:
        return Rejected("mapping_failed", NO_OBJECT)
    user = custom_id_of(payload, problems)
    if not isinstance(user, str):
        return user
    attributes = attributes_of(payload.get("profileAttributes"), rules.names.attribute, problems)
    name = event_name_of(payload.get("eventName"), rules.names.event, problems)
    if name is None:
        return Draft(user, attributes, None, {})
    return Draft(user, attributes, name, event_attributes_of(payload.get("eventAttributes"), rules, problems))


def custom_id_of(payload: dict[str, Any], problems: Problems) -> str | Skipped | Rejected:
    """`identifiers.custom_id`, which is required. Batch takes no other identifier: others are reported."""
    identifiers = payload.get("identifiers")
    if identifiers is None:
        return custom_id(None)
    if type(identifiers) is not dict:
        return Rejected("mapping_failed", "identifiers is not an object")
    if len(identifiers) > 1 or "custom_id" not in identifiers:
        problems.extend(
            FieldProblem(f"identifiers.{key}", "identifier_not_supported")
            for key in identifiers
            if key != "custom_id"
        )
    return custom_id(_coerced(identifiers.get("custom_id")))


def attributes_of(holder: Any, names: NameTable, problems: Problems) -> Attributes:
    """`profileAttributes`: native slots under Segment's or Batch's names, and custom attributes."""
    attributes: Attributes = {}
    locale: dict[str, Any] | None = None
    for key, value in _members(holder, "profileAttributes", problems).items():
        slot = _SLOTS.get(key)
        try:
            if slot is None:
                if key in RESERVED_NAMES:
                    raise Refused("reserved_name")
                sent = attribute_value(value)
            elif slot.rule is None:
                locale = locale or {}
                locale[slot.name] = value
                continue
            else:
                attributes[slot.name] = None if value is None else slot.rule(value)
                continue
        except Refused as refused:
            problems.append(FieldProblem(f"profileAttributes.{key}", refused.reason))
            continue
        name = names[key]
        if name in attributes:
            problems.append(FieldProblem(f"profileAttributes.{key}", "name_collision"))
        elif not name:
            problems.append(FieldProblem(f"profileAttributes.{key}", "name_empty"))
            continue
        attributes[name] = sent
    if locale is not None:
        _add_locale(attributes, locale, problems)
    return attributes


def event_name_of(value: Any, names: NameTable, problems: Problems) -> str | None:
    """`eventName`; None for no event, which is no problem if there is no name."""
    text = _coerced(value)
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


def event_attributes_of(holder: Any, rules: PayloadRules, problems: Problems) -> dict[str, Any]:
    """`eventAttributes`, in wire form."""
    return event_attributes(_members(holder, "eventAttributes", problems), rules.event, problems)


def _members(holder: Any, path: str, problems: Problems) -> dict[str, Any]:
    if type(holder) is dict:
        return holder
    if holder is not None:
        problems.append(FieldProblem(path, "object_expected"))
    return {}


def _coerced(value: Any) -> Any:
    """A value for a plain text field: a list of one is its item, a number or boolean its text."""
    return _text(value[0] if type(value) is list and len(value) == 1 else value)


def _text(value: Any) -> Any:
    """A number or boolean as JavaScript writes it; anything else as it is. Raises DigitsLost."""
    kind = type(value)
    if kind is bool:
        return "true" if value else "false"
    return number_text(value) if kind is int or kind is float or kind is WrittenFloat else value


def _email(value: Any) -> str:
    return email_address(_text(value))


def _email_marketing(value: Any) -> str | None:
    return marketing(_coerced(value))


def _timezone(value: Any) -> str:
    if type(value) is str and len(value) <= CONTEXT_TEXT_LIMIT and is_timezone(value):
        return value
    raise Refused("invalid_timezone")


def _add_locale(attributes: Attributes, given: dict[str, Any], problems: Problems) -> None:
    """Segment's template fills both slots with the whole locale: each takes its part, as the preset does."""
    language, region = given.get("$language", _ABSENT), given.get("$region", _ABSENT)
    if language is None:
        attributes["$language"] = None
    elif language is not _ABSENT:
        found = _split(language)[0]
        if found is not None:
            attributes["$language"] = found
        else:
            problems.append(FieldProblem("profileAttributes.language", "invalid_locale"))
    if region is None:
        attributes["$region"] = None
    elif region is not _ABSENT:
        found, is_valid = _region(region, language)
        if found is not None:
            attributes["$region"] = found
        elif not is_valid:
            problems.append(FieldProblem("profileAttributes.region", "invalid_locale"))


def _region(value: Any, language: Any) -> tuple[str | None, bool]:
    """The region in the slot's value, and whether the value is one that may have none.

    Two letters are a region (`FR`, `us`), unless they are lower-case and the language slot has the same: then they are
    a locale that names a language only.
    """
    if type(value) is str and len(value) == 2 and value.isascii() and value.isalpha():
        return (None, True) if value == language and value.islower() else (value.upper(), True)
    found_language, region = _split(value)
    return region, found_language is not None


def _split(value: Any) -> tuple[str | None, str | None]:
    return split_locale(value) if type(value) is str and len(value) <= CONTEXT_TEXT_LIMIT else (None, None)


class _Slot(NamedTuple):
    name: str
    """The native attribute."""
    rule: Callable[[Any], str | None] | None
    """From a value that is not null to the one that is sent; None for the two slots of a locale."""


_NATIVE_SLOTS = (
    _Slot("$email_address", _email),
    _Slot("$email_marketing", _email_marketing),
    _Slot("$phone_number", phone_number),
    _Slot("$sms_marketing", marketing),
    _Slot("$timezone", _timezone),
    _Slot("$language", None),
    _Slot("$region", None),
)
_SLOTS = {name: slot for slot in _NATIVE_SLOTS for name in (slot.name, slot.name.removeprefix("$"))}
"""By the names that Segment's template has and by those of Batch."""
