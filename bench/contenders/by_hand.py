"""aiokafka by hand: getmany, eight posts in flight, a commit after each round."""

from __future__ import annotations

import asyncio
import signal
from itertools import chain

from aiokafka import AIOKafkaConsumer
from async_posts import Poster
from settings import BROKERS, GROUP, TOPIC, UPDATES_A_CALL
from simple_mapping import update_of

RECORDS_A_ROUND = 5000


async def main() -> None:
    """Read, post and commit until SIGTERM."""
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=BROKERS,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    poster = Poster()
    await consumer.start()
    try:
        while not stopped.is_set():
            fetched = await consumer.getmany(timeout_ms=100, max_records=RECORDS_A_ROUND)
            if not fetched:
                continue
            records = chain.from_iterable(fetched.values())
            updates = [update for record in records if (update := update_of(record.value)) is not None]
            starts = range(0, len(updates), UPDATES_A_CALL)
            await asyncio.gather(*(poster.post(updates[start : start + UPDATES_A_CALL]) for start in starts))
            await consumer.commit()
    finally:
        await consumer.stop()
        await poster.close()


if __name__ == "__main__":
    asyncio.run(main())
