"""`segbatch test`: the cases beside the mappings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer

from streams.commands.cases import Case, Verdict, judge, read_cases
from streams.commands.findings import counted
from streams.commands.options import (
    EXIT_CONFIGURATION,
    EXIT_FAILED,
    ConfigFile,
    MappingsFile,
    fail,
    load_or_exit,
    mappings_or_exit,
)
from streams.mapping_settings import mapping_settings
from streams.mappings_file import LoadedMappings
from streams.settings import ConfigurationError, Problem

PATTERNS = ("*.test.yaml", "*.test.yml", "*.test.json")


def run_cases(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]", help="Files of cases; else *.test.yaml beside the mappings file."),
    ] = None,
    in_json: Annotated[bool, typer.Option("--json", help="The verdicts as one JSON object.")] = False,
    mappings: MappingsFile = None,
    config: ConfigFile = None,
) -> None:
    """Run the cases that stand beside the mappings: events, and what is expected to become of them.

    Needs no keys and no Kafka. Exit code 0: all passed; 1: one failed, or there is none; 78: a file cannot be used.
    """
    settings = load_or_exit(config, with_mappings=mappings is None).settings
    loaded = mappings_or_exit(settings, mappings, warn=True)
    chosen = files or _beside(loaded)
    if not chosen:
        fail(
            "test: there are no cases: no *.test.yaml beside the mappings file (segbatch init writes one)",
            EXIT_FAILED,
        )
    rules = mapping_settings(settings)
    cases = _cases_or_exit(chosen)
    verdicts = [judge(case, rules, loaded.mapping_set, settings.late_events) for case in cases]
    if in_json:
        typer.echo(orjson.dumps(_as_json(verdicts)))
    else:
        for verdict in verdicts:
            _print(verdict)
        failed = sum(not verdict.passed for verdict in verdicts)
        typer.echo(f"{counted(len(verdicts), 'case')}, {failed} failed.")
    if not verdicts or not all(verdict.passed for verdict in verdicts):
        raise typer.Exit(EXIT_FAILED)


def _beside(loaded: LoadedMappings) -> list[Path]:
    folder = Path() if loaded.path is None else loaded.path.parent
    return sorted(path for pattern in PATTERNS for path in folder.glob(pattern))


def _cases_or_exit(files: Sequence[Path]) -> list[Case]:
    cases: list[Case] = []
    problems: list[Problem] = []
    for file in files:
        try:
            cases += read_cases(file)
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        print(ConfigurationError(problems), file=sys.stderr)
        raise typer.Exit(EXIT_CONFIGURATION)
    return cases


def _print(verdict: Verdict) -> None:
    case = verdict.case
    word, colour = ("ok    ", "green") if verdict.passed else ("FAILED", "red")
    typer.echo(f"{typer.style(word, fg=colour)}  {case.file}: {case.name}")
    if verdict.passed:
        return
    typer.echo("        - expected, + found")
    for line in verdict.diff():
        shade = {"-": "red", "+": "green"}.get(line[:1])
        typer.echo(f"        {typer.style(line, fg=shade) if shade else line}")


def _as_json(verdicts: Sequence[Verdict]) -> dict[str, object]:
    cases = [
        {
            "file": str(verdict.case.file),
            "name": verdict.case.name,
            "passed": verdict.passed,
            "expected": verdict.expected,
            "found": verdict.found,
        }
        for verdict in verdicts
    ]
    passed = sum(verdict.passed for verdict in verdicts)
    return {"passed": passed, "failed": len(verdicts) - passed, "cases": cases}
