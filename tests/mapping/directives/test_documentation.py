"""docs/templates.md: every example gives what the page says, and every directive, tag and filter is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mapping.directives import UNDEFINED, compile_template
from mapping.directives.compiler import DIRECTIVES
from mapping.directives.liquid.engine import OUTPUT_LIMIT, TAGS, TAGS_SWITCHED_OFF, WORK_LIMIT
from mapping.directives.liquid.filters import SWITCHED_OFF, all_filters
from mapping.directives.text import json_text

PAGE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text()
ROW = re.compile(r"^\| `(.+)` \| (?:`(.+)`|missing) \|$", re.MULTILINE)
EVENT = json.loads(PAGE.split("```json\n")[1].split("```")[0])
EXAMPLES = [(template.replace("\\|", "|"), result or None) for template, result in ROW.findall(PAGE)]


@pytest.mark.parametrize(("template", "result"), EXAMPLES)
def test_an_example(template: str, result: str | None) -> None:
    found = compile_template(json.loads(template)).resolve(EVENT)
    if result is None:
        assert found is UNDEFINED
    else:
        assert json_text(found) == json_text(json.loads(result))


def test_every_row_of_examples_is_an_example() -> None:
    tables = re.findall(r"^\| template \| gives \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert sum(table.count("\n") for table in tables) == len(EXAMPLES) > 45


def test_every_directive_has_an_example() -> None:
    examples = "".join(template for template, _ in EXAMPLES)
    assert [name for name in DIRECTIVES if f'"{name}"' not in examples] == []


def words(start: str, end: str) -> set[str]:
    return set(re.findall(r"`([a-z_#0-9]+)`", PAGE.split(start)[1].split(end)[0]))


def test_all_tags_and_filters_are_listed() -> None:
    assert words("- **Tags**: ", "switched off") == TAGS - {"content", "illegal"} | {"raw"}
    assert words("Segment has\n  switched off ", ".\n- **Filters**") == TAGS_SWITCHED_OFF
    assert words("- **Filters**: ", "Segment has switched") == all_filters().keys()
    assert words("Segment has switched\n  off ", ".\n- Numbers") == SWITCHED_OFF


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{OUTPUT_LIMIT:,} bytes" in PAGE
    assert f"{WORK_LIMIT:,} characters" in PAGE


def test_the_errors_are_what_is_said() -> None:
    template: dict[str, Any] = {
        "profileAttributes": {"email": {"@pth": "$.traits.email"}},
        "eventName": {"@case": {"operator": "title", "value": {"@path": "$.event"}}},
    }
    with pytest.raises(ValueError, match=r"@pth") as caught:
        compile_template(template)
    assert str(caught.value) in PAGE
