"""From a place where an expression breaks the grammar to what is wrong there and what to write instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mapping.fql.errors import FqlError
from mapping.fql.functions import FUNCTIONS

if TYPE_CHECKING:
    from lark import UnexpectedInput


class _Slip(NamedTuple):
    """A way of writing that other languages have, or a thing forgotten."""

    before: str
    """A regular expression for what ends where the grammar breaks."""
    here: str
    """One for what begins there."""
    message: str
    suggestion: str


_UNCLOSED = "the text that begins here is not closed"
_CHARACTERS = (
    _Slip("", "&", "& is no operator of FQL", "write and"),
    _Slip("", r"\|", "| is no operator of FQL", "write or"),
    _Slip("", "[“”„‟«»‘’‚‛`´]", "a text stands in straight quotes", "write \" or '"),  # noqa: RUF001
    _Slip("", '"', _UNCLOSED, r'end it with "; within it, a quote is written \" and a backslash \\'),
    _Slip("", "'", _UNCLOSED, r"end it with '; within it, a quote is written \' and a backslash \\"),
    _Slip("", r"\.[0-9]", "a number does not begin with a point", "write 0.5"),
    _Slip("", "[+-]?[0-9]", "this is no number", "write it like 5, -5, 1.5 or 1e3; a text stands in quotes"),
    _Slip("", r"\$", "a path has no $", r"leave it out; a $ that belongs to a name is written \$"),
    _Slip(r"(?<=\w)", r"\.", "a path does not end with a point", "name the field after the point"),
    _Slip("", r"[+*/%-]", "FQL does not calculate", "in a name, put a \\ before this character"),
)
"""Where not even a word can be read."""
_ANYWHERE = (
    _Slip("[<>]=?", "=", "there is no such operator", "write = or <= or >="),
    _Slip("=", "=", "== is no operator of FQL", "write ="),
    _Slip("<", ">", "<> is no operator of FQL", "write !="),
    _Slip("=", "[<>]", "there is no such operator", "write <= or >="),
    _Slip(r"(?<=[\w\])])", r"\[", "a path has no brackets", "the first item is properties.products.0.sku"),
)
_AFTER_A_VALUE = (
    _Slip(r"\b(?i:not)", "", "there is no such keyword", "write ! for not"),
    _Slip("", r"(?i:not\s+in)\b|!\s*in\b", "in has no opposite", 'write !(type in ["track", "page"])'),
    _Slip("", r"(?i:is\s+not|not)\b", "there is no such keyword", "write !="),
    _Slip("", r"(?i:is|equals?)\b", "there is no such keyword", "write ="),
    _Slip("", r"(?i:and)\b", "keywords are in lower case", "write and"),
    _Slip("", r"(?i:or)\b", "keywords are in lower case", "write or"),
    _Slip("", r"(?i:in)\b", "keywords are in lower case", "write in"),
    _Slip(
        r"(?<=[\w\"'])",
        r"(?i:contains|match)",
        "a function stands before its values",
        'write contains(event, "Order")',
    ),
    _Slip("", "[=<>]|!=", "one comparison cannot follow another", "join two comparisons with and"),
    _Slip(
        "", "!", "! stands before a condition", "join conditions with and, or with or; for unequal write !="
    ),
)


def syntax_error(text: str, error: UnexpectedInput) -> FqlError:
    """The error for where lark stopped: at a character that begins no word, or at a word out of its place."""
    token = getattr(error, "token", None)
    if token is None:
        offset = int(error.pos_in_stream or 0)
        return _slip(text, offset, _CHARACTERS) or FqlError(
            f"{text[offset]} has no meaning here", text, offset
        )
    offset = len(text.rstrip()) if token.type == "$END" else int(token.start_pos)
    value_expected = "PATH" in getattr(error, "expected", ())
    slip = _slip(text, offset, _ANYWHERE if value_expected else _ANYWHERE + _AFTER_A_VALUE)
    if slip is not None:
        return slip
    message, suggestion = (_no_value if value_expected else _no_operator)(text[:offset], text[offset:])
    return FqlError(message, text, offset, suggestion)


def _slip(text: str, offset: int, slips: tuple[_Slip, ...]) -> FqlError | None:
    before, here = text[:offset].rstrip(), text[offset:]
    for slip in slips:
        ends = re.search(f"(?:{slip.before})$", before)
        if ends and re.match(slip.here, here):
            return FqlError(slip.message, text, ends.start() if ends[0] else offset, slip.suggestion)
    return None


def _no_value(_: str, here: str) -> tuple[str, str | None]:
    """Message and suggestion where a field, a value or a bracket should begin."""
    if not here.strip():
        return "the expression ends too early: a field or a value is missing", None
    return f"a field or a value is expected here, not {_word(here)}", None


def _no_operator(before: str, here: str) -> tuple[str, str | None]:
    """Message and suggestion where a value is complete."""
    if not here.strip():
        return "the expression ends too early", "close what ( or [ has opened"
    if here.startswith(")"):
        return "no ( is open here", "remove the )"
    if here.startswith(",") and re.search(r"\bin\s*\([^()]*$", before):
        return "a list stands in square brackets", 'such as: type in ["track", "page"]'
    if here[0] in ",]":
        return f"{here[0]} is not expected here", None
    if words := _words(before, here):
        return "a text of several words stands in quotes", f'write "{words}"'
    if _begins_value(here) and (example := _list_example(before)):
        return f"a comma is missing before {_word(here)}", f"values are set apart by commas: {example}"
    return (
        f"an operator is expected here, not {_word(here)}",
        "two conditions are joined with and, or with or",
    )


_TEXT = r"""\"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'"""
_LAST_WORD = re.compile(r"(?:[=<>,\[]|\bin)\s*([^\W\d][\w-]*)$")
_KEYWORD = re.compile(r"(?i:and|or|in|not|is)\b")
_NEXT_WORDS = re.compile(r"[^\W\d][\w-]*(?:[ \t]+(?!(?i:and|or|in)\b)[^\W\d][\w-]*)*(?!\s*\()")


def _words(before: str, here: str) -> str | None:
    """The text that was meant, if a word follows a bare one on the right of a comparison or in a list."""
    first = _LAST_WORD.search(re.sub(_TEXT, "''", before.rstrip(), flags=re.DOTALL))
    rest = None if _KEYWORD.match(here) else _NEXT_WORDS.match(here)
    return f"{first[1]} {rest[0]}" if first and rest else None


def _begins_value(here: str) -> bool:
    return re.match(r"""["'\w\\+-]""", here) is not None and not _KEYWORD.match(here)


def _list_example(before: str) -> str | None:
    """How a list or a function's values are written, if the innermost open bracket is one's."""
    opened: list[str] = []
    for bracket in re.finditer(r"([^\W\d]\w*)?[(\[]|[)\]]", re.sub(_TEXT, "''", before, flags=re.DOTALL)):
        if bracket[0] in ")]":
            opened = opened[:-1]
        else:
            opened.append(bracket[0])
    if not opened:
        return None
    if opened[-1].endswith("["):
        return 'type in ["track", "page"]'
    function = FUNCTIONS.get(opened[-1][:-1])
    return function.example if function is not None and function.arity > 1 else None


def _word(here: str) -> str:
    found = re.match(r"""[\w.-]{1,40}|"[^"]{0,40}"?|'[^']{0,40}'?|.""", here, re.DOTALL)
    return found[0] if found else here[:1]
