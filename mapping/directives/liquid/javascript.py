"""Parsed templates made to mean what they mean to LiquidJS: comparisons, `not`, and escapes in strings."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from liquid import RenderContext, Token
from liquid.ast import Node
from liquid.builtin.expressions import BooleanExpression, StringLiteral, logical
from liquid.expression import Expression

from mapping.decode import surrogates_replaced
from mapping.directives.liquid.values import number_of, plain
from mapping.directives.text import text_of

Compare = Callable[[Any, Any], bool]

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{0,4})|([0-7]{1,3})|(.))", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class _Comparison(Expression):
    """In the place of the library's own, which refuses to compare a number with a text."""

    __slots__ = ("compare", "left", "right")

    def __init__(self, token: Token, left: Expression, right: Expression, compare: Compare) -> None:
        super().__init__(token)
        self.left = left
        self.right = right
        self.compare = compare

    def evaluate(self, context: RenderContext) -> object:
        return self.compare(self.left.evaluate(context), self.right.evaluate(context))

    def children(self) -> list[Expression]:
        return [self.left, self.right]


def adapt(nodes: Iterable[Node], context: RenderContext) -> None:
    """Change the nodes of a parsed template, and all below them."""
    for node in nodes:
        for expression in node.expressions():
            _adapt_expression(expression)
        adapt(node.children(context), context)


def _adapt_expression(expression: Expression) -> None:
    if isinstance(expression, StringLiteral):
        expression.value = surrogates_replaced(_ESCAPE.sub(_unescaped, expression.value))
    elif isinstance(expression, BooleanExpression):
        expression.expression = _adapted_condition(expression.expression)
    for child in expression.children():
        _adapt_expression(child)


def _adapted_condition(condition: Expression) -> Expression:
    """With comparisons that never fail, and `not` before `and` and `or`, which the library reads after them."""
    if isinstance(condition, logical.LogicalNotExpression):
        inner = condition.right
        if isinstance(inner, logical.LogicalAndExpression | logical.LogicalOrExpression):
            inner.left = logical.LogicalNotExpression(condition.token, inner.left)
            return _adapted_condition(inner)
        condition.right = _adapted_condition(inner)
    elif isinstance(condition, logical.LogicalAndExpression | logical.LogicalOrExpression):
        condition.left = _adapted_condition(condition.left)
        condition.right = _adapted_condition(condition.right)
    for kind, compare in _COMPARISONS:
        if isinstance(condition, kind):
            return _Comparison(condition.token, condition.left, condition.right, compare)
    return condition


def _unescaped(found: re.Match[str]) -> str:
    code, octal, character = found.groups()
    if character is not None:
        return _ESCAPED.get(character, character)
    return chr(int(octal, 8) if octal is not None else int(code or "0", 16))


def _ordered(compare: Compare) -> Compare:
    def compared(left: Any, right: Any) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left, right)
        return compare(number_of(left), number_of(right))

    return compared


def _contains(left: Any, right: Any) -> bool:
    left, right = plain(left), plain(right)
    if isinstance(left, str):
        return text_of(right) in left
    if isinstance(left, list):
        return any(item == right and isinstance(item, bool) == isinstance(right, bool) for item in left)
    return False


_COMPARISONS: tuple[tuple[type[Any], Compare], ...] = (
    (logical.LtExpression, _ordered(operator.lt)),
    (logical.GtExpression, _ordered(operator.gt)),
    (logical.LeExpression, _ordered(operator.le)),
    (logical.GeExpression, _ordered(operator.ge)),
    (logical.ContainsExpression, _contains),
)
