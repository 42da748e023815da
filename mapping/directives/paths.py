"""`@path`: a value by its path in the event."""

from __future__ import annotations

from typing import Any

from mapping.directives.arguments import directive_keys, kind_of
from mapping.directives.lookup import keys_of, look_up, strip_root
from mapping.directives.place import Place
from mapping.directives.shapes import Path, Shape


def compile_path(argument: Any, place: Place) -> Shape:
    """`@path`: a path, or a directive that gives one."""
    if isinstance(argument, str):
        return read_path(strip_root(argument), place)
    if not directive_keys(argument):
        return place.refused(
            f"is {kind_of(argument)}", "Write a path such as $.traits.email, or a directive."
        )
    path = place.compiled(argument)
    place.reads.everything = True

    def resolve(root: Any) -> Any:
        found = path(root)
        if isinstance(found, str):
            return look_up(root, keys_of(strip_root(found)))
        raise place.failed(f"needs a path, and its directive gave {kind_of(found)}")

    return resolve


def read_path(path: str, place: Place) -> Path:
    """A path without `$.`; that the template reads its field is noted."""
    keys = keys_of(path)
    if keys:
        place.reads.fields.add(keys[0])
    else:
        place.reads.everything = True
    return Path(keys)
