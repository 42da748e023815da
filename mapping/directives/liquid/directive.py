"""`@liquid`: text made by a Liquid template, to which the fields of the event are its variables."""

from __future__ import annotations

from typing import Any

from mapping.directives.arguments import kind_of
from mapping.directives.place import Place
from mapping.directives.shapes import Constant, Shape
from mapping.directives.text import utf16_length

TEMPLATE_LIMIT = 1_000
"""UTF-16 units of a template (Segment, mapping kit, `@liquid`)."""


def compile_liquid(argument: Any, place: Place) -> Shape:
    """`@liquid`: always a string, the empty one for the empty template."""
    if not isinstance(argument, str):
        return place.refused(f"is {kind_of(argument)}", "Write a Liquid template, as text.")
    if utf16_length(argument) > TEMPLATE_LIMIT:
        return place.refused(
            f"has {utf16_length(argument)} characters",
            f"Write {TEMPLATE_LIMIT} at most, as Segment takes them.",
        )
    if not argument:
        return Constant("")
    # The library takes a fifth of a second to import, and most mappings have no `@liquid`.
    from mapping.directives.liquid.engine import compile_source

    place.reads.everything = True
    return compile_source(argument, place)
