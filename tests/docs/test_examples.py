"""The commands and examples of README.md and docs/ do what the pages say.

The shell blocks of a page run one after the other in a folder of its own, and end with exit code 0.
tests/docs/blocks.py has the comments that mark files, outputs and what cannot run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import yaml

from streams.commands.cases import read_cases
from streams.mappings_file import load_mappings
from streams.settings import load_settings
from tests.docs.blocks import PAGES, ROOT, Block, blocks_of

MARKS = {"", "file", "prints", "background", "not run"}
WAIT_S = 60
PORT = "8080"
"""The port that pages show; each run takes a free one in its place."""
BLOCKS = [block for page in PAGES for block in blocks_of(page)]
PAGES_THAT_RUN = sorted(
    {block.page for block in BLOCKS if block.language == "sh" and block.mark != "not run"}
)


def test_every_mark_is_known_and_says_why() -> None:
    assert [str(block) for block in BLOCKS if block.mark not in MARKS] == []
    unexplained = [block for block in BLOCKS if block.mark in ("file", "not run") and not block.argument]
    assert [str(block) for block in unexplained] == []
    assert len(BLOCKS) > 30


def test_commands_stand_in_shell_blocks() -> None:
    """Else nothing would run them."""
    others = [block for block in BLOCKS if block.language != "sh" and block.mark != "not run"]
    assert [str(block) for block in others if block.text.startswith(("segbatch ", "make "))] == []


@pytest.mark.parametrize("page", PAGES_THAT_RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    if "curl" in page.read_text() and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    environment = _environment(tmp_path)
    port = _free_port()
    printed = ""
    with ExitStack() as stack:
        for block in blocks_of(page):
            text = block.text.replace(PORT, port)
            if block.mark == "file":
                (tmp_path / block.argument).write_text(text)
            elif block.mark == "prints":
                assert printed.strip() == text.strip(), (
                    f"{block} shows what the commands before it do not print"
                )
            elif block.mark == "background":
                stack.enter_context(Running(text, tmp_path, environment, port))
            elif block.language == "sh" and block.mark != "not run":
                printed = _run(block, text, tmp_path, environment)


def _environment(folder: Path) -> Mapping[str, str]:
    """The tests' own, without settings, and with segbatch on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEGBATCH_")}
    commands = folder / ".bin"
    commands.mkdir()
    script = commands / "segbatch"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from streams.cli import main; main()' \"$@\"\n")
    script.chmod(0o755)
    return kept | {"PATH": f"{commands}:{kept['PATH']}", "PYTHONPATH": str(ROOT)}


def _run(block: Block, text: str, folder: Path, environment: Mapping[str, str]) -> str:
    """What the commands print. Variables that one block exports hold in the next ones."""
    exported = folder / ".exported"
    script = f"set -ea\n[ ! -f {exported} ] || . {exported}\n{text}\nexport -p | grep SEGBATCH_ > {exported} || true\n"
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=WAIT_S
    )
    assert done.returncode == 0, f"{block} fails:\n{done.stdout}{done.stderr}"
    return done.stdout


class Running:
    """A command that runs until the page ends."""

    def __init__(self, text: str, folder: Path, environment: Mapping[str, str], port: str) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(["bash", "-c", f"exec {text}"], cwd=folder, env=environment, **quiet)
        self._port = port

    def __enter__(self) -> None:
        for _ in range(10 * WAIT_S):
            assert self._process.poll() is None, "the command in the background has ended"
            if _listens(self._port):
                return
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)
        raise AssertionError("the command in the background does not listen")

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(WAIT_S)


def _listens(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def data_blocks(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language and block.mark != "not run"]


@pytest.mark.parametrize("block", data_blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    try:
        json.loads(block.text)
    except ValueError:
        lines = [line for line in block.text.splitlines() if line.strip()]
        assert len(lines) > 1 or block.mark != "file"
        for line in lines:
            json.loads(line)


def _kind(block: Block) -> str:
    top = yaml.safe_load(block.text)
    if isinstance(top, dict) and top.keys() & {"mappings", "filters"}:
        return "mappings"
    if isinstance(top, dict) and "cases" in top:
        return "cases"
    return "settings"


@pytest.mark.parametrize("block", data_blocks("yaml"), ids=str)
def test_yaml_is_what_it_seems(block: Block, tmp_path: Path) -> None:
    """Mappings, cases or settings; settings may take what they like from the environment."""
    path = tmp_path / "example.yaml"
    path.write_text(block.text)
    kind = _kind(block)
    if kind == "mappings":
        load_mappings(path)
    elif kind == "cases":
        assert read_cases(path)
    else:
        names = re.findall(r"\$\{(\w+)\}", block.text)
        text = re.sub(r"(\w+)_file: .*", r"\1: x", block.text)
        path.write_text(text)
        load_settings(path, dict.fromkeys(names, "x"))


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]*)?\)", page.read_text()):
            yield page, target


def test_links_between_pages_lead_somewhere() -> None:
    broken = [f"{page.name}: {target}" for page, target in links() if not (page.parent / target).exists()]
    assert broken == []


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower().replace("`", ""))
    return words.replace(" ", "-")


def test_links_to_sections_lead_to_one() -> None:
    broken = []
    for page in PAGES:
        for target, section in re.findall(r"\]\(([^)#:\s]*)#([\w-]+)\)", page.read_text()):
            other = page if not target else page.parent / target
            headings = re.findall(r"^#+ (.*)$", other.read_text(), re.MULTILINE) if other.exists() else []
            if section not in map(_anchor, headings):
                broken.append(f"{page.name}: {target}#{section}")
    assert broken == []
