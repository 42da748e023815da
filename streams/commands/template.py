"""`segbatch template`: what a mapping's template makes of events."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from mapping.decode import decode_exactly
from mapping.directives import (
    UNDEFINED,
    DirectiveFailed,
    Template,
    TemplateError,
    compile_template,
    suspicions,
)
from streams.commands.answers import Answer, answer_lines
from streams.commands.options import EXIT_FAILED, fail
from streams.mappings_file.keys import MAPPING_KEYS, TOP_KEYS

_CONTENT = ("mapping", "settings", "preset")
"""Keys of which an entry of a mappings file has one."""


class _Unusable(Exception):
    """The file gives no template."""


def template(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="The template, JSON or YAML: what stands in `mapping`, or an entry of mappings.yaml that has it.",
            show_default=False,
        ),
    ] = None,
    events: Annotated[
        str, typer.Argument(metavar="[EVENTS]", help="A file of JSON lines; - or none is standard input.")
    ] = "-",
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help='JSON lines that bring a template each, {"mapping": ..., "event": ...}; - is standard input. '
            "In place of FILE and EVENTS.",
        ),
    ] = None,
) -> None:
    """Show what a mapping's template makes of Segment events: JSON lines in, a JSON line out for each.

    A line out is {"output": ...}, before any rule of Batch, or {"error": "..."}. Needs no keys, no settings and no
    Kafka. Exit code 1 if FILE gives no template.
    """
    if (file is None) is (pairs is None):
        fail("template: name either FILE or --pairs FILE")
    if file is None:
        answer_lines(pairs or "-", _answer_pair)
        return
    try:
        compiled = _read_template(Path(file))
    except _Unusable as error:
        message = str(error)
        print(f"segbatch: template: {message}", file=sys.stderr)
        answer_lines(events, lambda _event: {"error": message})
        raise typer.Exit(EXIT_FAILED) from None
    answer_lines(events, lambda event: _answer(compiled, event))


def _answer_pair(pair: dict[str, Any]) -> Answer:
    if "mapping" not in pair:
        return {"error": 'the line has no "mapping"'}
    event = pair.get("event")
    if not isinstance(event, dict):
        return {"error": 'the line has no "event" that is an object'}
    try:
        return _answer(compile_template(pair["mapping"]), event)
    except TemplateError as error:
        return {"error": str(error)}


def _answer(compiled: Template, event: dict[str, Any]) -> Answer:
    try:
        output = compiled.resolve(event)
    except DirectiveFailed as error:
        return {"error": str(error)}
    return {"output": None if output is UNDEFINED else output}


def _read_template(path: Path) -> Template:
    """The template in the file, or in `mapping` of the entry of mappings.yaml in it. Raises _Unusable."""
    try:
        document = _document(path.read_bytes())
    except OSError as error:
        raise _Unusable(f"{path} cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise _Unusable(f"{path} is neither JSON nor YAML: {error.problem}{line}") from None
    except (ValueError, yaml.YAMLError):
        raise _Unusable(f"{path} is neither JSON nor YAML") from None
    except RecursionError:
        raise _Unusable(f"{path} is nested too deeply to be read") from None
    if _is_mappings_file(document):
        raise _Unusable(
            f"{path} is a whole mappings file. Give one entry of it, in a file of its own; "
            f"segbatch map --mappings {path} applies them all"
        )
    if isinstance(document, dict) and "mapping" in document and document.keys() <= MAPPING_KEYS.keys():
        document = document["mapping"]
    try:
        compiled = compile_template(document)
    except TemplateError as error:
        raise _Unusable(f"{path} is not a template:\n{error}") from None
    for suspicion in suspicions(document) if isinstance(document, dict) else ():
        print(f"segbatch: template: warning: {suspicion}", file=sys.stderr)
    return compiled


def _is_mappings_file(document: Any) -> bool:
    """Whether it is the list of mappings, or has one."""
    entries = document
    if isinstance(document, dict) and document.keys() <= {*TOP_KEYS, "$schema"}:
        entries = document.get("mappings")
    return isinstance(entries, list) and any(
        isinstance(entry, dict) and "name" in entry and not entry.keys().isdisjoint(_CONTENT)
        for entry in entries
    )


def _document(text: bytes) -> Any:
    try:
        return decode_exactly(text).value
    except (ValueError, RecursionError):
        return yaml.safe_load(text)
