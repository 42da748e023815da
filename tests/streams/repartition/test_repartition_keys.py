"""The key is the userId of the event itself, whatever else in the record looks like one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.commands.produce import key_of
from streams.repartition.keys import NOBODY, FoundKey, find_key

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)
IDS = st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable())


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b'{"userId":"u-1","anonymousId":"a-1"}', FoundKey(b"u-1", "user_id")),
        (b'{"properties":{"userId":"other"},"userId":"u-1"}', FoundKey(b"u-1", "user_id")),
        (b'{"userId":"u-1","properties":{"userId":"other"}}', FoundKey(b"u-1", "user_id")),
        (b'{"properties":{"userId":"other"},"anonymousId":"a-1"}', FoundKey(b"a-1", "anonymous_id")),
        (rb'{"text":"\"userId\":\"other\"","anonymousId":"a-1"}', FoundKey(b"a-1", "anonymous_id")),
        (rb'{"\u0075serId":"u-1"}', FoundKey(b"u-1", "user_id")),
        (rb'{"userId":"\u00e9t\u00e9"}', FoundKey("été".encode(), "user_id")),
        (b'{"userId":48213}', FoundKey(b"48213", "user_id")),
        (b'{"userId":123456789012345678901}', FoundKey(b"123456789012345678901", "user_id")),
        (b'{"userId":450.0}', FoundKey(b"450", "user_id")),
        (b'{"userId":null,"anonymousId":"a-1"}', FoundKey(b"a-1", "anonymous_id")),
        (b'{"userId":"","anonymousId":"a-1"}', FoundKey(b"a-1", "anonymous_id")),
        (b'{"userId":true,"anonymousId":7}', NOBODY),
        (b"{}", NOBODY),
        (b'["userId","u-1"]', NOBODY),
        (b'{"userId":"u-1"', NOBODY),
        (b"\xff\x00", NOBODY),
        (b"", NOBODY),
        (None, NOBODY),
    ],
)
def test_key(value: bytes | None, key: FoundKey) -> None:
    assert find_key(value) == key


@given(event=st.dictionaries(st.text(max_size=12), JSON, max_size=5), user_id=IDS, spaced=st.booleans())
def test_the_events_own_user_is_found_in_any_event(
    event: dict[str, object], user_id: str, spaced: bool
) -> None:
    event = {"before": event, **event, "userId": user_id, "after": {"userId": "other"}}
    value = json.dumps(event, separators=None if spaced else (",", ":")).encode()

    assert find_key(value) == FoundKey(user_id.encode(), "user_id")
    assert find_key(value).key == key_of(value), "as `segbatch produce` keys it"
