"""Where Segment's hosted trigger evaluator would decide otherwise than FQL as documented.

Segment evaluates a mapping's trigger with a small reader of its own (`destination-subscriptions` of its public
repository `action-destinations`), which knows a part of the language only. A condition of a form that it reads as
documented is passed over; every other one is reported, so nothing is missed that we have not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mapping.fql import nodes
from mapping.fql.errors import Span

_TOP_FIELDS = frozenset(("type", "event", "name", "userId"))
_OBJECT_FIELDS = frozenset(("properties", "traits", "context"))
_READABLE_PATH = re.compile(
    r"(?:[A-Za-z_]|\\.)(?:[\w-]|\\.)*(?:\.(?:[A-Za-z_]|\\.)(?:[\w-]|\\.)*)*", re.ASCII | re.DOTALL
)
_READABLE_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_NOT_PLAIN = re.compile(r"[*?\[\\]")
_LETTER_ABROAD = re.compile(r"(?<!\\)[^\x00-\x7f]")
_SPLITTING = re.compile(r"[.\[\]]")
_WORDS = frozenset(("and", "or", "null"))
_UNREADABLE = "cannot read the trigger: no event matches"


@dataclass(frozen=True, slots=True)
class HostedDifference:
    """A part of a trigger, what Segment's hosted evaluator makes of it, and what segbatch makes of it."""

    expression: str
    hosted: str
    ours: str


def hosted_differences(expression: nodes.Expression, text: str) -> tuple[HostedDifference, ...]:
    """All of a trigger's differences, in the order it is read."""
    return tuple(_Reader(text).differences(expression))


