"""Whatever comes in: nothing escapes the mapping, and what leaves it obeys Batch's limits."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from mapping.documented import documented
from mapping.mapper import compile_mapper
from mapping.profile import ArrayDelta, ProfileUpdate, Rejected, Skipped, UrlString
from mapping.settings import MappingSettings

SETTINGS = (
    MappingSettings(),
    MappingSettings(naming="snake", audience_tracks="both", event_attribute_limit=3),
    MappingSettings(names={"a": "chosen"}, audience_tracks="event", integrations_names=()),
)
MAPPERS = tuple(compile_mapper(settings) for settings in SETTINGS)
NAME = re.compile(r"[a-z0-9_]{1,30}")
TYPED_NAME = re.compile(r"(date|url)\(([a-z0-9_]{1,30})\)|[a-z0-9_]{1,30}")
NATIVE = {
    "$email_address",
    "$email_marketing",
    "$phone_number",
    "$sms_marketing",
    "$language",
    "$region",
    "$timezone",
}

interesting = st.sampled_from(
    [
        "true", "https://example.com/a", "2026-03-02T09:14:07.512Z", "2026-02-30T00:00:00Z", "a@b.co", "+336", "reset",
        "fr-FR", "Europe/Paris", "x" * 301, "https://e.co/" + "x" * 2100, "", " ", "\ud83d", 2**63, 2**70, 1e300,
        float("nan"), float("-inf"), -0.0, 450.0, {"$add": ["a"]}, ["a"] * 30, [{"a": 1}] * 30,
        {"a": {"b": {"c": {"d": {}}}}},
    ]
)  # fmt: skip
keys = st.one_of(
    st.text(st.characters(), max_size=8),
    st.sampled_from(
        ["a", "A", "email", "phone", "email_marketing", "$label", "$tags", "$email_address", "x" * 40]
    ),
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | interesting,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(keys, children, max_size=5),
    max_leaves=20,
)
objects = st.dictionaries(keys, values, max_size=30)
personas = st.fixed_dictionaries(
    {}, optional={"computation_class": st.just("audience") | values, "computation_key": keys | values}
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "traits": objects | values,
        "locale": values,
        "timezone": values,
        "personas": personas | values,
    },
)
events = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["identify", "track"]) | values,
        "userId": st.just("user-1") | values,
    },
    optional={
        "event": values,
        "traits": objects | values,
        "properties": objects | values,
        "context": contexts | values,
        "timestamp": values,
        "integrations": st.dictionaries(st.sampled_from(["All", "Kafka"]), values) | values,
    },
)


def assert_result_obeys_limits(record: bytes) -> None:
    for settings, mapper in zip(SETTINGS, MAPPERS, strict=True):
        result = mapper(record)
        assert isinstance(result, ProfileUpdate | Skipped | Rejected)
        for problem in result.problems:
            problem.field.encode()
            assert re.fullmatch("[a-z_]+", problem.reason)
        if isinstance(result, ProfileUpdate):
            assert_update_obeys(result, settings)
        orjson.dumps(documented(record, settings)[0])


def assert_update_obeys(update: ProfileUpdate, settings: MappingSettings) -> None:
    assert update.attributes or update.events
    assert 1 <= len(update.custom_id) <= 512
    update.custom_id.encode()
    for name, value in update.attributes.items():
        if name.startswith("$"):
            assert name in NATIVE
            assert value is None or isinstance(value, str)
        else:
            assert NAME.fullmatch(name)
            assert_attribute_obeys(value)
    for event in update.events:
        assert NAME.fullmatch(event.name)
        assert len(event.body) <= 25_000
        body = json.loads(event.body)
        assert body["name"] == event.name
        assert ("time" in body) == (event.time_ms is not None)
        assert_object_obeys(body.get("attributes", {"a": 1}), 1, settings.event_attribute_limit)


def assert_attribute_obeys(value: Any) -> None:
    if isinstance(value, ArrayDelta):
        assert value.add or value.remove
        assert_strings_obey(list(value.add + value.remove), 50)
    elif isinstance(value, list):
        assert_strings_obey(value, 25)
    elif value is not None:
        assert_scalar_obeys(value)


def assert_object_obeys(members: dict[str, Any], depth: int, limit: int) -> None:
    names = [name for name in members if depth > 1 or name not in ("$label", "$tags")]
    assert len(members) > 0
    assert len(names) <= limit
    found = [TYPED_NAME.fullmatch(name) for name in names]
    bare = [match[2] or match[0] for match in found if match]
    assert len(set(bare)) == len(names)
    for name in names:
        value = members[name]
        if isinstance(value, dict | list):
            assert depth <= 3
        if isinstance(value, dict):
            assert_object_obeys(value, depth + 1, limit)
        elif isinstance(value, list) and isinstance(value[0], dict):
            assert len(value) <= 25
            for item in value:
                assert_object_obeys(item, depth + 1, limit)
        elif isinstance(value, list):
            assert_strings_obey(value, 25)
        else:
            assert_scalar_obeys(UrlString(value) if name.startswith("url(") else value)


def assert_strings_obey(items: list[str], limit: int) -> None:
    assert 1 <= len(items) <= limit
    for item in items:
        assert_scalar_obeys(item)
        assert isinstance(item, str)


def assert_scalar_obeys(value: Any) -> None:
    if isinstance(value, str):
        value.encode()
        assert 1 <= len(value) <= (2048 if isinstance(value, UrlString) else 300)
        assert value.strip()
    elif isinstance(value, int):
        assert -(2**63) <= value < 2**63
    else:
        assert isinstance(value, float)
        assert not value.is_integer() or abs(value) >= 2**63
    orjson.dumps(value)


@given(events)
def test_any_event_gives_an_update_within_the_limits_or_a_reason(event: dict[str, Any]) -> None:
    assert_result_obeys_limits(json.dumps(event).encode())


@given(values)
def test_any_json_gives_a_result(value: Any) -> None:
    assert_result_obeys_limits(json.dumps(value).encode())


@given(st.binary(max_size=200))
def test_any_bytes_give_a_result(record: bytes) -> None:
    assert_result_obeys_limits(record)


@given(events, st.data())
def test_any_damage_to_an_event_gives_a_result(event: dict[str, Any], data: st.DataObject) -> None:
    record = bytearray(json.dumps(event).encode())
    record[data.draw(st.integers(0, len(record) - 1))] = data.draw(st.integers(0, 255))
    assert_result_obeys_limits(bytes(record))


@given(st.text(st.characters(), min_size=1))
def test_names_are_always_names(text: str) -> None:
    record = json.dumps({"type": "track", "userId": "u", "event": text, "properties": {text: 1}}).encode()
    for mapper in MAPPERS:
        result = mapper(record)
        if isinstance(result, ProfileUpdate):
            assert NAME.fullmatch(result.events[0].name)
