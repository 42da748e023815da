"""The Faust app: a channel of chunks, an agent that maps them, and our own consumer in place of Faust's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import faust
from faust.app.base import BootStrategy

from streams.records import Chunk

CHANNEL_CHUNKS = 8
"""Chunks between the source and the agent: few, so that what is mapped is still in the processor's caches. The source
waits for room, which the agent makes in milliseconds: it only maps."""


class SegbatchApp(faust.App):  # type: ignore[misc]
    """An app that starts one source service and its agents, and nothing that needs Faust's own Kafka clients."""

    source: Any = None
    """The service that reads Kafka; set before the app is started."""

    class BootStrategy(BootStrategy):  # type: ignore[misc]
        """What the app starts."""

        def kafka_consumer(self) -> Iterable[Any]:
            """Our source in the place of Faust's consumer."""
            return [self.app.source]

        def kafka_producer(self) -> Iterable[Any]:
            """None: dead letters have a producer of their own."""
            return []

        def kafka_conductor(self) -> Iterable[Any]:
            """None: chunks go through a channel, not through topics."""
            return []

        def tables(self) -> Iterable[Any]:
            """None: nothing is kept outside Kafka's offsets."""
            return []

    async def on_first_start(self) -> None:
        """Faust would make folders for tables here; the file system may be read-only."""

    async def on_start(self) -> None:
        """Open the channel: Faust's own consumer, which would, is not there."""
        await super().on_start()
        self.flow_control.resume()


def build_app(
    name: str,
    brokers: Iterable[str],
    accept: Callable[[Chunk], Awaitable[None]],
    listening: asyncio.Event,
    on_failure: Callable[[BaseException], None],
) -> tuple[SegbatchApp, Any]:
    """The app and its channel. Its one agent sets `listening` when it hears what is put on the channel, and gives
    each chunk to `accept`; what that raises goes to `on_failure`, because Faust would restart the agent without the
    chunk it had in hand."""
    app = SegbatchApp(
        name, broker=[f"kafka://{broker}" for broker in brokers], web_enabled=False, topic_disable_leader=True
    )
    chunks = app.channel(maxsize=CHANNEL_CHUNKS)

    @app.agent(chunks)  # type: ignore[untyped-decorator]
    async def deliver(stream: Any) -> None:
        listening.set()
        async for chunk in stream:
            try:
                await accept(chunk)
            except Exception as error:
                on_failure(error)

    return app, chunks
