"""The contenders: what each is, how it is installed, and the command that runs it.

Those whose requirements clash with segbatch's have an environment of their own in `.bench/venvs`; Bento is built with
Go. A contender that cannot be had here is left out, and the report says why.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from bench.processes import CACHE, COMMAND

ROOT = Path(__file__).parents[1]
PURE = "segbatch (pure Python)"
PACKAGES = ("mapping", "sink", "streams")
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
    install: Callable[[], Installed]


def contenders(aiven_jar: str = "", *, compiled: bool = True) -> list[Contender]:
    """All of them, segbatch first, compiled or as it is installed here. `aiven_jar` is the path of the jar of Aiven's
    HTTP sink, which is not fetched."""
    segbatch = [Contender("segbatch", _segbatch), Contender(PURE, _pure_segbatch)]
    return [
        *(segbatch if compiled else [Contender("segbatch", _pure_segbatch)]),
        Contender("aiokafka", _by_hand),
        Contender("Bento", _bento),
        Contender("Quix Streams", _quix),
        Contender("Arroyo", _arroyo),
        Contender("Faust", _faust),
        Contender("Aiven HTTP sink", lambda: _aiven(aiven_jar)),
    ]


def _segbatch() -> Installed:
    """As docs/performance.md advises: this checkout, compiled, in an environment of its own that is made anew when the
    source changes. Pure Python where it cannot be compiled."""
    folder = CACHE / "venvs" / "segbatch"
    command, built_from, source = folder / "bin" / "segbatch", folder / "source.txt", _source_digest()
    if not built_from.exists() or built_from.read_text() != source:
        try:
            _make_environment(folder, str(ROOT), environ={"SEGBATCH_COMPILE": "1"})
        except Unavailable as error:
            print(f"segbatch is measured as pure Python: {error}", flush=True)
            return _pure_segbatch()
        built_from.write_text(source)
    return Installed(
        [str(command), "run"], _run([str(command), "--version"], ROOT).split(maxsplit=1)[1].strip()
    )


def _pure_segbatch() -> Installed:
    return Installed([COMMAND, "run"], importlib.metadata.version("segbatch"))


def _source_digest() -> str:
    """Of everything that is built into the package."""
    files = [ROOT / "pyproject.toml", ROOT / "setup.py"]
    files += [file for package in PACKAGES for file in (ROOT / package).rglob("*") if file.suffix != ".pyc"]
    digest = hashlib.sha256()
    for file in sorted(filter(Path.is_file, files)):
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


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
        _make_environment(folder, "-r", str(requirements))
        installed.write_text(requirements.read_text())
    asked = f"import importlib.metadata as m; print(m.version({package!r}))"
    return Installed([str(python), str(SCRIPTS / script)], _run([str(python), "-c", asked], SCRIPTS).strip())


def _make_environment(folder: Path, *wanted: str, environ: Mapping[str, str] = MappingProxyType({})) -> None:
    """A virtual environment with this Python and what is wanted; what was there before is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    _run([*pip, "install", "--quiet", *wanted], SCRIPTS, environ)


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


def _aiven(jar: str) -> Installed:
    """Kafka Connect's standalone worker from its own jars, with the connector's jar."""
    if not jar:
        raise Unavailable("it runs when the path of its jar is given (`--aiven-jar`)")
    if not Path(jar).is_file():
        raise Unavailable("`--aiven-jar` names no file")
    folder = SCRIPTS / "aiven"
    jars = CACHE / "connect"
    if not jars.exists():
        fetch = ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        _run([*fetch, "-DincludeScope=runtime"], folder)
    classes = f"{jars}/*:{Path(jar).resolve()}"
    worker = ["java", "-cp", classes, "org.apache.kafka.connect.cli.ConnectStandalone"]
    return Installed(
        [*worker, str(folder / "worker.properties"), str(folder / "sink.properties")], Path(jar).stem
    )


def _run(command: list[str], folder: Path, environ: Mapping[str, str] = MappingProxyType({})) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"`{command[0]}` could not be run: {type(error).__name__}") from error
    if done.returncode:
        # The last line of pip and of go says what is wrong; paths of this machine stay out of the report.
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unavailable(f"`{Path(command[0]).name} {command[1]}` failed: {' '.join(reason)[:200]}")
    return done.stdout
