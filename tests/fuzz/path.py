"""The whole way of a record in one process: pipeline, coalescer, delivery, and the sandbox's validation in the place of
Batch. Kafka is left out: records are fetched messages already, and a dead letter is confirmed at once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from mapping.mapper import compile_mapper, compile_matcher
from mapping.mappings import MappingSet
from mapping.settings import MappingSettings
from sink.attempts import DeliverySettings
from sink.client import Answer, Verdict
from sink.coalescer import Coalescer
from sink.delivery import Delivery
from sink.limiter import Limiter
from sink.sandbox.settings import SandboxSettings
from sink.sandbox.updates import check_call, read_items
from sink.settlement import Refusal
from streams.commands.dead_letters.users import letters_of
from streams.field_problems import FieldProblems
from streams.ledger import Ledger
from streams.letter import letter_headers, read_letter
from streams.metrics import Metrics
from streams.observer import LoggingObserver
from streams.pipeline import Bounds, Pipeline
from streams.records import Chunk, Record
from streams.settlement import RecordSettlement
from tests.streams.fakes import FakeMessage

PLENTY = 1e9
MOST_TURNS = 1_000_000
"""Of the event loop, for a chunk; a record that has not ended by then never will."""


class WholeWay:
    """Send records with `send`; what the sandbox says against what was posted is in `errors`."""

    def __init__(self, settings: MappingSettings, mappings: MappingSet | None = None) -> None:
        self.metrics = Metrics()
        self.errors: Counter[str] = Counter()
        self.letters: Counter[str] = Counter()
        self.ledger = Ledger("events", 0, 0)
        self._limits = SandboxSettings()
        self._map_record = compile_mapper(settings, mappings)
        self._matching = compile_matcher(settings, mappings)
        self._is_users = letters_of("user-1")
        self._settlement = RecordSettlement(self.metrics)
        self._settlement.letters = self
        self._problems = FieldProblems(self.metrics)

    async def send(self, values: Sequence[bytes | None]) -> None:
        """Bring records to their end. Raises what the way raised."""
        coalescer, limiter = Coalescer(), Limiter(PLENTY, PLENTY)
        limiter.share_among(1)
        limiter.own(("events", 0), None)
        observer = LoggingObserver(self.metrics, self._problems)
        settings = DeliverySettings(linger_s=0.0)
        delivery = Delivery(coalescer, limiter, self._post, self._settlement, observer, settings)
        pipeline = Pipeline(
            self._map_record,
            coalescer,
            delivery,
            self._settlement,
            self.metrics,
            self._problems,
            Bounds(10_000, 1_000_000_000),
            "dead_letter",
        )
        start = self.ledger.position
        now_ms = round(time.time() * 1000)
        messages = [FakeMessage(value, b"k", start + n, None, (1, now_ms)) for n, value in enumerate(values)]
        self.ledger.enter([message.offset() for message in messages])
        chunk = Chunk(self.ledger, [Record(self.ledger, message, message.offset()) for message in messages])
        running = asyncio.create_task(delivery.run())
        pipeline.expect(chunk)
        await pipeline.accept(chunk)
        for _ in range(MOST_TURNS):
            if not self.ledger.open or running.done():
                break
            await asyncio.sleep(0)
        delivery.stop()
        await running
        self.ledger.committable()

    def write(self, record: Record, refusal: Refusal) -> None:
        """A dead letter: written, read again, and confirmed."""
        self.letters[refusal.reason] += 1
        value = record.message.value()
        headers = letter_headers(record, refusal, self._matching(value), value_left_out=False)
        message = FakeMessage(value, None, record.offset, headers)
        letter = read_letter(message)
        assert letter is not None
        assert letter.reason == refusal.reason
        self._is_users(message)
        self._settlement.letter_confirmed(record, refusal)

    async def _post(self, body: bytes) -> Answer:
        """As Batch would answer; whatever it has against the call is remembered."""
        checked = check_call(read_items(body, 200, "reject_call"), self._limits, time.time())
        for error in checked.errors:
            self.errors[f"{error['category']}: {error['reason']}"] += 1
        return Answer(Verdict.ACCEPTED, "202")

    @property
    def endings(self) -> Counter[str]:
        """Records by how they ended."""
        found: Counter[str] = Counter()
        for family in self.metrics.records.collect():
            for sample in family.samples:
                if sample.name == "segbatch_records_total":
                    found[sample.labels["outcome"]] += round(sample.value)
        return found
