"""`segbatch map`: what a person sees of each event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.streams.commands.helpers import Segbatch, json_lines

KEYS = ["messageId", "outcome", "reason", "updates", "fields", "mappings"]
IDENTIFY = {
    "type": "identify",
    "messageId": "m-1",
    "userId": "u1",
    "traits": {"email": "a@b.co", "firstName": "Ann"},
}
TRACK = {
    "type": "track",
    "messageId": "m-2",
    "userId": 7,
    "event": "Order Completed",
    "properties": {"Total": 12.5},
    "timestamp": "2026-01-30T10:00:00+02:00",
    "context": {"locale": "fr-FR"},
}
IN_TIME, A_WEEK_LATER, BEFORE = "2026-01-30T09:00:00Z", "2026-02-06", "2026-01-01T00:00:00Z"


def read(result: Any) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_line_gives_one_line_with_all_six_keys_in_order(segbatch: Segbatch) -> None:
    lines = (
        json_lines(IDENTIFY)
        + "\n  \nno JSON\n[1, 2]\n"
        + json_lines({"type": "page", "messageId": "m-3"}, TRACK)
    )

    found = read(segbatch("map", input=lines))

    assert [list(line) for line in found] == [KEYS] * 5
    assert [(line["messageId"], line["outcome"], line["reason"]) for line in found] == [
        ("m-1", "mapped", None),
        (None, "rejected", "invalid_json"),
        (None, "rejected", "not_an_object"),
        ("m-3", "skipped", "no_matching_mapping"),
        ("m-2", "mapped", None),
    ]
    assert [line["updates"] for line in found[1:4]] == [[], [], []]


def test_updates_are_what_would_be_posted(segbatch: Segbatch) -> None:
    identify, track = read(segbatch("map", "-", input=json_lines(IDENTIFY, TRACK)))

    assert identify["updates"] == [
        {"identifiers": {"custom_id": "u1"}, "attributes": {"$email_address": "a@b.co", "firstname": "Ann"}}
    ]
    assert track["updates"] == [
        {
            "identifiers": {"custom_id": "7"},
            "attributes": {"$language": "fr", "$region": "FR"},
            "events": [
                {"name": "order_completed", "time": "2026-01-30T08:00:00Z", "attributes": {"total": 12.5}}
            ],
        }
    ]


def test_documented_shows_names_as_they_came_and_no_time(segbatch: Segbatch) -> None:
    identify, track = read(segbatch("map", "--documented", input=json_lines(IDENTIFY, TRACK)))

    assert identify["updates"][0]["attributes"] == {"$email_address": "a@b.co", "firstName": "Ann"}
    assert track["updates"][0]["event"] == {"name": "Order Completed", "attributes": {"Total": 12.5}}


def test_more_attributes_than_batch_takes_become_several_updates(segbatch: Segbatch) -> None:
    traits = {f"trait{number}": number for number in range(70)}

    (line,) = read(segbatch("map", input=json_lines({**IDENTIFY, "traits": traits})))

    assert [len(update["attributes"]) for update in line["updates"]] == [50, 20]
    assert {**line["updates"][0]["attributes"], **line["updates"][1]["attributes"]} == traits


def test_fields_that_are_left_out_are_listed_without_their_values(segbatch: Segbatch) -> None:
    event = {**IDENTIFY, "traits": {"address": {"street": "Main 1"}, "plan": "gold"}}

    result = segbatch("map", input=json_lines(event))

    assert read(result)[0]["fields"] == [{"field": "traits.address", "reason": "object_not_supported"}]
    assert "Main 1" not in result.output


@pytest.mark.parametrize("shape", [(), ("--documented",)])
@pytest.mark.parametrize(
    ("late_events", "outcome", "reason", "fields", "event_goes"),
    [
        ("dead_letter", "rejected", "event_too_old", [], False),
        ("skip", "mapped", None, [{"field": "event", "reason": "event_too_old"}], False),
        ("send_without_time", "mapped", None, [{"field": "time", "reason": "event_too_old"}], True),
    ],
)
def test_a_late_event_leaves_its_update_as_the_setting_says(
    segbatch: Segbatch,
    shape: tuple[str, ...],
    late_events: str,
    outcome: str,
    reason: str | None,
    fields: list[Any],
    event_goes: bool,
) -> None:
    result = segbatch(
        "map", "--now", A_WEEK_LATER, *shape, input=json_lines(TRACK), SEGBATCH_LATE_EVENTS=late_events
    )

    (line,) = read(result)
    assert (line["outcome"], line["reason"], line["fields"]) == (outcome, reason, fields)
    (update,) = line["updates"]
    assert update["attributes"] == {"$language": "fr", "$region": "FR"}
    assert ("event" in update or "events" in update) == event_goes
    assert "time" not in str(update.get("events"))


@pytest.mark.parametrize(("late_events", "outcome"), [("dead_letter", "rejected"), ("skip", "skipped")])
def test_a_late_event_with_nothing_beside_it_leaves_no_update(
    segbatch: Segbatch, late_events: str, outcome: str
) -> None:
    event = {**TRACK, "context": {}}

    (line,) = read(
        segbatch("map", "--now", A_WEEK_LATER, input=json_lines(event), SEGBATCH_LATE_EVENTS=late_events)
    )

    assert (line["outcome"], line["reason"], line["updates"]) == (outcome, "event_too_old", [])


def test_an_event_in_the_future_goes_without_its_time(segbatch: Segbatch) -> None:
    (line,) = read(segbatch("map", "--now", BEFORE, input=json_lines(TRACK)))

    assert line["outcome"] == "mapped"
    assert line["updates"][0]["events"] == [{"name": "order_completed", "attributes": {"total": 12.5}}]
    assert line["fields"] == [{"field": "time", "reason": "event_in_future"}]


def test_an_event_in_time_keeps_it(segbatch: Segbatch) -> None:
    lines = json_lines(TRACK)

    with_clock = read(segbatch("map", "--now", IN_TIME, input=lines))

    assert with_clock == read(segbatch("map", input=lines))
    assert with_clock[0]["updates"][0]["events"][0]["time"] == "2026-01-30T08:00:00Z"


def test_settings_of_file_and_environment_apply(segbatch: Segbatch) -> None:
    Path("segbatch.yaml").write_text("naming: snake\nnames: {Order Completed: bought}\n")

    identify, track = read(segbatch("map", input=json_lines(IDENTIFY, TRACK)))

    assert "first_name" in identify["updates"][0]["attributes"]
    assert track["updates"][0]["events"][0]["name"] == "bought"


def test_strange_json_never_ends_the_command(segbatch: Segbatch) -> None:
    lines = [
        b'{"messageId": "\\ud800", "type": "identify", "userId": "u", "traits": {"a": NaN, "c": "\\udfff"}}',
        b'{"messageId": 5, "type": "identify", "userId": 123456789012345678901234567890, "traits": {"a": 1}}',
        b"[" * 5000,
        b'{"type": "track", "userId": "u", "event": "' + b"\xff" + b'"}',
        b'{"messageId": "last", "type": "identify", "userId": true}',
    ]

    found = read(segbatch("map", "--now", IN_TIME, input=b"\r\n".join(lines)))

    assert [line["messageId"] for line in found] == ["\ufffd", None, None, None, "last"]
    assert [line["outcome"] for line in found] == ["mapped", "mapped", "rejected", "rejected", "rejected"]
    assert found[0]["updates"][0]["attributes"] == {"c": "\ufffd"}
    assert found[1]["updates"][0]["identifiers"] == {"custom_id": "123456789012345678901234567890"}


def test_what_is_wrong_with_a_line_is_said_with_its_number(segbatch: Segbatch) -> None:
    lines = [json.dumps(IDENTIFY).encode(), b"", b'{"a": }', b'{"a": "\xff"}', b"[1]", b"[" * 100_000]

    result = segbatch("map", input=b"\n".join(lines))

    assert [line["outcome"] for line in read(result)] == ["mapped", *["rejected"] * 4]
    assert result.stderr.splitlines() == [
        "segbatch: map: line 3: invalid_json: the value is not JSON at character 7: Expecting value",
        "segbatch: map: line 4: invalid_json: the value is not UTF-8 text at byte 8",
        "segbatch: map: line 5: not_an_object: the value is JSON, but not an object",
        "segbatch: map: line 6: invalid_json: the value is nested too deeply to be read",
    ]


def test_a_mapping_that_hardly_means_what_it_says_is_told(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text(
        "- name: Plans\n"
        "  mapping:\n"
        '    identifiers: {custom_id: "{{userId}}"}\n'
        '    profileAttributes: {plan: {"@template": "{{$.traits.plan}}"}}\n'
    )

    result = segbatch("map", input=json_lines(IDENTIFY))

    assert len(read(result)) == 1
    assert result.stderr == (
        "segbatch: warning: mapping 'Plans', mapping.identifiers.custom_id (file mappings.yaml:3:30): "
        "is taken as it stands: '{{userId}}' has placeholders, and no directive that fills them.\n"
        '    For the event\'s value write {"@path": "$.userId"}.\n'
        "segbatch: warning: mapping 'Plans', mapping.profileAttributes.plan.@template (file mappings.yaml:4:45): "
        "has the placeholder {{$.traits.plan}}, which is always empty: it looks for a field called $.\n"
        "    Leave `$.` out: {{traits.plan}}.\n"
    )


def test_a_file_is_read_and_a_missing_one_is_one_clear_line(segbatch: Segbatch) -> None:
    Path("events.jsonl").write_text(json_lines(IDENTIFY))

    assert len(read(segbatch("map", "events.jsonl"))) == 1

    missing = segbatch("map", "nowhere.jsonl")
    assert missing.exit_code == 2
    assert missing.stderr == "segbatch: nowhere.jsonl cannot be read: No such file or directory\n"


def test_a_time_that_is_none_is_one_clear_line(segbatch: Segbatch) -> None:
    result = segbatch("map", "--now", "yesterday", input="")

    assert result.exit_code == 2
    assert "'yesterday' is not an ISO 8601 time" in result.stderr
    assert len(result.stderr.splitlines()) == 1
