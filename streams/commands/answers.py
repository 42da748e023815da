"""JSON lines in, a JSON line out for each: what `trigger` and `template` say of events."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from mapping.directives.text import json_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record
from streams.commands.lines import opened, say_that_none_came

Answer = dict[str, Any]


def answer_lines(file: str, answer: Callable[[dict[str, Any]], Answer]) -> None:
    """Write the answer to every line of the file, `-` being standard input; an error for one that is no object.
    That there is no line is said on standard error.

    Lines are read as the worker reads records.
    """

    def shown(value: dict[str, Any], _: list[FieldProblem]) -> str:
        return json_text(answer(value))

    line = b""
    with opened(file) as stream:
        for line in stream:
            sys.stdout.buffer.write(_answered(shown, line).encode(errors="replace") + b"\n")
            sys.stdout.buffer.flush()
    if not line:
        say_that_none_came(file)


def _answered(shown: Callable[[dict[str, Any], list[FieldProblem]], str], line: bytes) -> str:
    try:
        found = read_record(shown, line)
    except RecursionError:
        return json_text({"error": "the answer is nested too deeply to be written"})
    if isinstance(found, Rejected):
        return json_text({"error": found.detail})
    return json_text({"error": found.reason}) if isinstance(found, Skipped) else found
