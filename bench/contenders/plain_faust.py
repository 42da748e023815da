"""A plain Faust agent: `take`, and a post of what was taken."""

from __future__ import annotations

import functools
import sys

import faust
from async_posts import Poster
from settings import BROKERS, GROUP, IN_FLIGHT, TOPIC, UPDATES_A_CALL
from simple_mapping import update_of

app = faust.App(
    GROUP,
    broker=f"kafka://{BROKERS}",
    value_serializer="raw",
    key_serializer="raw",
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=1.0,
    topic_disable_leader=True,
    web_enabled=False,
)
topic = app.topic(TOPIC)


@functools.cache
def poster() -> Poster:
    """One for all instances of the agent, made when the event loop runs."""
    return Poster()


@app.agent(topic, concurrency=IN_FLIGHT)
async def deliver(records: faust.Stream[bytes]) -> None:
    """Post what was taken; Faust acknowledges it afterwards."""
    async for values in records.take(UPDATES_A_CALL, within=0.1):
        updates = [update for value in values if (update := update_of(value)) is not None]
        if updates:
            await poster().post(updates)


if __name__ == "__main__":
    sys.argv[1:] = ["worker", "--loglevel", "warn", "--without-web"]
    app.main()
