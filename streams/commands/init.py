"""`segbatch init`: files to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.commands.options import EXIT_FAILED, fail
from streams.starter import starter_files


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where to; made if it is not there.")
    ] = Path(),
) -> None:
    """Write a commented segbatch.yaml, mappings.yaml, and cases for `segbatch test` that pass. Overwrites nothing."""
    for name, text in starter_files().items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            typer.echo(f"kept     {path} (it is there already)")
        except OSError as error:
            fail(f"init: {path} cannot be written: {error.strerror}", EXIT_FAILED)
        else:
            typer.echo(f"written  {path}")
    where = "" if folder == Path() else f"cd {folder} && "
    typer.echo(f"\nNext: {where}segbatch test")
