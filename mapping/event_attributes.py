"""The attributes of an event, in wire form.

Types are those of Batch's Profile API, "Events"; limits are those of its SDKs, "Custom events", which agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mapping.collisions import report_collisions
from mapping.naming import NameTable
from mapping.numbers import scalar
from mapping.profile import DateString, FieldProblem, UrlString
from mapping.refusal import Refused
from mapping.strings import PLAIN_FIRST, STRING_LIMIT, attribute_string, plain_string
from mapping.values import ARRAY_LIMIT

NESTING_LIMIT = 3
"""Names on the way from the event to an object or array; deeper ones are left out."""
LABEL_LIMIT = 200
TAGS_LIMIT = 10
TAG_LIMIT = 64

_ALL_STRINGS = {str}
_ALL_OBJECTS = {dict}

Problems = list[FieldProblem]
WireKey = Callable[[str, str], str]


class EventRules(NamedTuple):
    names: NameTable
    attribute_limit: int
    """Attributes an object may have; the first are kept."""
    wire_key: WireKey
    """The key of a DateString or UrlString: (name, value) → key."""
    path: str = "properties"
    """Where the attributes come from, for reports."""


def typed_key(name: str, value: str) -> str:
    """`date(name)` or `url(name)`, as Batch wants the keys of dates and URLs."""
    return f"date({name})" if type(value) is DateString else f"url({name})"


def bare_key(name: str, value: str) -> str:
    """The name alone, for the form that Segment's document shows."""
    return name


def event_attributes(properties: dict[str, Any], rules: EventRules, problems: Problems) -> dict[str, Any]:
    """The properties that Batch takes. `$label` and `$tags` have rules of their own and are not counted."""
    if "$label" not in properties and "$tags" not in properties:
        return _object(properties, rules, f"{rules.path}.", 1, problems)
    others = dict(properties)
    reserved: dict[str, Any] = {}
    for key, rule in (("$label", _label), ("$tags", _tags)):
        value = others.pop(key, None)
        if value is not None:
            try:
                reserved[key] = rule(value, f"{rules.path}.{key}", problems)
            except Refused as refused:
                problems.append(FieldProblem(f"{rules.path}.{key}", refused.reason))
    return reserved | _object(others, rules, f"{rules.path}.", 1, problems)


def _object(
    members: dict[str, Any], rules: EventRules, path: str, depth: int, problems: Problems
) -> dict[str, Any]:
    """`path` is what stands before a member's name, `depth` the number of names in a member's path."""
    names, limit, wire_key, _ = rules
    crowded = len(members) > limit
    sent: dict[str, Any] = {}
    left_out = 0
    typed = False
    for key, value in members.items():
        kind = type(value)
        try:
            if kind is str:
                if value[:1] not in PLAIN_FIRST or len(value) > STRING_LIMIT:
                    value = attribute_string(value)
                    typed = typed or type(value) is not str
            elif kind is int or kind is float:
                value = scalar(value)
            elif value is None:
                left_out += 1
                continue
            elif kind is not bool:
                value = _container(value, rules, path + key, depth, problems)
        except Refused as refused:
            left_out += 1
            problems.append(FieldProblem(path + key, refused.reason))
            continue
        name = names[key]
        if not name:
            left_out += 1
            problems.append(FieldProblem(path + key, "name_empty"))
            continue
        if crowded and len(sent) >= limit and name not in sent:
            left_out += 1
            problems.append(FieldProblem(path + key, "event_too_many_attributes"))
            continue
        sent[name] = value
    if len(sent) + left_out != len(members):
        present = (key for key, value in members.items() if value is not None)
        report_collisions(present, names, path, problems)
    return _wire_form(sent, wire_key) if typed else sent


def _container(value: Any, rules: EventRules, path: str, depth: int, problems: Problems) -> Any:
    if type(value) is list:
        return _array(value, rules, path, depth, problems)
    if type(value) is dict:
        return _nested(value, rules, path, depth, problems)
    return scalar(value)


def _wire_form(attributes: dict[str, Any], wire_key: WireKey) -> dict[str, Any]:
    return {
        wire_key(name, value) if type(value) is DateString or type(value) is UrlString else name: value
        for name, value in attributes.items()
    }


def _nested(
    members: dict[str, Any], rules: EventRules, path: str, depth: int, problems: Problems
) -> dict[str, Any]:
    if depth > NESTING_LIMIT:
        raise Refused("nesting_too_deep")
    found = _object(members, rules, f"{path}.", depth + 1, problems)
    if not found:
        raise Refused("object_empty")
    return found


def _array(items: list[Any], rules: EventRules, path: str, depth: int, problems: Problems) -> list[Any]:
    """Strings or objects. Of too many the first are kept; an item that Batch would refuse is left out."""
    if depth > NESTING_LIMIT:
        raise Refused("nesting_too_deep")
    kinds = set(map(type, items))
    if items and kinds != _ALL_OBJECTS and kinds != _ALL_STRINGS:
        raise Refused("array_not_supported")
    if len(items) > ARRAY_LIMIT:
        problems.append(FieldProblem(path, "array_too_long"))
        items = items[:ARRAY_LIMIT]
    if kinds == _ALL_STRINGS:
        kept = _strings(items, path, problems)
    else:
        found = [_object(item, rules, f"{path}.", depth + 1, problems) for item in items]
        kept = [item for item in found if item]
    if not kept:
        raise Refused("array_empty")
    return kept


def _strings(items: list[Any], path: str, problems: Problems) -> list[Any]:
    kept = []
    for item in items:
        try:
            kept.append(plain_string(item))
        except Refused as refused:
            problems.append(FieldProblem(path, refused.reason))
    return kept


def _label(value: Any, path: str, problems: Problems) -> str:
    if type(value) is not str or not value or value.isspace() or len(value) > LABEL_LIMIT:
        raise Refused("invalid_label")
    return value


def _tags(value: Any, path: str, problems: Problems) -> list[str]:
    if type(value) is not list or not value or not all(map(_is_tag, value)):
        raise Refused("invalid_tags")
    if len(value) > TAGS_LIMIT:
        problems.append(FieldProblem(path, "array_too_long"))
    return value[:TAGS_LIMIT]


def _is_tag(tag: Any) -> bool:
    return type(tag) is str and 0 < len(tag) <= TAG_LIMIT and not tag.isspace()
