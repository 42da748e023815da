"""`@if`: one value or another."""

from __future__ import annotations

from typing import Any

from mapping.directives.arguments import is_falsy, read_arguments
from mapping.directives.generate import resolver_of
from mapping.directives.place import Place
from mapping.directives.shapes import NOTHING, IfExists, Resolver, Shape
from mapping.directives.text import text_of

_ARGUMENTS = ("exists", "blank", "then", "else")


def compile_if(argument: Any, place: Place) -> Shape:
    """`@if`: `exists` (not missing, not null) or `blank` (missing, null or empty: then `else`)."""
    arguments = read_arguments(argument, place, _ARGUMENTS)
    if arguments is None:
        return NOTHING
    # An `else` that is false, 0, "" or null counts as none, as in Segment's code; `then` may be anything.
    alternative = arguments.get("else")
    otherwise = NOTHING if is_falsy(alternative) else place.argument("else").shape(alternative)
    then = place.argument("then").shape(arguments["then"]) if "then" in arguments else NOTHING
    if is_falsy(arguments.get("exists")) and is_falsy(arguments.get("blank")):
        return place.refused(
            "has no condition", "Give it exists or blank, with a directive such as @path: $.traits.email."
        )
    condition = "exists" if "exists" in arguments else "blank"
    value = place.below(condition).shape(arguments[condition])
    if condition == "blank":
        return _unless_blank(resolver_of(value), resolver_of(then), resolver_of(otherwise))
    return IfExists(value, then, otherwise)


def _unless_blank(value: Resolver, then: Resolver, otherwise: Resolver) -> Resolver:
    def resolve(root: Any) -> Any:
        return otherwise(root) if _is_blank(value(root)) else then(root)

    return resolve


def _is_blank(value: Any) -> bool:
    """JavaScript's `value == ''`, and missing and null: 0, false and arrays without text are blank too."""
    if isinstance(value, list):
        return text_of(value) == ""
    return not value and not isinstance(value, dict)
