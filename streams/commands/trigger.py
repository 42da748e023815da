"""`segbatch trigger`: whether events meet a trigger."""

from __future__ import annotations

import os.path
import sys
from typing import Annotated, Any

import typer

from mapping.fql import FqlError, Trigger, compile_trigger
from streams.commands.answers import Answer, answer_lines
from streams.commands.lines import LinesFile
from streams.commands.options import EXIT_FAILED, fail


def trigger(
    expression: Annotated[
        str | None, typer.Argument(metavar="EXPR", help="The trigger, in FQL.", show_default=False)
    ] = None,
    file: LinesFile = "-",
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help='JSON lines that bring a trigger each, {"trigger": ..., "event": ...}; - is standard input. '
            "In place of EXPR.",
        ),
    ] = None,
) -> None:
    """Say which Segment events meet a trigger: JSON lines in, a JSON line out for each.

    A line out is {"match": true}, {"match": false}, or {"error": "..."} for a line that is no event. Needs no keys,
    no settings and no Kafka. Exit code 1 if EXPR is no FQL.
    """
    if (expression is None) is (pairs is None):
        fail("trigger: name either EXPR or --pairs FILE")
    if expression is None:
        answer_lines(pairs or "-", _answer_pair)
        return
    if file == "-" and os.path.isfile(expression):
        fail(f"trigger: {expression} is a file, and EXPR is missing: segbatch trigger 'EXPR' {expression}")
    try:
        compiled = compile_trigger(expression)
    except FqlError as error:
        print(f"segbatch: trigger: {error}", file=sys.stderr)
        _answer_all(file, error)
        raise typer.Exit(EXIT_FAILED) from None
    _answer_all(file, compiled)


def _answer_all(file: str, compiled: Trigger | FqlError) -> None:
    def answer(event: dict[str, Any]) -> Answer:
        if isinstance(compiled, FqlError):
            return _error(compiled)
        return {"match": compiled.matches(event)}

    answer_lines(file, answer)


def _answer_pair(pair: dict[str, Any]) -> Answer:
    expression, event = pair.get("trigger"), pair.get("event")
    if not isinstance(expression, str):
        return {"error": 'the line has no "trigger" that is a string'}
    if not isinstance(event, dict):
        return {"error": 'the line has no "event" that is an object'}
    try:
        return {"match": compile_trigger(expression).matches(event)}
    except FqlError as error:
        return _error(error)


def _error(error: FqlError) -> Answer:
    hint = f"; {error.suggestion}" if error.suggestion else ""
    return {"error": f"line {error.line}, column {error.column}: {error.message}{hint}"}
