"""The worker: everything wired together, from start to exit."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from confluent_kafka import KafkaException

from sink.attempts import DeliverySettings
from sink.client import BatchClient, Credentials
from sink.coalescer import Coalescer
from sink.coalescer import Record as AnyRecord
from sink.delivery import Delivery
from sink.limiter import Limiter
from sink.unchanged import LastAccepted
from streams.app import build_app
from streams.assignments import Assignments
from streams.catch_up import CatchUp, Surroundings
from streams.dead_letter_limits import DeadLetterLimits
from streams.dead_letters import DeadLetterWriter
from streams.field_problems import FieldProblems
from streams.free_memory import give_back_free_memory
from streams.gauges import add_gauges
from streams.hangup import Hangup
from streams.health import Health
from streams.in_hand import InHand
from streams.letter_topics import LetterTopics
from streams.logs import configure_logs
from streams.mappings_in_force import MappingsInForce
from streams.metrics import Metrics
from streams.observer import LoggingObserver
from streams.pipeline import Bounds, Pipeline
from streams.records import Chunk
from streams.repeats import RepeatWindow
from streams.settings import ConfigurationError, Loaded, client_settings, consumer_settings, dead_letter_topic
from streams.settings_reload import SettingsReload
from streams.settlement import RecordSettlement
from streams.source import KafkaSource, SourceHooks
from streams.standstill import Standstill
from streams.status import Status
from streams.watchdog import Watchdog
from streams.web import start_web, why_not_listening

EXIT_DRAINED = 0
EXIT_FAILED = 1
EXIT_NOT_DRAINED = 3
EXIT_CONFIGURATION = 78
MOST_LETTERS_OUTSTANDING = 10_000

log = structlog.get_logger("segbatch")


def _collect_garbage_rarely() -> None:
    """Pending updates are many live objects without cycles: searching them for cycles costs a third of the CPU at the
    default thresholds, and finds nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


