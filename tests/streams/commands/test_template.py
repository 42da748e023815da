"""`segbatch template`: a line out for each line in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.streams.commands.helpers import Segbatch, json_lines

IDENTIFY = {"type": "identify", "userId": "u1", "traits": {"email": "lea@example.com"}}
TRACK = {"type": "track", "userId": "u2", "event": "Order Completed"}
TEMPLATE = {
    "identifiers": {"custom_id": {"@path": "$.userId"}},
    "profileAttributes": {"email": {"@path": "$.traits.email"}},
    "eventName": {"@path": "$.event"},
}
OUTPUTS = [
    {"output": {"identifiers": {"custom_id": "u1"}, "profileAttributes": {"email": "lea@example.com"}}},
    {"output": {"identifiers": {"custom_id": "u2"}, "profileAttributes": {}, "eventName": "Order Completed"}},
]


def answers(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "template.json"
    path.write_text(json.dumps(TEMPLATE))
    return path


def test_each_event_gives_an_output(segbatch: Segbatch, file: Path) -> None:
    result = segbatch("template", str(file), input=json_lines(IDENTIFY, TRACK))
    assert result.exit_code == 0
    assert answers(result) == OUTPUTS


def test_events_come_from_a_file_or_standard_input(segbatch: Segbatch, file: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(json_lines(IDENTIFY, TRACK))
    assert answers(segbatch("template", str(file), str(events))) == OUTPUTS
    assert answers(segbatch("template", str(file), "-", input=events.read_text())) == OUTPUTS


@pytest.mark.parametrize(
    "text",
    [
        "identifiers: {custom_id: {'@path': $.userId}}",
        "name: Orders\ntrigger: type = \"track\"\nmapping:\n  identifiers: {custom_id: {'@path': $.userId}}",
        json.dumps({"mapping": {"identifiers": {"custom_id": {"@path": "$.userId"}}}}),
    ],
)
def test_a_template_in_yaml_or_in_an_entry_of_mappings(segbatch: Segbatch, file: Path, text: str) -> None:
    file.write_text(text)
    result = segbatch("template", str(file), input=json_lines(TRACK))
    assert answers(result) == [{"output": {"identifiers": {"custom_id": "u2"}}}]


def test_a_result_that_is_nothing_is_null(segbatch: Segbatch, file: Path) -> None:
    file.write_text('{"@path": "$.missing"}')
    assert answers(segbatch("template", str(file), input=json_lines(TRACK))) == [{"output": None}]


def test_a_line_that_is_no_event_gives_an_error_in_its_place(segbatch: Segbatch, file: Path) -> None:
    lines = json_lines(IDENTIFY) + "no JSON\n\n[1, 2]\nnull\n" + "[" * 100_000 + "\n" + json.dumps(TRACK)
    result = segbatch("template", str(file), input=lines)
    assert result.exit_code == 0
    first, *bad, last = answers(result)
    assert [first, last] == OUTPUTS
    assert [list(answer) for answer in bad] == [["error"]] * 5


def test_an_event_that_fails_gives_an_error_and_the_next_one_its_output(
    segbatch: Segbatch, file: Path
) -> None:
    file.write_text('{"a": {"@path": {"@path": "$.which"}}}')
    result = segbatch("template", str(file), input=json_lines({"which": 5}, {"which": "x", "x": 1}))
    assert result.exit_code == 0
    assert answers(result) == [
        {"error": "mapping.a.@path: @path needs a path, and its directive gave a number"},
        {"output": {"a": 1}},
    ]


def test_no_digit_is_lost(segbatch: Segbatch, file: Path) -> None:
    file.write_text(
        '{"n": {"@path": "$.n"}, "t": {"@template": "{{n}}"}, "c": 123456789012345678901234567890}'
    )
    line = '{"n": 12345678901234567890123}\n'
    result = segbatch("template", str(file), input=line + '{"n": 450.0}\n')
    assert result.stdout.splitlines() == [
        '{"output":{"n":12345678901234567890123,"t":"12345678901234567890123","c":123456789012345678901234567890}}',
        '{"output":{"n":450,"t":"450","c":123456789012345678901234567890}}',
    ]


def test_an_output_that_is_nested_too_deeply_to_write(segbatch: Segbatch, file: Path) -> None:
    file.write_text('{"@path": "$.deep"}')
    event = '{"deep":' + "[" * 950 + "]" * 950 + "}\n"
    result = segbatch("template", str(file), input=event)
    assert answers(result) == [{"error": "the answer is nested too deeply to be written"}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": {"@pth": "$.x"}}', "mapping.a.@pth: is not a directive. Did you mean @path?"),
        ("a: [", "is neither JSON nor YAML: expected the node content"),
        ("\0", "is neither JSON nor YAML"),
        ("a: 2026-01-02", "mapping.a: is a date, which JSON does not have. Write it as text, in quotes."),
        ("[" * 100_000, "is nested too deeply to be read"),
    ],
)
def test_a_file_without_a_template_answers_every_line_and_fails(
    segbatch: Segbatch, file: Path, text: str, told: str
) -> None:
    file.write_text(text)
    result = segbatch("template", str(file), input=json_lines(IDENTIFY, TRACK))
    assert result.exit_code == 1
    assert told in result.stderr
    first, second = answers(result)
    assert told in first["error"]
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        "mappings:\n- name: A\n  mapping: {eventName: e}\nfilters: []",
        "- {name: A, preset: update-profile}",
    ],
)
def test_a_whole_mappings_file_is_no_template(segbatch: Segbatch, file: Path, text: str) -> None:
    file.write_text(text)
    result = segbatch("template", str(file), input=json_lines(TRACK))
    assert result.exit_code == 1
    assert f"{file} is a whole mappings file. Give one entry of it" in result.stderr
    assert [list(answer) for answer in answers(result)] == [["error"]]


def test_all_problems_are_told(segbatch: Segbatch, file: Path) -> None:
    file.write_text('{"a": {"@pth": 1}, "b": [{"@case": {"operator": "x", "value": 5}}]}')
    result = segbatch("template", str(file), input=json_lines(TRACK))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 4


def test_a_file_that_is_not_there(segbatch: Segbatch) -> None:
    result = segbatch("template", "nowhere.json", input=json_lines(TRACK))
    assert result.exit_code == 1
    assert answers(result) == [{"error": "nowhere.json cannot be read: No such file or directory"}]


def test_pairs_bring_their_own_template(segbatch: Segbatch, tmp_path: Path) -> None:
    pairs = [
        {"mapping": TEMPLATE, "event": IDENTIFY},
        {"mapping": {"@path": "$.userId"}, "event": TRACK, "note": "more keys do not matter"},
        {"mapping": {"@pth": 1}, "event": TRACK},
        {"mapping": None, "event": TRACK},
        {"event": TRACK},
        {"mapping": {}, "event": []},
        {"mapping": {}},
        [],
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text(json_lines(*pairs))
    result = segbatch("template", "--pairs", str(path))
    assert result.exit_code == 0
    assert answers(result) == [
        OUTPUTS[0],
        {"output": "u2"},
        {"error": "mapping.@pth: is not a directive. Did you mean @path?"},
        {"output": None},
        {"error": 'the line has no "mapping"'},
        {"error": 'the line has no "event" that is an object'},
        {"error": 'the line has no "event" that is an object'},
        {"error": "the value is JSON, but not an object"},
    ]
    assert segbatch("template", "--pairs", "-", input=path.read_text()).stdout == result.stdout


@pytest.mark.parametrize("arguments", [(), ("t.json", "--pairs", "p.jsonl")])
def test_either_a_file_or_pairs(segbatch: Segbatch, arguments: tuple[str, ...]) -> None:
    result = segbatch("template", *arguments)
    assert result.exit_code == 2
    assert result.stderr == "segbatch: template: name either FILE or --pairs FILE\n"


def test_other_commands_do_not_load_the_liquid_library() -> None:
    code = "import sys, streams.command_line; assert 'liquid' not in sys.modules"
    root = str(Path(__file__).parents[3])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": root})


def test_a_placeholder_that_is_always_empty_is_told(segbatch: Segbatch) -> None:
    Path("template.json").write_text('{"a": {"@template": "{{$.traits.a}}"}}')

    result = segbatch("template", "template.json", input='{"traits": {"a": "x"}}\n')

    assert json.loads(result.stdout) == {"output": {"a": ""}}
    assert "Leave `$.` out: {{traits.a}}." in result.stderr
