"""`segbatch dead-letters replay`: each letter comes back to its source topic once, whatever happens meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
from functools import partial
from random import Random

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from sink.settlement import Refusal
from tests.integration.workers import wait_until
from tests.kafka import KafkaCluster, Record
from tests.streams.commands.dead_letters.corner import Corner, headers_of, identify
from tests.streams.commands.helpers import Segbatch, Start

LATE = Refusal("event_too_old", "too old", part="event")
COPY = Refusal("event_refused_by_batch", "d", "202", delivered=True, part="event")
FAST = ("--rate", "100000")


def replay(segbatch: Segbatch, corner: Corner, *options: str) -> str:
    result = segbatch("dead-letters", "replay", *FAST, *options, **corner.settings)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def test_a_letter_comes_back_as_it_was_with_the_part_that_is_asked(
    segbatch: Segbatch, corner: Corner
) -> None:
    own = [("trace", b"t-1"), ("segbatch.reason", b"mine"), ("trace", b"")]
    corner.put(corner.letter("u1", LATE, partition=1, headers=list(own)))
    assert "1 of 1 letter replayed" in replay(segbatch, corner, "--late", "send_without_time")
    (record,) = corner.replayed()
    assert (record.partition(), record.key(), record.value()) == (1, b"u1", identify("u1"))
    assert record.headers() == [
        *own,
        ("segbatch.replayed", b"1"),
        ("segbatch.part", b"event"),
        ("segbatch.late", b"send_without_time"),
    ]


def test_a_letter_of_one_profile_asks_for_that_alone_unless_told_otherwise(
    segbatch: Segbatch, corner: Corner
) -> None:
    corner.put(corner.letter("u1", part="event", profile="9aac5a8621eae188"))
    replay(segbatch, corner)
    corner.put(corner.letter("u2", part="event", profile="9aac5a8621eae188"))
    replay(segbatch, corner, "--all-profiles")
    assert [
        headers_of(record) for record in sorted(corner.replayed(), key=lambda each: each.key() or b"")
    ] == [
        {"segbatch.replayed": b"1", "segbatch.part": b"event", "segbatch.profile": b"9aac5a8621eae188"},
        {"segbatch.replayed": b"1", "segbatch.part": b"event"},
    ]


def test_no_letter_comes_back_twice_however_the_runs_choose(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(
        *(
            corner.letter(f"u{n}", LATE if n % 3 else Refusal("poison", "d"), partition=n % 2)
            for n in range(60)
        )
    )
    assert "20 of 20 letters replayed" in replay(segbatch, corner, "--reason", "poison")
    assert "20 of 20 letters replayed" in replay(segbatch, corner, "--partition", "1")
    last = replay(segbatch, corner)
    assert "20 of 20 letters replayed" in last
    assert "left out: 40 already replayed" in last
    assert "0 of 0 letters replayed" in replay(segbatch, corner)
    assert corner.replayed_users() == sorted(f"u{n}" for n in range(60))
    states = json.loads(segbatch("dead-letters", "stats", "--json", **corner.settings).stdout)
    assert (states["letters"], states["open"], states["replayed"]) == (60, 0, 60)


def test_a_letter_written_after_a_replay_is_replayed_by_the_next(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1"))
    replay(segbatch, corner)
    corner.put(corner.letter("u1", offset=1))
    replay(segbatch, corner)
    assert corner.replayed_users() == ["u1", "u1"]


def test_copies_of_delivered_records_stay_unless_they_are_asked_for(
    segbatch: Segbatch, corner: Corner
) -> None:
    corner.put(corner.letter("u1", COPY), corner.letter("u2"))
    assert "left out: 1 delivered" in replay(segbatch, corner)
    assert corner.replayed_users() == ["u2"]
    replay(segbatch, corner, "--delivered")
    assert corner.replayed_users() == ["u1", "u2"]


def test_a_dry_run_counts_by_reason_warns_and_writes_nothing(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1"), corner.letter("u2"), corner.letter("u3", LATE))
    before = corner.kafka.end_offsets(corner.letters)
    said = replay(segbatch, corner, "--dry-run")
    assert said.splitlines()[:3] == [
        "3 letters to replay",
        "          2  refused_by_batch",
        "          1  event_too_old",
    ]
    assert "may overwrite newer ones" in said
    assert "event_too_old will come back" in said
    assert corner.replayed() == []
    assert corner.kafka.end_offsets(corner.letters) == before


def test_killed_again_and_again_each_record_comes_back_exactly_once(start: Start, corner: Corner) -> None:
    count = 1500
    corner.put(*(corner.letter(f"u{n}", partition=n % 2) for n in range(count)))
    chance = Random(7)

    def begin() -> subprocess.Popen[str]:
        # So many records a transaction, as fast as they go: a kill falls into one, or between two.
        return start("dead-letters", "replay", "--rate", "200", **corner.settings)

    seen = 0
    for _ in range(3):
        killed = begin()
        wanted = seen + chance.randrange(1, 300)
        wait_until(partial(has_come, corner, wanted), f"{wanted} records")
        killed.kill()
        killed.communicate()
        assert killed.returncode == -signal.SIGKILL
        seen = len(corner.replayed())
    assert 0 < seen < count
    last = start("dead-letters", "replay", *FAST, **corner.settings)
    _, errors = last.communicate(timeout=60)
    assert last.returncode == 0, errors
    assert corner.replayed_users() == sorted(f"u{n}" for n in range(count))


def has_come(corner: Corner, count: int) -> bool:
    return len(corner.replayed()) >= count


def test_killed_inside_a_transaction_nothing_of_it_is_there_and_the_next_run_writes_it(
    segbatch: Segbatch, corner: Corner, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.commands.dead_letters.transactions import Transactions

    class Killed(BaseException):
        pass

    def die(_: Transactions) -> None:
        raise Killed

    corner.put(*(corner.letter(f"u{n}") for n in range(10)))
    with monkeypatch.context() as patch:
        patch.setattr(Transactions, "commit", die)
        with pytest.raises(Killed):
            segbatch("dead-letters", "replay", *FAST, catch_exceptions=False, **corner.settings)
    assert corner.replayed() == []
    assert "10 of 10 letters replayed" in replay(segbatch, corner)
    assert len(corner.replayed_users()) == 10


def test_interrupted_it_ends_between_two_transactions_and_says_so(start: Start, corner: Corner) -> None:
    corner.put(*(corner.letter(f"u{n}") for n in range(200)))
    process = start("dead-letters", "replay", "--rate", "20", **corner.settings)
    wait_until(lambda: len(corner.replayed()) >= 20, "the first came back")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "run it again to go on, no letter is replayed twice" in err
    assert f"{len(corner.replayed())} of 200 letters replayed" in out


def test_a_second_replay_ends_the_first(start: Start, segbatch: Segbatch, corner: Corner) -> None:
    corner.put(*(corner.letter(f"u{n}") for n in range(200)))
    first = start("dead-letters", "replay", "--rate", "20", **corner.settings)
    wait_until(lambda: len(corner.replayed()) >= 20, "the first came back")
    replay(segbatch, corner)
    _, err = first.communicate(timeout=30)
    assert first.returncode == 1
    assert "another replay or purge has begun" in err
    assert corner.replayed_users() == sorted(f"u{n}" for n in range(200))


def test_a_value_that_was_left_out_is_taken_from_the_source_topic(segbatch: Segbatch, corner: Corner) -> None:
    corner.kafka.produce(
        corner.source, [Record(b"first", b"u0", partition=1), Record(b"large", b"u1", partition=1)]
    )
    corner.put(corner.letter("u1", partition=1, offset=1, value_left_out=True))
    replay(segbatch, corner)
    assert [(record.offset(), record.value()) for record in corner.replayed()] == [
        (0, b"first"),
        (1, b"large"),
        (2, b"large"),
    ]


def test_letters_that_cannot_come_back_are_told_and_the_others_come(
    segbatch: Segbatch, kafka: KafkaCluster
) -> None:
    corner = Corner(kafka, 1)
    corner.kafka.produce(corner.source, [Record(b"x", b"u0"), Record(b"y", b"u0")])
    admin = AdminClient({"bootstrap.servers": kafka.brokers})
    for future in admin.delete_records([TopicPartition(corner.source, 0, 1)]).values():
        future.result(20)
    corner.put(
        corner.letter("gone", value_left_out=True),
        corner.letter("elsewhere", partition=0),
        *(corner.letter(f"u{n}") for n in range(5)),
    )
    headers = [
        (n, b"9" if n == "__connect.errors.partition" else v) for n, v in corner.letter("lost").headers
    ]
    corner.put(corner.letter("lost")._replace(headers=headers))
    result = segbatch("dead-letters", "replay", *FAST, **corner.settings)
    assert result.exit_code == 1
    assert "6 of 8 letters replayed" in result.stdout
    assert (
        "1 cannot be replayed: its value was too large for the dead letters, and its record is gone"
        in result.stderr
    )
    assert "Local: Unknown partition" in result.stderr
    assert corner.replayed_users() == ["elsewhere", "u0", "u0", "u1", "u2", "u3", "u4"]


def test_marks_of_a_replay_lie_beside_the_letters_and_are_none(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1"))
    replay(segbatch, corner)
    letter, mark = corner.kafka.read_all(corner.letters)
    assert headers_of(mark) == {"segbatch.mark": b"replayed"}
    assert json.loads(mark.value() or b"") == {"offsets": [letter.offset()]}
    assert len(json.loads(segbatch("dead-letters", "list", "--json", **corner.settings).stdout)) == 1


def test_a_record_cannot_pass_for_a_mark(segbatch: Segbatch, corner: Corner) -> None:
    corner.put(corner.letter("u1", headers=[("segbatch.mark", b"replayed")]))
    replay(segbatch, corner)
    assert corner.replayed_users() == ["u1"]


def test_a_letter_without_a_partition_comes_back_to_its_keys(segbatch: Segbatch, kafka: KafkaCluster) -> None:
    corner = Corner(kafka, 6)
    kafka.produce(corner.source, [Record(b"live", b"u1")])
    headers = [(n, b"-1" if n == "__connect.errors.partition" else v) for n, v in corner.letter("u1").headers]
    corner.put(corner.letter("u1")._replace(headers=headers))
    replay(segbatch, corner)
    live, replayed = corner.replayed()
    assert replayed.partition() == live.partition()


def test_a_letter_of_a_topic_that_is_not_ours_stays(segbatch: Segbatch, corner: Corner) -> None:
    elsewhere = corner.kafka.create_topic(corner.kafka.unique("elsewhere"), 1)
    letter = corner.letter("u1")
    headers = [(n, elsewhere.encode() if n == "__connect.errors.topic" else v) for n, v in letter.headers]
    corner.put(letter._replace(headers=headers))
    assert "left out: 1 of a source that is not in kafka.topics" in replay(segbatch, corner)
    assert corner.kafka.read_all(elsewhere) == []
