"""docs/triggers.md: every example is decided by `segbatch trigger` as the page says, and nothing is missing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mapping.fql import FqlError, compile_trigger
from mapping.fql.checking import FIELDS
from mapping.fql.functions import FUNCTIONS
from mapping.fql.grammar import DEPTH_LIMIT, NESTING_LIMIT
from tests.streams.commands.helpers import Segbatch, json_lines

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "triggers.md").read_text()
EVENT = json.loads(PAGE.split("```json\n")[1].split("```")[0])
EXAMPLES = re.findall(r"^\| `(.+)` \| `(true|false)` \|$", PAGE, re.MULTILINE)


def test_every_example_is_decided_as_the_page_says(segbatch: Segbatch) -> None:
    pairs = [{"trigger": trigger, "event": EVENT} for trigger, _ in EXAMPLES]

    answers = segbatch("trigger", "--pairs", "-", input=json_lines(*pairs)).stdout.splitlines()

    assert [
        (trigger, json.loads(answer)) for (trigger, _), answer in zip(EXAMPLES, answers, strict=True)
    ] == [(trigger, {"match": result == "true"}) for trigger, result in EXAMPLES]


def test_every_row_of_examples_is_an_example() -> None:
    tables = re.findall(r"^\| trigger \| result \|\n\| --- \| --- \|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)

    assert sum(table.count("\n") for table in tables) == len(EXAMPLES) > 45


def test_every_function_and_field_is_there() -> None:
    examples = " ".join(trigger for trigger, _ in EXAMPLES)
    fields = PAGE.split("## Fields")[1].split("Any other name")[0]

    assert [name for name in FUNCTIONS if f"{name}(" not in PAGE.split("## Functions")[1]] == []
    assert [name for name in FUNCTIONS if f"{name}(" not in examples] == []
    assert set(re.findall(r"`(\w+)(?:\.…)?`", fields)) == set(FIELDS)


def test_the_mistake_is_told_as_the_page_shows() -> None:
    with pytest.raises(FqlError) as told:
        compile_trigger('type = "track" && event == "Order Completed"')

    assert f"```\n{told.value}\n```" in PAGE


def test_the_reasons_are_those_that_the_page_shows() -> None:
    shown = PAGE.split("## Why a trigger is true or false")[1].split("```\n")[1]
    trigger = shown.splitlines()[0].removeprefix("false  ")

    assert f"{compile_trigger(trigger).explain(EVENT)}\n" == shown


def test_the_limits_of_nesting_are_those_of_the_code() -> None:
    assert f"{DEPTH_LIMIT} levels, {NESTING_LIMIT:,} parentheses" in (DOCS / "segment-parity.md").read_text()
