"""Commands run in an empty folder, with no settings but those that a test gives."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.command_line import app
from tests.streams.commands.helpers import EmbeddedKafka, Segbatch, Start


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("SEGBATCH_") and not name.startswith("SEGBATCH_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def segbatch() -> Segbatch:
    def run(
        *arguments: str,
        input: str | bytes | None = None,
        catch_exceptions: bool = True,
        **environment: str,
    ) -> Any:
        return CliRunner().invoke(
            app, list(arguments), input=input, env=environment, catch_exceptions=catch_exceptions
        )

    return run


@pytest.fixture
def start() -> Iterator[Start]:
    """What still runs at the end of the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        program = [sys.executable, "-c", "from streams.cli import main; main()", *arguments]
        process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), **environment},
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def embedded() -> EmbeddedKafka:
    return EmbeddedKafka()
