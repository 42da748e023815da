"""`segbatch test` and `segbatch init`: cases beside the mappings, and files to begin with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.streams.commands.helpers import Segbatch

IDENTIFY = "{type: identify, userId: u, traits: {plan: x}}"
UPDATE = "{identifiers: {custom_id: u}, attributes: {plan: x}}"
OLD_TRACK = '{type: track, event: e, userId: u, timestamp: "2026-03-01T00:00:00Z"}'


def written(text: str, name: str = "mappings.test.yaml") -> None:
    Path(name).write_text(text)


def test_what_init_writes_passes_its_own_cases_and_is_never_overwritten(segbatch: Segbatch) -> None:
    result = segbatch("init", "new/place")
    assert result.exit_code == 0, result.output
    folder = Path("new/place")
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "segbatch.yaml",
        "mappings.yaml",
        "mappings.test.yaml",
        ".schemas/segbatch.schema.json",
        ".schemas/mappings.schema.json",
    }
    for name in ("segbatch", "mappings"):
        first = (folder / f"{name}.yaml").read_text().splitlines()[0]
        schema = first.removeprefix("# yaml-language-server: $schema=")
        assert json.loads((folder / schema).read_text())["title"].startswith("segbatch: ")
    assert "Next: cd new/place && segbatch test" in result.stdout
    (folder / "mappings.yaml").write_text("mine")
    again = segbatch("init", "new/place")
    assert (again.exit_code, (folder / "mappings.yaml").read_text()) == (0, "mine")
    assert again.stdout.count("kept ") == 5


def test_in_the_folder_of_init_the_cases_run_without_an_option(segbatch: Segbatch) -> None:
    segbatch("init")
    result = segbatch("test")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "4 cases, 0 failed.")


def test_init_where_nothing_can_be_written_says_so(segbatch: Segbatch) -> None:
    Path("file").touch()
    result = segbatch("init", "file/below")
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)


def test_a_case_that_fails_shows_expected_and_found_and_is_exit_code_1(segbatch: Segbatch) -> None:
    written(
        f"- name: good\n  event: {IDENTIFY}\n  updates: [{UPDATE}]\n"
        f"- event: {IDENTIFY}\n  updates: [{UPDATE.replace('x', 'y')}]\n"
    )
    result = segbatch("test")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "ok      mappings.test.yaml: good" in lines
    assert "FAILED  mappings.test.yaml: case 2" in lines
    assert ('                  "plan": "y"' in result.stdout, lines[-1]) == (False, "2 cases, 1 failed.")
    changes = [line.split() for line in lines if line.strip()[:1] in "+-" and "expected" not in line]
    assert changes == [["-", '"plan":', '"y"'], ["+", '"plan":', '"x"']]


@pytest.mark.parametrize(
    ("case", "passes"),
    [
        (f"event: {IDENTIFY}, updates: [{UPDATE}]", True),
        (f"event: {IDENTIFY}, updates: []", False),
        (f"event: {IDENTIFY}, updates: [{UPDATE}], fields: []", True),
        (f"event: {IDENTIFY}, skipped: no_user_id", False),
        ("event: {type: page, userId: u}, skipped: no_matching_mapping", True),
        ("event: {type: page, userId: u}, rejected: no_matching_mapping", False),
        ("event: {type: track, userId: 'null'}, rejected: junk_user_id", True),
        (
            "event: {type: identify, userId: u, traits: {plan: x, a: ''}}, updates: "
            f"[{UPDATE}], fields: [{{field: traits.a, reason: string_empty}}]",
            True,
        ),
        (
            "event: {type: identify, userId: u, traits: {n: 1}}, "
            "updates: [{identifiers: {custom_id: u}, attributes: {n: true}}]",
            False,
        ),
        (f"event: {OLD_TRACK}, rejected: event_too_old", False),
        (f"event: {OLD_TRACK}, now: '2026-03-03T00:00:00Z', rejected: event_too_old", True),
        (f"event: {OLD_TRACK}, now: 2026-03-03T00:00:00Z, rejected: event_too_old, updates: []", True),
    ],
)
def test_a_case_compares_outcome_reason_updates_and_fields_as_far_as_it_gives_them(
    segbatch: Segbatch, case: str, passes: bool
) -> None:
    written(f"cases: [{{{case}}}]")
    result = segbatch("test", "--json")
    shown: dict[str, Any] = json.loads(result.stdout)
    assert (shown["passed"], shown["failed"], result.exit_code) == ((1, 0, 0) if passes else (0, 1, 1))
    (found,) = shown["cases"]
    assert (found["passed"], found["file"], found["name"]) == (passes, "mappings.test.yaml", "case 1")
    assert (found["expected"] == found["found"]) == passes or "n" in str(found["expected"])


def test_the_files_time_is_that_of_cases_without_one(segbatch: Segbatch) -> None:
    update = "{identifiers: {custom_id: u}, events: [{name: e, time: '2026-03-01T00:00:00Z'}]}"
    own = f"now: 2026-03-01T01:00:00Z, updates: [{update}]"
    written(
        "now: 2026-03-03T00:00:00Z\ncases:\n"
        f"- {{event: {OLD_TRACK}, rejected: event_too_old}}\n- {{event: {OLD_TRACK}, {own}}}\n"
    )
    assert segbatch("test").exit_code == 0


def test_the_settings_hold_for_cases(segbatch: Segbatch) -> None:
    written(
        "- event: {type: identify, userId: u, traits: {firstName: A}}\n"
        "  updates: [{identifiers: {custom_id: u}, attributes: {first_name: A}}]\n"
    )
    assert segbatch("test").exit_code == 1
    assert segbatch("test", SEGBATCH_NAMING="snake").exit_code == 0


def test_the_cases_stand_beside_the_mappings_file_or_are_named(segbatch: Segbatch) -> None:
    Path("conf").mkdir()
    Path("conf/m.yaml").write_text("- {name: A, preset: update-profile, trigger: type = 'page'}")
    written(f"- {{event: {IDENTIFY}, skipped: no_matching_mapping}}", "conf/one.test.yaml")
    written(json.dumps([{"event": {"type": "x"}, "skipped": "no_matching_mapping"}]), "conf/two.test.json")
    written(f"- {{event: {IDENTIFY}, updates: []}}", "other.yaml")
    result = segbatch("test", "--mappings", "conf/m.yaml")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 cases, 0 failed.")
    assert segbatch("test", "--mappings", "conf/m.yaml", "other.yaml").exit_code == 1


def test_no_case_is_no_success(segbatch: Segbatch) -> None:
    result = segbatch("test")
    assert (result.exit_code, "there are no cases" in result.stderr) == (1, True)
    written("cases: []")
    assert segbatch("test").exit_code == 1


def test_a_bad_mappings_file_is_exit_code_78(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text("mappings: 3")
    written(f"- {{event: {IDENTIFY}, updates: []}}")
    result = segbatch("test")
    assert (result.exit_code, "mappings.yaml:1:11" in result.stderr) == (78, True)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("cases: 3", "1:8", "has no list of cases"),
        ("text", "1:1", "has no list of cases"),
        ("case: []", "1:7", "is not a key of the file"),
        ("- 3", "1:3", "has no `event` that is a map"),
        ("- {event: 3, updates: []}", "1:11", "has no `event` that is a map"),
        ("- {event: {}}", "1:3", "expects nothing, or two things"),
        ("- {event: {}, skipped: a, rejected: b}", "1:3", "expects nothing, or two things"),
        ("- {event: {}, updates: {}}", "1:24", "is not a list"),
        ("- {event: {}, update: []}", "1:23", "is not a key of case 1"),
        ("- {event: {}, updates: [], now: noon}", "1:33", "is not a time"),
        ("- {event: {a: 1, a: 2}, updates: []}", "1:21", "sets 'a' a second time"),
        ("- {[a]: 1}", "1:4", "has a key that is not text"),
        ("[", "1:2", "is not YAML"),
    ],
)
def test_a_file_of_cases_that_cannot_be_used_says_why_and_where(
    segbatch: Segbatch, text: str, place: str, message: str
) -> None:
    written(text)
    result = segbatch("test")
    assert result.exit_code == 78
    assert f"file mappings.test.yaml:{place}): {message}" in result.stderr


def test_check_names_the_mappings_and_where_segment_would_decide_otherwise(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text(
        "- {name: A, preset: update-profile}\n- {name: B, preset: update-profile, trigger: type = 'track'}\n"
    )
    needed = {
        "SEGBATCH_KAFKA__BROKERS": "127.0.0.1:1",
        "SEGBATCH_KAFKA__TOPICS": "t",
        "SEGBATCH_BATCH__REST_API_KEY": "a",
        "SEGBATCH_BATCH__PROJECT_KEY": "b",
    }
    result = segbatch("check", "--json", **needed)
    findings = {each["check"]: each for each in json.loads(result.stdout)["findings"]}
    assert findings["mappings"]["message"] == "mappings.yaml: 2 mappings enabled, 0 filters."
    differing = findings["mapping 'B'"]
    assert differing["severity"] == "warning"
    assert differing["message"].startswith("'track': Segment's hosted evaluator ")
    assert "mappings.yaml:2:46" in differing["message"]
    assert "mapping 'A'" not in findings
    Path("mappings.yaml").write_text("mappings: 3")
    result = segbatch("check", "--json", **needed)
    assert result.exit_code == 78
    assert json.loads(result.stdout)["findings"][0]["severity"] == "error"
    assert segbatch("check", **needed).exit_code == 78


def test_map_takes_a_mappings_file_and_names_what_matched(segbatch: Segbatch) -> None:
    Path("m.yaml").write_text(
        "- {name: Pages, trigger: type = 'page', mapping: {identifiers: {custom_id: u}, eventName: p}}"
    )
    result = segbatch("map", "--mappings", "m.yaml", input='{"type":"page"}\n{"type":"track"}\n')
    pages, track = (json.loads(line) for line in result.stdout.splitlines())
    assert (pages["mappings"], pages["updates"]) == (
        ["Pages"],
        [{"identifiers": {"custom_id": "u"}, "events": [{"name": "p"}]}],
    )
    assert (track["mappings"], track["reason"]) == ([], "no_matching_mapping")
    assert segbatch("map", "--mappings", "none.yaml", input="").exit_code == 78
    assert segbatch("map", "--documented", "--mappings", "m.yaml", input="").exit_code == 2
