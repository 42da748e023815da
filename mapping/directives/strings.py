"""`@case` and `@replace`: changed strings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mapping.directives.arguments import boolean, kind_of, read_arguments, string_or_directive, word
from mapping.directives.generate import resolver_of
from mapping.directives.place import Place
from mapping.directives.shapes import NOTHING, Shape
from mapping.directives.text import text_of, utf16_length
from mapping.directives.undefined import UNDEFINED

PATTERN_LIMIT = 10
"""UTF-16 units of a pattern and of a replacement (Segment, mapping kit, `@replace`)."""

_REPLACE_ARGUMENTS = ("pattern", "replacement", "pattern2", "replacement2", "value", "ignorecase", "global")
_MARK = re.compile(r"\$[$&]")


def compile_case(argument: Any, place: Place) -> Shape:
    """`@case`: a string in lower or upper case; what is no string stays as it is."""
    arguments = read_arguments(argument, place, ("operator", "value"))
    if arguments is None:
        return NOTHING
    operator = word(arguments, "operator", ("lower", "upper"), place)
    value = resolver_of(string_or_directive(arguments, "value", place))
    change: Callable[[str], str] = str.upper if operator == "upper" else str.lower

    def resolve(root: Any) -> Any:
        found = value(root)
        return change(found) if isinstance(found, str) else found

    return resolve


def compile_replace(argument: Any, place: Place) -> Shape:
    """`@replace`: a string (or number, or boolean, as text) with a plain text replaced, and then a second."""
    arguments = read_arguments(argument, place, _REPLACE_ARGUMENTS)
    if arguments is None:
        return NOTHING
    everywhere = boolean(arguments, "global", True, place)
    ignores_case = boolean(arguments, "ignorecase", False, place)
    changes: list[Callable[[str], str]] = []
    for number in ("", "2") if arguments.get("pattern2", "") != "" else ("",):
        pattern = _short_text(arguments, f"pattern{number}", 1, place)
        replacement = _short_text(arguments, f"replacement{number}", 0, place)
        if pattern is not None and replacement is not None:
            changes.append(_replacer(pattern, replacement, ignores_case, 0 if everywhere else 1))
    if "value" not in arguments:
        return place.refused("has no value", "Give it the string to change, as a rule a directive.")
    value = resolver_of(string_or_directive(arguments, "value", place))
    if arguments["value"] == "":  # Segment's code takes it for a missing value.
        return NOTHING

    def resolve(root: Any) -> Any:
        found = value(root)
        if found is None or found is UNDEFINED or isinstance(found, dict | list):
            return ""
        text = text_of(found)
        for change in changes:
            text = change(text)
        return text

    return resolve


def _short_text(arguments: dict[str, Any], name: str, least: int, place: Place) -> str | None:
    text = arguments.get(name, "")
    if not isinstance(text, str):
        place.below(name).refused(f"is {kind_of(text)}", "Write a string.")
    elif not least <= utf16_length(text) <= PATTERN_LIMIT:
        place.below(name).refused(
            f"has {utf16_length(text)} characters", f"Write {least} to {PATTERN_LIMIT} characters."
        )
    else:
        return text
    return None


def _replacer(pattern: str, replacement: str, ignores_case: bool, limit: int) -> Callable[[str], str]:
    if not ignores_case and not _MARK.search(replacement):
        return lambda text: text.replace(pattern, replacement, limit or -1)
    wanted = re.compile("".join(map(_any_case, pattern)) if ignores_case else re.escape(pattern))

    def replaced(found: re.Match[str]) -> str:
        # JavaScript's marks in a replacement: `$$` is a dollar, `$&` what was found.
        return _MARK.sub(lambda mark: "$" if mark[0] == "$$" else found[0], replacement)

    return lambda text: wanted.sub(replaced, text, limit)


def _any_case(character: str) -> str:
    """JavaScript folds no letter outside of ASCII to one inside, as `\u017f` to `s`."""
    return f"(?{'ai' if character.isascii() else 'i'}:{re.escape(character)})"
