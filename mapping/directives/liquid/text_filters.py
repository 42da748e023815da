"""LiquidJS's filters for text (liquidjs.com, "Filters"). Every argument is text already."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote, unquote

from mapping.directives.liquid.values import TooMuch

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;"})
_ESCAPED = re.compile("&(?:amp|lt|gt|#34|#39);")
_UNESCAPES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&#34;": '"', "&#39;": "'"}
_COMPONENT = "-_.!~*'()"
"""What JavaScript's encodeURIComponent() leaves beside letters and digits."""
_URI = _COMPONENT + ";/?:@&=+$,#[]"
_RAW_BLOCKS = (("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"))
REPLACED_LIMIT = 1_000_000
"""Characters that a replacement may make."""


def append(text: str, end: str = "") -> str:
    return text + end


def prepend(text: str, start: str = "") -> str:
    return start + text


def capitalize(text: str) -> str:
    return text[:1].upper() + text[1:].lower()


def downcase(text: str) -> str:
    return text.lower()


def upcase(text: str) -> str:
    return text.upper()


def strip(text: str, characters: str = "") -> str:
    return text.strip(characters or None)


def lstrip(text: str, characters: str = "") -> str:
    return text.lstrip(characters or None)


def rstrip(text: str, characters: str = "") -> str:
    return text.rstrip(characters or None)


def strip_newlines(text: str) -> str:
    return text.replace("\r\n", "").replace("\n", "")


def normalize_whitespace(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def number_of_words(text: str) -> int:
    return len(text.split())


def replace(text: str, pattern: str = "", replacement: str = "") -> str:
    """An empty pattern stands between all characters, as in JavaScript's split()."""
    found = text.count(pattern) if pattern else max(len(text) - 1, 0)
    if len(text) + found * len(replacement) > REPLACED_LIMIT:
        raise TooMuch
    return text.replace(pattern, replacement) if pattern else replacement.join(text)


def replace_first(text: str, pattern: str = "", replacement: str = "") -> str:
    return text.replace(pattern, replacement, 1)


def replace_last(text: str, pattern: str = "", replacement: str = "") -> str:
    at = text.rfind(pattern)
    return text if at < 0 else text[:at] + replacement + text[at + len(pattern) :]


def remove(text: str, pattern: str = "") -> str:
    return text.replace(pattern, "") if pattern else text


def remove_first(text: str, pattern: str = "") -> str:
    return text.replace(pattern, "", 1) if pattern else text


def remove_last(text: str, pattern: str = "") -> str:
    return replace_last(text, pattern)


def split(text: str, separator: str = "") -> list[str]:
    """Empty pieces at the end are left out."""
    pieces = text.split(separator) if separator else list(text)
    while pieces and not pieces[-1]:
        pieces.pop()
    return pieces


def escape(text: str) -> str:
    return text.translate(_ESCAPES)


def escape_once(text: str) -> str:
    return _ESCAPED.sub(lambda found: _UNESCAPES[found[0]], text).translate(_ESCAPES)


def strip_html(text: str) -> str:
    """Scripts, styles and comments go with what is in them. Linear in the length of the text."""
    kept: list[str] = []
    at = 0
    unclosed: set[str] = set()
    while (start := text.find("<", at)) >= 0:
        end = _end_of_tag(text, start, unclosed)
        if end == 0:
            break
        kept.append(text[at:start])
        at = end
    return "".join(kept) + text[at:]


def url_encode(text: str) -> str:
    return quote(text, safe=_COMPONENT).replace("%20", "+")


def url_decode(text: str) -> str:
    return unquote(text.replace("+", " "))


def cgi_escape(text: str) -> str:
    return quote(text, safe="-_.~").replace("%20", "+")


def uri_escape(text: str) -> str:
    return quote(text, safe=_URI)


def base64_encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def base64_decode(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")


def _end_of_tag(text: str, start: int, unclosed: set[str]) -> int:
    """Where the tag or block at `start` ends; 0 if it does not. `unclosed` holds blocks known to have no end."""
    for opening, closing in _RAW_BLOCKS:
        if text.startswith(opening, start) and opening not in unclosed:
            end = text.find(closing, start + len(opening))
            if end >= 0:
                return end + len(closing)
            unclosed.add(opening)
    return text.find(">", start + 1) + 1
