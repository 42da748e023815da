r"""Glob patterns: `*`, `?`, `[abc]`, `[a-z]`, `[^abc]`, and `\x` for the character x.

A pattern must fit the whole text; upper and lower case differ (Segment, "Destination Filter Query Language", match).
"""

from __future__ import annotations

import re
from functools import lru_cache

_REMEMBERED = 512


class BadGlob(ValueError):
    """A pattern that cannot be read; the message says why."""


@lru_cache(maxsize=_REMEMBERED)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression that fits where the pattern does. Raises BadGlob."""
    if len(pattern) > _LONGEST:
        raise BadGlob(f"the pattern is longer than {_LONGEST} characters")
    return re.compile(_translated(pattern), re.DOTALL)


_LONGEST = 5 * 1024


def _translated(pattern: str) -> str:
    """Each `*` but the last takes as little as it can and is never reconsidered (`(?>…)`): giving it more could not
    help what follows, and the time stays bounded by the product of both lengths."""
    pieces: list[str] = [""]
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character == "*":
            if pieces[-1] or len(pieces) == 1:
                pieces.append("")
            at += 1
        elif character == "[":
            piece, at = _class(pattern, at)
            pieces[-1] += piece
        else:
            at += character == "\\"
            if at == len(pattern):
                raise BadGlob("the pattern ends with a backslash")
            pieces[-1] += "." if character == "?" else re.escape(pattern[at])
            at += 1
    first, *between = pieces
    if not between:
        return first
    *between, last = between
    return first + "".join(f"(?>.*?{piece})" for piece in between) + f".*{last}"


def _class(pattern: str, start: int) -> tuple[str, int]:
    """The characters between `[` and `]`, and the offset behind them."""
    at = start + 1
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[str] = []
    while not pattern.startswith("]", at):
        low, at = _class_character(pattern, at, start)
        high = low
        if pattern.startswith("-", at):
            high, at = _class_character(pattern, at + 1, start)
        if low > high:
            raise BadGlob(f"the range {low}-{high} is empty")
        ranges.append(f"{re.escape(low)}-{re.escape(high)}")
    if not ranges:
        raise BadGlob("nothing stands between [ and ]")
    return f"[{'^' if negated else ''}{''.join(ranges)}]", at + 1


def _class_character(pattern: str, at: int, start: int) -> tuple[str, int]:
    at += pattern.startswith("\\", at)
    if at >= len(pattern):
        raise BadGlob(f"the [ at character {start + 1} is not closed")
    if pattern[at] in "-]" and pattern[at - 1] != "\\":
        raise BadGlob(f"a {pattern[at]} between [ and ] is written \\{pattern[at]}")
    return pattern[at], at + 1
