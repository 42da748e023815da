"""What the worker shows of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.metrics import LATENCY_BUCKETS_S, Metrics
from streams.web import start_web

NAME = "segbatch_append_to_acceptance_seconds"


SECONDS = st.lists(st.one_of(st.floats(-5, 100_000), st.sampled_from(LATENCY_BUCKETS_S)), max_size=30)


@given(st.lists(SECONDS, max_size=5))
def test_the_histogram_counts_values_up_to_each_bound(groups: list[list[float]]) -> None:
    metrics = Metrics()
    for group in groups:
        metrics.latency.observe(list(group))
    values = [value for group in groups for value in group]
    sample = metrics.registry.get_sample_value
    for bound in LATENCY_BUCKETS_S:
        assert sample(f"{NAME}_bucket", {"le": str(bound)}) == sum(value <= bound for value in values)
    assert sample(f"{NAME}_bucket", {"le": "+Inf"}) == sample(f"{NAME}_count") == len(values)
    assert sample(f"{NAME}_sum") == pytest.approx(sum(values))


def test_the_closing_summary_counts_everything_by_outcome_reason_and_status() -> None:
    metrics = Metrics()
    metrics.records_ended("accepted", "", 7)
    metrics.records_ended("skipped", "no_user_id", 2)
    metrics.records_ended("skipped", "no_user_id")
    metrics.records_ended("dead_lettered", "not_json")
    metrics.updates_accepted(3)
    for status in ("202", "503", "202"):
        metrics.call_ended(status, 0.1)
    metrics.call_retried()
    metrics.answer_ambiguous()
    assert metrics.summary() == {
        "records": {"accepted": 7, "skipped": {"no_user_id": 3}, "dead_lettered": {"not_json": 1}},
        "updates": 3,
        "calls": {"202": 2, "503": 1},
        "retries": 1,
        "ambiguous": 1,
    }


def test_a_worker_that_did_nothing_has_a_summary_of_the_same_shape() -> None:
    assert Metrics().summary() == {
        "records": {"accepted": 0, "skipped": {}, "dead_lettered": {}},
        "updates": 0,
        "calls": {},
        "retries": 0,
        "ambiguous": 0,
    }


def test_the_counters_have_the_names_and_labels_that_are_promised() -> None:
    metrics = Metrics()
    metrics.records_ended("accepted", "")
    metrics.updates_accepted(1)
    metrics.call_ended("202", 0.1)
    metrics.field_problems.labels("too_long").inc()
    sample = metrics.registry.get_sample_value
    assert sample("segbatch_records_total", {"outcome": "accepted", "reason": ""}) == 1
    assert sample("segbatch_updates_total") == 1
    assert sample("segbatch_calls_total", {"status": "202"}) == 1
    assert sample("segbatch_field_problems_total", {"reason": "too_long"}) == 1


def test_gauges_and_counters_that_are_read_when_asked_show_the_value_of_now() -> None:
    metrics, value = Metrics(), {"now": 1.0}
    metrics.probe("p", "text", ("topic",), lambda: [({"topic": "t"}, value["now"])])
    metrics.counter_probe("c_seconds", "text", lambda: value["now"])
    value["now"] = 5.0
    assert metrics.registry.get_sample_value("p", {"topic": "t"}) == 5.0
    assert metrics.registry.get_sample_value("c_seconds_total") == 5.0


class Site:
    """The worker's pages, asked by a client."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session, self._url = session, url

    async def get(self, path: str) -> tuple[int, str, str]:
        async with self._session.get(self._url + path) as response:
            return response.status, response.headers["Content-Type"], await response.text()


@asynccontextmanager
async def serving(
    metrics: Metrics, not_alive: dict[str, str], not_ready: dict[str, str], host: str = "127.0.0.1"
) -> AsyncIterator[Site]:
    runner, url = await start_web(host, 0, metrics.registry, lambda: not_alive, lambda: not_ready)
    try:
        async with aiohttp.ClientSession() as session:
            yield Site(session, url)
    finally:
        await runner.cleanup()


async def test_a_worker_without_problems_is_alive_and_ready() -> None:
    async with serving(Metrics(), {}, {}) as site:
        for path in ("/livez", "/readyz"):
            status, kind, body = await site.get(path)
            assert (status, kind.split(";")[0]) == (200, "application/json")
            assert body == '{"ok":true,"problems":{}}\n'


async def test_a_worker_that_is_not_ready_is_alive_and_says_why() -> None:
    async with serving(Metrics(), {}, {"batch": "Batch answers 401"}) as site:
        assert (await site.get("/livez"))[0] == 200
        status, _, body = await site.get("/readyz")
        assert status == 503
        assert '"batch":"Batch answers 401"' in body


async def test_a_page_shows_the_problems_of_now() -> None:
    problems: dict[str, str] = {}
    async with serving(Metrics(), problems, {}) as site:
        assert (await site.get("/livez"))[0] == 200
        problems["failed"] = "ZeroDivisionError"
        assert (await site.get("/livez"))[0] == 503


async def test_the_metrics_page_is_prometheus_text() -> None:
    metrics = Metrics()
    metrics.updates_accepted(42)
    async with serving(metrics, {}, {}) as site:
        status, kind, body = await site.get("/metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    assert "segbatch_updates_total 42.0" in body
    assert f"# TYPE {NAME} histogram" in body


@pytest.mark.parametrize(("path", "status"), [("/", 200), ("/statusz", 404), ("/livez/", 404)])
async def test_the_pages_are_listed_at_the_root_and_for_a_page_that_there_is_not(
    path: str, status: int
) -> None:
    async with serving(Metrics(), {}, {}) as site:
        answered, kind, body = await site.get(path)
        assert (answered, kind.split(";")[0]) == (status, "text/plain")
        listed = [line.split()[0] for line in body.splitlines() if line.startswith("/")]
        assert listed == ["/livez", "/readyz", "/metrics"]
        for each in listed:
            assert (await site.get(each))[0] == 200


async def test_a_port_that_is_taken_is_an_error() -> None:
    first, url = await start_web("127.0.0.1", 0, Metrics().registry, dict, dict)
    try:
        with pytest.raises(OSError, match="address already in use"):
            await start_web("127.0.0.1", int(url.rsplit(":", 1)[1]), Metrics().registry, dict, dict)
    finally:
        await first.cleanup()


def test_counters_have_no_series_of_when_they_were_made() -> None:
    metrics = Metrics()
    metrics.retries.inc()
    names = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    assert "segbatch_retries_total" in names
    assert [name for name in names if name.endswith("_created")] == []