class Worker:
    """One process of the group."""

    def __init__(self, loaded: Loaded) -> None:
        settings = loaded.settings
        self._loaded = loaded
        self._settings = settings
        self.metrics = Metrics()
        self._stop = asyncio.Event()
        self._failure: BaseException | None = None
        self._ready_url = ""
        self._client = BatchClient(
            settings.batch.base_url,
            settings.batch.api_version,
            Credentials(*loaded.credentials()),
            connections=settings.batch.max_in_flight,
            timeout_s=settings.batch.request_timeout_s,
        )
        problems = FieldProblems(self.metrics)
        self._mappings = MappingsInForce(settings, self.metrics)
        self._coalescer = Coalescer()
        self._limiter = Limiter(settings.batch.rate_per_s, settings.batch.burst)
        self._limits = DeadLetterLimits(settings.dead_letter.max_ratio, settings.dead_letter.max_consecutive)
        self._settlement = RecordSettlement(
            self.metrics,
            self._limits,
            RepeatWindow(settings.dedup.max_ids, settings.dedup.ttl_s),
            single_topic=len(settings.kafka.topics) == 1,
        )
        unchanged = settings.unchanged
        self._delivery = Delivery(
            self._coalescer,
            self._limiter,
            self._client.update_profiles,
            self._settlement,
            LoggingObserver(self.metrics, problems),
            DeliverySettings(
                linger_s=settings.flush.linger_ms / 1000,
                max_in_flight=settings.batch.max_in_flight,
                late_events=settings.late_events,
                poison_after_s=settings.delivery.poison_after_s,
                give_up_after_s=settings.delivery.give_up_after_s,
                breaker_failures=settings.delivery.breaker_failures,
            ),
            self._reload_credentials,
            LastAccepted(unchanged.max_profiles if unchanged.suppress else 0, unchanged.ttl_s),
            lambda: self._catch_up.active,
        )
        self._standstill = Standstill(
            self._delivery, self._limits, self.metrics, enabled=settings.delivery.enabled
        )
        self._letters = DeadLetterWriter(
            client_settings(settings.kafka),
            lambda topic: dead_letter_topic(settings, topic),
            self.metrics,
            self._settlement.letter_confirmed,
            self._mappings.matching,
        )
        self._settlement.letters = self._letters
        self._letter_topics = LetterTopics(
            client_settings(settings.kafka),
            {topic: dead_letter_topic(settings, topic) for topic in settings.kafka.topics},
        )
        self._pipeline = Pipeline(
            self._mappings.map_record,
            self._coalescer,
            self._delivery,
            self._settlement,
            self.metrics,
            problems,
            Bounds(settings.flush.max_records, settings.flush.max_bytes),
            settings.late_events,
        )
        self._mappings.use = self._pipeline.use
        self._catch_up = CatchUp(
            settings.flush.catch_up_max_s,
            Surroundings(
                tokens=self._limiter.tokens,
                waiting=lambda: self._coalescer.profiles,
                coming=lambda: self._pipeline.coming,
                full=self._full,
            ),
        )
        self._hangup = Hangup(self._mappings.reload, SettingsReload(loaded, self._apply).reload)
        self._listening = asyncio.Event()
        self._app, self._chunks = build_app(
            settings.kafka.group, settings.kafka.brokers, self._pipeline.accept, self._listening, self._fail
        )
        self._assignments = Assignments(settings.kafka.start, self.metrics)
        self._source = self._app.source = self._make_source()
        add_gauges(
            self.metrics,
            self._assignments,
            self._coalescer,
            self._limiter,
            self._source,
            self._letters,
            self._delivery,
        )
        in_hand = InHand(
            self._coalescer, self._limiter, self._delivery, self._letters, self._settlement.held_back
        )
        self._watchdog = Watchdog(
            settings.watchdog_s, self._assignments.ledgers.values, in_hand, self._delivery
        )
        self._health = Health(self._delivery, self._source, self._letters, self._standstill, self._watchdog)
        self._status = Status(
            self._health,
            self._standstill,
            self._source,
            self._coalescer,
            self._limiter,
            self._delivery,
            in_hand,
            lambda: self._pipeline.full,
            self._catch_up,
            self._mappings.status,
            self._letter_topics.warnings,
        )

    def _make_source(self) -> KafkaSource:
        settings = self._settings
        hooks = SourceHooks(
            emit=self._emit,
            full=self._full,
            room=lambda: self._pipeline.room,
            drain=self._drain,
            catch_up=self._catch_up,
            forget=self._forget,
            on_ready=self._announce,
            on_failure=self._fail,
        )
        return KafkaSource(
            consumer_settings(settings.kafka),
            settings.kafka.topics,
            settings.drain_timeout_s,
            self._assignments,
            self._limiter,
            self.metrics,
            hooks,
        )

    async def run(self) -> int:
        """Run until SIGTERM, SIGINT or a failure; the process's exit code."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        self._hangup.listen()
        place = self._settings.web
        try:
            web, self._ready_url = await start_web(
                place.host,
                place.port,
                self.metrics.registry,
                self._health.not_alive,
                self._health.not_ready,
                lambda: {"mappings": self._mappings.status(), "warnings": self._letter_topics.warnings()},
                self._status.page,
            )
        except OSError as error:
            problem = f"cannot listen on {place.host}:{place.port}: {why_not_listening(error)}"
            remedy = "Set web.port to another port, or to 0 for any that is free."
            print(f"web.host, web.port: {problem}. {remedy}", file=sys.stderr)
            return EXIT_CONFIGURATION
        _collect_garbage_rarely()
        async with self._client:
            running = (
                self._delivery.run(),
                self._letters.run(),
                self._letter_topics.run(),
                self._hangup.run(),
                self._watchdog.run(),
                give_back_free_memory(),
            )
            tasks = [self._watched(each) for each in running]
            try:
                await self._app.start()
            except KafkaException as error:
                log.error("Kafka's client refuses the settings", detail=error.args[0].str())
                code = EXIT_CONFIGURATION
            else:
                await self._stop.wait()
                code = await self._shut_down()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await web.cleanup()
        log.info("summary", **self.metrics.summary())
        return code

    async def _shut_down(self) -> int:
        """Start nothing new, finish what is in flight, commit until it is confirmed, leave the group."""
        self._health.stopping = True
        log.info("stopping", waiting_records=self._coalescer.records)
        code = EXIT_FAILED if self._failure is not None else EXIT_DRAINED
        self._source.stop_reading()
        self._delivery.stop()
        try:
            async with asyncio.timeout(self._settings.shutdown_timeout_s):
                await self._delivery.finish()
                await self._letters.settled(lambda record: True, stopping=True)
                if self._letters.outstanding:
                    self._tell_unwritten()
                    code = code or EXIT_NOT_DRAINED
                await self._source.leave()
        except TimeoutError:
            log.error("not drained in time", setting="shutdown_timeout_s")
            code = code or EXIT_NOT_DRAINED
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._app.stop()
        return code

    def _tell_unwritten(self) -> None:
        log.error(
            "stopping without dead letters that Kafka refuses",
            remedy="their records stay uncommitted and are read again; does the dead-letter topic exist?",
            letters=self._letters.outstanding,
            error=self._letters.failure,
            setting="dead_letter.topic",
        )

    def _watched(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Something that must not happen: end the process rather than go on with a hole."""
        if self._failure is None:
            self._failure = self._health.failure = error
            log.error("the worker fails and ends", error=type(error).__name__, exc_info=error)
            self._stop.set()

    async def _emit(self, chunk: Chunk) -> None:
        self._pipeline.expect(chunk)
        await self._listening.wait()
        await self._chunks.put(chunk)

    def _full(self) -> bool:
        return (
            self._standstill.active
            or self._pipeline.full
            or self._letters.outstanding > MOST_LETTERS_OUTSTANDING
        )

    async def _drain(self, concerns: Callable[[AnyRecord], bool]) -> None:
        await self._delivery.quiesce(concerns)
        await self._letters.settled(concerns, stopping=self._health.stopping)

    def _forget(self) -> None:
        now = asyncio.get_running_loop().time()
        self._coalescer.forget(self._settlement.is_live, self._settlement.rebuild, now)
        self._delivery.revoked()

    def _announce(self) -> None:
        if self._ready_url:
            log.info("ready", web=self._ready_url)
            self._ready_url = ""

    def _apply(self, latest: Loaded) -> None:
        """Apply the settings that may change at run time. After a halt, records are read again."""
        self._loaded = latest
        configure_logs(self._settings.log.format, latest.settings.log.level)
        self._client.credentials = Credentials(*latest.credentials())
        self._limits.max_ratio = latest.settings.dead_letter.max_ratio
        self._limits.max_consecutive = latest.settings.dead_letter.max_consecutive
        self._standstill.enable(latest.settings.delivery.enabled)
        if self._standstill.lift_halt():
            self._settlement.forget_held_back()
            self._source.read_again()

    def _reload_credentials(self) -> None:
        try:
            self._client.credentials = Credentials(*self._loaded.reload_secrets())
        except ConfigurationError as error:
            log.error("secrets cannot be read again", problems=str(error))
