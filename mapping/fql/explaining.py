"""Why an event meets a trigger or does not: the parts that decided, and what the event has there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mapping.fql import nodes
from mapping.fql.compiler import compile_condition, compile_value
from mapping.fql.functions import compact_json
from mapping.fql.paths import Event, find

_SHOWN = 200
"""Characters of a value."""
_TOO_DEEP = "(nested too deeply to be shown)"


@dataclass(frozen=True, slots=True)
class Found:
    """What a field, or a function of it, is in the event."""

    expression: str
    """As written: `properties.price`, `lowercase(event)`."""
    value: str | None
    """JSON, cut after 200 characters; None: the event has no such field."""

    def __str__(self) -> str:
        return f"{self.expression} is {'missing' if self.value is None else self.value}"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an event meets an expression, and which of its parts made it so. `str()` is an indented tree."""

    result: bool
    expression: str
    """As written."""
    found: tuple[Found, ...] = ()
    """What the event has, if the expression is a single condition."""
    reasons: tuple[Decision, ...] = ()
    """The parts that decided: each that is false of a false `and`, each that is true of a true `or`, else all."""

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The tree, a line for each expression."""
        found = f"   ({', '.join(map(str, self.found))})" if self.found else ""
        yield f"{'  ' * indent}{'true ' if self.result else 'false'}  {' '.join(self.expression.split())}{found}"
        for reason in self.reasons:
            yield from reason.lines(indent + 1)


def explain(expression: nodes.Expression, text: str, event: Event) -> Decision:
    """The decision on an expression of the trigger `text`, with its reasons."""
    expression = nodes.ungrouped(expression)
    result = compile_condition(expression)(event)
    written = expression.span.of(text)
    match expression:
        case nodes.And(terms=terms) | nodes.Or(terms=terms):
            decided = [explain(term, text, event) for term in terms]
            return Decision(result, written, reasons=tuple(part for part in decided if part.result is result))
        case nodes.Not(term=term):
            return Decision(result, written, reasons=(explain(term, text, event),))
        case _:
            return Decision(result, written, found=tuple(_found(expression, text, event)))


def _found(expression: nodes.Expression, text: str, event: Event) -> Iterator[Found]:
    match expression:
        case nodes.Path(keys=keys):
            yield Found(expression.span.of(text), _shown(find(event, keys)) if _has(event, keys) else None)
        case nodes.Call(function=name, arguments=arguments):
            for argument in arguments:
                yield from _found(argument, text, event)
            if name not in ("contains", "match"):
                yield Found(expression.span.of(text), _shown(compile_value(expression)(event)))
        case _:
            for part in nodes.parts(expression):
                yield from _found(part, text, event)


def _has(event: Event, keys: tuple[str, ...]) -> bool:
    *above, last = keys
    parent = find(event, above)
    return (isinstance(parent, dict) and last in parent) or find(event, keys) is not None


def _shown(value: Any) -> str:
    written = compact_json(value)
    if written is None:
        return _TOO_DEEP
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
