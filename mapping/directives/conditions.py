"""`@if`: one value or another."""

from __future__ import annotations

from typing import Any

from mapping.directives.arguments import is_falsy, read_arguments
from mapping.directives.place import Place, Resolver, undefined
from mapping.directives.text import text_of
from mapping.directives.undefined import UNDEFINED

_ARGUMENTS = ("exists", "blank", "then", "else")


def compile_if(argument: Any, place: Place) -> Resolver:
    """`@if`: `exists` (not missing, not null) or `blank` (missing, null or empty: then `else`)."""
    arguments = read_arguments(argument, place, _ARGUMENTS)
    if arguments is None:
        return undefined
    if is_falsy(arguments.get("exists")) and is_falsy(arguments.get("blank")):
        return place.refused(
            "has no condition", "Give it exists or blank, with a directive such as @path: $.traits.email."
        )
    # An `else` that is false, 0, "" or null counts as none, as in Segment's code; `then` may be anything.
    alternative = arguments.get("else")
    otherwise = undefined if is_falsy(alternative) else place.argument("else").compiled(alternative)
    then = place.argument("then").compiled(arguments["then"]) if "then" in arguments else undefined
    condition = "exists" if "exists" in arguments else "blank"
    value = place.below(condition).compiled(arguments[condition])
    if condition == "blank":
        return _unless_blank(value, then, otherwise)
    if _is_path(arguments["exists"]) and arguments["exists"] == arguments.get("then"):
        return _first(then, otherwise)
    return _if_exists(value, then, otherwise)


def _is_path(template: Any) -> bool:
    return isinstance(template, dict) and isinstance(template.get("@path"), str)


def _if_exists(value: Resolver, then: Resolver, otherwise: Resolver) -> Resolver:
    def resolve(root: Any) -> Any:
        found = value(root)
        return otherwise(root) if found is UNDEFINED or found is None else then(root)

    return resolve


def _first(value: Resolver, otherwise: Resolver) -> Resolver:
    """The usual `exists: X, then: X`, with X resolved once."""

    def resolve(root: Any) -> Any:
        found = value(root)
        return otherwise(root) if found is UNDEFINED or found is None else found

    return resolve


def _unless_blank(value: Resolver, then: Resolver, otherwise: Resolver) -> Resolver:
    def resolve(root: Any) -> Any:
        return otherwise(root) if _is_blank(value(root)) else then(root)

    return resolve


def _is_blank(value: Any) -> bool:
    """JavaScript's `value == ''`, and missing and null: 0, false and arrays without text are blank too."""
    if isinstance(value, list):
        return text_of(value) == ""
    return not value and not isinstance(value, dict)
