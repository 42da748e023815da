"""`segbatch dead-letters stats`, `list`, `show` and `export`: what a person sees of the letters."""

from __future__ import annotations

import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from sink.settlement import Refusal
from streams.commands.dead_letters import topics
from tests.kafka import Record
from tests.streams.commands.dead_letters.corner import Corner, identify
from tests.streams.commands.helpers import Segbatch

BROKEN = Refusal("invalid_json", "the value is not JSON")
LATE = Refusal("event_too_old", "too old", part="event")
COPY = Refusal("event_refused_by_batch", "d", "202", delivered=True, part="event")


@pytest.fixture
def filled(corner: Corner) -> Corner:
    corner.put(
        corner.letter("canary-1", failed_at="2026-03-01T00:00:00.000Z"),
        corner.letter(
            "canary-2", BROKEN, value=b"\x00\xff", mappings=(), failed_at="2026-03-02T00:00:00.000Z"
        ),
        corner.letter(
            "canary-3", LATE, partition=1, mappings=("a", "b"), failed_at="2026-03-03T00:00:00.000Z"
        ),
        corner.letter("canary-4", COPY, partition=1, failed_at="2026-03-04T00:00:00.000Z"),
        Record(b"of somebody else", b"canary-5"),
    )
    return corner


def listed(segbatch: Segbatch, corner: Corner, *options: str) -> list[dict[str, Any]]:
    result = segbatch("dead-letters", "list", "--json", *options, **corner.settings)
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_statistics_count_letters_by_what_they_have_in_common(segbatch: Segbatch, filled: Corner) -> None:
    result = segbatch("dead-letters", "stats", "--json", **filled.settings)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {name: found[name] for name in ("letters", "open", "replayed", "delivered")} == {
        "letters": 4,
        "open": 3,
        "replayed": 0,
        "delivered": 1,
    }
    counts = {
        name: {key: group["letters"] for key, group in found[name].items()}
        for name in ("by_reason", "by_mapping", "by_part", "by_partition")
    }
    assert counts == {
        "by_reason": {
            "refused_by_batch": 1,
            "invalid_json": 1,
            "event_too_old": 1,
            "event_refused_by_batch": 1,
        },
        "by_mapping": {"Update Profile": 2, "a": 1, "b": 1},
        "by_part": {"record": 2, "event": 2},
        "by_partition": {f"{filled.letters} 0": 2, f"{filled.letters} 1": 2},
    }
    assert found["by_reason"]["invalid_json"]["first_failed_at"] == "2026-03-02T00:00:00.000Z"


def test_statistics_are_a_table_for_people(segbatch: Segbatch, filled: Corner) -> None:
    result = segbatch("dead-letters", "stats", COLUMNS="120", **filled.settings)
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("invalid_json")]
    assert line.split() == ["invalid_json", "1", "1", "0", "0", *("2026-03-02", "00:00") * 2]


def test_statistics_fit_into_eighty_columns(segbatch: Segbatch, filled: Corner) -> None:
    result = segbatch("dead-letters", "stats", COLUMNS="80", **filled.settings)
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(
        any(line.startswith(reason) for line in lines)
        for reason in ("event_refused_by_batch", "event_too_old")
    )
    at = next(index for index, line in enumerate(lines) if line.startswith("invalid_json"))
    assert lines[at].split() == ["invalid_json", "1", "1", "0", "0", *("03-02", "00:00") * 2]
    assert lines[at + 1].split()[0] != "00:00"
    topic = lines.index(filled.letters)
    assert [line.split()[:2] for line in lines[topic + 1 :]] == [
        ["partition", "letters"],
        ["0", "2"],
        ["1", "2"],
    ]


@pytest.mark.parametrize("command", ["stats", "list"])
def test_a_reason_that_no_letter_has_is_told_with_those_there_are(
    segbatch: Segbatch, filled: Corner, command: str
) -> None:
    result = segbatch("dead-letters", command, "--reason", "nonsense", **filled.settings)
    told = (result.stdout + result.stderr).strip()
    assert result.exit_code == 0
    assert told.startswith("no letter has the reason nonsense; those that are there have: ")
    assert sorted(told.rpartition(": ")[2].split(", ")) == [
        "event_refused_by_batch (1)",
        "event_too_old (1)",
        "invalid_json (1)",
        "refused_by_batch (1)",
    ]
    early = segbatch("dead-letters", command, "--to", "2020-01-01", **filled.settings)
    assert "none of the 4 dead letters is like that" in early.stdout + early.stderr


