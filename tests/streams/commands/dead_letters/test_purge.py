"""`segbatch dead-letters purge`: a user's letters are gone, everybody else's are still there, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streams.commands.dead_letters.purging import delete_before
from streams.commands.dead_letters.transactions import Transactions
from tests.kafka import KafkaCluster, Record
from tests.streams.commands.dead_letters.corner import Corner, headers_of, identify
from tests.streams.commands.helpers import Segbatch

DELETE = "streams.commands.dead_letters.purge.delete_before"


class Killed(BaseException):
    """The process is gone."""


def run(segbatch: Segbatch, corner: Corner, user: str = "u1") -> Any:
    return segbatch(
        "dead-letters", "purge", "--user", user, "--yes", catch_exceptions=False, **corner.settings
    )


def letters(segbatch: Segbatch, corner: Corner) -> list[dict[str, Any]]:
    exported = segbatch("dead-letters", "export", **corner.settings).stdout
    return [json.loads(line) for line in exported.splitlines()]


def anywhere(found: list[dict[str, Any]]) -> list[str]:
    """What letters say, wherever they lie in their topic."""
    return sorted(json.dumps({**letter, "offset": 0}) for letter in found)


def test_a_users_letters_are_gone_and_the_others_are_as_they_were(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(
        *(corner.letter(f"u{n % 3}", partition=0, offset=n, headers=[("trace", b"t")]) for n in range(9)),
        corner.letter("u2", partition=1),
    )
    before = letters(segbatch, corner)

    result = run(segbatch, corner)

    assert result.exit_code == 0, result.output
    assert "3 letters of this user in 1 partition; 6 of others there will be written anew" in result.stdout
    assert "3 letters removed from 1 partition" in result.stdout
    raw = [message for message in corner.kafka.read_all(corner.letters) if b"u1" in (message.value() or b"")]
    assert raw == []
    after = letters(segbatch, corner)
    assert [letter["key"] for letter in after if letter["partition"] == 0] == ["u0", "u2"] * 3
    assert anywhere(after) == anywhere([letter for letter in before if letter["key"] != "u1"])
    assert corner.kafka.begin_offsets(corner.letters) == {0: 9, 1: 0}


def test_what_was_replayed_stays_replayed_when_it_moves(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1"), corner.letter("u2"), corner.letter("u3"))
    replay = ("dead-letters", "replay", "--rate", "1000")
    assert segbatch(*replay, **corner.settings).exit_code == 0
    corner.put(corner.letter("u4"))

    assert run(segbatch, corner).exit_code == 0

    states = {letter["key"]: letter["replayed"] for letter in letters(segbatch, corner)}
    assert states == {"u2": True, "u3": True, "u4": False}
    assert segbatch(*replay, **corner.settings).exit_code == 0
    assert corner.replayed_users() == ["u1", "u2", "u3", "u4"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"u1", b"{"),
        (None, identify("u1")),
        (None, b'{"userId": "other", "previousId": "u1"}'),
        (None, b'{"userId": "u1", "cut'),
        (b"other", b'{ "userId"  :"u1"'),
    ],
)
def test_a_letter_is_a_users_by_its_key_or_by_the_ids_in_its_value(
    segbatch: Segbatch, corner: Corner, key: bytes | None, value: bytes
) -> None:
    corner.put(
        corner.letter("x", value=value)._replace(key=key),
        corner.letter("u11"),
        corner.letter("x", value=b'{"userId": "u11", "cut'),
        corner.letter("x", value=b'{"type":"track","userId":"x","properties":{"userId":"u1"}}'),
    )
    assert "1 letter removed" in run(segbatch, corner).stdout
    assert len(letters(segbatch, corner)) == 3


def test_a_user_whose_id_is_a_number_is_found(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("x", value=b'{"type":"identify","userId":12.0}')._replace(key=None))
    assert "1 letter removed" in run(segbatch, corner, "12").stdout


def test_killed_while_letters_move_nothing_has_changed(
    segbatch: Segbatch, corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    corner.put(corner.letter("u1"), corner.letter("u2"), corner.letter("u3"))

    def die(_: Transactions) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Transactions, "commit", die)
        with pytest.raises(Killed):
            run(segbatch, corner)
    assert [letter["key"] for letter in letters(segbatch, corner)] == ["u1", "u2", "u3"]
    assert run(segbatch, corner).exit_code == 0
    assert [letter["key"] for letter in letters(segbatch, corner)] == ["u2", "u3"]


def test_killed_before_the_deletion_letters_count_once_and_a_second_run_deletes(
    segbatch: Segbatch, corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    corner.put(corner.letter("u1"), corner.letter("u2"), corner.letter("u3"))

    def die_when_it_matters(admin: Any, place: Any, offset: int) -> None:
        if offset:
            raise Killed
        delete_before(admin, place, offset)

    with monkeypatch.context() as patch:
        patch.setattr(DELETE, die_when_it_matters)
        with pytest.raises(Killed):
            run(segbatch, corner)

    assert [letter["key"] for letter in letters(segbatch, corner)] == ["u2", "u3"]
    assert corner.kafka.begin_offsets(corner.letters)[0] == 0
    again = run(segbatch, corner)
    assert (again.exit_code, again.stdout) == (0, "no letters of this user\n")
    assert corner.kafka.begin_offsets(corner.letters)[0] == 3
    assert [letter["key"] for letter in letters(segbatch, corner)] == ["u2", "u3"]


def test_where_records_may_not_be_deleted_nothing_is_moved(
    segbatch: Segbatch, corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    corner.put(corner.letter("u1"), corner.letter("u2"))
    before = corner.kafka.end_offsets(corner.letters)

    def refuse(*_: Any) -> None:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    monkeypatch.setattr(DELETE, refuse)
    result = run(segbatch, corner)
    assert result.exit_code == 1
    assert "give this user DELETE on the topic" in result.stderr
    assert corner.kafka.end_offsets(corner.letters) == before


def test_a_compacted_topic_is_left_as_it_is(segbatch: Segbatch, kafka: KafkaCluster) -> None:
    corner = Corner(kafka, 1)
    topic = kafka.create_topic(kafka.unique("compacted"), 1, cleanup_policy="compact")
    kafka.produce(topic, [corner.letter("u1")])
    result = segbatch("dead-letters", "purge", "--user", "u1", "--yes", "--topic", topic, **corner.settings)
    assert result.exit_code == 1
    assert "its cleanup.policy has to contain delete" in result.stderr
    assert len(kafka.read_all(topic)) == 1


def test_it_asks_first_and_without_a_terminal_it_does_nothing(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1"))
    result = segbatch("dead-letters", "purge", "--user", "u1", input="y\n", **corner.settings)
    assert result.exit_code == 2
    assert "there is no terminal: --yes goes without" in result.stderr
    assert len(letters(segbatch, corner)) == 1


def test_letters_of_others_that_are_none_of_ours_stay(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1"), Record(b"something", b"key", [("h", b"1")], 0))
    assert run(segbatch, corner).exit_code == 0
    found = [m for m in corner.kafka.read_all(corner.letters) if m.value() == b"something"]
    assert [(m.key(), headers_of(m)) for m in found] == [(b"key", {"h": b"1"})]
