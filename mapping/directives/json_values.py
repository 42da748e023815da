"""`@json`: values as JSON text, and back."""

from __future__ import annotations

from typing import Any

from mapping.decode import decode_exactly
from mapping.directives.arguments import is_falsy, read_arguments, word
from mapping.directives.place import Place
from mapping.directives.shapes import NOTHING, Resolver, Shape
from mapping.directives.text import json_text
from mapping.directives.undefined import UNDEFINED


def compile_json(argument: Any, place: Place) -> Shape:
    """`@json`: `encode` writes compact JSON, `decode` reads a string; one that is not JSON stays as it is."""
    arguments = read_arguments(argument, place, ("mode", "value"))
    if arguments is None:
        return NOTHING
    mode = word(arguments, "mode", ("encode", "decode"), place, any_case=True)
    if is_falsy(arguments.get("value")):
        return place.refused("has no value", "Give it what to encode or decode, as a rule a directive.")
    value = place.below("value").compiled(arguments["value"])
    # A mode in other letters passes Segment's check and then does nothing.
    if mode == "encode":
        return _encoder(value)
    return _decoder(value) if mode == "decode" else NOTHING


def _encoder(value: Resolver) -> Resolver:
    def resolve(root: Any) -> Any:
        found = value(root)
        return UNDEFINED if found is UNDEFINED else json_text(found)

    return resolve


def _decoder(value: Resolver) -> Resolver:
    def resolve(root: Any) -> Any:
        found = value(root)
        return _decoded(found) if isinstance(found, str) else found

    return resolve


def _decoded(text: str) -> Any:
    try:
        return decode_exactly(text, takes_constants=False).value
    except ValueError:
        return text
