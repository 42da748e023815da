"""A compiled condition on events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from mapping.fql import explaining, nodes
from mapping.fql.checking import check
from mapping.fql.compiler import compile_condition
from mapping.fql.errors import FqlError, Mistake
from mapping.fql.event_types import asks_types_only, matching_types
from mapping.fql.grammar import parse
from mapping.fql.hosted import HostedDifference, hosted_differences

_REMEMBERED = 1_024


@dataclass(frozen=True, slots=True)
class Trigger:
    """An FQL expression, ready to be asked."""

    text: str
    matches: Callable[[dict[str, Any]], bool] = field(repr=False)
    """Whether an event meets the expression. Never fails, for any decoded JSON object."""
    types: frozenset[str] | None
    """The only values of `type` with which it can be met; None if that cannot be told."""
    asks_types_only: bool
    """Whether every event of these types meets it."""
    hosted_differences: tuple[HostedDifference, ...]
    """Where Segment's hosted trigger evaluator would decide otherwise."""
    expression: nodes.Expression = field(repr=False)

    def explain(self, event: dict[str, Any]) -> explaining.Decision:
        """Whether an event meets the expression, and which parts of it decided."""
        return explaining.explain(self.expression, self.text, event)


@lru_cache(maxsize=_REMEMBERED)
def compile_trigger(text: str) -> Trigger:
    """The trigger that an expression stands for. Raises FqlError."""
    try:
        expression = parse(text)
        check(expression)
    except Mistake as mistake:
        raise FqlError(str(mistake), text, mistake.offset, mistake.suggestion) from None
    return Trigger(
        text=text,
        matches=compile_condition(expression),
        types=matching_types(expression),
        asks_types_only=asks_types_only(expression),
        hosted_differences=hosted_differences(expression, text),
        expression=expression,
    )
