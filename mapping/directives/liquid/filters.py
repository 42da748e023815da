"""The filters of templates: LiquidJS's, without those that Segment has switched off."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from liquid.filter import with_context

from mapping.directives.liquid import date_filters as dates
from mapping.directives.liquid import text_filters as texts
from mapping.directives.liquid import value_filters as values
from mapping.directives.liquid.values import liquid_text, number_of, plain, size_of

SWITCHED_OFF = frozenset(
    (
        "array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by",
        "group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort",
        "sort_natural", "uniq", "where_exp", "type",
    )
)  # fmt: skip
"""Filters that Segment does not allow in `@liquid` (mapping kit, liquid-directive)."""

_TEXT_FILTERS: dict[str, Callable[..., Any]] = {
    "append": texts.append,
    "base64_decode": texts.base64_decode,
    "base64_encode": texts.base64_encode,
    "capitalize": texts.capitalize,
    "cgi_escape": texts.cgi_escape,
    "downcase": texts.downcase,
    "escape": texts.escape,
    "escape_once": texts.escape_once,
    "lstrip": texts.lstrip,
    "normalize_whitespace": texts.normalize_whitespace,
    "number_of_words": texts.number_of_words,
    "prepend": texts.prepend,
    "remove": texts.remove,
    "remove_first": texts.remove_first,
    "remove_last": texts.remove_last,
    "replace": texts.replace,
    "replace_first": texts.replace_first,
    "replace_last": texts.replace_last,
    "rstrip": texts.rstrip,
    "split": texts.split,
    "strip": texts.strip,
    "strip_html": texts.strip_html,
    "strip_newlines": texts.strip_newlines,
    "upcase": texts.upcase,
    "uri_escape": texts.uri_escape,
    "url_decode": texts.url_decode,
    "url_encode": texts.url_encode,
    "xml_escape": texts.escape,
}
_NUMBER_FILTERS: dict[str, Callable[..., Any]] = {
    "abs": values.absolute,
    "at_least": values.at_least,
    "at_most": values.at_most,
    "ceil": values.ceil,
    "divided_by": values.divided_by,
    "floor": values.floor,
    "minus": values.minus,
    "modulo": values.modulo,
    "plus": values.plus,
    "round": values.round_to,
    "times": values.times,
}
_VALUE_FILTERS: dict[str, Callable[..., Any]] = {
    "compact": values.compact,
    "date": dates.date,
    "date_to_long_string": dates.date_to_long_string,
    "date_to_rfc822": dates.date_to_rfc822,
    "date_to_string": dates.date_to_string,
    "date_to_xmlschema": dates.date_to_xmlschema,
    "default": values.default,
    "first": values.first,
    "join": values.join,
    "last": values.last,
    "pop": values.pop,
    "push": values.push,
    "raw": values.raw,
    "shift": values.shift,
    "size": values.size,
    "slice": values.slice_of,
    "sum": values.sum_of,
    "to_integer": values.to_integer,
    "truncate": values.truncate,
    "truncatewords": values.truncatewords,
    "unshift": values.unshift,
    "where": values.where,
}


def all_filters() -> dict[str, Callable[..., Any]]:
    """Every filter by its name, in the form that the library calls."""
    found = {name: _filter(function, liquid_text) for name, function in _TEXT_FILTERS.items()}
    found |= {name: _filter(function, _number) for name, function in _NUMBER_FILTERS.items()}
    found |= {name: _filter(function, plain) for name, function in _VALUE_FILTERS.items()}
    found |= {name: _filter(values.json, lambda value: value) for name in ("json", "jsonify", "inspect")}
    return found


def _number(value: Any) -> float:
    """LiquidJS calculates with 0 for what is no number."""
    found = number_of(value)
    return 0.0 if math.isnan(found) else found


def _filter(function: Callable[..., Any], read: Callable[[Any], Any]) -> Callable[..., Any]:
    """Arguments that the function does not have are ignored, as in JavaScript."""
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]

    @with_context
    def apply(value: Any, *arguments: Any, context: Any, **named: Any) -> Any:
        read_value = read(value)
        positional = [read(argument) for argument in arguments[: len(names)]]
        context.spend(size_of(read_value) + sum(map(size_of, positional)))
        keywords = {name: argument for name, argument in named.items() if name in names[len(positional) :]}
        result = function(read_value, *positional, **keywords)
        context.spend(size_of(result))
        return result

    return apply
