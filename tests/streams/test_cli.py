"""Ctrl-C before a command has begun: the process ends, and says nothing."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from tests.integration.workers import SEGBATCH, environment, wait_until

SETTINGS = {
    "KAFKA__BROKERS": "127.0.0.1:1",
    "KAFKA__TOPICS": "events",
    "BATCH__REST_API_KEY": "k",
    "BATCH__PROJECT_KEY": "p",
}
NEVER_LOADED = """
import pathlib, threading
pathlib.Path("reached").touch()
threading.Event().wait()
"""


@pytest.mark.parametrize(
    ("command", "module"),
    [("run", "typer"), ("run", "confluent_kafka"), ("run", "faust"), ("verify", "pydantic")],
)
def test_interrupted_while_modules_load_it_ends_with_130_and_says_nothing(
    command: str, module: str, tmp_path: Path
) -> None:
    (tmp_path / f"{module}.py").write_text(NEVER_LOADED)
    process = subprocess.Popen(
        [SEGBATCH, command],
        env=environment(SETTINGS) | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        wait_until((tmp_path / "reached").exists, f"{module} is being loaded")
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (b"", b"")
        assert process.returncode == 130
    finally:
        process.kill()


def test_where_sigint_is_ignored_it_stays_so(tmp_path: Path) -> None:
    program = [SEGBATCH, "trigger", "--help"]
    shell = f'trap "" INT; exec {" ".join(program)}'
    (tmp_path / "typer.py").write_text(
        'import pathlib, signal\npathlib.Path("seen").write_text(str(signal.getsignal(signal.SIGINT)))\n'
    )
    subprocess.run(
        ["sh", "-c", shell],
        env=environment({}) | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (tmp_path / "seen").read_text() == str(signal.SIG_IGN)
