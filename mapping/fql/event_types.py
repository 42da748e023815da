"""Which values of `type` an expression can be true for, so that other events need not be tried."""

from __future__ import annotations

from mapping.fql import nodes

Types = frozenset[str] | None
"""None: any value, or none at all."""


def matching_types(expression: nodes.Expression) -> Types:
    """The only values of `type` with which the expression may be true; None if that cannot be told."""
    return _types(expression, wanted=True)


def asks_types_only(expression: nodes.Expression) -> bool:
    """Whether the expression is true for each of its `matching_types`, whatever else the event says."""
    match nodes.ungrouped(expression):
        case nodes.Or(terms=terms):
            return all(map(asks_types_only, terms))
        case nodes.Compare(operator="=" | "in") as compare:
            return _compared(compare, wanted=True) is not None
        case _:
            return False


def _types(expression: nodes.Expression, wanted: bool) -> Types:
    """Those with which the expression may be true (`wanted`), or may be false."""
    expression = nodes.ungrouped(expression)
    match expression:
        case nodes.And(terms=terms):
            found = [_types(term, wanted) for term in terms]
            return _common(found) if wanted else _united(found)
        case nodes.Or(terms=terms):
            found = [_types(term, wanted) for term in terms]
            return _united(found) if wanted else _common(found)
        case nodes.Not(term=term):
            return _types(term, not wanted)
        case nodes.Literal(value=value):
            return None if (value is True) is wanted else frozenset()
        case nodes.Compare():
            return _compared(expression, wanted)
        case _:
            return None


def _compared(compare: nodes.Compare, wanted: bool) -> Types:
    match nodes.ungrouped(compare.left), compare.operator, nodes.ungrouped(compare.right):
        case (nodes.Path(keys=("type",)), "=" | "!=" as operator, nodes.Literal(value=str(name))) | (
            nodes.Literal(value=str(name)),
            "=" | "!=" as operator,
            nodes.Path(keys=("type",)),
        ):
            return frozenset((name,)) if (operator == "=") is wanted else None
        case nodes.Path(keys=("type",)), "in", nodes.ListOf(items=items) if wanted:
            names = [item.value for item in items if isinstance(item, nodes.Literal)]
            texts = [name for name in names if isinstance(name, str)]
            return frozenset(texts) if len(texts) == len(items) else None
        case _:
            return None


def _common(found: list[Types]) -> Types:
    known = [types for types in found if types is not None]
    return frozenset.intersection(*known) if known else None


def _united(found: list[Types]) -> Types:
    known = [types for types in found if types is not None]
    return frozenset().union(*known) if len(known) == len(found) else None
