"""Templates, compiled once: what stands at each place becomes a function of the event."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mapping.directives.arguments import closest, directive_keys, kind_of, other_keys
from mapping.directives.conditions import compile_if
from mapping.directives.errors import DirectiveFailed, TemplateError, TemplateProblem
from mapping.directives.json_values import compile_json
from mapping.directives.liquid.directive import compile_liquid
from mapping.directives.objects import compile_exclude_when_null, compile_flatten, compile_merge
from mapping.directives.other_roots import compile_array_path, compile_transform
from mapping.directives.paths import compile_path
from mapping.directives.place import Place, Reads
from mapping.directives.placeholders import compile_template_text
from mapping.directives.root_directive import with_root_directive
from mapping.directives.shapes import Constant, Object, Shape
from mapping.directives.strings import compile_case, compile_replace
from mapping.directives.undefined import or_null
from mapping.numbers import INTEGER_LIMIT, WrittenFloat

DEPTH_LIMIT = 100
"""Levels of objects, arrays and directives in a template. Segment names none; real mappings have about ten."""


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template."""

    resolve: Callable[[dict[str, Any]], Any]
    """From an event to the template's value for it: UNDEFINED members are removed at every depth, UNDEFINED
    items of arrays are null. Raises DirectiveFailed and DigitsLost. The result may hold objects of the event,
    never of the template: change neither it nor the event, or copy it first."""
    paths: frozenset[str] | None
    """The top-level fields of the event that it reads; None if it may read all."""


def compile_template(template: Any, path: str = "mapping") -> Template:
    """Compile a template: any JSON, with directives in it. Raises TemplateError with all problems.

    `path` begins the paths in problems and failures. The directives and their rules are those of Segment's
    mapping kit (docs/templates.md; differences: docs/segment-parity.md).
    """
    problems: list[TemplateProblem] = []
    place = Place(path, 0, Reads(), problems, _shape_of)
    root = place.compiled(with_root_directive(template, place))
    if problems:
        raise TemplateError(problems)

    def resolve(event: dict[str, Any]) -> Any:
        try:
            return root(event)
        except RecursionError:
            raise DirectiveFailed("template", path, "meets an event that is nested too deeply") from None

    return Template(resolve, None if place.reads.everything else frozenset(place.reads.fields))


def _shape_of(template: Any, place: Place) -> Shape:
    if place.depth > DEPTH_LIMIT and isinstance(template, dict | list):
        return place.refused(f"is nested more than {DEPTH_LIMIT} levels deep", "Make the template flatter.")
    if isinstance(template, dict):
        if directive_keys(template):
            return _compile_directive(template, place)
        return _compile_object(template, place)
    if isinstance(template, list):
        return _compile_array(template, place)
    if isinstance(template, float) and not (-INTEGER_LIMIT < template < INTEGER_LIMIT):
        return _compile_large_number(template, place)
    if template is None or isinstance(template, str | int | float):
        return Constant(template)
    return place.refused(f"is {kind_of(template)}, which JSON does not have", "Write it as text, in quotes.")


def _compile_object(template: dict[str, Any], place: Place) -> Shape:
    members: list[tuple[str, Shape]] = []
    for key, member in template.items():
        if isinstance(key, str):
            members.append((key, place.below(key).shape(member)))
        else:
            place.below(str(key)).refused(f"has {kind_of(key)} as its name", "Write the name in quotes.")
    return Object(tuple(members), place.keeps_undefined)


def _compile_array(template: list[Any], place: Place) -> Shape:
    items = [place.below(index).compiled(item) for index, item in enumerate(template)]
    if place.keeps_undefined:
        return lambda root: [item(root) for item in items]
    return lambda root: [or_null(item(root)) for item in items]


def _compile_large_number(number: float, place: Place) -> Shape:
    if math.isfinite(number):
        return Constant(WrittenFloat(number))
    return place.refused("is not a finite number, which JSON does not have", "Write a number or a text.")


def _compile_directive(template: dict[str, Any], place: Place) -> Shape:
    names, others = directive_keys(template), other_keys(template)
    shapes = [_compile_named(name, template[name], place) for name in names]
    if len(names) == 1 and not others:
        return shapes[0]
    for key in others:  # Only for what is wrong in them.
        place.below(str(key)).shape(template[key])
    if len(names) > 1:
        listed = ", ".join(names)
        return place.refused(f"has {len(names)} directives: {listed}", "Keep one, or nest one in the other.")
    suggestion = "Put the directive and the others into objects of their own, for example with @merge."
    return place.refused(f"has {names[0]} beside {', '.join(map(str, others))}", suggestion)


def _compile_named(name: str, argument: Any, place: Place) -> Shape:
    compile_directive = DIRECTIVES.get(name)
    if compile_directive is None:
        return place.below(name).refused(
            "is not a directive", _REMEDIES.get(name) or closest(name, DIRECTIVES)
        )
    return compile_directive(argument, place.argument(name))


def _compile_literal(argument: Any, place: Place) -> Shape:
    """`@literal`: the value, with the directives in it resolved."""
    return place.shape(argument)


DIRECTIVES: dict[str, Callable[[Any, Place], Shape]] = {
    "@path": compile_path,
    "@template": compile_template_text,
    "@literal": _compile_literal,
    "@if": compile_if,
    "@case": compile_case,
    "@replace": compile_replace,
    "@arrayPath": compile_array_path,
    "@flatten": compile_flatten,
    "@json": compile_json,
    "@merge": compile_merge,
    "@transform": compile_transform,
    "@excludeWhenNull": compile_exclude_when_null,
    "@liquid": compile_liquid,
}
_REMEDIES = {"@coalesce": "Write @if with exists, then and else."}
