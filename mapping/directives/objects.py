"""`@merge`, `@flatten`, `@excludeWhenNull`: objects made of objects."""

from __future__ import annotations

from typing import Any

from mapping.directives.arguments import boolean, kind_of, read_arguments, word
from mapping.directives.lookup import members_of
from mapping.directives.place import Place
from mapping.directives.shapes import NOTHING, Merge, Shape
from mapping.directives.undefined import UNDEFINED


def compile_merge(argument: Any, place: Place) -> Shape:
    """`@merge`: the members of several objects in one; with `right` the later object wins."""
    arguments = read_arguments(argument, place, ("objects", "direction"))
    if arguments is None:
        return NOTHING
    direction = word(arguments, "direction", ("right", "left"), place, any_case=True)
    objects = arguments.get("objects")
    if not isinstance(objects, list):
        what = "is missing" if "objects" not in arguments else f"is {kind_of(objects)}"
        return place.below("objects").refused(what, "Write an array of objects and directives.")
    at = place.below("objects")
    sources = [_source(template, at.below(index)) for index, template in enumerate(objects)]
    if direction == "left":  # Segment takes LEFT, in other letters, and acts as for right.
        sources.reverse()
    return Merge(tuple(sources), place.keeps_undefined)


def compile_flatten(argument: Any, place: Place) -> Shape:
    """`@flatten`: one object without objects in it; keys are joined by the separator."""
    arguments = read_arguments(argument, place, ("value", "separator", "omitArrays"))
    if arguments is None:
        return NOTHING
    omits_arrays = boolean(arguments, "omitArrays", False, place)
    value = place.below("value").compiled(arguments.get("value"))
    separator = arguments.get("separator")
    if not isinstance(separator, str) or not separator:
        what = "is missing" if "separator" not in arguments else "is not a text"
        return place.below("separator").refused(what, "Write what stands between the keys, such as _.")
    if "value" not in arguments:
        return place.refused("has no value", "Give it the object to flatten, as a rule a directive.")

    def resolve(root: Any) -> Any:
        flat: dict[str, Any] = {}
        _flatten(value(root), "", separator, omits_arrays, flat)
        return flat

    return resolve


def compile_exclude_when_null(argument: Any, place: Place) -> Shape:
    """`@excludeWhenNull`: nothing in place of null, at every depth of objects; items of arrays stay."""
    value = place.compiled(argument)

    def resolve(root: Any) -> Any:
        found = value(root)
        return UNDEFINED if found is None else _without_nulls(found)

    return resolve


def _source(template: Any, place: Place) -> Shape:
    if isinstance(template, dict):
        return place.keeping_undefined().shape(template)
    return place.refused(f"is {kind_of(template)}", "Write an object or a directive.")


def _flatten(value: Any, prefix: str, separator: str, omits_arrays: bool, flat: dict[str, Any]) -> None:
    """Put the leaves of a value into `flat`. Empty objects and arrays have none."""
    if isinstance(value, dict):
        members = value
    elif isinstance(value, list) and not omits_arrays:
        members = members_of(value)
    else:
        if value is not UNDEFINED:
            flat[prefix.removesuffix(separator)] = value
        return
    for key, member in members.items():
        _flatten(member, f"{prefix}{key}{separator}", separator, omits_arrays, flat)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
