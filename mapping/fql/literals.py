"""The values that stand in an expression, from the way they are written: texts, numbers, paths."""

from __future__ import annotations

import re

from mapping.fql.errors import Mistake

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_NAMED = {'"': '"', "'": "'", "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}
_ESCAPE_IN_PATH = re.compile(r"\\(.)", re.DOTALL)
_SEGMENT = re.compile(r"(?:[^.\\]|\\.)+", re.DOTALL)
_DIGITS_LIMIT = 300
"""An integer of more digits is read as a float: Python is slow with long ones, and no event means them."""


def string_of(written: str, offset: int) -> str:
    r"""The text between the quotes.

    `\"`, `\'`, `\\`, `\n`, `\r`, `\t` and `\u00e9` stand for one character. Any other backslash stays, so that the
    pattern `"ab\*d"` reaches `match` as it is. Raises Mistake for half of a surrogate pair.
    """
    text = _ESCAPE.sub(_unescaped, written[1:-1])
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise Mistake("this text holds half of a surrogate pair", offset) from None


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else _NAMED.get(found[2], found[0])


def number_of(written: str) -> int | float:
    """The number; an integer stays one."""
    if "." in written or "e" in written.lower() or len(written) > _DIGITS_LIMIT:
        return float(written)
    return int(written)


def path_keys(written: str) -> tuple[str, ...]:
    r"""The keys of a path; a backslash takes the next character as it is (`properties.product\ 1.price`)."""
    return tuple(_ESCAPE_IN_PATH.sub(r"\1", segment) for segment in _SEGMENT.findall(written))
