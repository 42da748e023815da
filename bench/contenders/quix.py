"""Quix Streams with a batching sink that posts from eight threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from quixstreams import Application
from quixstreams.sinks import BatchingSink, SinkBatch
from settings import BROKERS, GROUP, IN_FLIGHT, TOPIC, UPDATES_A_CALL
from simple_mapping import update_of
from threaded_posts import post


class BatchSink(BatchingSink):  # type: ignore[misc]
    """Writes what a partition gathered since the last checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self._threads = ThreadPoolExecutor(IN_FLIGHT)

    def write(self, batch: SinkBatch) -> None:
        calls = ([item.value for item in chunk] for chunk in batch.iter_chunks(UPDATES_A_CALL))
        for _ in self._threads.map(post, calls):
            pass


def main() -> None:
    """Run until SIGTERM."""
    app = Application(
        broker_address=BROKERS,
        consumer_group=GROUP,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        loglevel="WARNING",
    )
    updates = app.dataframe(app.topic(TOPIC, value_deserializer="bytes")).apply(update_of)
    updates.filter(lambda update: update is not None).sink(BatchSink())
    app.run()


if __name__ == "__main__":
    main()
