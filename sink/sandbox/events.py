"""The rules of events (Batch, Profiles API, "Update profiles", "Events").

Limits that page leaves open are those of Batch's own SDKs."""

from __future__ import annotations

from typing import Any

import orjson

from sink.sandbox import formats
from sink.sandbox.answers import Problem
from sink.sandbox.attributes import MAX_ARRAY_ITEMS, scalar_problem, string_problem, strings_problem
from sink.sandbox.settings import SandboxSettings

MAX_LEVELS = 3
MAX_LABEL_CHARS = 200
MAX_TAGS = 10
MAX_TAG_CHARS = 64


def read_event(event: dict[str, Any], settings: SandboxSettings, now: float) -> dict[str, Any] | Problem:
    """Check one event; `now` is the server's clock, seconds since 1970. Returns the event as Batch would
    keep it (lower-cased if the settings say so)."""
    if settings.upper_case_names == "fold":
        event = _fold(event)
    problem = (
        _name_problem(event)
        or _time_problem(event, settings, now)
        or _attributes_problem(event.get("attributes", {}), settings)
        or _size_problem(event, settings)
    )
    return event if problem is None else Problem(problem)


def _name_problem(event: dict[str, Any]) -> str | None:
    if "name" not in event:
        return "the event has no name"
    name = event["name"]
    if isinstance(name, str) and formats.is_name(name):
        return None
    return f"the event's name is not valid: {formats.NAME_RULE}"


def _time_problem(event: dict[str, Any], settings: SandboxSettings, now: float) -> str | None:
    if "time" not in event:
        return None
    text = event["time"]
    seconds = formats.read_time(text) if isinstance(text, str) else None
    if seconds is None:
        return f"the event's time is not valid: {formats.TIME_RULE}"
    if settings.utc_only and not formats.is_utc(text):
        return "the event's time must be in UTC and end in Z"
    age = now - seconds
    if age < -settings.event_skew_s:
        return f"the event's time is {-age:,.1f} s in the future by the server's clock"
    if age >= settings.event_max_age_s:
        limit = settings.event_max_age_s / 3600
        return f"the event is {age / 3600:,.2f} hours old: only the last {limit:g} hours are accepted"
    return None


def _size_problem(event: dict[str, Any], settings: SandboxSettings) -> str | None:
    size = len(orjson.dumps(event))
    if size <= settings.max_event_bytes:
        return None
    return f"an event has at most {settings.max_event_bytes:,} bytes; this one has {size:,}"


def _attributes_problem(attributes: Any, settings: SandboxSettings) -> str | None:
    if not isinstance(attributes, dict):
        return "the event's attributes must be an object"
    if "$label" in attributes and not _is_text(attributes["$label"], MAX_LABEL_CHARS):
        return f"$label must be a string of 1 to {MAX_LABEL_CHARS} characters"
    if "$tags" in attributes and not _is_tags(attributes["$tags"]):
        return f"$tags must be 1 to {MAX_TAGS} strings of 1 to {MAX_TAG_CHARS} characters each"
    own = {key: value for key, value in attributes.items() if key not in ("$label", "$tags")}
    return _object_problem(own, 0, settings)


def _object_problem(attributes: dict[str, Any], level: int, settings: SandboxSettings) -> str | None:
    """`level` is how many objects the attributes are inside of: 0 for those of the event itself."""
    if level > MAX_LEVELS:
        return f"objects are nested at most {MAX_LEVELS} levels deep"
    if len(attributes) > settings.max_event_attributes:
        limit = settings.max_event_attributes
        return (
            f"an event, or an object in it, has at most {limit} attributes; this one has {len(attributes):,}"
        )
    for key, value in attributes.items():
        problem = _value_problem(key, value, level + 1, settings)
        if problem is not None:
            return f"attribute {key}: {problem}" if level == 0 else f"{key}: {problem}"
    return None


def _value_problem(key: str, value: Any, level: int, settings: SandboxSettings) -> str | None:
    form, name, is_valid = formats.read_key(key)
    if name in ("$label", "$tags"):
        return "labels and tags belong to the event itself, not to an object in it"
    if not is_valid:
        return f"the attribute's name is not valid: {formats.NAME_RULE}"
    if value is None:
        return "null is no value of an event's attribute: leave the attribute out"
    if isinstance(value, dict | list) and form:
        return "only a string has a date or URL form"
    if isinstance(value, dict):
        return _object_problem(value, level, settings)
    if isinstance(value, list):
        return _array_problem(value, level, settings)
    return scalar_problem(form, value, settings)


def _array_problem(items: list[Any], level: int, settings: SandboxSettings) -> str | None:
    if level > MAX_LEVELS:
        return f"arrays are nested at most {MAX_LEVELS} levels deep"
    if not 1 <= len(items) <= MAX_ARRAY_ITEMS:
        return f"an array has 1 to {MAX_ARRAY_ITEMS} items; this one has {len(items):,}"
    if not all(isinstance(item, dict) for item in items):
        if any(isinstance(item, dict | list) for item in items):
            return "an array holds strings only, or objects only"
        return strings_problem(items, string_problem)
    for item in items:
        problem = _object_problem(item, level, settings)
        if problem is not None:
            return f"an object of the array is not valid: {problem}"
    return None


def _is_text(value: Any, most: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= most


def _is_tags(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return 1 <= len(value) <= MAX_TAGS and all(_is_text(tag, MAX_TAG_CHARS) for tag in value)


def _fold(event: dict[str, Any]) -> dict[str, Any]:
    folded = dict(event)
    if isinstance(event.get("name"), str):
        folded["name"] = event["name"].lower()
    if "attributes" in event:
        folded["attributes"] = _fold_keys(event["attributes"])
    return folded


def _fold_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {formats.fold_key(key): _fold_keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fold_keys(item) for item in value]
    return value
