"""`segbatch template`: what a mapping's template makes of events."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from mapping.decode import decode_exactly
from mapping.directives import UNDEFINED, DirectiveFailed, Template, TemplateError, compile_template
from mapping.directives.text import json_text
from mapping.profile import FieldProblem, Rejected, Skipped
from mapping.read import read_record
from streams.commands.lines import opened
from streams.commands.options import EXIT_FAILED, fail

_ENTRY_KEYS = frozenset(("name", "enabled", "trigger", "preset", "mapping"))
"""The keys of an entry in mappings.yaml: from such a file the template is what stands in `mapping`."""

Answer = dict[str, Any]


class _Unusable(Exception):
    """Why there is no template: a sentence for the lines, and the same or more for people."""


def template(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="The template, JSON or YAML: what stands in `mapping`, or all of an entry."
        ),
    ] = None,
    events: Annotated[
        str, typer.Argument(metavar="[EVENTS]", help="A file of JSON lines; - or none is standard input.")
    ] = "-",
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help='In place of FILE and EVENTS: JSON lines {"mapping": …, "event": …}, each with a template of its own.',
        ),
    ] = None,
) -> None:
    """Apply a mapping's template to Segment events: JSON lines in, a JSON line out for each.

    A line out is {"output": …}, before any rule of Batch, or {"error": "…"}. Needs no keys and no Kafka. The exit
    code is 1 if the template itself cannot be used.
    """
    if (file is None) == (pairs is None):
        fail("template: give either the FILE with the template, or --pairs")
    if pairs is not None:
        with opened(pairs) as stream:
            _write(stream, _pair_answer)
        return
    try:
        answer: Callable[[bytes], Answer] = partial(_event_answer, _read_template(Path(str(file))))
        exit_code = 0
    except _Unusable as error:
        print(f"segbatch: {error}", file=sys.stderr)
        message = str(error)
        answer, exit_code = lambda _line: {"error": message}, EXIT_FAILED
    with opened(events) as stream:
        _write(stream, answer)
    raise typer.Exit(exit_code)


def _write(lines: Iterable[bytes], answer: Callable[[bytes], Answer]) -> None:
    out = sys.stdout.buffer
    for line in lines:
        out.write(json_text(answer(line)).encode(errors="replace") + b"\n")
        out.flush()


def _event_answer(template: Template, line: bytes) -> Answer:
    def apply(event: dict[str, Any], _problems: list[FieldProblem]) -> Answer:
        return _answer(template, event)

    return _or_error(read_record(apply, line))


def _pair_answer(line: bytes) -> Answer:
    return _or_error(read_record(_apply_pair, line))


def _apply_pair(pair: dict[str, Any], _problems: list[FieldProblem]) -> Answer:
    if "mapping" not in pair:
        return {"error": "the line has no mapping"}
    if not isinstance(pair.get("event"), dict):
        return {"error": "the line has no event, or one that is not an object"}
    try:
        template = compile_template(pair["mapping"])
    except TemplateError as error:
        return {"error": str(error)}
    return _answer(template, pair["event"])


def _answer(template: Template, event: dict[str, Any]) -> Answer:
    try:
        output = template.resolve(event)
        json_text(output := None if output is UNDEFINED else output)
    except DirectiveFailed as error:
        return {"error": str(error)}
    except RecursionError:
        return {"error": "the output is nested too deeply to be written"}
    return {"output": output}


def _or_error(found: Answer | Skipped | Rejected) -> Answer:
    if isinstance(found, Rejected):
        return {"error": found.detail}
    return {"error": found.reason} if isinstance(found, Skipped) else found


def _read_template(path: Path) -> Template:
    """Raises _Unusable."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _Unusable(f"{path} cannot be read: {error.strerror}") from None
    document = _document(path, text)
    if isinstance(document, dict) and "mapping" in document and document.keys() <= _ENTRY_KEYS:
        document = document["mapping"]
    try:
        return compile_template(document)
    except TemplateError as error:
        raise _Unusable(f"the template in {path} cannot be used:\n{error}") from None


def _document(path: Path, text: bytes) -> Any:
    try:
        return decode_exactly(text).value
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f" in line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise _Unusable(f"{path} is neither JSON nor YAML: {error.problem}{line}") from None
    except (ValueError, yaml.YAMLError):
        raise _Unusable(f"{path} is neither JSON nor YAML") from None
    except RecursionError:
        raise _Unusable(f"{path} is nested too deeply to be read") from None
