"""The contenders: what each is, how it is installed, and the command that runs it.

Those whose requirements clash with segbatch's have an environment of their own in `.bench/venvs`; Bento is built with
Go. A contender that cannot be had here is left out, and the report says why.
"""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench.processes import CACHE, COMMAND

SCRIPTS = Path(__file__).with_name("contenders")
BENTO_MODULE = "github.com/warpstreamlabs/bento"
BENTO_VERSION = "v1.15.0"
INSTALL_TIMEOUT_S = 900


class Unavailable(Exception):
    """A contender cannot be had on this machine; the message says what was tried."""


class Installed(NamedTuple):
    """A contender that can be run."""

    command: list[str]
    version: str


class Contender(NamedTuple):
    """`install` returns what to run, or raises Unavailable."""

    name: str
    what: str
    install: Callable[[], Installed]


def contenders(aiven_jar: str = "") -> list[Contender]:
    """All of them, segbatch first."""
    return [
        Contender("segbatch", "one worker with the preset, its ledger and its limits", _segbatch),
        Contender("aiokafka", "by hand: `getmany`, 8 posts in flight, a commit after each round", _by_hand),
        Contender("Bento", "bloblang mapping, `http_client` with 8 posts in flight", _bento),
        Contender("Quix Streams", "a batching sink with 8 threads", _quix),
        Contender("Arroyo", "a batching step and posts from 8 threads", _arroyo),
        Contender("Faust", "a plain agent: `take(200)` and aiohttp, 8 at once", _faust),
    ]


def _segbatch() -> Installed:
    return Installed([COMMAND, "run"], importlib.metadata.version("segbatch"))


def _by_hand() -> Installed:
    return Installed([sys.executable, str(SCRIPTS / "by_hand.py")], importlib.metadata.version("aiokafka"))


def _faust() -> Installed:
    version = importlib.metadata.version("faust-streaming")
    return Installed([sys.executable, str(SCRIPTS / "plain_faust.py")], version)


def _quix() -> Installed:
    return _in_environment("quix", "quixstreams", "quix.py")


def _arroyo() -> Installed:
    return _in_environment("arroyo", "sentry-arroyo", "arroyo_posts.py")


def _in_environment(name: str, package: str, script: str) -> Installed:
    """A Python contender in an environment of its own, made anew when its requirements change."""
    requirements = SCRIPTS / f"requirements-{name}.txt"
    folder = CACHE / "venvs" / name
    python = folder / "bin" / "python"
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != requirements.read_text():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        _run([str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)], SCRIPTS)
        installed.write_text(requirements.read_text())
    asked = f"import importlib.metadata as m; print(m.version({package!r}))"
    return Installed([str(python), str(SCRIPTS / script)], _run([str(python), "-c", asked], SCRIPTS).strip())


def _bento() -> Installed:
    """Bento from its Go module, with a main that imports the components of the configuration and no others."""
    if shutil.which("go") is None:
        raise Unavailable("it is built with Go, which is not installed")
    folder = CACHE / f"bento-{BENTO_VERSION}"
    program = folder / "bento"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SCRIPTS / "bento" / "main.go", folder)
        (folder / "go.mod").write_text(
            f"module bench/bento\n\ngo 1.24\n\nrequire {BENTO_MODULE} {BENTO_VERSION}\n"
        )
        _run(["go", "mod", "tidy"], folder)
        _run(["go", "build", "-o", "bento", "."], folder)
    return Installed([str(program), "-c", str(SCRIPTS / "bento" / "bento.yaml")], BENTO_VERSION)


def _run(command: list[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{command[0]}` could not be run: {type(error).__name__}") from error
    if done.returncode:
        # The last line of pip and of go says what is wrong; paths of this machine stay out of the report.
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unavailable(f"`{Path(command[0]).name} {command[1]}` failed: {' '.join(reason)[:200]}")
    return done.stdout