def test_no_broker_is_told_with_the_setting(segbatch: Segbatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "REACH_S", 0.5)
    result = segbatch(
        "dead-letters", "stats", SEGBATCH_KAFKA__BROKERS="127.0.0.1:1", SEGBATCH_KAFKA__TOPICS="events"
    )
    assert result.exit_code == 1
    assert result.stderr.startswith("segbatch: dead-letters: no broker answers at 127.0.0.1:1: ")
    assert "Correct kafka.brokers" in result.stderr


def test_a_topic_without_letters_says_so(segbatch: Segbatch, corner: Corner) -> None:
    result = segbatch("dead-letters", "stats", **corner.settings)
    assert (result.exit_code, result.stdout) == (0, "no dead letters\n")


@pytest.mark.parametrize(
    ("options", "reasons"),
    [
        ((), ["refused_by_batch", "invalid_json", "event_too_old", "event_refused_by_batch"]),
        (("--reason", "invalid_json"), ["invalid_json"]),
        (("--reason", "invalid_json", "--reason", "event_too_old"), ["invalid_json", "event_too_old"]),
        (("--mapping", "b"), ["event_too_old"]),
        (("--partition", "1"), ["event_too_old", "event_refused_by_batch"]),
        (("--from", "2026-03-02", "--to", "2026-03-03T00:00:00Z"), ["invalid_json"]),
        (("--from", "2026-03-03T01:00+01:00", "--reason", "event_too_old"), ["event_too_old"]),
        (("--reason", "no_such"), []),
        (("--user", "canary-3"), ["event_too_old"]),
        (("--user", "canary-3", "--reason", "invalid_json"), []),
        (("--user", "canary"), []),
        (("--open",), ["refused_by_batch", "invalid_json", "event_too_old"]),
        (("--open", "--partition", "1"), ["event_too_old"]),
    ],
)
def test_letters_are_chosen_by_reason_mapping_partition_time_user_and_state(
    segbatch: Segbatch, filled: Corner, options: tuple[str, ...], reasons: list[str]
) -> None:
    assert [letter["reason"] for letter in listed(segbatch, filled, *options)] == reasons


def test_a_list_shows_nothing_of_the_records(segbatch: Segbatch, filled: Corner) -> None:
    text = segbatch("dead-letters", "list", **filled.settings)
    assert text.exit_code == 0
    header, first, *_ = text.stdout.splitlines()
    assert header.split() == ["letter", "failed", "at", "reason", "part", "state", "HTTP"]
    expected = f"{filled.letters} 0:0 2026-03-01T00:00:00.000Z refused_by_batch record open 400"
    assert first.split() == expected.split()
    assert first.index("refused_by_batch") == header.index("reason")
    assert "canary" not in text.output + json.dumps(listed(segbatch, filled))


@pytest.mark.parametrize(
    ("part", "listed_as", "shown_as"),
    [
        ("record", "one profile", "profile 9aac5a8621eae188"),
        ("event", "event of one profile", "event of profile 9aac5a8621eae188"),
        ("attributes", "attributes of one profile", "attributes of profile 9aac5a8621eae188"),
    ],
)
def test_a_letter_about_one_profile_of_several_says_so(
    segbatch: Segbatch, corner: Corner, part: str, listed_as: str, shown_as: str
) -> None:
    corner.put(corner.letter("user-1", part=part, profile="9aac5a8621eae188"))
    text = segbatch("dead-letters", "list", **corner.settings).stdout
    assert f"  {listed_as}  open" in text
    (letter,) = listed(segbatch, corner)
    assert (letter["part"], letter["profile"]) == (part, "9aac5a8621eae188")
    shown = segbatch("dead-letters", "show", "0:0", **corner.settings).stdout
    assert f"part      {shown_as} was not settled" in shown


def test_a_list_ends_at_its_limit_and_says_so(segbatch: Segbatch, filled: Corner) -> None:
    result = segbatch("dead-letters", "list", "--limit", "2", **filled.settings)
    assert len(result.stdout.splitlines()) == 3
    assert result.stderr.splitlines()[-1] == "2 of 4 letters shown: see --limit"
    whole = segbatch("dead-letters", "list", "--limit", "4", **filled.settings)
    assert "shown" not in whole.stderr


def test_a_user_is_looked_up_by_id_in_every_command_that_chooses_letters(
    segbatch: Segbatch, filled: Corner
) -> None:
    by_value = {"type": "identify", "userId": "other", "previousId": "canary-3"}
    filled.put(filled.letter("other", value=json.dumps(by_value).encode()))
    exported = segbatch("dead-letters", "export", "--user", "canary-3", **filled.settings)
    assert [json.loads(line)["key"] for line in exported.stdout.splitlines()] == ["other", "canary-3"]
    counted = segbatch("dead-letters", "stats", "--user", "canary-3", "--json", **filled.settings)
    assert json.loads(counted.stdout)["letters"] == 2
    planned = segbatch("dead-letters", "replay", "--user", "canary-3", "--dry-run", **filled.settings)
    assert "2 letters to replay" in planned.stdout
    empty = segbatch("dead-letters", "list", "--user", "", **filled.settings)
    assert (empty.exit_code, empty.stderr) == (2, "segbatch: dead-letters: --user must not be empty\n")


