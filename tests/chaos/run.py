"""Runs one scenario from start to verdict."""

from __future__ import annotations

import json
import random
import shutil
import time
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.chaos.commits import read_commits
from tests.chaos.evidence import Evidence, Letter, read_call, read_update
from tests.chaos.feeder import Feeder, user
from tests.chaos.fleet import Fleet
from tests.chaos.ground import Ground
from tests.chaos.group import GroupWatch
from tests.chaos.judge import Verdict, judge
from tests.chaos.oracle import LONGEST_GOOD_ID, Kind, number_in
from tests.chaos.scenario import Protocol, Scale, Scenario
from tests.chaos.stage import Stage
from tests.integration.local_batch import LocalBatch
from tests.integration.scene import header
from tests.integration.workers import wait_until
from tests.kafka import KafkaCluster

REST_API_KEY = "key-of-chaos"
LATENCY_MS = 60
BEFORE_S = 2.0
DRAINED_S = 150.0
UNBOUNDED = 50_000_000
FRESH = 50


@dataclass(frozen=True, slots=True)
class Result:
    """One scenario with one protocol, judged."""

    scenario: str
    title: str
    protocol: Protocol
    seed: int
    verdict: Verdict
    seen: Counter[str]
    seconds: float

    @property
    def passed(self) -> bool:
        return not self.verdict.broken


