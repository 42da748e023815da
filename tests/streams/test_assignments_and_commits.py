"""Where partitions begin, and what is committed of them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from sink.limiter import Level, Limiter
from streams import commit_metadata
from streams.assignments import Assignments
from streams.committer import Committer
from streams.ledger import Ledger
from streams.metrics import Metrics
from tests.sink.virtual_time import run_virtual
from tests.streams.fakes import FakeConsumer

PLACE = ("events", 3)
PARTITION = TopicPartition(*PLACE)
TROUBLE = KafkaException(KafkaError(KafkaError._TIMED_OUT))


def committed(offset: int, metadata: str | None = None) -> TopicPartition:
    return (
        TopicPartition(*PLACE, offset, metadata=metadata)
        if metadata is not None
        else TopicPartition(*PLACE, offset)
    )


async def begin(consumer: FakeConsumer, start: object = "earliest") -> tuple[Ledger, Level | None]:
    ((ledger, level),) = await Assignments(start, Metrics()).begin(consumer, [PARTITION])  # type: ignore[arg-type]
    return ledger, level


async def test_a_partition_begins_where_the_group_has_committed_with_what_is_done_and_its_tokens() -> None:
    consumer = FakeConsumer()
    consumer.group[PLACE] = committed(40, commit_metadata.encode(b"\0\1\0\1", Level(12.5, 1e9)))
    ledger, level = await begin(consumer)
    assert ledger.position == 40
    assert level == Level(12.5, 1e9)
    assert ledger.enter([40, 41, 42, 43, 44]) == [0, 2, 4]


@pytest.mark.parametrize("metadata", ["", "another program's", "sb1:00000000:::", None])
async def test_foreign_metadata_brings_an_offset_and_nothing_else(metadata: str | None) -> None:
    consumer = FakeConsumer()
    consumer.group[PLACE] = committed(40, metadata)
    ledger, level = await begin(consumer)
    assert (ledger.position, level) == (40, None)
    assert ledger.enter([40, 41]) is None


@pytest.mark.parametrize(("start", "offset"), [("earliest", 7), ("latest", 90)])
async def test_a_group_without_commits_starts_where_it_is_told_and_commits_that(
    start: str, offset: int
) -> None:
    ledger, level = await begin(FakeConsumer(7, 90), start)
    assert (ledger.position, level) == (offset, None)
    state = ledger.committable()
    assert state is not None
    assert state.offset == offset


@pytest.mark.parametrize(("found", "offset"), [(33, 33), (-1, 90)])
async def test_a_group_without_commits_may_start_at_a_time(found: int, offset: int) -> None:
    consumer = FakeConsumer(7, 90)
    consumer.at_time = found
    ledger, _ = await begin(consumer, datetime(2026, 1, 1, tzinfo=UTC))
    assert ledger.position == offset
    assert consumer.asked_time_ms == 1_767_225_600_000


async def test_brokers_that_do_not_answer_are_asked_again() -> None:
    consumer = FakeConsumer(7, 90)
    consumer.failures = [TROUBLE, TROUBLE]
    consumer.silences = 1
    ledger, _ = await begin(consumer)
    assert ledger.position == 7


async def test_brokers_that_never_answer_are_an_error_and_not_a_guess() -> None:
    consumer = FakeConsumer()
    consumer.failures = [TROUBLE] * 50
    with pytest.raises(KafkaException):
        await begin(consumer)


async def test_records_that_retention_deleted_are_counted_as_lost_and_passed() -> None:
    metrics, consumer = Metrics(), FakeConsumer(low=25)
    assignments = Assignments("earliest", metrics)
    consumer.group[PLACE] = committed(10)
    ((ledger, _),) = await assignments.begin(consumer, [PARTITION])
    assert await assignments.restart(consumer, ledger) is ledger
    assert ledger.position == 25
    lost = metrics.registry.get_sample_value(
        "segbatch_lost_to_retention_total", {"topic": "events", "partition": "3"}
    )
    assert lost == 15
    state = ledger.committable()
    assert state is not None
    assert state.offset == 25


async def test_a_topic_that_was_made_anew_is_read_from_its_start_with_a_new_ledger() -> None:
    consumer = FakeConsumer(low=0)
    assignments = Assignments("earliest", Metrics())
    consumer.group[PLACE] = committed(50)
    ((old, _),) = await assignments.begin(consumer, [PARTITION])
    new = await assignments.restart(consumer, old)
    assert new is assignments.ledgers[PLACE]
    assert new.position == 0
    assert old.forgotten


async def test_a_forgotten_partition_is_not_ours() -> None:
    consumer = FakeConsumer()
    assignments = Assignments("earliest", Metrics())
    ((ledger, _),) = await assignments.begin(consumer, [PARTITION])
    assignments.forget([ledger])
    assert assignments.of([PARTITION]) == []
    assert ledger.forgotten
    assert not ledger.sending


class Scene:
    """A committer with one partition, and the consumer that it commits to."""

    def __init__(self) -> None:
        self.consumer = FakeConsumer()
        self.metrics = Metrics()
        self.assignments = Assignments("earliest", self.metrics)
        self.limiter = Limiter(100, 400, clock=lambda: 5000.0)
        self.limiter.share_among(4)
        self.limiter.own(PLACE, None)
        self.committer = Committer(self.assignments, self.limiter, self.metrics)
        self.ledger = self.assignments.ledgers[PLACE] = Ledger(*PLACE, 0)
        self.ended = False

    def done(self, *offsets: int) -> None:
        self.ledger.enter(offsets)
        for offset in offsets:
            self.ledger.complete(offset)

    async def answer(self, error: object = None) -> None:
        await self.committer.on_commit(error, self.consumer.commits[-1])

    def start(self) -> asyncio.Task[None]:
        return asyncio.create_task(self.committer.run(self.consumer, lambda: self.ended))


def test_what_is_done_is_committed_soon_with_the_partitions_tokens() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.done(0, 1, 2)
        await asyncio.sleep(0.15)
        ((sent,),) = scene.consumer.commits
        assert (sent.topic, sent.partition, sent.offset) == (*PLACE, 3)
        metadata = commit_metadata.decode(sent.metadata)
        assert metadata is not None
        assert metadata.level == Level(100.0, 5000.0)
        assert scene.consumer.asynchronous == [True]
        running.cancel()

    run_virtual(main())


def test_one_commit_is_in_flight_and_the_next_carries_all_that_came_meanwhile() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.done(0)
        await asyncio.sleep(0.15)
        for offset in range(1, 6):
            scene.done(offset)
            await asyncio.sleep(0.2)
        assert len(scene.consumer.commits) == 1
        await scene.answer()
        await asyncio.sleep(0.15)
        assert [sent[0].offset for sent in scene.consumer.commits] == [1, 6]
        running.cancel()

    run_virtual(main())


def test_nothing_changed_is_nothing_committed() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.done(0)
        await asyncio.sleep(0.15)
        await scene.answer()
        await asyncio.sleep(60)
        assert len(scene.consumer.commits) == 1
        running.cancel()

    run_virtual(main())


def test_a_commit_that_fails_is_forgotten_and_the_next_state_is_committed() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.done(0)
        await asyncio.sleep(0.15)
        await scene.answer(KafkaError(KafkaError.ILLEGAL_GENERATION))
        scene.done(1)
        await asyncio.sleep(0.15)
        assert [sent[0].offset for sent in scene.consumer.commits] == [1, 2]
        value = scene.metrics.registry.get_sample_value("segbatch_commits_total", {"result": "failed"})
        assert value == 1
        running.cancel()

    run_virtual(main())


def test_a_commit_that_is_never_answered_does_not_stop_committing() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.done(0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("streams.committer.LOST_AFTER_S", 0.0)
            await asyncio.sleep(0.35)
        assert len(scene.consumer.commits) >= 2
        running.cancel()

    run_virtual(main())


def test_while_the_worker_stops_what_ends_is_still_committed() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.ledger.enter([0])
        scene.ledger.sending = False
        scene.ledger.complete(0)
        await asyncio.sleep(0.15)
        assert [sent[0].offset for sent in scene.consumer.commits] == [1]
        running.cancel()

    run_virtual(main())


def test_a_partition_that_is_not_ours_is_not_committed() -> None:
    async def main() -> None:
        scene = Scene()
        running = scene.start()
        scene.done(0)
        scene.assignments.forget([scene.ledger])
        await asyncio.sleep(1)
        assert scene.consumer.commits == []
        running.cancel()

    run_virtual(main())


async def test_on_revocation_the_tokens_are_committed_even_if_no_record_was_done() -> None:
    scene = Scene()
    assert await scene.committer.commit_now(scene.consumer, [scene.ledger])
    ((sent,),) = scene.consumer.commits
    metadata = commit_metadata.decode(sent.metadata)
    assert sent.offset == 0
    assert metadata is not None
    assert metadata.level is not None
    assert scene.consumer.asynchronous == [False]


async def test_a_synchronous_commit_that_fails_says_so_and_is_not_taken_for_committed() -> None:
    scene = Scene()
    scene.done(0)
    scene.consumer.failures = [TROUBLE]
    assert not await scene.committer.commit_now(scene.consumer, [scene.ledger])
    assert scene.ledger.committable() is not None
    assert await scene.committer.commit_now(scene.consumer, [scene.ledger])
    assert scene.ledger.committable() is None


async def test_the_age_of_a_commit_counts_while_fetched_records_are_not_covered_by_it() -> None:
    scene = Scene()
    assert scene.committer.age_s(scene.ledger) == 0.0
    scene.ledger.enter([0, 1])
    scene.committer.age_s(scene.ledger)
    scene.ledger.complete(1)
    await scene.committer.commit_now(scene.consumer, [scene.ledger])
    await asyncio.sleep(0.001)
    stuck = scene.committer.age_s(scene.ledger)
    assert 0.0 < stuck < 5.0, "the first record holds the partition"
    scene.ledger.complete(0)
    await scene.committer.commit_now(scene.consumer, [scene.ledger])
    assert scene.committer.age_s(scene.ledger) == 0.0
