"""The fenced blocks of a page, with the comment that may stand before each.

<!-- file: NAME -->     the block is a file of that name, for the commands after it
<!-- prints -->         the commands before it print exactly this
<!-- background -->     the command runs on while the rest of the page does
<!-- not run: WHY -->   the block is for reading only
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(
    r"(?:^[ ]*<!-- (?P<mark>[^\n]*?) -->\n+)?^(?P<indent>[ ]*)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One fenced block."""

    page: Path
    line: int
    language: str
    mark: str
    """`file`, `prints`, `background`, `not run`, or empty."""
    argument: str
    """What stands after the mark's colon."""
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    """All blocks, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        mark, _, argument = (found["mark"] or "").partition(":")
        line = text.count("\n", 0, found.start("indent")) + 1
        yield Block(page, line, found["language"], mark.strip(), argument.strip(), found["text"])
