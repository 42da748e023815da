"""What the grammar allows and makes no sense: unknown fields and functions, values where a condition belongs."""

from __future__ import annotations

from difflib import get_close_matches
from typing import NoReturn

from mapping.fql import nodes
from mapping.fql.errors import Mistake
from mapping.fql.functions import FUNCTIONS
from mapping.fql.globs import BadGlob, compile_glob

FIELDS = (
    "type",
    "event",
    "name",
    "userId",
    "anonymousId",
    "messageId",
    "groupId",
    "properties",
    "traits",
    "context",
    "integrations",
    "previousId",
    "category",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "version",
    "channel",
    "writeKey",
    "projectId",
    "_metadata",
)
"""What a Segment event may have at its top (Segment, "Spec: Common Fields", and the calls' own pages)."""

_OF_THE_USER = frozenset(("email", "phone", "firstName", "lastName", "plan", "company"))
_OF_THE_CONTEXT = frozenset(
    ("page", "locale", "timezone", "library", "campaign", "device", "app", "ip", "os")
)
_KEYWORDS = ("and", "or", "in", "true", "false", "null")


def check(expression: nodes.Expression) -> None:
    """Raises Mistake for the first thing that is wrong, in the order of reading."""
    _check_condition(expression)
    _check_parts(expression)


def _check_parts(expression: nodes.Expression) -> None:
    match expression:
        case nodes.Path():
            _check_field(expression)
        case nodes.Call():
            _check_call(expression)
        case nodes.Compare(operator=operator, left=left, right=right):
            if operator == "in":
                _check_list(right)
            _check_parts(left)
            _check_values(right)
            _check_parts(right)
            return
        case nodes.And(terms=terms) | nodes.Or(terms=terms):
            for term in terms:
                _check_condition(term)
        case nodes.Not(term=term):
            _check_condition(term)
    for part in nodes.parts(expression):
        _check_parts(part)


def _check_condition(expression: nodes.Expression) -> None:
    """A value that can never be `true` is no condition."""
    found = nodes.ungrouped(expression)
    at = found.span.start
    match found:
        case nodes.Literal(value=str()):
            raise Mistake(
                "a text alone is neither true nor false", at, 'compare it with a field: event = "…"'
            )
        case nodes.Literal(value=int() | float() as value) if not isinstance(value, bool):
            raise Mistake("a number alone is neither true nor false", at)
        case nodes.ListOf():
            raise Mistake(
                "a list alone is neither true nor false", at, 'such as: type in ["track", "identify"]'
            )
        case nodes.Call(function=name) if name in FUNCTIONS and not FUNCTIONS[name].is_condition:
            example = FUNCTIONS[name].example
            raise Mistake(f"what {name}() gives is neither true nor false", at, f"compare it: {example}")


def _check_values(expression: nodes.Expression) -> None:
    """What a field is compared with is a text, as a rule: a word that is no field lacks its quotes."""
    found = nodes.ungrouped(expression)
    values = found.items if isinstance(found, nodes.ListOf) else (found,)
    for value in values:
        if isinstance(value, nodes.Path) and value.keys[0] not in FIELDS:
            _refuse_word(value)


def _refuse_word(path: nodes.Path) -> NoReturn:
    root = path.keys[0]
    in_quotes = f'text is written in quotes: "{".".join(path.keys)}"'
    if root.lower() in _KEYWORDS or _near_field(root):
        in_quotes = f"{_for_field(root)}; {in_quotes}"
    raise Mistake(f'an event has no field "{root}"', path.span.start, in_quotes)


def _check_field(path: nodes.Path) -> None:
    root = path.keys[0]
    if root in FIELDS:
        return
    raise Mistake(f'an event has no field "{root}"', path.span.start, _for_field(root))


def _for_field(root: str) -> str:
    if root.lower() in _KEYWORDS:
        return f"did you mean {root.lower()}? It is written in lower case"
    if near := _near_field(root):
        return f"did you mean {near}?"
    if root in _OF_THE_USER:
        return f"did you mean traits.{root} (identify) or context.traits.{root} (track)?"
    if root in _OF_THE_CONTEXT:
        return f"did you mean context.{root}?"
    return f'a text is written in quotes ("{root}"); a property is properties.{root}, a trait traits.{root}'


def _near_field(root: str) -> str | None:
    folded = {field.lower(): field for field in FIELDS}
    near = get_close_matches(root.lower().replace("_", ""), folded, n=1, cutoff=0.75)
    return folded[near[0]] if near else None


def _check_call(call: nodes.Call) -> None:
    function = FUNCTIONS.get(call.function)
    at = call.span.start
    if function is None:
        near = get_close_matches(call.function.lower(), FUNCTIONS, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}()?" if near else f"there are: {', '.join(FUNCTIONS)}"
        raise Mistake(f"there is no function {call.function}()", at, hint)
    if len(call.arguments) != function.arity:
        wanted = "one value" if function.arity == 1 else "two values"
        raise Mistake(f"{call.function}() takes {wanted}", at, f"such as: {function.example}")
    if function.arity == 2:
        _check_second(call)


def _check_second(call: nodes.Call) -> None:
    second = nodes.ungrouped(call.arguments[1])
    _check_values(second)
    match call.function, second:
        case _, nodes.ListOf() | nodes.Literal(value=None):
            raise Mistake(f"the second value of {call.function}() must be a text", second.span.start)
        case "match", nodes.Literal(value=str(pattern)):
            try:
                compile_glob(pattern)
            except BadGlob as bad:
                raise Mistake(f"{bad}", second.span.start, r"\ takes the next character as it is") from None
        case "match", nodes.Literal():
            raise Mistake("the pattern of match() must be a text", second.span.start, "write it in quotes")


def _check_list(right: nodes.Expression) -> None:
    found = nodes.ungrouped(right)
    match found:
        case nodes.ListOf() | nodes.Path():
            return
        case nodes.Literal(value=str(text)):
            raise Mistake("on the right of in stands a list", found.span.start, f'write ["{text}"]')
        case _:
            raise Mistake(
                "on the right of in stands a list", found.span.start, 'such as: ["track", "identify"]'
            )
