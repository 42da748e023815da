"""What the headers of a dead letter say, and that they are read as they were written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sink.settlement import Part, Refusal
from streams.ledger import Ledger
from streams.letter import ALREADY_REPLAYED, Letter, letter_headers, read_letter
from streams.records import Headers, Record
from streams.replay_headers import Replay, ReplayLate, read_replay, replay_headers
from tests.streams.fakes import FakeMessage, fetched

REFUSAL = Refusal("refused_by_batch", "Batch refuses it.", "400", "Malformed ***", 3)


def record_of(message: FakeMessage) -> Record:
    return fetched(Ledger("events", 2, message.offset()), message)[0]


def test_the_headers_say_what_happened_in_kafka_connects_words_and_ours() -> None:
    record = record_of(FakeMessage(offset=77))
    headers = dict(letter_headers(record, REFUSAL, value_left_out=False))
    expected = {
        "__connect.errors.topic": b"events",
        "__connect.errors.partition": b"2",
        "__connect.errors.offset": b"77",
        "__connect.errors.exception.message": b"Batch refuses it.",
        "segbatch.reason": b"refused_by_batch",
        "segbatch.part": b"record",
        "segbatch.http.status": b"400",
        "segbatch.batch.message": b"Malformed ***",
        "segbatch.attempts": b"3",
        "segbatch.delivered": b"false",
        "segbatch.record.at": b"2026-01-01T00:00:00.000Z",
    }
    assert {name: headers[name] for name in expected} == expected
    failed_at = headers["segbatch.failed.at"]
    assert failed_at is not None
    assert failed_at.endswith(b"Z")
    assert headers.keys().isdisjoint({"segbatch.value.left.out", "segbatch.profile"})


def test_a_record_without_a_time_has_no_time_in_its_letter() -> None:
    headers = dict(letter_headers(record_of(FakeMessage(timestamp=(0, -1))), REFUSAL, value_left_out=False))
    assert "segbatch.record.at" not in headers


def test_a_copy_says_that_its_record_was_delivered() -> None:
    refusal = Refusal("event_refused_by_batch", "d", "202", delivered=True)
    headers = dict(letter_headers(record_of(FakeMessage()), refusal, value_left_out=False))
    assert headers["segbatch.delivered"] == b"true"


def test_no_header_of_ours_carries_anything_of_the_key_or_value() -> None:
    record = record_of(FakeMessage(b'{"userId":"canary"}', b"canary"))
    for _, value in letter_headers(record, REFUSAL, value_left_out=True):
        assert value is None or b"canary" not in value


def read_back(headers: Headers) -> Letter:
    letter = read_letter(FakeMessage(headers=headers))
    assert letter is not None
    return letter


def test_a_letter_is_read_as_it_was_written() -> None:
    record = record_of(FakeMessage(offset=77, headers=[("trace", b"1"), ("trace", None)]))
    refusal = replace(REFUSAL, part="event", profile="9aac5a8621eae188", delivered=True)
    letter = read_back(letter_headers(record, refusal, ["a", "b, c"], value_left_out=True))
    assert letter.failed_at.endswith("Z")
    assert replace(letter, failed_at="") == Letter(
        topic="events",
        partition=2,
        offset=77,
        reason="refused_by_batch",
        detail="Batch refuses it.",
        part="event",
        profile="9aac5a8621eae188",
        mappings=("a", "b, c"),
        http_status="400",
        batch_message="Malformed ***",
        attempts=3,
        failed_at="",
        record_at="2026-01-01T00:00:00.000Z",
        delivered=True,
        value_left_out=True,
        replayed=False,
        own=(("trace", b"1"), ("trace", None)),
    )


def test_a_record_that_was_a_letter_elsewhere_keeps_those_headers_as_its_own() -> None:
    older = letter_headers(record_of(FakeMessage()), Refusal("invalid_json", "d"), ["x"], value_left_out=True)
    record = record_of(FakeMessage(offset=5, headers=older))
    letter = read_back(letter_headers(record, REFUSAL, value_left_out=False))
    assert (letter.reason, letter.offset, letter.mappings) == ("refused_by_batch", 5, ())
    assert not letter.value_left_out
    assert list(letter.own) == older


def test_the_letter_of_a_replayed_record_does_not_keep_what_replay_added() -> None:
    replay = Replay("event", "send_without_time", "9aac5a8621eae188")
    record = record_of(FakeMessage(headers=[("trace", b"1"), *replay_headers(replay)]))
    record.replay = replay
    letter = read_back(letter_headers(record, replace(REFUSAL, part="event"), value_left_out=False))
    assert letter.own == (("trace", b"1"),)
    assert letter.part == "event"


def test_a_letter_that_was_moved_after_its_replay_says_so() -> None:
    headers = letter_headers(record_of(FakeMessage()), REFUSAL, value_left_out=False)
    assert read_back([*headers, (ALREADY_REPLAYED, b"true")]).replayed


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [],
        [("trace", b"1")],
        [("__connect.errors.topic", b"events")],
        [("__connect.errors.topic", b"e"), ("__connect.errors.partition", b"x")],
    ],
)
def test_other_records_are_no_letters(headers: Headers | None) -> None:
    assert read_letter(FakeMessage(headers=headers)) is None


@pytest.mark.parametrize("part", ["record", "event", "attributes"])
@pytest.mark.parametrize("late", [None, "send_without_time"])
@pytest.mark.parametrize("profile", ["", "9aac5a8621eae188"])
def test_what_a_replay_asks_is_read_as_it_was_written(
    part: Part, late: ReplayLate | None, profile: str
) -> None:
    asked = Replay(part, late, profile)
    assert read_replay([("x", None), *replay_headers(asked)]) == asked


def test_without_the_mark_or_with_words_unknown_a_record_is_an_ordinary_one() -> None:
    assert read_replay([("segbatch.part", b"event")]) is None
    assert read_replay([("segbatch.replayed", b"0")]) is None
    odd: Headers = [("segbatch.replayed", b"1"), ("segbatch.part", b"\xff"), ("segbatch.late", None)]
    assert read_replay(odd) == Replay()
