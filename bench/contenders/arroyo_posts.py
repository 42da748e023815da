"""Sentry Arroyo: a batching step, and posts from eight threads."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from types import FrameType
from typing import Any

from arroyo.backends.kafka import KafkaConsumer, KafkaPayload
from arroyo.backends.kafka.configuration import build_kafka_consumer_configuration
from arroyo.commit import ONCE_PER_SECOND
from arroyo.processing import StreamProcessor
from arroyo.processing.strategies import (
    BatchStep,
    CommitOffsets,
    ProcessingStrategy,
    ProcessingStrategyFactory,
    RunTaskInThreads,
)
from arroyo.processing.strategies.batching import ValuesBatch
from arroyo.types import Commit, Message, Partition, Topic
from settings import BROKERS, GROUP, IN_FLIGHT, TOPIC, UPDATES_A_CALL
from simple_mapping import update_of
from threaded_posts import post


def deliver(batch: Message[ValuesBatch[KafkaPayload]]) -> None:
    """Map and post a batch, in one of the threads."""
    values = (each.payload.value for each in batch.payload)
    updates = [update for value in values if (update := update_of(value)) is not None]
    if updates:
        post(updates)


class Steps(ProcessingStrategyFactory[KafkaPayload]):
    """The steps of a partition's records, made anew at each assignment."""

    def create_with_partitions(
        self, commit: Commit, partitions: Mapping[Partition, int]
    ) -> ProcessingStrategy[Any]:
        posts = RunTaskInThreads(deliver, IN_FLIGHT, 2 * IN_FLIGHT, CommitOffsets(commit))
        return BatchStep(UPDATES_A_CALL, 0.1, posts)


def main() -> None:
    """Run until SIGTERM."""
    settings = build_kafka_consumer_configuration(
        {"bootstrap.servers": BROKERS},
        group_id=GROUP,
        auto_offset_reset="earliest",
        # Arroyo asks for 10,000, and librdkafka then rests a second whenever it has as many.
        queued_min_messages=100_000,
        # Else librdkafka commits what Arroyo stored every 5 s.
        enable_auto_commit=False,
    )
    processor = StreamProcessor(KafkaConsumer(settings), Topic(TOPIC), Steps(), ONCE_PER_SECOND)

    def stop(number: int, frame: FrameType | None) -> None:
        processor.signal_shutdown()

    signal.signal(signal.SIGTERM, stop)
    processor.run()


if __name__ == "__main__":
    main()
