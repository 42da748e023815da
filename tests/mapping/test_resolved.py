"""Updates that were mapped already come back as they were."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.mapper import compile_mapper
from mapping.profile import (
    ArrayDelta,
    AttributeValue,
    DateString,
    ProfileEvent,
    ProfileUpdate,
    Rejected,
    Skipped,
    UrlString,
)
from mapping.resolved import RESOLVED_TYPE, resolved_event
from mapping.settings import MappingSettings
from sink.encoding import encode_attributes

AT = "2026-03-02T09:14:07.512Z"
AT_MS = 1772442847512
map_record = compile_mapper(MappingSettings())

texts = st.text(min_size=1, max_size=5)
values: st.SearchStrategy[AttributeValue] = st.one_of(
    texts,
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none(),
    st.lists(texts, min_size=1, max_size=3),
    st.just(DateString("2020-01-01T00:00:00Z")),
    st.just(UrlString("https://example.com/a")),
    st.builds(ArrayDelta, st.tuples(texts), st.tuples() | st.tuples(texts)),
)
names = st.from_regex(r"\A\$?[a-z0-9_]{1,10}\Z")


def record(attributes: dict[str, Any], *events: bytes) -> bytes:
    return resolved_event("user-1", "m-1", AT, attributes, events)


@given(st.dictionaries(names, values, min_size=1, max_size=8))
def test_attributes_keep_value_and_form(attributes: dict[str, AttributeValue]) -> None:
    found = map_record(record(dict(encode_attributes(attributes))))

    assert found == ProfileUpdate("user-1", attributes, (), (), AT_MS)
    assert isinstance(found, ProfileUpdate)
    assert {k: type(v) for k, v in found.attributes.items()} == {k: type(v) for k, v in attributes.items()}


def test_events_keep_their_body_and_time() -> None:
    body = orjson.dumps({"name": "order", "time": AT, "attributes": {"total": 3}})

    assert map_record(record({}, body)) == ProfileUpdate(
        "user-1", {}, (ProfileEvent("order", AT_MS, body),), (), AT_MS
    )


def test_one_that_says_nothing_is_skipped() -> None:
    assert map_record(record({})) == Skipped("nothing_to_send")


@pytest.mark.parametrize(
    "broken",
    [
        {"userId": None},
        {"userId": ""},
        {"attributes": []},
        {"events": {}},
        {"events": [{"name": 3}]},
        {"events": [1]},
    ],
)
def test_a_damaged_one_is_rejected(broken: dict[str, Any]) -> None:
    event = {"type": RESOLVED_TYPE, "userId": "u", "attributes": {"a": 1}, "events": [], **broken}
    found = map_record(orjson.dumps(event))

    assert isinstance(found, Rejected)
    assert found.reason == "malformed_update"
