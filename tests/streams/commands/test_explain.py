"""`segbatch explain`: one event, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.explain import explain
from mapping.mapper import compile_mapper, compile_matcher
from mapping.settings import MappingSettings
from streams.commands.moments import read_moment
from streams.mappings_file import load_mappings
from streams.starter import starter_files
from tests.integration.local_batch import LocalBatch
from tests.mapping.builders import identify, track
from tests.streams.commands.helpers import Segbatch

NOW = "2026-03-02T12:00:00Z"
KEYS = {
    "SEGBATCH_BATCH__REST_API_KEY": "secret-rest-key",
    "SEGBATCH_BATCH__PROJECT_KEY": "secret-project-key",
}
PAID = track(
    {"card_number": "4111", "total": 9.5, "note": ""}, event="Paid", context={"traits": {"email": "a@b.fr"}}
)


@pytest.fixture(autouse=True)
def starter(empty_folder: None) -> None:
    for name, text in starter_files().items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)


@pytest.fixture
def batch() -> Iterator[LocalBatch]:
    local = LocalBatch(
        rest_api_key=KEYS["SEGBATCH_BATCH__REST_API_KEY"], project_key=KEYS["SEGBATCH_BATCH__PROJECT_KEY"]
    )
    yield local
    local.close()


def explained(segbatch: Segbatch, event: Any, *options: str, **environment: str) -> dict[str, Any]:
    given = event if isinstance(event, str) else json.dumps(event)
    result = segbatch("explain", "-", "--now", NOW, "--json", *options, input=given, **environment)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_every_step_is_shown_with_what_decided_and_the_call_at_the_end(segbatch: Segbatch) -> None:
    shown = explained(segbatch, PAID)
    assert (shown["decoded"], shown["integrations"]) == (True, {"allowed": True, "decided_by": None})
    staff, cards = shown["filters"]
    assert (staff["name"], staff["passed"], staff["if"]["result"], staff["removed"]) == (
        "Staff",
        True,
        False,
        [],
    )
    assert staff["if"]["found"] == [{"expression": "traits.email", "value": None}]
    assert (cards["if"]["result"], cards["removed"]) == (True, ["properties.card_number"])
    preset, pages = shown["mappings"]
    assert (preset["name"], preset["matched"], preset["resolved"]) == (
        "Update Profile",
        True,
        {"profileAttributes": {}},
    )
    assert preset["updates"] == shown["updates"]
    assert preset["fields"] == [{"field": "properties.note", "reason": "string_empty"}]
    assert (pages["matched"], "updates" in pages) == (False, False)
    assert [reason["expression"] for reason in pages["trigger"]["reasons"]] == [
        'type = "page"',
        "name != null",
    ]
    assert (shown["outcome"], shown["reason"], shown["tokens"]) == ("mapped", None, 1)
    call = shown["call"]
    assert (call["method"], call["url"]) == ("POST", "https://api.batch.com/2.11/profiles/update")
    assert call["headers"]["Authorization"] == "Bearer ********"
    assert call["headers"]["X-Batch-Project"] == "********"
    assert call["body"] == [
        {
            "identifiers": {"custom_id": "user-1"},
            "attributes": {"$email_address": "a@b.fr"},
            "events": [{"name": "paid", "time": "2026-03-02T09:14:07.512Z", "attributes": {"total": 9.5}}],
        }
    ]


def test_people_read_the_same_in_lines(segbatch: Segbatch) -> None:
    Path("event.json").write_text(json.dumps(PAID, indent=2))
    result = segbatch("explain", "event.json", "--now", NOW)
    assert result.exit_code == 0
    for said in (
        "-> Integrations: allowed: the event names none of integrations.names, and no All",
        "-> Filter 'Staff' (drop): not for this event",
        "(traits.email is missing)",
        "takes out properties.card_number",
        "-> Mapping 'Update Profile': its trigger accepts the event",
        "x  Mapping 'Page views': its trigger does not accept the event",
        '(type is "track")',
        "field properties.note: string_empty",
        "Outcome: mapped",
        "costs 1 profile update:",
        "Authorization: Bearer ********",
    ):
        assert said in result.stdout
    assert result.stdout.count("properties.note: string_empty") == 1


@pytest.mark.parametrize(
    ("event", "last", "reason"),
    [
        (track(integrations={"Batch (Actions)": False}), "integrations", "filtered_by_integrations"),
        (identify({"email": "sam@staff.example"}), "filters", "filtered_by_filter"),
        ({"type": "alias", "userId": "u"}, "mappings", "no_matching_mapping"),
        (track(userId=None), "mappings", "no_user_id"),
    ],
)
def test_it_ends_where_the_event_ends(segbatch: Segbatch, event: Any, last: str, reason: str) -> None:
    shown = explained(segbatch, event)
    order = ["integrations", "filters", "mappings"]
    assert [bool(shown[step]) for step in order] == [order.index(step) <= order.index(last) for step in order]
    assert (shown["outcome"], shown["reason"], shown["call"], shown["tokens"]) == ("skipped", reason, None, 0)
    text = segbatch("explain", "-", "--now", NOW, input=json.dumps(event))
    assert f"Outcome: skipped: {reason}" in text.stdout


def test_consent_is_a_step_where_categories_are_required(segbatch: Segbatch) -> None:
    required = {"SEGBATCH_CONSENT__REQUIRED_CATEGORIES": "ads"}
    refused = track(context={"consent": {"categoryPreferences": {"ads": False}}})
    shown = explained(segbatch, refused, **required)
    assert (shown["consent"], shown["integrations"], shown["reason"]) == (False, None, "filtered_by_consent")
    assert explained(segbatch, track(), **required)["consent"] is True
    assert explained(segbatch, track())["consent"] is None
    text = segbatch("explain", "-", input=json.dumps(refused), **required)
    assert "x  Consent: a category of consent.required_categories is not true" in text.stdout


def test_what_is_no_event_says_so(segbatch: Segbatch) -> None:
    shown = explained(segbatch, "{")
    assert (shown["decoded"], shown["outcome"], shown["reason"]) == (False, "rejected", "invalid_json")
    assert "x  Decoding: rejected: invalid_json" in segbatch("explain", "-", input="{").stdout


def test_a_late_event_is_judged_by_the_clock(segbatch: Segbatch) -> None:
    old = segbatch("explain", "-", "--json", input=json.dumps(track()))
    assert json.loads(old.stdout)["reason"] == "event_too_old"


def test_a_mapping_that_fails_says_where(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text(
        "- name: Plans\n  mapping:\n    identifiers: {custom_id: u}\n"
        "    profileAttributes: {plan: {'@path': {'@path': $.properties.plan}}}\n"
    )
    shown = explained(segbatch, track({"plan": ["hidden"]}))
    (mapping,) = shown["mappings"]
    assert (mapping["outcome"], mapping["reason"], mapping["resolved"]) == (
        "rejected",
        "mapping_failed",
        None,
    )
    assert "mapping 'Plans'" in shown["detail"]
    assert "hidden" not in shown["detail"]


def test_numbers_beyond_64_bits_are_shown(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text(
        "- name: A\n  mapping:\n    identifiers: {custom_id: {'@path': $.userId}}\n"
        "    profileAttributes: {n: {'@path': $.properties.n}}\n"
    )
    shown = explained(
        segbatch, '{"type": "track", "userId": 123456789012345678901234, "properties": {"n": 1e400}}'
    )
    assert shown["mappings"][0]["resolved"]["identifiers"]["custom_id"] == 123456789012345678901234
    assert shown["mappings"][0]["fields"] == [{"field": "profileAttributes.n", "reason": "nan_or_infinity"}]


def test_it_is_really_sent_and_the_answer_shown_with_the_keys_masked(
    segbatch: Segbatch, batch: LocalBatch
) -> None:
    where = {"SEGBATCH_BATCH__BASE_URL": batch.url}
    untimed = {key: value for key, value in PAID.items() if key != "timestamp"}
    shown = explained(segbatch, untimed, "--send", **KEYS, **where)
    assert (shown["response"]["status"], shown["response"]["body"]["code"]) == ("202", "SUCCESS")
    assert batch.attributes() == {"user-1": {"$email_address": "a@b.fr"}}
    text = segbatch("explain", "-", "--now", NOW, "--send", input=json.dumps(untimed), **KEYS, **where)
    assert "The call that was made costs 1 profile update:" in text.stdout
    assert "Batch answered 202:" in text.stdout
    assert "secret" not in text.output


def test_an_answer_that_is_no_acceptance_is_exit_code_1(segbatch: Segbatch, batch: LocalBatch) -> None:
    wrong = KEYS | {"SEGBATCH_BATCH__REST_API_KEY": "wrong-key", "SEGBATCH_BATCH__BASE_URL": batch.url}
    result = segbatch("explain", "-", "--now", NOW, "--send", input=json.dumps(PAID), **wrong)
    assert (result.exit_code, "Batch answered 401:" in result.stdout) == (1, True)
    assert "wrong-key" not in result.output
    gone = KEYS | {"SEGBATCH_BATCH__BASE_URL": "http://127.0.0.1:1"}
    result = segbatch("explain", "-", "--now", NOW, "--send", input=json.dumps(PAID), **gone)
    assert (result.exit_code, "Batch answered connection_failed:" in result.stdout) == (1, True)


def test_to_send_needs_keys_and_something_to_send(segbatch: Segbatch) -> None:
    assert segbatch("explain", "-", "--send", input="{}").exit_code == 78
    result = segbatch("explain", "-", "--send", input="{}", **KEYS)
    assert (result.exit_code, "there is nothing to send: skipped, no_matching_mapping" in result.stderr) == (
        1,
        True,
    )


def test_a_time_that_is_none_is_said(segbatch: Segbatch) -> None:
    result = segbatch("explain", "-", "--now", "noon", input="{}")
    assert (result.exit_code, "--now 'noon' is not an ISO 8601 time" in result.stderr) == (2, True)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
events = st.fixed_dictionaries(
    {"type": st.sampled_from(["identify", "track", "page", "group", "other"]) | values},
    optional={
        "userId": st.sampled_from(["u", "", 7]) | values,
        "event": st.text(max_size=4) | values,
        "name": st.text(max_size=4),
        "traits": st.dictionaries(st.sampled_from(["email", "plan", "address"]), values) | values,
        "properties": st.dictionaries(st.sampled_from(["card_number", "url", "a"]), values) | values,
        "context": values,
        "integrations": st.sampled_from([{}, {"All": False}, {"Kafka": True}]) | values,
    },
)


@given(events)
@settings(max_examples=150, deadline=None)
def test_the_explanation_is_what_the_worker_does(event: Any) -> None:
    """Its result, and the mappings it says match."""
    path = Path("mappings.yaml")
    if not path.exists():
        path.write_text(starter_files()["mappings.yaml"])
    loaded = load_mappings(path)
    record, rules = json.dumps(event).encode(), MappingSettings()
    steps = explain(record, rules, loaded.mapping_set)
    assert steps.result == compile_mapper(rules, loaded.mapping_set)(record)
    matched = tuple(step.name for step in steps.mappings if step.decision.result)
    assert matched == compile_matcher(rules, loaded.mapping_set)(record)
    parts = [step.part for step in steps.mappings if step.part is not None]
    if len(parts) == 1:
        assert parts[0]._replace(problems=()) == steps.result._replace(problems=())


def test_moments_are_utc_unless_they_name_a_zone() -> None:
    assert read_moment("2026-03-02T09:14:07") == read_moment("2026-03-02T10:14:07+01:00") == 1_772_442_847_000
    assert read_moment("x") is None
    assert orjson.dumps(read_moment("1970-01-01T00:00:00Z")) == b"0.0"


def test_of_several_events_one_is_chosen_by_its_line(segbatch: Segbatch) -> None:
    Path("events.jsonl").write_text(f"\n{json.dumps(identify({}))}\n{json.dumps(PAID)}\n")

    unclear = segbatch("explain", "events.jsonl")
    assert (unclear.exit_code, unclear.stdout) == (2, "")
    assert unclear.stderr == (
        "segbatch: explain: events.jsonl has several events, a line each: choose one with --line 2\n"
    )
    empty = segbatch("explain", "events.jsonl", "--line", "1")
    assert (empty.exit_code, empty.stderr) == (2, "segbatch: explain: events.jsonl has nothing on line 1\n")
    shown = json.loads(segbatch("explain", "events.jsonl", "--line", "3", "--now", NOW, "--json").stdout)
    assert shown["updates"][0]["events"][0]["name"] == "paid"


def test_an_event_over_several_lines_says_where_it_breaks(segbatch: Segbatch) -> None:
    result = segbatch("explain", "-", input='{\n "type": "page",\n "userId" "x"\n}')
    assert result.exit_code == 0
    assert "the value is not JSON at line 3, column 11: Expecting ':' delimiter" in result.stdout


def test_what_a_mapping_hardly_means_is_told_and_the_event_explained(segbatch: Segbatch) -> None:
    Path("mappings.yaml").write_text("- {name: A, mapping: {identifiers: {custom_id: kiosk}}}")
    result = segbatch("explain", "-", input=json.dumps(PAID))
    assert "Mapping 'A': its trigger accepts the event" in result.stdout
    assert "all users would be written to one profile" in result.stderr
