"""The parts of a trigger's expression. Each knows where it was written, so that it can be shown as written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from mapping.fql.errors import Span

Operator = OneOf["=", "!=", "<", "<=", ">", ">=", "in"]


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, boolean or null that stands in the expression."""

    value: str | int | float | bool | None
    span: Span


@dataclass(frozen=True, slots=True)
class Path:
    """A field of the event: `properties.product\\ 1.price` has the keys `properties`, `product 1` and `price`."""

    keys: tuple[str, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """`["track", properties.kind]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """`contains(event, "Order")`."""

    function: str
    arguments: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`."""

    left: Expression
    operator: Operator
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Not:
    """`!term`; it takes in a whole comparison: `!type = "track"` is `!(type = "track")`."""

    term: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class And:
    """Two terms or more."""

    terms: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Or:
    """Two terms or more."""

    terms: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Group:
    """Parentheses. They change nothing of the meaning; only the hosted evaluator cares how many there are."""

    term: Expression
    levels: int
    span: Span


Expression = Literal | Path | ListOf | Call | Compare | Not | And | Or | Group


def ungrouped(expression: Expression) -> Expression:
    """The expression without parentheses around it."""
    return expression.term if isinstance(expression, Group) else expression


def parts(expression: Expression) -> tuple[Expression, ...]:
    """What the expression is made of, in the order it was written."""
    match expression:
        case Literal() | Path():
            return ()
        case ListOf(items=found) | Call(arguments=found) | And(terms=found) | Or(terms=found):
            return found
        case Compare(left=left, right=right):
            return (left, right)
        case Not(term=term) | Group(term=term):
            return (term,)
