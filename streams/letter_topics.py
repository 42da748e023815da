"""Are the topics of the dead letters there? Asked at the start, not at the first letter, which comes at night."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import structlog
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.cluster import SILENT, creates_topics

REACH_S = 8.0
AGAIN_S = 5.0
"""After the brokers did not answer."""
WATCH_S = 60.0
"""While a topic is missing: it is looked for, and told, again."""

log = structlog.get_logger("segbatch.dead_letters")


class Missing(NamedTuple):
    """A topic of dead letters that is not there."""

    name: str
    partitions: int
    """Of its source topic: as many are needed; 0 if they are not known."""
    made_on_write: bool
    """The brokers would make it at the first letter."""

    def __str__(self) -> str:
        """What is wrong and what to do, for a person."""
        number = (
            f"{self.partitions} partitions" if self.partitions > 1 else "as many partitions as its source"
        )
        remedy = f"Create it with {number}, or set dead_letter.topic to one that exists"
        if self.made_on_write:
            return f"{self.name} does not exist; the brokers would make it at the first letter. {remedy}"
        return f"{self.name} does not exist: a record that cannot be delivered would hold up its partition. {remedy}"


class LetterTopics:
    """Looks until every topic of dead letters is there. `run` serves it; it ends by itself."""

    def __init__(self, client: Mapping[str, str], letters: Mapping[str, str]) -> None:
        """`letters`: by source topic, the topic of its dead letters."""
        self._client = dict(client)
        self._letters = letters
        self.missing: list[Missing] = []
        """Those that were not there when last looked for."""

    async def run(self) -> None:
        """Look, and tell what is missing, until nothing is."""
        admin = AdminClient(self._client, logger=SILENT)
        while True:
            try:
                self.missing = await asyncio.to_thread(self._look, admin)
            except KafkaException:
                await asyncio.sleep(AGAIN_S)
                continue
            if not self.missing:
                return
            for missing in self.missing:
                tell = log.warning if missing.made_on_write else log.error
                tell("the topic of the dead letters is missing", topic=missing.name, remedy=str(missing))
            await asyncio.sleep(WATCH_S)

    def warnings(self) -> dict[str, str]:
        """For the worker's pages: `{"dead_letters": "…"}`, or nothing."""
        return {"dead_letters": "; ".join(map(str, self.missing))} if self.missing else {}

    def _look(self, admin: AdminClient) -> list[Missing]:
        metadata = admin.list_topics(timeout=REACH_S)
        sizes = {name: len(topic.partitions) for name, topic in metadata.topics.items()}
        missing = dict.fromkeys(name for name in self._letters.values() if name not in sizes)
        made = bool(missing) and creates_topics(admin, next(iter(metadata.brokers), 0))
        return [
            Missing(
                name, max(sizes.get(source, 0) for source, to in self._letters.items() if to == name), made
            )
            for name in missing
        ]
