"""docker-compose.yml and the Dockerfile say what the documentation promises of them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import model

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("sandbox", "worker", "repartition", "traffic")


def test_the_services_are_kafka_its_topics_the_sandbox_the_workers_and_more_on_demand() -> None:
    assert set(SERVICES) == {"kafka", "topics", "sandbox", "worker", "repartition", "traffic"}
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"repartition": ["repartition"], "traffic": ["traffic"]}
    assert SERVICES["kafka"]["image"] == SERVICES["topics"]["image"] == "apache/kafka:4.1.0"


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_not_root_and_cannot_write(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize(
    ("name", "asked"), [("worker", "/readyz"), ("repartition", "/readyz"), ("sandbox", "/_sandbox/stats")]
)
def test_health_is_asked_over_http(name: str, asked: str) -> None:
    command = SERVICES[name]["healthcheck"]["test"]
    assert command[:3] == ["CMD", "python", "-c"]
    assert f"{asked}'" in command[3]
    compile(command[3], "healthcheck", "exec")


def test_all_topics_get_six_partitions_before_a_worker_starts() -> None:
    [script] = SERVICES["topics"]["command"]
    assert "for topic in segment-events segment-events.dead-letter segment-events.unkeyed;" in script
    assert "--partitions 6" in script
    assert SERVICES["worker"]["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
    assert SERVICES["worker"]["environment"]["SEGBATCH_KAFKA__TOPICS"] == "segment-events"


def test_workers_can_be_scaled() -> None:
    worker = SERVICES["worker"]
    assert "container_name" not in worker
    assert "ports" not in worker
    assert worker["stop_grace_period"] == "30s"


def test_every_setting_of_the_worker_exists() -> None:
    names = [name for name in SERVICES["worker"]["environment"] if name.startswith("SEGBATCH_")]
    assert len(names) == 7
    for name in names:
        section, setting = name.removeprefix("SEGBATCH_").lower().split("__")
        section_type = model.Settings.model_fields[section].annotation
        assert section_type is not None
        assert setting in section_type.model_fields


def test_repartition_writes_what_the_workers_read() -> None:
    command, *options = SERVICES["repartition"]["command"]
    assert command == "repartition"
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--source": "segment-events.unkeyed",
        "--target": SERVICES["worker"]["environment"]["SEGBATCH_KAFKA__TOPICS"],
    }


def test_only_ports_of_this_machine_are_opened() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_traffic_is_generated_as_json_lines_of_users() -> None:
    [script] = SERVICES["traffic"]["command"]
    python, option, program, *rest = shlex.split(script)
    assert (python, option, rest) == ("python", "-c", ["|", "segbatch", "produce"])

    environment = {**os.environ, "RECORDS": "40"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, check=True
    )

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(events) == 40
    assert {"identify", "track"} <= {event["type"] for event in events}


def test_the_image_runs_without_root_and_without_build_tools() -> None:
    final_stage = (ROOT / "Dockerfile").read_text().split("FROM ")[-1]
    assert "USER 10001:10001" in final_stage
    assert 'ENTRYPOINT ["segbatch"]' in final_stage
    assert "apt-get" not in final_stage
    assert "pip" not in final_stage
