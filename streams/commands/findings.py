"""What `segbatch check` finds, and how it is shown."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import typer

Severity = Literal["ok", "warning", "error"]
_COLOURS: dict[Severity, str] = {"ok": "green", "warning": "yellow", "error": "red"}
_WIDTH = 100


class Finding(NamedTuple):
    """One thing that was looked at. Nothing in it is a secret, or of a person."""

    check: str
    """What was looked at: `kafka`, `topic events`, `batch` …"""
    severity: Severity
    """`error`: the worker would not do its work. `warning`: it would, but maybe not as wanted."""
    message: str
    remedy: str = ""
    """What to do; empty if nothing."""


def has_error(findings: Sequence[Finding]) -> bool:
    """Whether there is one that stops the worker from doing its work."""
    return any(finding.severity == "error" for finding in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """A block for each finding, and a closing line."""
    width = max((len(finding.check) for finding in findings), default=0)
    lines = [line for finding in findings for line in _block(finding, width)]
    return "\n".join([*lines, "", _closing(findings)])


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """`{"ok": bool, "findings": [{"check", "severity", "message", "remedy"}]}`."""
    return {"ok": not has_error(findings), "findings": [finding._asdict() for finding in findings]}


def counted(number: int, thing: str) -> str:
    """`1 record`, `2 records`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _block(finding: Finding, width: int) -> list[str]:
    head = f"{finding.severity:7}  {finding.check:{width}}  "
    text = finding.message if not finding.remedy else f"{finding.message} {finding.remedy}"
    first, *rest = textwrap.wrap(text, max(40, _WIDTH - len(head)), break_on_hyphens=False) or [""]
    severity = typer.style(f"{finding.severity:7}", fg=_COLOURS[finding.severity], bold=True)
    return [severity + head[7:] + first, *(" " * len(head) + line for line in rest)]


def _closing(findings: Sequence[Finding]) -> str:
    errors = sum(finding.severity == "error" for finding in findings)
    warnings = sum(finding.severity == "warning" for finding in findings)
    if not errors and not warnings:
        return "Everything is in order."
    return f"{counted(errors, 'error')}, {counted(warnings, 'warning')}."
