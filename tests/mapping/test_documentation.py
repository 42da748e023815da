"""docs/mapping.md lists every reason, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GIVEN = re.compile(r"(?:Refused|Skipped|Rejected)\(\s*\"([a-z_]+)\"|FieldProblem\([^\n]*, \"([a-z_]+)\"\)")
LISTED = re.compile(r"`([a-z]+(?:_[a-z]+)*)`")


def given_reasons() -> set[str]:
    sources = "".join(path.read_text() for path in (ROOT / "mapping").glob("*.py"))
    return {refused or reported for refused, reported in GIVEN.findall(sources)}


def listed_reasons() -> set[str]:
    page = (ROOT / "docs" / "mapping.md").read_text()
    section = page.split("## All reasons")[1].split("\n## ")[0]
    lines = [line.split("|")[1] if line.startswith("|") else line for line in section.splitlines()]
    return set(LISTED.findall("\n".join(lines)))


def test_every_reason_is_documented() -> None:
    assert given_reasons() == listed_reasons()
    assert len(given_reasons()) > 30
