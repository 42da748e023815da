"""From an expression to a function of the event: closures, made once, that never fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mapping.fql import fields, nodes
from mapping.fql.comparing import COMPARISONS, ORDER, is_number
from mapping.fql.fields import Condition
from mapping.fql.functions import FUNCTIONS, to_string
from mapping.fql.globs import compile_glob
from mapping.fql.paths import Event, Value, value_at


def compile_condition(expression: nodes.Expression) -> Condition:
    """Whether an event meets the expression. It has passed `check`."""
    expression = nodes.ungrouped(expression)
    match expression:
        case nodes.And(terms=terms):
            return _all_of(terms)
        case nodes.Or(terms=terms):
            return fields.any_of([compile_condition(term) for term in terms])
        case nodes.Not(term=term):
            return fields.opposite(compile_condition(term))
        case nodes.Compare():
            return _comparison(expression)
        case nodes.Path(keys=keys):
            return fields.field_is(keys, True)
        case nodes.Literal(value=value):
            return fields.constant(value is True)
        case nodes.Call(function="match", arguments=(text, nodes.Literal(value=str(pattern)))):
            return _match(compile_value(text), pattern)
        case _:
            return fields.is_true(compile_value(expression))


def compile_value(expression: nodes.Expression) -> Value:
    """The value that the expression has for an event; null for what is missing."""
    expression = nodes.ungrouped(expression)
    match expression:
        case nodes.Path(keys=keys):
            return value_at(keys)
        case nodes.Literal(value=value):
            return lambda event: value
        case nodes.ListOf(items=items):
            members = [compile_value(item) for item in items]
            return lambda event: [member(event) for member in members]
        case nodes.Call():
            return _call(_with_text(expression))
        case _:
            return compile_condition(expression)


def _with_text(call: nodes.Call) -> nodes.Call:
    """A number or boolean that is written as what `contains` looks for is meant as its digits or letters."""
    match call:
        case nodes.Call(function="contains", arguments=(text, nodes.Literal(value=value) as part)):
            return replace(call, arguments=(text, replace(part, value=to_string(value))))
        case _:
            return call


def _all_of(terms: Sequence[nodes.Expression]) -> Condition:
    texts = [found for term in terms if (found := _field_text(term)) is not None]
    if len(texts) == len(terms):
        return fields.all_fields_are(texts)
    return fields.all_of([compile_condition(term) for term in terms])


def _field_text(term: nodes.Expression) -> fields.FieldText | None:
    match nodes.ungrouped(term):
        case nodes.Compare(nodes.Path(keys=(key,)), "=", nodes.Literal(value=str(text))):
            return key, text
        case _:
            return None


def _comparison(compare: nodes.Compare) -> Condition:
    left, right = nodes.ungrouped(compare.left), nodes.ungrouped(compare.right)
    if isinstance(left, nodes.Literal) and compare.operator in ("=", "!="):
        left, right = right, left
    match left, compare.operator, right:
        case nodes.Path(keys=keys), "=", nodes.Literal(value=str(text)):
            return fields.field_is_text(keys, text)
        case nodes.Path(keys=keys), "!=", nodes.Literal(value=str(text)):
            return fields.field_is_not_text(keys, text)
        case nodes.Path(keys=keys), "=", nodes.Literal(value=bool(constant) | (None as constant)):
            return fields.field_is(keys, constant)
        case nodes.Path(keys=keys), "!=", nodes.Literal(value=bool(constant) | (None as constant)):
            return fields.field_is_not(keys, constant)
        case nodes.Path(keys=keys), "in", nodes.ListOf(items=items) if (texts := _texts(items)) is not None:
            return fields.field_in_texts(keys, texts)
    if isinstance(right, nodes.Literal):
        return _with_constant(compile_value(left), compare.operator, right.value)
    holds, left_value, right_value = COMPARISONS[compare.operator], compile_value(left), compile_value(right)
    return lambda event: holds(left_value(event), right_value(event))


def _with_constant(value: Value, operator: str, constant: Any) -> Condition:
    if operator in ORDER and is_number(constant):
        return fields.compares(value, ORDER[operator], constant)
    holds = COMPARISONS[operator]
    return lambda event: holds(value(event), constant)


def _texts(items: Sequence[nodes.Expression]) -> list[str] | None:
    texts = [item.value for item in items if isinstance(item, nodes.Literal) and isinstance(item.value, str)]
    return texts if len(texts) == len(items) else None


def _call(call: nodes.Call) -> Value:
    apply = FUNCTIONS[call.function].apply
    first, *others = [compile_value(argument) for argument in call.arguments]
    if not others:
        return lambda event: apply(first(event))
    second = others[0]
    return lambda event: apply(first(event), second(event))


def _match(text: Value, pattern: str) -> Condition:
    fits: Any = compile_glob(pattern).fullmatch

    def matches(event: Event) -> bool:
        found = text(event)
        return isinstance(found, str) and fits(found) is not None

    return matches
