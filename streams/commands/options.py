"""What several commands share: the settings file as an option, exit codes, and how they say what is wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from streams.logs import mask_secrets
from streams.mappings_file import LoadedMappings, load_mappings, mappings_path
from streams.settings import ConfigurationError, Loaded, Problem, Settings, load_settings

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIGURATION = 78

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Settings file; else SEGBATCH_CONFIG, else ./segbatch.yaml.")
]

MappingsFile = Annotated[
    Path | None,
    typer.Option("--mappings", help="Mappings file; else that of the settings, else ./mappings.yaml."),
]


def load_or_exit(
    config: Path | None, require: Collection[str] = (), *, with_mappings: bool = False, warn: bool = True
) -> Loaded:
    """The settings, or exit code 78 with every problem on standard error; `warn` puts warnings there too.

    `require` holds dotted keys that must be set; `with_mappings` is of a command that reads the mappings they name.
    """
    try:
        loaded = load_settings(config, os.environ, require=require, with_mappings=with_mappings)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_CONFIGURATION) from None
    mask_secrets(loaded.secrets())
    if warn:
        _warn(loaded.warnings)
    return loaded


def mappings_or_exit(settings: Settings, chosen: Path | None = None, *, warn: bool = False) -> LoadedMappings:
    """The mappings of `--mappings`, else those of the settings; or exit code 78 with every problem on standard error.
    `warn` puts there too what they hardly mean."""
    try:
        loaded = load_mappings(mappings_path(settings, chosen))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(EXIT_CONFIGURATION) from None
    if warn:
        _warn(loaded.warnings)
    return loaded


def _warn(warnings: Iterable[Problem]) -> None:
    for warning in warnings:
        print(f"segbatch: warning: {warning}", file=sys.stderr)


def fail(message: str, code: int = EXIT_USAGE) -> NoReturn:
    """One line on standard error, and the exit code."""
    print(f"segbatch: {message}", file=sys.stderr)
    raise typer.Exit(code)
