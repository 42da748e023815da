"""The grammar of FQL, and from an expression's text to its nodes.

The language is that of Segment's page "Destination Filter Query Language".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from mapping.fql import nodes
from mapping.fql.errors import Mistake, Span
from mapping.fql.literals import number_of, path_keys, string_of
from mapping.fql.suggestions import syntax_error

if TYPE_CHECKING:
    from lark import Lark, Token

GRAMMAR = r"""
    ?start: either
    ?either: both
        | both ("or" both)+           -> either
    ?both: term
        | term ("and" term)+          -> both
    ?term: comparison
        | NOT term                    -> negation
    ?comparison: operand
        | operand (EQUALITY | ORDER | IN) operand -> comparison
    ?operand: STRING                  -> string
        | NUMBER                      -> number
        | "true"                      -> true
        | "false"                     -> false
        | "null"                      -> null
        | PATH                        -> path
        | PATH "(" _items? ")"        -> call
        | "[" _items? "]"             -> list_of
        | "(" either ")"              -> group
    _items: operand ("," operand)*

    NOT: /!(?!=)/
    EQUALITY: "=" | "!="
    ORDER: "<=" | ">=" | "<" | ">"
    IN: "in"
    NUMBER: /[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.\\])/
    STRING: /"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'/s
    PATH: /(?:[^\W\d]|\\.)(?:[\w-]|\\.)*(?:\.(?:[\w-]|\\.)+)*/s

    %ignore /[ \t\r\n]+/
"""

DEPTH_LIMIT = 200
"""Levels of and, or, `!`, comparisons, functions and lists, one within another."""
NESTING_LIMIT = 1_000
"""Levels of brackets and `!`, also of brackets that change nothing."""

_TOO_DEEP = "the expression is nested too deeply"


def parse(text: str) -> nodes.Expression:
    """The nodes of an expression. Raises FqlError for what breaks the grammar, and Mistake."""
    from lark import UnexpectedInput

    if not text.strip():
        raise Mistake("the expression is empty", 0, "one that every event meets is: type != null")
    try:
        expression = cast(nodes.Expression, _parser().parse(text))
    except UnexpectedInput as error:
        raise syntax_error(text, error) from None
    _check_depth(expression)
    return expression


@cache
def _parser() -> Lark:
    """Made when it is first needed: lark takes its time to be imported and to read a grammar."""
    from lark import Lark

    return Lark(
        GRAMMAR,
        parser="lalr",
        lexer="basic",
        transformer=_NodeMaker(),
        postlex=_NestingCheck(),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


class _NestingCheck:
    """Refuses what is nested beyond the limit before the parser sees it."""

    always_accept = ()

    def process(self, tokens: Iterator[Token]) -> Iterator[Token]:
        open_brackets: list[int] = []
        depth = negations = 0
        for token in tokens:
            if token.type == "NOT":
                negations += 1
            elif token in ("(", "["):
                open_brackets.append(negations + 1)
                depth += negations + 1
                negations = 0
            else:
                if token in (")", "]") and open_brackets:
                    depth -= open_brackets.pop()
                negations = 0
            if depth + negations > NESTING_LIMIT:
                raise Mistake(_TOO_DEEP, token.start_pos or 0)
            yield token


class _NodeMaker:
    """Called by the parser for each rule it has recognised, with tokens and nodes in the order they were written."""

    def string(self, children: list[Token]) -> nodes.Literal:
        span = _span(children)
        return nodes.Literal(string_of(children[0], span.start), span)

    def number(self, children: list[Token]) -> nodes.Literal:
        return nodes.Literal(number_of(children[0]), _span(children))

    def true(self, children: list[Token]) -> nodes.Literal:
        return nodes.Literal(True, _span(children))

    def false(self, children: list[Token]) -> nodes.Literal:
        return nodes.Literal(False, _span(children))

    def null(self, children: list[Token]) -> nodes.Literal:
        return nodes.Literal(None, _span(children))

    def path(self, children: list[Token]) -> nodes.Path:
        return nodes.Path(path_keys(children[0]), _span(children))

    def call(self, children: list[Any]) -> nodes.Call:
        return nodes.Call(str(children[0]), tuple(children[2:-1:2]), _span(children))

    def list_of(self, children: list[Any]) -> nodes.ListOf:
        return nodes.ListOf(tuple(children[1:-1:2]), _span(children))

    def group(self, children: list[Any]) -> nodes.Group:
        term = children[1]
        if isinstance(term, nodes.Group):
            return nodes.Group(term.term, term.levels + 1, _span(children))
        return nodes.Group(term, 1, _span(children))

    def comparison(self, children: list[Any]) -> nodes.Compare:
        left, operator, right = children
        return nodes.Compare(left, cast(nodes.Operator, str(operator)), right, _span(children))

    def negation(self, children: list[Any]) -> nodes.Not:
        return nodes.Not(children[1], _span(children))

    def both(self, children: list[Any]) -> nodes.And:
        return nodes.And(tuple(children[::2]), _span(children))

    def either(self, children: list[Any]) -> nodes.Or:
        return nodes.Or(tuple(children[::2]), _span(children))


def _span(children: list[Any]) -> Span:
    first, last = children[0], children[-1]
    start = first.span.start if hasattr(first, "span") else first.start_pos
    end = last.span.end if hasattr(last, "span") else last.end_pos
    return Span(start, end)


def _check_depth(expression: nodes.Expression) -> None:
    """The functions that read expressions call themselves for each level."""
    level = [expression]
    for _ in range(DEPTH_LIMIT):
        level = [part for whole in level for part in nodes.parts(whole)]
        if not level:
            return
    raise Mistake(_TOO_DEEP, level[0].span.start)
