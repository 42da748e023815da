"""The compiled form: what `setup.py` compiles is there, and is what runs where it was asked for."""

from __future__ import annotations

import importlib
import os
import runpy
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[1]
WAS_COMPILED = os.environ.get("SEGBATCH_TEST_COMPILED") == "1"


def compiled_modules() -> tuple[str, ...]:
    with mock.patch("setuptools.setup"), mock.patch.dict(os.environ, {"SEGBATCH_COMPILE": ""}):
        paths: tuple[str, ...] = runpy.run_path(str(ROOT / "setup.py"))["COMPILED"]
    return paths


def test_every_module_that_is_compiled_exists() -> None:
    assert all((ROOT / path).is_file() for path in compiled_modules())


@pytest.mark.skipif(not WAS_COMPILED, reason="for `make test-compiled`")
def test_the_modules_that_run_are_compiled() -> None:
    for path in compiled_modules():
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        assert not (module.__file__ or "").endswith(".py"), f"{path} runs as Python"


def test_the_version_says_which_form_is_installed() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "from streams.cli import main; main()", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.rstrip().endswith("(compiled)" if WAS_COMPILED else "(pure Python)")


def test_the_image_has_what_the_build_reads() -> None:
    let_through = (ROOT / ".dockerignore").read_text().split()
    copied = (ROOT / "Dockerfile").read_text()
    for needed in ("pyproject.toml", "setup.py", "README.md"):
        assert f"!{needed}" in let_through
        assert needed in copied.partition("COPY ")[2].partition("\n")[0]