def test_a_list_of_open_letters_says_when_all_there_are_were_dealt_with(
    segbatch: Segbatch, corner: Corner
) -> None:
    corner.put(corner.letter("a", COPY), corner.letter("b"))
    assert segbatch("dead-letters", "replay", "--user", "b", **corner.settings).exit_code == 0
    assert [letter["replayed"] for letter in listed(segbatch, corner)] == [False, True]
    result = segbatch("dead-letters", "list", "--open", **corner.settings)
    assert result.stdout == ""
    assert "none of these letters is open" in result.stderr


def test_a_letter_is_shown_with_its_headers_and_its_content_only_if_asked(
    segbatch: Segbatch, corner: Corner
) -> None:
    corner.put(corner.letter("canary-1", headers=[("trace", b"t-1"), ("raw", b"\xff")], offset=77))
    plain = segbatch("dead-letters", "show", "0:0", **corner.settings)
    assert plain.exit_code == 0, plain.output
    assert f"record    {corner.source} 0:77, appended 2023-11-14T22:13:20.000Z" in plain.stdout
    assert "trace: t-1" in plain.stdout
    assert "batch     400 Bad ***" in plain.stdout
    assert "canary" not in plain.output
    whole = segbatch("dead-letters", "show", "0:0", "--value", **corner.settings)
    assert identify("canary-1").decode().replace(" ", "") in whole.stdout.replace(" ", "")
    found = json.loads(segbatch("dead-letters", "show", "0:0", "--value", "--json", **corner.settings).stdout)
    assert found["key"] == "canary-1"
    assert found["value"] == json.loads(identify("canary-1"))
    assert {"name": "raw", "value_base64": "/w=="} in found["headers"]
    hidden = json.loads(segbatch("dead-letters", "show", "0:0", "--json", **corner.settings).stdout)
    assert hidden.keys().isdisjoint({"key", "value"})


@pytest.mark.parametrize(
    ("where", "code", "message"),
    [
        ("0:99", 1, "no dead letter lies at 0:99"),
        ("0:2", 1, "no dead letter lies at 0:2"),
        ("7:0", 2, "has no partition 7"),
        ("first", 2, "'first' is not a place such as 3:17"),
    ],
)
def test_what_cannot_be_shown_is_told(
    segbatch: Segbatch, filled: Corner, where: str, code: int, message: str
) -> None:
    result = segbatch("dead-letters", "show", where, **filled.settings)
    assert result.exit_code == code
    assert message in result.stderr


def test_an_export_has_every_letter_with_its_record(
    segbatch: Segbatch, corner: Corner, tmp_path: Path
) -> None:
    exact = b'{\n  "userId": "u",\r\n  "n": 123456789012345678901234567890.10\n}'
    corner.put(corner.letter("a", value=exact), corner.letter("b", value=b"\x00\xff"))
    file = tmp_path / "letters.jsonl"
    result = segbatch("dead-letters", "export", "-o", str(file), **corner.settings)
    assert result.exit_code == 0, result.output
    assert result.stderr.endswith("2 letters exported\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first, second = file.read_text().splitlines()
    assert '"n": 123456789012345678901234567890.10' in first
    assert json.loads(first)["record"] == {
        "topic": corner.source,
        "partition": 0,
        "offset": 0,
        "appended_at": "2023-11-14T22:13:20.000Z",
    }
    assert base64.b64decode(json.loads(second)["value_base64"]) == b"\x00\xff"
    again = segbatch("dead-letters", "export", "-o", str(file), **corner.settings)
    assert again.exit_code == 2
    assert "cannot be written: File exists" in again.stderr
    assert segbatch("dead-letters", "export", **corner.settings).stdout == file.read_text()


def test_a_dead_letter_topic_that_does_not_exist_is_told(segbatch: Segbatch, corner: Corner) -> None:
    corner.kafka.delete_topic(corner.letters)
    result = segbatch("dead-letters", "stats", **corner.settings)
    assert result.exit_code == 1
    assert f"topic {corner.letters}: Broker: Unknown topic or partition" in result.stderr


def test_a_time_that_cannot_be_read_is_told(segbatch: Segbatch, corner: Corner) -> None:
    result = segbatch("dead-letters", "list", "--from", "yesterday", **corner.settings)
    assert result.exit_code == 2
    assert "--from 'yesterday' is not an ISO 8601 time" in result.stderr
