"""From bytes to an event: what orjson refuses, the standard library reads."""

import orjson
import pytest

from mapping.mapper import compile_mapper
from mapping.profile import Rejected, Skipped
from mapping.settings import MappingSettings
from tests.mapping.builders import attributes_of, mapped, problems_of, update_of


def identify_with(traits: bytes) -> bytes:
    return b'{"type":"identify","userId":"u","traits":{' + traits + b"}}"


def test_a_tombstone_is_skipped() -> None:
    assert compile_mapper(MappingSettings())(None) == Skipped("tombstone")


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b" ",
        b"{",
        b"nope",
        b"\xff\xfe",
        b'{"a":"\xff"}',
        b"{'a':1}",
        b'{"a":1} x',
        b"[" * 100_000,
        b'{"a":' * 5_000,
    ],
)
def test_what_is_not_json_is_rejected(record: bytes) -> None:
    result = mapped(record)
    assert isinstance(result, Rejected)
    assert result.reason == "invalid_json"


@pytest.mark.parametrize("record", [b"null", b"[]", b"5", b'"event"', b"true", b"NaN", b"[NaN]", b"1e999"])
def test_what_is_not_an_object_is_rejected(record: bytes) -> None:
    result = mapped(record)
    assert isinstance(result, Rejected)
    assert result.reason == "not_an_object"


def test_lone_surrogates_become_the_replacement_character_and_are_counted() -> None:
    record = identify_with(rb'"a":"x\ud83d","b":"\udc00y\ud800","c":"\ud83d\ude00","list":["\ud83d"]')
    assert attributes_of(record) == {"a": "x\ufffd", "b": "\ufffdy\ufffd", "c": "😀", "list": ["\ufffd"]}
    assert problems_of(record) == [
        ("traits.a", "lone_surrogate"),
        ("traits.b", "lone_surrogate"),
        ("traits.list", "lone_surrogate"),
    ]


def test_a_lone_surrogate_in_a_key_does_not_cost_the_field() -> None:
    record = identify_with(rb'"plan\ud83d":"free"')
    assert attributes_of(record) == {"plan": "free"}
    assert problems_of(record) == [("traits", "lone_surrogate")]


def test_a_lone_surrogate_in_the_user_id_is_replaced() -> None:
    record = rb'{"type":"identify","userId":"u\ud83d","traits":{"a":1}}'
    assert update_of(record).custom_id == "u\ufffd"


def test_an_event_of_a_track_with_lone_surrogates_can_be_posted() -> None:
    record = rb'{"type":"track","userId":"u","event":"E\ud83d","properties":{"a":"\ud83d","o":{"\ud83db":1}}}'
    (event,) = update_of(record).events
    assert orjson.loads(event.body) == {"name": "e_", "attributes": {"a": "\ufffd", "o": {"b": 1}}}


def test_the_last_of_duplicate_keys_wins() -> None:
    assert attributes_of(identify_with(b'"plan":"free","plan":"paid"')) == {"plan": "paid"}
    assert attributes_of(identify_with(b'"plan":"free","plan":"paid","x":NaN')) == {"plan": "paid"}


def test_a_byte_order_mark_does_not_matter() -> None:
    assert attributes_of(b"\xef\xbb\xbf" + identify_with(b'"a":1')) == {"a": 1}


def test_integers_in_an_event_orjson_refuses_keep_their_digits() -> None:
    assert attributes_of(identify_with(b'"a":9223372036854775807,"b":NaN,"c":450.0')) == {
        "a": 2**63 - 1,
        "c": 450,
    }


def test_big_numbers_where_nothing_is_sent_do_not_matter() -> None:
    record = b'{"type":"identify","userId":"u","x":99999999999999999999,"traits":{"a":1}}'
    assert attributes_of(record) == {"a": 1}
    assert problems_of(record) == []
