"""The JSON Schemas in docs/: current, and of the same mind as the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from streams.mappings_file import load_mappings
from streams.mappings_file.schema import mappings_schema
from streams.settings import ConfigurationError, load_settings
from streams.settings.schema import settings_schema
from streams.starter import starter_files
from tests.streams.mappings_file.texts import GOOD

DOCS = Path(__file__).parents[1] / "docs"
ID = "identifiers: {custom_id: {'@path': $.userId}}"


@pytest.mark.parametrize(
    ("file", "module", "schema"),
    [
        ("mappings.schema.json", "streams.mappings_file.schema", mappings_schema()),
        ("segbatch.schema.json", "streams.settings.schema", settings_schema()),
    ],
)
def test_the_published_schemas_are_those_of_the_program(
    file: str, module: str, schema: dict[str, Any]
) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    published = json.loads((DOCS / file).read_text())
    assert published == schema, f"docs/{file} is old: python -m {module} > docs/{file}"


def is_valid(schema: dict[str, Any], text: str) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (GOOD, True),
        (starter_files()["mappings.yaml"], True),
        ("- {name: A, preset: update-profile}", True),
        (f"- {{name: A, mapping: {{{ID}, eventName: e}}}}", True),
        (
            f"- {{name: A, subscribe: 'type = \"track\"', settings: {{{ID}, batch_size: 200}}, actionSlug: x}}",
            True,
        ),
        (f"- {{name: A, mapping: {{{ID}, profileAttributes: {{a: {{'@pth': x}}}}}}}}", False),
        (f"- {{name: A, mapping: {{{ID}, attributes: {{}}}}}}", False),
        ("- {name: A}", False),
        ("- {preset: update-profile}", False),
        ("- {name: A, preset: other}", False),
        ("- {name: A, preset: update-profile, enabled: 1}", False),
        ("- {name: A, preset: update-profile, maping: {}}", False),
        ("mapings: []", False),
        ("filters: [{name: f, if: event = 'a', action: sample}]", False),
        ("filters: [{name: f, if: event = 'a', action: sample, share: 5}]", False),
        ("filters: [{name: f, if: event = 'a', action: block_fields}]", False),
        ("filters: [{name: f, if: event = 'a', action: dorp}]", False),
        ("filters: [{name: f, if: event = 'a', action: drop}]", True),
        ("mappings: [" + ",".join(f"{{name: n{n}, preset: update-profile}}" for n in range(50)) + "]", True),
        ("mappings: [" + ",".join(f"{{name: n{n}, preset: update-profile}}" for n in range(51)) + "]", False),
    ],
)
def test_the_schema_of_mappings_and_the_program_agree(tmp_path: Path, text: str, good: bool) -> None:
    assert is_valid(mappings_schema(), text) == good
    path = tmp_path / "mappings.yaml"
    path.write_text(text)
    if good:
        load_mappings(path)
    else:
        with pytest.raises(ConfigurationError):
            load_mappings(path)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (starter_files()["segbatch.yaml"], True),
        ("kafka: {brokers: 'a:9092', topics: [x, y]}\nflush: {linger_ms: 50}", True),
        ("flush: {linger_ms: '${LINGER:100}'}", True),
        (
            "kafka: {start: 2026-01-31T08:00:00Z, librdkafka: {fetch.min.bytes: 65536}}".replace(
                "2026-01-31T08:00:00Z", "'2026-01-31T08:00:00Z'"
            ),
            True,
        ),
        ("batch:\n  rest_api_key:\n", True),
        ("batch: {allow_http: true}", True),
        ("flush: {linger: 50}", False),
        ("flsh: {}", False),
        ("flush: {linger_ms: -1}", False),
        ("late_events: never", False),
        ("batch: {allow_http: maybe}", False),
    ],
)
def test_the_schema_of_settings_and_the_program_agree(tmp_path: Path, text: str, good: bool) -> None:
    assert is_valid(settings_schema(), text) == good
    path = tmp_path / "segbatch.yaml"
    path.write_text(text)
    if good:
        load_settings(path, {})
    else:
        with pytest.raises(ConfigurationError):
            load_settings(path, {})


def test_a_secrets_file_is_a_key_of_the_schema() -> None:
    assert is_valid(settings_schema(), "batch: {rest_api_key_file: /run/secrets/key}")
    assert not is_valid(settings_schema(), "batch: {base_url_file: /run/x}")
