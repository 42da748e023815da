"""`@arrayPath` and `@transform`: templates applied to something else than the event."""

from __future__ import annotations

from typing import Any

from mapping.directives.arguments import directive_keys, kind_of, read_arguments
from mapping.directives.generate import resolver_of
from mapping.directives.lookup import strip_root
from mapping.directives.paths import read_path
from mapping.directives.place import Place
from mapping.directives.root_directive import with_root_directive
from mapping.directives.shapes import NOTHING, Shape
from mapping.directives.undefined import or_null


def compile_array_path(argument: Any, place: Place) -> Shape:
    """`@arrayPath`: an array, by its path or a directive; with a shape, each item in that shape."""
    if not isinstance(argument, list):
        return place.refused(f"is {kind_of(argument)}", "Write an array: a path, and the shape of an item.")
    path = argument[0] if argument else None
    if isinstance(path, str):
        array_shape: Shape = read_path(strip_root(path), place)
    elif directive_keys(path):
        array_shape = place.below(0).shape(path)
    else:
        return place.below(0).refused(f"is {kind_of(path)}", "Write a path such as $.properties.products.")
    shape = argument[1] if len(argument) > 1 else None
    if not isinstance(shape, dict) or not shape:
        return array_shape
    array = resolver_of(array_shape)
    item = place.below(1).on_another_root().compiled(shape)

    def resolve(root: Any) -> Any:
        found = array(root)
        if isinstance(found, dict):
            return [or_null(item(found))]
        return [or_null(item(one)) for one in found] if isinstance(found, list) else found

    return resolve


def compile_transform(argument: Any, place: Place) -> Shape:
    """`@transform`: `mapping` is applied to what `apply` makes of the event, instead of the event."""
    arguments = read_arguments(argument, place, ("apply", "mapping"))
    if arguments is None:
        return NOTHING
    for name in ("apply", "mapping"):
        if not isinstance(arguments.get(name), dict):
            what = f"is {kind_of(arguments[name])}" if name in arguments else "is missing"
            place.below(name).refused(what, "Write an object or a directive.")
    apply, mapping = arguments.get("apply"), arguments.get("mapping")
    if not isinstance(apply, dict) or not isinstance(mapping, dict):
        return NOTHING
    at = place.below("apply")
    applied = at.compiled(with_root_directive(apply, at))
    mapped = place.argument("mapping").on_another_root().compiled(mapping)

    def resolve(root: Any) -> Any:
        if not isinstance(root, dict):
            raise place.failed(f"needs an object, and is applied to {kind_of(root)}")
        return mapped(applied(root))

    return resolve
