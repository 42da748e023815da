"""The generated traffic: deterministic, of the size and mix asked for, right about what a record must do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import orjson
import pytest

from streams.demo.event_comparison import canonical
from streams.demo.flaws import FLAWS
from streams.demo.records import Produced, accepted, dead_lettered, skipped
from streams.demo.traffic import generate
from tests.streams.demo.reading import read

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make(count: int, **settings: Any) -> list[Produced]:
    chosen: dict[str, Any] = {"users": 200, "seed": 7, "now": NOW} | settings
    return list(generate(count, **chosen))


def decode(produced: Produced) -> dict[str, Any]:
    assert produced.value is not None
    event: dict[str, Any] = orjson.loads(produced.value)
    return event


def test_the_same_arguments_make_the_same_records_and_another_seed_makes_others() -> None:
    assert make(500) == make(500)
    values, others = make(500, bad_share=0.0), make(500, bad_share=0.0, seed=8)
    assert not {produced.value for produced in values} & {produced.value for produced in others}


def test_it_makes_as_many_records_as_asked_for_one_by_one() -> None:
    assert len(make(321)) == 321
    assert make(0) == []
    endless = generate(10**9, users=50, seed=1, now=NOW)
    assert len(list(islice(endless, 5))) == 5


@pytest.mark.parametrize("mean_bytes", [650, 1000, 2500])
def test_the_mean_size_is_about_the_one_asked_for(mean_bytes: int) -> None:
    sizes = [len(produced.value or b"") for produced in make(5000, mean_bytes=mean_bytes)]
    assert sum(sizes) / len(sizes) == pytest.approx(mean_bytes, rel=0.05)
    assert max(sizes) <= 32_000
    assert len(set(sizes)) > 100


def test_every_sound_record_is_keyed_by_the_user_it_is_about() -> None:
    for produced in make(2000, bad_share=0.0):
        user_id = decode(produced)["userId"]
        assert produced.key == str(user_id).encode()
        assert produced.expectation.custom_id == str(user_id)


def test_user_ids_come_in_the_forms_companies_use_and_stay_within_the_number_of_users() -> None:
    ids = {decode(produced)["userId"] for produced in make(5000, bad_share=0.0)}
    assert len(ids) <= 200
    forms = Counter(
        "number"
        if isinstance(user_id, int)
        else "email"
        if "@" in user_id
        else "user"
        if user_id.startswith("user-")
        else "uuid"
        for user_id in ids
    )
    assert forms.keys() == {"number", "email", "user", "uuid"}
    assert forms["user"] > len(ids) / 2


def test_addresses_are_of_the_reserved_example_domains_only() -> None:
    for produced in make(3000):
        for key, value in produced.expectation.attributes.items():
            if key == "$email_address" and value is not None:
                assert value.rpartition("@")[2] in ("example.com", "example.org", "example.net")


def test_event_times_lie_within_the_hour_before_now_and_message_ids_are_unique() -> None:
    records = make(3000, bad_share=0.0)
    times = [datetime.fromisoformat(decode(produced)["timestamp"]) for produced in records]
    received = [datetime.fromisoformat(decode(produced)["receivedAt"]) for produced in records]
    assert min(times) >= NOW - timedelta(hours=1)
    assert max(received) <= NOW
    assert times != sorted(times)
    assert len({decode(produced)["messageId"] for produced in records}) == 3000


def test_the_mix_has_every_kind_of_call_and_of_engage_message() -> None:
    kinds: Counter[tuple[str, str | None]] = Counter()
    for produced in make(3000, bad_share=0.0):
        event = decode(produced)
        personas = event["context"].get("personas")
        kinds[event["type"], personas and personas["computation_class"]] += 1
    assert kinds.keys() == {
        ("identify", None),
        ("track", None),
        ("identify", "audience"),
        ("identify", "journey_step"),
        ("track", "audience"),
        ("identify", "trait"),
        ("identify", "computed_trait"),
        ("track", "trait"),
    }
    assert min(kinds.values()) > 10


def test_engage_messages_look_as_they_come_through_segments_kafka_destination() -> None:
    event = next(e for e in map(decode, make(200, bad_share=0.0)) if "personas" in e["context"])
    assert event["integrations"]["All"] is False
    assert event["integrations"]["Kafka"] is True
    assert event["sentAt"] is None
    assert len(event["messageId"]) == len("personas_") + 27
    assert len(event["originalTimestamp"]) == len("2026-03-02T09:14:07.512480913Z")


def test_values_include_what_is_easily_got_wrong() -> None:
    records = make(5000, bad_share=0.0)
    raw = b"".join(produced.value or b"" for produced in records)
    attributes = [item for produced in records for item in produced.expectation.attributes.items()]
    keys = {key for key, _ in attributes}
    assert b":450.0" in raw
    assert {
        "date(birthday)",
        "birthday",
        "url(avatar)",
        "avatar",
        "firstname",
        "appversions",
        "$region",
    } <= keys
    for key in ("plan", "$email_marketing", "$email_address", "$phone_number", "birthday", "avatar"):
        assert (key, None) in attributes
    assert {"fr-FR", "fr_FR", "zh-Hans-CN", "en-us", "fr"} <= {
        decode(produced)["context"].get("locale") for produced in records
    }
    assert b'"true"' in raw
    assert all(not isinstance(value, float) or value != int(value) for _, value in attributes)


def test_no_bad_record_unless_asked_for_and_about_the_share_asked_for() -> None:
    assert {produced.expectation.outcome for produced in make(2000, bad_share=0.0)} == {"accepted"}
    outcomes = Counter(produced.expectation.outcome for produced in make(10_000, bad_share=0.1))
    assert 400 < outcomes["skipped"] + outcomes["dead_lettered"] < 1000


def test_every_kind_of_bad_record_appears() -> None:
    records = make(len(FLAWS), bad_share=1.0)
    reasons = Counter((p.expectation.outcome, p.expectation.reason) for p in records)
    assert reasons.keys() == {
        ("accepted", None),
        ("skipped", "no_user_id"),
        ("skipped", "filtered_by_integrations"),
        ("skipped", "no_matching_mapping"),
        ("skipped", "tombstone"),
        ("dead_lettered", "invalid_json"),
        ("dead_lettered", "junk_user_id"),
        ("dead_lettered", "blank_user_id"),
        ("dead_lettered", "event_too_old"),
    }
    assert [p for p in records if p.value is None] == [
        p for p in records if p.expectation == skipped("tombstone")
    ]
    assert all(p.key is None for p in records if p.expectation.reason == "no_user_id")


def test_a_bad_share_of_the_default_shows_every_reason_in_a_short_run() -> None:
    assert len({produced.expectation.reason for produced in make(3000)}) == 9


@pytest.mark.parametrize(
    "settings", [{"seed": 1}, {"seed": 2, "mean_bytes": 650}, {"seed": 3, "bad_share": 0.5}]
)
def test_a_second_reading_of_the_rules_agrees_with_every_expectation(settings: dict[str, Any]) -> None:
    for produced in make(4000, **settings):
        again = read(produced.value, NOW)
        assert canonical([*again]) == canonical([*produced.expectation]), produced.value


PERSONAS = {
    "computation_class": "audience",
    "computation_id": "aud_2rT7hK1mNq3PzYw8bVc5XsD9EfG",
    "computation_key": "order_completed_last_30days",
    "namespace": "spa_k",
    "space_id": "spa_k",
}
ENGAGE = {"All": False, "Kafka": True}
HAPPENED = "2026-03-02T09:14:07.512Z"

BY_HAND: list[tuple[dict[str, Any], Any]] = [
    (
        {
            "type": "identify",
            "userId": "97980cfea0067",
            "traits": {
                "name": "Peter Gibbons",
                "email": "peter@example.com",
                "phone": "+33600000000",
                "email_marketing": "subscribed",
                "sms_marketing": "unsubscribed",
                "plan": "premium",
                "logins": 5,
            },
            "context": {"timezone": "Europe/Paris", "locale": "fr-FR"},
        },
        accepted(
            "97980cfea0067",
            {
                "$email_address": "peter@example.com",
                "$phone_number": "+33600000000",
                "$email_marketing": "subscribed",
                "$sms_marketing": "unsubscribed",
                "$language": "fr",
                "$region": "FR",
                "$timezone": "Europe/Paris",
                "name": "Peter Gibbons",
                "plan": "premium",
                "logins": 5,
            },
        ),
    ),
    (
        {
            "type": "track",
            "event": "User Registered",
            "userId": "97980cfea0067",
            "timestamp": HAPPENED,
            "properties": {"plan": "Pro Annual", "accountType": "Facebook"},
            "context": {},
        },
        accepted(
            "97980cfea0067",
            {},
            [
                {
                    "name": "user_registered",
                    "time": HAPPENED,
                    "attributes": {"plan": "Pro Annual", "accounttype": "Facebook"},
                }
            ],
        ),
    ),
    (
        {
            "type": "identify",
            "userId": "cust-48213",
            "traits": {"order_completed_last_30days": "true", "email": "lea.martin@example.net"},
            "context": {"personas": PERSONAS},
            "integrations": ENGAGE,
        },
        accepted(
            "cust-48213", {"order_completed_last_30days": True, "$email_address": "lea.martin@example.net"}
        ),
    ),
    (
        {
            "type": "track",
            "event": "Left The Club",
            "userId": "cust-48213",
            "timestamp": HAPPENED,
            "properties": {
                "audience_key": "order_completed_last_30days",
                "order_completed_last_30days": False,
            },
            "context": {"personas": PERSONAS, "traits": {"email": "lea.martin@example.net"}},
            "integrations": ENGAGE,
        },
        accepted(
            "cust-48213", {"order_completed_last_30days": False, "$email_address": "lea.martin@example.net"}
        ),
    ),
    (
        {
            "type": "identify",
            "userId": 48213,
            "traits": {
                "email_marketing": "reset",
                "phone": None,
                "total": 450.0,
                "birthDay": "1989-07-20T00:00:00Z",
            },
            "context": {"locale": "zh-Hans-CN", "traits": {"email": None}},
        },
        accepted(
            "48213",
            {
                "$email_marketing": None,
                "$phone_number": None,
                "$email_address": None,
                "$language": "zh",
                "$region": "CN",
                "total": 450,
                "date(birthday)": "1989-07-20T00:00:00Z",
            },
        ),
    ),
    (
        {"type": "identify", "userId": "a", "traits": {}, "context": {}, "integrations": {"All": False}},
        skipped("filtered_by_integrations"),
    ),
    ({"type": "identify", "userId": "Undefined", "traits": {}, "context": {}}, dead_lettered("junk_user_id")),
]


@pytest.mark.parametrize(("event", "expectation"), BY_HAND)
def test_the_second_reading_itself_agrees_with_examples_written_by_hand(
    event: dict[str, Any], expectation: Any
) -> None:
    assert canonical([*read(orjson.dumps(event), NOW)]) == canonical([*expectation])
