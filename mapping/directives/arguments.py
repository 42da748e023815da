"""The arguments of a directive: their kinds, and what is said of wrong ones."""

from __future__ import annotations

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from mapping.directives.place import Place
from mapping.directives.shapes import NOTHING, Constant, Shape
from mapping.directives.undefined import UNDEFINED

_METADATA = "_metadata"
"""What Segment's user interface keeps beside a directive; it means nothing to the event."""


def kind_of(value: Any) -> str:
    """What a value is, in words for a sentence: `a string`. Never the value."""
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None:
        return "null"
    return "nothing" if value is UNDEFINED else f"a {type(value).__name__}"


def is_falsy(template: Any) -> bool:
    """JavaScript's idea of false: an empty object or array is true."""
    return not (template or isinstance(template, dict | list)) or _is_nan(template)


def directive_keys(template: Any) -> list[str]:
    """The keys of an object that begin with `@`."""
    if not isinstance(template, dict):
        return []
    return [key for key in template if isinstance(key, str) and key.startswith("@")]


def other_keys(template: dict[str, Any]) -> list[str]:
    """The keys that may not stand beside a directive."""
    return [key for key in template if not str(key).startswith("@") and key != _METADATA]


def read_arguments(argument: Any, place: Place, names: Iterable[str]) -> dict[str, Any] | None:
    """The arguments of a directive that takes several, by name; None if they are not an object of such."""
    known = ", ".join(names)
    if not isinstance(argument, dict):
        place.refused(f"is {kind_of(argument)}", f"Write an object with {known}.")
        return None
    if keys := directive_keys(argument):
        place.refused(
            f"has the directive {keys[0]} where its arguments belong", f"Write an object with {known}."
        )
        return None
    for name in argument:
        if name not in (*names, _METADATA):
            place.below(str(name)).refused("is not an argument of this directive", closest(str(name), names))
    return argument


def closest(name: str, names: Iterable[str]) -> str:
    """`Did you mean …?`, or the names that there are."""
    by_lower = {known.lower(): known for known in names}
    found = get_close_matches(name.lower(), by_lower, n=1)
    return f"Did you mean {by_lower[found[0]]}?" if found else f"There are: {', '.join(by_lower.values())}."


def string_or_directive(arguments: dict[str, Any], name: str, place: Place) -> Shape:
    """The argument; UNDEFINED if it is missing, or the empty string, as Segment reads it."""
    template = arguments.get(name, "")
    if isinstance(template, str):
        return Constant(template) if template else NOTHING
    if directive_keys(template):
        return place.argument(name).shape(template)
    return place.below(name).refused(f"is {kind_of(template)}", "Write a string or a directive.")


def boolean(arguments: dict[str, Any], name: str, default: bool, place: Place) -> bool:
    """The argument, which is true or false."""
    value = arguments.get(name, default)
    if isinstance(value, bool):
        return value
    place.below(name).refused(f"is {kind_of(value)}", "Write true or false.")
    return default


def word(
    arguments: dict[str, Any], name: str, words: tuple[str, ...], place: Place, any_case: bool = False
) -> str | None:
    """The argument, which is one of the words, as it is written. None if it is not."""
    value = arguments.get(name)
    if isinstance(value, str) and (value.lower() if any_case else value) in words:
        return value
    what = "is missing" if name not in arguments else f"is {_shown(value)}"
    place.below(name).refused(what, f"Write {' or '.join(words)}.")
    return None


def _shown(value: Any) -> str:
    return repr(value[:30]) if isinstance(value, str) else kind_of(value)


def _is_nan(template: Any) -> bool:
    return isinstance(template, float) and math.isnan(template)
