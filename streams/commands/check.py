"""`segbatch check`: would a worker with this configuration do its work?"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from confluent_kafka.admin import AclOperation

from streams.commands.check_batch import look_at_batch
from streams.commands.check_kafka import look_at_cluster, rate_findings
from streams.commands.check_mappings import mappings_findings
from streams.commands.check_sample import sample_findings
from streams.commands.findings import Finding, as_json, as_text, has_error
from streams.commands.options import (
    EXIT_CONFIGURATION,
    EXIT_FAILED,
    ConfigFile,
    load_or_exit,
    mappings_or_exit,
)
from streams.mappings_file import LoadedMappings, load_mappings, mappings_path
from streams.settings import (
    REQUIRED_TO_RUN,
    ConfigurationError,
    Loaded,
    Settings,
    above_batch_limits,
    load_settings,
)


def check(
    batch: Annotated[
        bool, typer.Option("--batch", help="Try the credentials as well; makes no profile.")
    ] = False,
    in_json: Annotated[bool, typer.Option("--json", help="The findings as one JSON object.")] = False,
    config: ConfigFile = None,
) -> None:
    """Check configuration, Kafka and, with --batch, the credentials. Writes and commits nothing.

    Tells every problem at once, each with what to do. Exit code 0: no error; 1: an error; 78: the configuration
    cannot be used.
    """
    loaded = (
        _load(config) if in_json else load_or_exit(config, REQUIRED_TO_RUN, with_mappings=True, warn=False)
    )
    mappings = _load_mappings(loaded.settings) if in_json else mappings_or_exit(loaded.settings)
    findings = _findings(loaded, mappings)
    if batch:
        findings.append(asyncio.run(look_at_batch(loaded)))
    _print(findings, in_json)
    if has_error(findings):
        raise typer.Exit(EXIT_FAILED)


def _load(config: Path | None) -> Loaded:
    """The settings; what is wrong with them as findings."""
    try:
        return load_settings(config, os.environ, require=REQUIRED_TO_RUN, with_mappings=True)
    except ConfigurationError as error:
        _print_and_exit(error)


def _load_mappings(settings: Settings) -> LoadedMappings:
    try:
        return load_mappings(mappings_path(settings))
    except ConfigurationError as error:
        _print_and_exit(error)


def _print_and_exit(error: ConfigurationError) -> NoReturn:
    problems = [
        Finding("configuration", "error", str(problem._replace(remedy="")).strip(), problem.remedy)
        for problem in error.problems
    ]
    _print(problems, in_json=True)
    raise typer.Exit(EXIT_CONFIGURATION)


def _settings_findings(loaded: Loaded) -> Iterator[Finding]:
    yield Finding("configuration", "ok", "Every setting is valid.")
    for warning in loaded.warnings:
        yield Finding("configuration", "warning", f"{warning.key} {warning.message}.", warning.remedy)
    for warning in above_batch_limits(loaded):
        message = f"{warning.key} = {warning.value} ({warning.origin}) {warning.message}."
        yield Finding("configuration", "warning", message, warning.remedy)


def _findings(loaded: Loaded, mappings: LoadedMappings) -> list[Finding]:
    settings = loaded.settings
    cluster = look_at_cluster(settings)
    findings = [*_settings_findings(loaded), *mappings_findings(mappings)]
    findings += cluster.findings
    for name in settings.kafka.topics:
        topic = cluster.topics.get(name)
        if topic is not None and topic.partitions and not topic.refuses(AclOperation.READ):
            findings += sample_findings(settings, mappings.mapping_set, name, topic.partitions)
    return [*findings, *rate_findings(settings, cluster.topics)]


def _print(findings: list[Finding], in_json: bool) -> None:
    typer.echo(orjson.dumps(as_json(findings)).decode() if in_json else as_text(findings))
