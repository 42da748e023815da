"""What an expression means, written down as plainly as can be: nothing is prepared, nothing is taken together."""

from __future__ import annotations

from typing import Any

from mapping.fql import nodes
from mapping.fql.functions import FUNCTIONS, to_string


def meaning(expression: nodes.Expression, event: dict[str, Any]) -> bool:
    """Whether the event meets the expression."""
    return value(expression, event) is True


def value(expression: nodes.Expression, event: dict[str, Any]) -> Any:
    match expression:
        case nodes.Group(term=term):
            return value(term, event)
        case nodes.And(terms=terms):
            return all(meaning(term, event) for term in terms)
        case nodes.Or(terms=terms):
            return any(meaning(term, event) for term in terms)
        case nodes.Not(term=term):
            return not meaning(term, event)
        case nodes.Literal(value=constant):
            return constant
        case nodes.ListOf(items=items):
            return [value(item, event) for item in items]
        case nodes.Path(keys=keys):
            return found(event, keys)
        case nodes.Call(function="contains", arguments=(text, nodes.Literal(value=part))):
            return FUNCTIONS["contains"].apply(value(text, event), to_string(part))
        case nodes.Call(function=name, arguments=arguments):
            return FUNCTIONS[name].apply(*(value(argument, event) for argument in arguments))
        case nodes.Compare(left=left, operator=operator, right=right):
            return compared(value(left, event), operator, value(right, event))
    raise AssertionError(expression)


def found(whole: Any, keys: tuple[str, ...]) -> Any:
    if not keys:
        return whole
    key, *below = keys
    if isinstance(whole, dict) and key in whole:
        return found(whole[key], tuple(below))
    if isinstance(whole, list) and key.isdigit() and int(key) < len(whole):
        return found(whole[int(key)], tuple(below))
    return None


def compared(left: Any, operator: str, right: Any) -> bool:
    match operator:
        case "=":
            return same(left, right)
        case "!=":
            return not same(left, right)
        case "in":
            return isinstance(right, list) and any(same(left, item) for item in right)
    if kind(left) != "number" or kind(right) != "number":
        return False
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[operator])


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float) else type(value).__name__


def same(left: Any, right: Any) -> bool:
    if kind(left) != kind(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(same(*pair) for pair in zip(left, right, strict=True))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)
