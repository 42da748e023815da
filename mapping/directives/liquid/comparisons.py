"""`<`, `>`, `<=`, `>=` and `contains` as JavaScript compares: no pair of values is an error."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from liquid import RenderContext, Token
from liquid.builtin.expressions import logical
from liquid.expression import Expression

from mapping.directives.liquid.values import number_of, plain
from mapping.directives.text import text_of

Compare = Callable[[Any, Any], bool]


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


def as_in_javascript(expression: Expression) -> Expression:
    """The expression with its comparisons replaced, also those below `and` and `or`."""
    if isinstance(expression, logical.LogicalAndExpression | logical.LogicalOrExpression):
        expression.left = as_in_javascript(expression.left)
        expression.right = as_in_javascript(expression.right)
    for kind, compare in _COMPARISONS:
        if isinstance(expression, kind):
            return _Comparison(expression.token, expression.left, expression.right, compare)
    return expression


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
