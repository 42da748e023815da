"""`segbatch trigger`: a line out for each line in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.streams.commands.helpers import Segbatch, json_lines

TRACK = {"type": "track", "event": "Order Completed", "properties": {"total": 120}}
PAGE = {"type": "page", "name": "Home"}


def answers(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_event_matches_or_does_not(segbatch: Segbatch) -> None:
    result = segbatch("trigger", 'type = "track" and properties.total > 99', input=json_lines(TRACK, PAGE))

    assert result.exit_code == 0
    assert answers(result) == [{"match": True}, {"match": False}]


def test_events_come_from_a_file_or_standard_input(segbatch: Segbatch, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json_lines(TRACK, PAGE, TRACK))

    from_file = segbatch("trigger", 'type = "track"', str(file))
    from_input = segbatch("trigger", 'type = "track"', "-", input=file.read_text())

    assert from_file.stdout == from_input.stdout
    assert answers(from_file) == [{"match": True}, {"match": False}, {"match": True}]


def test_a_line_that_is_no_event_gives_an_error_in_its_place(segbatch: Segbatch) -> None:
    lines = json_lines(TRACK) + "no JSON\n\n[1, 2]\nnull\n" + "[" * 100_000 + "\n" + json.dumps(PAGE)

    result = segbatch("trigger", 'type = "track"', input=lines)

    assert result.exit_code == 0
    first, *bad, last = answers(result)
    assert (first, last) == ({"match": True}, {"match": False})
    assert [list(answer) for answer in bad] == [["error"]] * 5
    assert "not JSON" in bad[0]["error"]
    assert "not an object" in bad[2]["error"]


def test_events_are_read_as_the_worker_reads_them(segbatch: Segbatch) -> None:
    lines = '{"event": "a\\ud800", "properties": {"n": 12345678901234567890123, "x": NaN}}\n'

    result = segbatch(
        "trigger", "properties.n > 5 and length(event) = 4 and properties.x != null", input=lines
    )

    assert answers(result) == [{"match": True}]


def test_a_file_in_the_place_of_the_expression_is_told(segbatch: Segbatch, empty_folder: None) -> None:
    Path("event.json").write_text(json_lines(TRACK))

    result = segbatch("trigger", "event.json", input="")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "segbatch: trigger: event.json is a file, and EXPR is missing: segbatch trigger 'EXPR' event.json\n"
    )


def test_that_no_event_came_is_told(segbatch: Segbatch) -> None:
    result = segbatch("trigger", 'type = "track"', input="")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "segbatch: no event came: standard input is empty\n"


def test_an_expression_that_is_no_fql_answers_every_line_and_fails(segbatch: Segbatch) -> None:
    result = segbatch("trigger", 'type == "track"', input=json_lines(TRACK, PAGE) + "no JSON\n")

    assert result.exit_code == 1
    told, again, _ = answers(result)
    assert told == again == {"error": "line 1, column 6: == is no operator of FQL; write ="}
    assert '  type == "track"\n       ^\n  write =' in result.stderr


def test_pairs_bring_their_own_trigger(segbatch: Segbatch, tmp_path: Path) -> None:
    pairs = [
        {"trigger": 'type = "track"', "event": TRACK},
        {"trigger": 'type = "track"', "event": PAGE, "note": "more keys do not matter"},
        {"trigger": 'tpye = "track"', "event": TRACK},
        {"trigger": 5, "event": TRACK},
        {"event": TRACK},
        {"trigger": "true", "event": []},
        {"trigger": "true"},
        {"trigger": "(" * 10_000, "event": {}},
        [],
    ]
    file = tmp_path / "pairs.jsonl"
    file.write_text(json_lines(*pairs) + "\nno JSON")

    for result in (
        segbatch("trigger", "--pairs", str(file)),
        segbatch("trigger", "--pairs", "-", input=file.read_text()),
    ):
        assert result.exit_code == 0
        first, second, *bad = answers(result)
        assert (first, second) == ({"match": True}, {"match": False})
        assert [list(answer) for answer in bad] == [["error"]] * 9
        assert "did you mean type?" in bad[0]["error"]


def test_either_an_expression_or_pairs(segbatch: Segbatch) -> None:
    assert segbatch("trigger").exit_code == 2
    assert segbatch("trigger", "true", "--pairs", "-").exit_code == 2


def test_a_file_that_cannot_be_read(segbatch: Segbatch) -> None:
    result = segbatch("trigger", "true", "/nowhere.jsonl")

    assert result.exit_code == 2
    assert "/nowhere.jsonl cannot be read" in result.stderr