def run(
    scenario: Scenario, scale: Scale, protocol: Protocol, seed: int, ground: Ground, folder: Path
) -> Result:
    """Run it and judge it. Afterwards the logs are in `folder`, and if it failed all that Batch got."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = time.monotonic()
    size = scenario.sizes[scale]
    chances, draws = (random.Random(f"{seed} {scenario.name} {protocol} {of}") for of in ("acts", "traffic"))
    kafka = ground.kafka
    topic, group = kafka.unique(scenario.name), kafka.unique(f"{scenario.name}-{protocol}")
    letters = kafka.create_topic(f"{kafka.create_topic(topic, size.partitions)}.dead-letter", size.partitions)
    batch = LocalBatch(**_sandbox(scenario))
    ground.network.http.lead_to([("127.0.0.1", int(batch.url.rsplit(":", 1)[1]))])
    key_file = folder / "rest_api_key"
    key_file.write_text(REST_API_KEY)
    seen: Counter[str] = Counter()
    fleet = Fleet(_settings(scenario, ground, batch, protocol, topic, group, key_file), folder, seen, chances)
    feeder = Feeder(kafka, topic, size.traffic, draws)
    watch = GroupWatch(kafka, group)
    stage = Stage(ground, batch, fleet, feeder, watch, size, chances, seen, folder)
    try:
        calm_at = _act(scenario, stage)
        _quiet_down(stage, topic)
        evidence = _collect(scenario, stage, calm_at, kafka, topic, letters)
        verdict = judge(evidence)
        if verdict.broken:
            _keep_record(batch, folder)
            _keep_causes(stage)
    except Exception as error:  # whatever it was: the other scenarios go on, and the logs tell
        (folder / "broke-off.txt").write_text(traceback.format_exc())
        verdict = Verdict(broken=[f"the run broke off: {type(error).__name__}: {error}"])
    finally:
        feeder.stop()
        watch.stop()
        fleet.close()
        _keep_logs(stage)
        batch.close()
        ground.heal()
    return Result(scenario.name, scenario.title, protocol, seed, verdict, seen, time.monotonic() - started)


def _keep_logs(stage: Stage) -> None:
    stage.fleet.save_logs(stage.folder)
    for node in stage.nodes:
        shutil.copy(node.log, stage.folder / f"broker-{node.node.id}.log")


def _keep_record(batch: LocalBatch, folder: Path) -> None:
    for name, lines in (("calls", batch.calls()), ("updates", batch.updates())):
        (folder / f"{name}.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def _keep_causes(stage: Stage) -> None:
    """What the judge took for reasons to repeat, and what it was derived from."""
    causes = {
        "windows": [window._asdict() for window in stage.windows],
        "killed": [
            {"at": killed.at, "partitions": sorted(killed.partitions)} for killed in stage.fleet.killed
        ],
        "unsettled": stage.group.unsettled,
        "commits": read_commits(stage.kafka, stage.group.name).by_partition,
    }
    (stage.folder / "causes.json").write_text(json.dumps(causes, default=bytes.hex))


def _act(scenario: Scenario, stage: Stage) -> float:
    """Start, disturb, and let it become calm; when the last disturbance ended (seconds since 1970)."""
    scenario.prepare(stage)
    stage.fleet.start(stage.size.workers)
    stage.fleet.wait_until_ready()
    stage.fleet.wait_until_shared(stage.size.partitions)
    if scenario.watched:
        stage.group.start()
    stage.feeder.start()
    stage.pause(BEFORE_S)
    cuts = stage.network.http.cut + stage.network.kafka.cut
    stage.begin()
    scenario.disturb(stage)
    stage.network.http.poison()
    stage.network.kafka.poison()
    stage.batch.fault("off")
    stage.seen["cuts"] += stage.network.http.cut + stage.network.kafka.cut - cuts
    return time.time()


def _quiet_down(stage: Stage, topic: str) -> None:
    """The end phase without faults: fresh events go through, all is drained, the workers end cleanly."""
    stage.feeder.stop()
    stage.feeder.send_all(Kind.TRACK, map(user, range(FRESH)))
    stage.trouble += stage.fleet.died()
    try:
        wait_until(
            lambda: stage.kafka.lag(stage.group.name, topic) == 0, "every record is committed", DRAINED_S
        )
    except AssertionError as error:
        stage.trouble.append(f"not drained {error}")
    stage.trouble += stage.fleet.died()
    stage.trouble += stage.fleet.stop()
    stage.seen["rebalances"] += stage.fleet.count_rebalances()


def _collect(
    scenario: Scenario, stage: Stage, calm_at: float, kafka: KafkaCluster, topic: str, letters: str
) -> Evidence:
    stats = stage.batch.stats()
    calls = [read_call(each) for each in stage.batch.calls()]
    for call in calls:
        stage.seen["cuts" if call.status is None else str(call.status)] += 1
    held = Counter(number_in(message.value()) for message in kafka.read_all(topic))
    stage.seen["records doubled by the producer"] += sum(times - 1 for times in held.values())
    rules = scenario.rules(stage)
    return Evidence(
        rules=rules,
        sent=stage.feeder.sent,
        held={number: times for number, times in held.items() if number is not None},
        updates=[read_update(each) for each in stage.batch.updates()],
        calls=calls,
        letters=[
            Letter(number_in(letter.value()), header(letter, "segbatch.reason") or "")
            for letter in kafka.read_all(letters)
        ],
        windows=stage.windows,
        seen=stage.seen,
        lag=kafka.lag(stage.group.name, topic),
        violations=stats["violations"],
        refused_429=stats["refused_429"],
        injected=stats["faults"],
        calm_at=calm_at,
        trouble=stage.trouble,
    )


def _sandbox(scenario: Scenario) -> dict[str, Any]:
    return {
        "rest_api_key": REST_API_KEY,
        "latency_ms": LATENCY_MS,
        "max_custom_id_chars": LONGEST_GOOD_ID,
        "update_log_size": UNBOUNDED,
        "call_log_size": UNBOUNDED,
        **scenario.sandbox,
    }


def _settings(
    scenario: Scenario,
    ground: Ground,
    batch: LocalBatch,
    protocol: Protocol,
    topic: str,
    group: str,
    key_file: Path,
) -> dict[str, str]:
    base_url = f"http://127.0.0.1:{ground.network.http.ports[0]}" if scenario.proxied else batch.url
    return {
        "KAFKA__BROKERS": ground.brokers(scenario.proxied),
        "KAFKA__TOPICS": topic,
        "KAFKA__GROUP": group,
        "KAFKA__GROUP_PROTOCOL": protocol,
        **({"KAFKA__SESSION_TIMEOUT_S": str(scenario.session_s)} if protocol == "classic" else {}),
        "BATCH__REST_API_KEY_FILE": str(key_file.absolute()),
        "BATCH__PROJECT_KEY": "project-of-chaos",
        "BATCH__BASE_URL": base_url,
        **scenario.settings,
    }
