"""`segbatch run` with settings that cannot work says everything that is wrong, and exits with 78."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.workers import SEGBATCH, environment

COMPLETE = {
    "KAFKA__BROKERS": "127.0.0.1:1",
    "KAFKA__TOPICS": "events",
    "BATCH__REST_API_KEY": "a-key-nobody-may-see",
    "BATCH__PROJECT_KEY": "a-project-nobody-may-see",
}


def _run(directory: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SEGBATCH, "run"],
        env=environment(settings),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    ended = _run(tmp_path)

    assert ended.returncode == 78
    for name in COMPLETE:
        assert f"SEGBATCH_{name}" in ended.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"BATCH__RATE_PER_S": "fast", "WEB__PORT": "70000"},
        {"KAFKA__START": "tomorrow", "FLUSH__MAX_RECORDS": "0"},
        {"BATCH__BASE_URL": "http://batch.example.com", "KAFKA__NO_SUCH_THING": "1"},
        {"KAFKA__LIBRDKAFKA": '{"enable.auto.commit": "true"}', "DRAIN_TIMEOUT_S": "400"},
        {"KAFKA__GROUP_PROTOCOL": "consumer", "KAFKA__SESSION_TIMEOUT_S": "30"},
    ],
    ids=" ".join,
)
def test_every_problem_is_named_and_no_secret_is_shown(tmp_path: Path, wrong: dict[str, str]) -> None:
    ended = _run(tmp_path, **COMPLETE, **wrong)

    assert ended.returncode == 78
    named = [name for name in wrong if f"SEGBATCH_{name}" in ended.stderr]
    assert named or "kafka.session_timeout_s" in ended.stderr
    assert "nobody-may-see" not in ended.stdout + ended.stderr
