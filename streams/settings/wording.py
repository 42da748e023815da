"""pydantic's findings in the words of a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from streams.settings.entries import Entry
from streams.settings.keys import SETTINGS, Setting
from streams.settings.masking import shown
from streams.settings.problems import Problem, SettingError

PydanticError: TypeAlias = Mapping[str, Any]
"""One of `ValidationError.errors()`: `type`, `loc` and, of some types, `ctx`."""

_LIMITS = {
    "greater_than": ("must be greater than {}", "gt"),
    "greater_than_equal": ("must be at least {}", "ge"),
    "less_than": ("must be less than {}", "lt"),
    "less_than_equal": ("must be at most {}", "le"),
}
_SHAPES: Mapping[str, tuple[str, str]] = {
    "int_parsing": ("is not a whole number", "Write a whole number{unit}, such as {default}."),
    "int_parsing_size": ("is too large a number", "Write a whole number{unit}, such as {default}."),
    "int_from_float": ("is not a whole number", "Write a whole number{unit}, such as {default}."),
    "float_parsing": ("is not a number", "Write a number{unit}, such as {default}."),
    "finite_number": ("is not a finite number", "Write a number{unit}, such as {default}."),
    "bool_parsing": ("is neither true nor false", "Write true or false."),
    "string_pattern_mismatch": ("has a form that is not allowed", "Write it like the default, {default}."),
    "string_too_short": ("is empty", "Write a value such as {default}."),
}


def problem_of(entries: Mapping[str, Entry]) -> Callable[[PydanticError], Problem]:
    """A function from pydantic's error to the problem of the setting it concerns."""

    def problem(error: PydanticError) -> Problem:
        setting = SETTINGS[_setting_key(error["loc"])]
        entry = entries[setting.key]
        message, remedy = _words(error, setting)
        mask_entries = setting.key == "kafka.librdkafka"
        value = shown(entry.raw, secret=setting.secret, mask_entries=mask_entries)
        return Problem(setting.key, value, message, remedy, entry.origin)

    return problem


def _setting_key(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location]
    return next(key for end in range(len(parts), 0, -1) if (key := ".".join(parts[:end])) in SETTINGS)


def _words(error: PydanticError, setting: Setting) -> tuple[str, str]:
    context: dict[str, Any] = error.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, SettingError):
        return cause.message, cause.remedy
    default = shown(setting.default, secret=setting.secret, mask_entries=False)
    unit = f" of {setting.unit}" if setting.unit and setting.unit != "share" else ""
    if error["type"] in _LIMITS:
        text, name = _LIMITS[error["type"]]
        limit = shown(context[name], secret=False, mask_entries=False)
        return text.format(limit), f"Write a number{unit}, such as the default, {default}."
    if error["type"] == "literal_error":
        choices = re.sub(r"'", "", str(context["expected"]))
        return f"is not one of {choices.replace(' or ', ', ')}", f"Choose {choices}."
    if error["type"] in _SHAPES:
        message, remedy = _SHAPES[error["type"]]
        return message, remedy.format(default=default, unit=unit)
    return "has a value of the wrong kind", "See docs/settings.md for what it takes."
