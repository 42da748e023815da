"""`segbatch trigger`: whether events meet a trigger."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import orjson
import typer

from mapping.fql import FqlError, Trigger, compile_trigger
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record
from streams.commands.lines import LinesFile, opened
from streams.commands.options import EXIT_FAILED, fail

Answer = dict[str, Any]


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
        _answer_pairs(pairs or "-")
        return
    try:
        compiled = compile_trigger(expression)
    except FqlError as error:
        print(f"segbatch: trigger: {error}", file=sys.stderr)
        _answer_all(file, error)
        raise typer.Exit(EXIT_FAILED) from None
    _answer_all(file, compiled)


def _answer_all(file: str, compiled: Trigger | FqlError) -> None:
    def answer(event: dict[str, Any], _: list[FieldProblem]) -> Answer:
        if isinstance(compiled, FqlError):
            return _error(compiled)
        return {"match": compiled.matches(event)}

    with opened(file) as stream:
        for line in stream:
            _print(read_record(answer, line))


def _answer_pairs(file: str) -> None:
    with opened(file) as stream:
        for line in stream:
            _print(read_record(_answer_pair, line))


def _answer_pair(pair: dict[str, Any], _: list[FieldProblem]) -> Answer:
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


def _print(answer: Answer | Skipped | Rejected) -> None:
    shown = (
        answer
        if isinstance(answer, dict)
        else {"error": answer.detail if isinstance(answer, Rejected) else answer.reason}
    )
    sys.stdout.buffer.write(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()