@dataclass(frozen=True, slots=True)
class _Reader:
    text: str

    def differences(self, expression: nodes.Expression) -> Iterator[HostedDifference]:
        if "\r" in self.text:
            yield HostedDifference("(carriage return)", _UNREADABLE, "white space")
        yield from self._term(expression, grouped=False)

    def _term(self, term: nodes.Expression, grouped: bool) -> Iterator[HostedDifference]:
        match term:
            case nodes.And(terms=terms) | nodes.Or(terms=terms):
                yield from self._terms(term, terms, grouped)
            case nodes.Group(term=inner, levels=levels, span=span):
                if grouped or levels > 1:
                    yield self._of(
                        span, _UNREADABLE + " (it reads one level of parentheses)", "parentheses nest"
                    )
                yield from self._term(inner, grouped=True)
            case nodes.Not(term=inner):
                yield from self._negation(term, inner, grouped)
            case nodes.Compare():
                yield from self._comparison(term)
            case nodes.Call():
                yield from self._call(term)
            case _:
                yield self._of(term.span, "does not know a field or value by itself", "true if it is `true`")

    def _terms(
        self, whole: nodes.And | nodes.Or, terms: tuple[nodes.Expression, ...], grouped: bool
    ) -> Iterator[HostedDifference]:
        if isinstance(whole, nodes.Or) and any(isinstance(term, nodes.And) for term in terms):
            yield self._of(
                whole.span,
                "does not mix and with or: the last of them counts for all",
                "and binds tighter than or",
            )
        for term in terms:
            if isinstance(term, nodes.Group) and _ends_early(term.term, type(whole)):
                yield self._of(
                    whole.span,
                    f"ends the group {term.span.of(self.text)} at its first ), with and and or mixed",
                    "a group ends at its own )",
                )
        for term in terms:
            yield from self._term(term, grouped)

    def _negation(
        self, whole: nodes.Not, inner: nodes.Expression, grouped: bool
    ) -> Iterator[HostedDifference]:
        match inner:
            case nodes.Call(function="contains" | "match" as name, arguments=(field, _)):
                yield from self._call(inner)
                yield self._of(
                    whole.span,
                    f"false if {field.span.of(self.text)} is missing or no text",
                    f"true then: {name}() is false",
                )
            case _:
                yield self._of(whole.span, "passes over this !", "negates what follows")
                yield from self._term(inner, grouped)

    def _call(self, call: nodes.Call) -> Iterator[HostedDifference]:
        match call:
            case nodes.Call(
                function="contains" | "match", arguments=(nodes.Path() as field, nodes.Literal() as value)
            ):
                hosted = self._field(field, call.span) or self._literal(value)
                if hosted:
                    yield hosted
                elif field.keys[0] == "type":
                    yield self._of(call.span, f"passes over {call.function}() of type", "evaluates it")
                elif call.function == "match":
                    yield from self._pattern(call, str(value.value))
            case nodes.Call(function="contains" | "match"):
                yield self._of(call.span, f"reads only {call.function}(field, text)", "takes any values")
            case _:
                yield self._unknown(call, call.span)

    def _pattern(self, call: nodes.Call, pattern: str) -> Iterator[HostedDifference]:
        if pattern.endswith("*"):
            plain, meaning = pattern[:-1], f'true if it starts with "{pattern[:-1]}"'
        else:
            plain, meaning = pattern[1:], f'true if it ends with "{pattern[1:]}"'
        known = pattern.endswith("*") or pattern.startswith("*")
        if not known or _NOT_PLAIN.search(plain):
            yield self._of(call.span, meaning, "a glob pattern for the whole text")

    def _comparison(self, compare: nodes.Compare) -> Iterator[HostedDifference]:
        if compare.operator == "in":
            yield self._of(
                compare.span, "does not know in and misreads the condition", "true if the list has it"
            )
            return
        match compare:
            case nodes.Compare(left=nodes.Path() as field, right=nodes.Literal() as value):
                hosted = (
                    self._field(field, compare.span)
                    or self._literal(value)
                    or self._values(compare, field, value)
                )
                if hosted:
                    yield hosted
                elif missing := self._without_space(compare):
                    yield missing
            case nodes.Compare(left=nodes.Call() as call):
                yield self._unknown(call, compare.span)
            case nodes.Compare(left=nodes.Path(), right=nodes.Path() as other):
                name = other.span.of(self.text)
                yield self._of(compare.span, f'compares with the text "{name}"', "compares with that field")
            case _:
                yield self._of(
                    compare.span,
                    "reads only a field, an operator and a value, in this order",
                    "takes any values",
                )

    def _unknown(self, call: nodes.Call, span: Span) -> HostedDifference:
        return self._of(span, f"does not know {call.function}() and misreads the condition", "evaluates it")

    def _without_space(self, compare: nodes.Compare) -> HostedDifference | None:
        """It needs spaces before < and >, and after an operator of two characters."""
        between = self.text[compare.left.span.end : compare.right.span.start]
        operator = compare.operator
        if between[0] in "<>" or (operator == "!=" and not between[-1].isspace()):
            return self._of(
                compare.span, f"{_UNREADABLE} (a space is missing at {operator})", f"reads {operator}"
            )
        if len(operator) == 2 and not between[-1].isspace():
            return self._of(
                compare.span, f"never true (a space is missing after {operator})", f"reads {operator}"
            )
        return None

    def _field(self, field: nodes.Path, span: Span) -> HostedDifference | None:
        """What it does otherwise because of the field."""
        root, written = field.keys[0], field.span.of(self.text)
        if root not in _TOP_FIELDS | _OBJECT_FIELDS:
            return self._of(
                span, f"does not know {root} and passes over the condition", "any field of the event"
            )
        if _LETTER_ABROAD.search(written):
            return self._of(span, f"{_UNREADABLE} (the name {written})", "names may have any letters")
        if not _READABLE_PATH.fullmatch(written) or _WORDS.intersection(field.keys):
            return self._of(
                span,
                f"cannot read the name {written}: never true",
                "a key may begin with a digit, or be a keyword",
            )
        if any(_SPLITTING.search(key) for key in field.keys):
            return self._of(
                span, f"splits the name {written} at its points and brackets", "takes it as one name"
            )
        if (root in _OBJECT_FIELDS) is (len(field.keys) == 1):
            return self._of(
                span, f"reads {root if root in _TOP_FIELDS else f'{root}.{root}'}", f"reads {written}"
            )
        return None

    def _literal(self, value: nodes.Literal) -> HostedDifference | None:
        """What it does otherwise because of how a value is written."""
        written = value.span.of(self.text)
        if written.startswith("'"):
            return self._of(
                value.span, "takes the single quotes as a part of the text", "a text in quotes of either kind"
            )
        if written.startswith('"') and "\\" in written:
            return self._of(value.span, "takes the backslash as it is", "reads an escape")
        number = _READABLE_NUMBER.match(written)
        if number and number[0] != written:
            return self._of(value.span, f"reads {number[0]}", "a number may have an exponent")
        return None

    def _values(
        self, compare: nodes.Compare, field: nodes.Path, literal: nodes.Literal
    ) -> HostedDifference | None:
        """What it does otherwise because of the operator, for this kind of field and value."""
        value, written = literal.value, literal.span.of(self.text)
        is_top = field.keys[0] in _TOP_FIELDS
        if compare.operator not in ("=", "!="):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return None
            return self._of(compare.span, f"reads {written} as a number", "compares numbers only: never true")
        if isinstance(value, str):
            return None
        if value is None:
            if field.keys[0] not in ("type", "event"):
                return None
            always = "true" if compare.operator == "!=" else "false"
            return self._of(
                compare.span, f'compares with the text "null": always {always}', "whether the field is there"
            )
        if is_top and not (field.keys[0] == "userId" and isinstance(value, bool) and compare.operator == "="):
            return self._of(
                compare.span, f'compares with the text "{written}"', "compares with the value, strictly"
            )
        if compare.operator == "!=":
            return self._unequal(compare, field, value)
        return None

    def _unequal(
        self, compare: nodes.Compare, field: nodes.Path, value: int | float | bool
    ) -> HostedDifference:
        if isinstance(value, bool):
            return self._of(
                compare.span, f'compares with the text "{str(value).lower()}"', "compares with the boolean"
            )
        name = field.span.of(self.text)
        return self._of(compare.span, f"false if {name} is missing or no number", "true then")

    def _of(self, span: Span, hosted: str, ours: str) -> HostedDifference:
        return HostedDifference(span.of(self.text), hosted, ours)


def _ends_early(group: nodes.Expression, outside: type[nodes.And | nodes.Or]) -> bool:
    """Whether a function's `)` leaves a part of the group outside, and that matters to the terms around it."""
    if not isinstance(group, nodes.And | nodes.Or) or isinstance(group, outside):
        return False
    return any(
        isinstance(term.term if isinstance(term, nodes.Not) else term, nodes.Call)
        for term in group.terms[:-1]
    )
