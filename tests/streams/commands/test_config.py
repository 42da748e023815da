"""`segbatch config show`, and how every command tells what is wrong with the configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.streams.commands.helpers import Segbatch


def test_shows_values_and_where_they_come_from(segbatch: Segbatch) -> None:
    Path("segbatch.yaml").write_text("kafka:\n  topics: [events]\nbatch:\n  project_key: very-secret\n")

    result = segbatch("config", "show", SEGBATCH_KAFKA__GROUP="mine")

    lines = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
    assert result.exit_code == 0
    assert lines["kafka.topics"] == ["events", "file", "segbatch.yaml:2"]
    assert lines["kafka.group"] == ["mine", "environment", "SEGBATCH_KAFKA__GROUP"]
    assert lines["kafka.start"] == ["earliest", "default"]
    assert lines["batch.project_key"] == ["********", "file", "segbatch.yaml:4"]
    assert "very-secret" not in result.output


def test_json_has_the_same(segbatch: Segbatch) -> None:
    result = segbatch("config", "show", "--json", SEGBATCH_BATCH__REST_API_KEY="very-secret")

    shown = json.loads(result.stdout)
    assert shown["batch.rest_api_key"] == {
        "value": "********",
        "origin": "environment SEGBATCH_BATCH__REST_API_KEY",
    }
    assert shown["batch.rate_per_s"] == {"value": "297", "origin": "default"}


@pytest.mark.parametrize("command", [("config", "show"), ("map",), ("produce",), ("check",), ("run",)])
def test_every_problem_is_told_at_once_with_exit_code_78(
    segbatch: Segbatch, command: tuple[str, ...]
) -> None:
    Path("broken.yaml").write_text("kafka:\n  tropics: [events]\nflush:\n  linger_ms: soon\n")

    result = segbatch(*command, "--config", "broken.yaml", SEGBATCH_BATCH__RATE_PER_S="-1")

    assert result.exit_code == 78
    assert "kafka.tropics" in result.stderr
    assert "Did you mean kafka.topics?" in result.stderr
    assert "flush.linger_ms" in result.stderr
    assert "batch.rate_per_s" in result.stderr
    assert result.stdout == ""


def test_a_settings_file_that_is_missing_is_told(segbatch: Segbatch) -> None:
    result = segbatch("config", "show", "--config", "nowhere.yaml")

    assert result.exit_code == 78
    assert "nowhere.yaml: cannot be read" in result.stderr


def test_a_variable_that_is_no_setting_is_a_warning(segbatch: Segbatch) -> None:
    result = segbatch("config", "show", SEGBATCH_COLOUR="red")

    assert result.exit_code == 0
    assert result.stderr == (
        "segbatch: warning: SEGBATCH_COLOUR: is not a setting.\n    docs/settings.md lists the settings.\n"
    )
