"""`__segment_internal_directive`: a directive at the top of a mapping that takes the rest as its `mapping`."""

from __future__ import annotations

from typing import Any

from mapping.directives.place import Place

ROOT_DIRECTIVE = "__segment_internal_directive"
"""Segment writes it into mappings of Engage, as a rule with `@transform`."""

_SUGGESTION = "Write one directive whose arguments are an object, such as @transform with apply."


def with_root_directive(template: Any, place: Place) -> Any:
    """The directive with the other fields as its `mapping`; any other template as it is."""
    if not isinstance(template, dict) or ROOT_DIRECTIVE not in template:
        return template
    directive = template[ROOT_DIRECTIVE]
    fields = {key: value for key, value in template.items() if key != ROOT_DIRECTIVE}
    match list(directive.items()) if isinstance(directive, dict) else []:
        case [(str(name), dict(arguments))] if name.startswith("@"):
            return {name: {**arguments, "mapping": fields}}
    place.below(ROOT_DIRECTIVE).refused("is not one directive with arguments", _SUGGESTION)
    return fields
