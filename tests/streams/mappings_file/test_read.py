"""The mappings file: what is read, and everything that is said of a bad one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from mapping.mappings import DEFAULT_TRIGGER, Filter, MappingSet
from streams.mappings_file import load_mappings, mappings_path
from streams.settings import ConfigurationError, Problem, Settings
from tests.streams.mappings_file.texts import GOOD

IDENTIFIERS = "identifiers: {custom_id: {'@path': $.userId}}"


def loaded(folder: Path, text: str, name: str = "mappings.yaml") -> MappingSet:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    found = load_mappings(path)
    assert (found.path, found.mapping_set is not None) == (path, True)
    assert found.mapping_set is not None
    return found.mapping_set


def problems_of(folder: Path, text: str, name: str = "mappings.yaml") -> list[Problem]:
    with pytest.raises(ConfigurationError) as error:
        loaded(folder, text, name)
    return list(error.value.problems)


def one_problem(folder: Path, text: str, name: str = "mappings.yaml") -> tuple[str, str, str, str]:
    """Key, place within the file, message and remedy of the only problem."""
    (problem,) = problems_of(folder, text, name)
    return (
        problem.key,
        (problem.origin or "").removeprefix(f"file {folder / name}"),
        problem.message,
        problem.remedy,
    )


def test_a_file_is_read_as_it_says(tmp_path: Path) -> None:
    found = loaded(tmp_path, GOOD)
    profiles, orders, old = found.mappings
    assert (profiles.name, profiles.preset, profiles.fields) == ("Profiles", True, {"profileAttributes"})
    assert profiles.trigger.text == DEFAULT_TRIGGER
    assert (orders.preset, orders.fields) == (False, {"identifiers", "eventName", "eventAttributes"})
    assert orders.trigger.text == 'type = "track" and event = "Order Completed"'
    assert orders.template is not None
    resolved = orders.template.resolve({"properties": {"buyer": "b", "total": 1}})
    assert resolved["identifiers"] == {"custom_id": "b"}
    assert (old.enabled, found.enabled) == (False, (profiles, orders))
    staff, tenth, cards = found.filters
    assert (staff.name, staff.action, staff.condition.text) == (
        "staff",
        "drop",
        'contains(traits.email, "@example.com")',
    )
    assert (tenth.action, tenth.share) == ("sample", 0.1)
    assert cards.fields == ("properties.card", "properties.products.price")


def test_json_says_the_same(tmp_path: Path) -> None:
    data = yaml.safe_load(GOOD)
    indented = json.dumps(data, indent="\t")
    for text in (json.dumps(data), indented):
        found = loaded(tmp_path, text, "mappings.json")
        assert [mapping.name for mapping in found.mappings] == ["Profiles", "Orders", "Old"]
        assert [each.name for each in found.filters] == ["staff", "tenth", "cards"]


def test_json_escapes_are_read_as_json(tmp_path: Path) -> None:
    text = '{"mappings": [{"name": "a\\/b \\ud83d\\ude00 \\u00e9", "preset": "update-profile"}]}'
    assert loaded(tmp_path, text, "mappings.json").mappings[0].name == "a/b 😀 é"


def test_a_bare_list_of_mappings_is_a_file(tmp_path: Path) -> None:
    assert [mapping.name for mapping in loaded(tmp_path, "- {name: A, preset: update-profile}").mappings] == [
        "A"
    ]


def test_words_of_yaml_stay_the_text_they_are(tmp_path: Path) -> None:
    values = "a: yes, b: 2026-01-31, c: 'true', d: true, e: null, f: 1"
    values += ", g: 1.5, h: 1e3, i: 0x1F, j: '7', k: 12:30, l: .inf"
    text = f"- name: A\n  mapping:\n    {IDENTIFIERS}\n    profileAttributes: {{{values}}}"
    template = loaded(tmp_path, text).mappings[0].template
    assert template is not None
    assert template.resolve({"userId": "u"})["profileAttributes"] == {
        "a": "yes",
        "b": "2026-01-31",
        "c": "true",
        "d": True,
        "e": None,
        "f": 1,
        "g": 1.5,
        "h": 1000.0,
        "i": "0x1F",
        "j": "7",
        "k": "12:30",
        "l": ".inf",
    }


def test_anchors_may_be_used(tmp_path: Path) -> None:
    text = (
        f"- name: A\n  mapping: &own\n    {IDENTIFIERS}\n    eventName: e\n"
        '- name: B\n  trigger: type = "page"\n  mapping: *own\n'
    )
    assert [mapping.fields for mapping in loaded(tmp_path, text).mappings] == [
        {"identifiers", "eventName"}
    ] * 2


def test_a_subscription_as_segments_public_api_gives_it_is_a_mapping(tmp_path: Path) -> None:
    subscription = {
        "id": "eoeXaMeAYcB2XvEApJDrQs",
        "name": "Orders",
        "actionId": "uD9jEQ4DxJZzhzVqppM7UD",
        "actionSlug": "updateProfile",
        "destinationId": "fP7qoQw2HTWt9WdMr718gn",
        "modelId": "",
        "enabled": True,
        "trigger": 'type = "track"',
        "settings": {
            "identifiers": {"custom_id": {"@path": "$.userId"}},
            "eventName": {"@path": "$.event"},
            "enable_batching": True,
            "batch_size": 200,
            "__segment_internal_matching_key": "x",
        },
    }
    (mapping,) = loaded(tmp_path, json.dumps([subscription]), "mappings.json").mappings
    assert (mapping.name, mapping.trigger.text) == ("Orders", 'type = "track"')
    assert mapping.fields == {"identifiers", "eventName"}


def test_a_preset_as_the_connectors_code_has_it_is_a_mapping(tmp_path: Path) -> None:
    text = f"""\
- name: Update Profile
  subscribe: type = "identify"
  partnerAction: updateProfile
  type: automatic
  mapping: {{{IDENTIFIERS}}}
"""
    assert loaded(tmp_path, text).mappings[0].trigger.text == 'type = "identify"'


BAD = """\
mappings:
  - name: A
    trigger: 'type == "track"'
    mapping:
      identifiers: {custom_id: {"@path": $.userId}}
      profileAttributes:
        x: {"@pth": $.a}
        y: {"@if": {then: 1}}
  - name: A
    preset: update
    maping: {}
  - trigger: type = "track"
    enabled: 1
  - name: B
    subscribe: type = "track"
    settings: {profileAttributes: {a: 1}, attributes: {}}
filters:
  - name: f
    if: type = "x
    action: dorp
    percent: 5
filter: []
"""


def test_everything_that_is_wrong_is_said_at_once_with_its_place_in_the_files_order(tmp_path: Path) -> None:
    found = [
        (problem.key, (problem.origin or "").rsplit(".yaml:", 1)[1], problem.remedy)
        for problem in problems_of(tmp_path, BAD)
    ]
    assert [(key, place) for key, place, _ in found] == [
        ("mapping 'A', trigger", "3:20"),
        ("mapping 'A', mapping.profileAttributes.x.@pth", "7:21"),
        ("mapping 'A', mapping.profileAttributes.y.@if", "8:20"),
        ("mapping 'A', name", "9:11"),
        ("mapping 'A', preset", "10:13"),
        ("mapping 'A', maping", "11:13"),
        ("mapping number 3, name", "12:5"),
        ("mapping number 3, enabled", "13:14"),
        ("mapping 'B', mapping", "16:15"),
        ("mapping 'B', mapping.attributes", "16:55"),
        ("filter 'f', if", "19:16"),
        ("filter 'f', action", "20:13"),
        ("filter 'f', percent", "21:14"),
        ("filter", "22:9"),
    ]
    remedies = {key: remedy for key, _, remedy in found}
    assert remedies["mapping 'A', trigger"] == "Write =."
    assert remedies["mapping 'A', mapping.profileAttributes.x.@pth"] == "Did you mean @path?"
    assert remedies["mapping 'A', maping"] == "Did you mean mapping?"
    assert remedies["mapping 'A', preset"] == "There is one: update-profile."
    assert remedies["mapping 'B', mapping.attributes"] == "Attributes stand under profileAttributes."
    assert "share: 0.05" in remedies["filter 'f', percent"]
    assert remedies["filter"] == "Did you mean filters?"


def test_no_mistake_of_a_template_hides_another(tmp_path: Path) -> None:
    text = """\
- name: A
  mapping:
    eventAttribute: {a: {"@pth": $.a}}
    profileAttributes:
      b: {"@if": {exits: 1, then: {"@pth": $.b}}}
      c: {"@path": 5, d: {"@pth": $.d}}
      e: {"@path": $.e, "@pth": $.e}
      f: {"@flatten": {value: {"@pth": $.f}}}
"""
    assert [problem.key.removeprefix("mapping 'A', mapping") for problem in problems_of(tmp_path, text)] == [
        "",  # There is no custom_id.
        ".eventAttribute",
        ".eventAttribute.a.@pth",
        ".profileAttributes.b.@if",
        ".profileAttributes.b.@if.exits",
        ".profileAttributes.b.@if.then.@pth",
        ".profileAttributes.c",
        ".profileAttributes.c.@path",
        ".profileAttributes.c.d.@pth",
        ".profileAttributes.e",
        ".profileAttributes.e.@pth",
        ".profileAttributes.f.@flatten.separator",
        ".profileAttributes.f.@flatten.value.@pth",
    ]


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("trigger: type = 'a' andd", ":2:23"),
        ("trigger: \"type = 'a' andd\"", ":2:24"),
        ("trigger: |\n    type = 'a'\n    andd", ":4:5"),
        ("trigger: >\n    type = 'a'\n    andd", ":2:12"),
        ("trigger: type = 'a'\n    andd", ":2:12"),
    ],
)
def test_an_error_in_a_trigger_is_placed_in_the_file_where_the_text_can_be_traced(
    tmp_path: Path, written: str, place: str
) -> None:
    assert one_problem(tmp_path, f"- name: A\n  {written}\n  preset: update-profile\n")[1] == place


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("mappings: 3", ":1:11", "has mappings that are not a list"),
        ("{}", ":1:1", "has no `mappings`"),
        ("", ":1:1", "is not a map with `mappings`"),
        ("text", ":1:1", "is not a map with `mappings`"),
        ("mappings: []\nmapping: []", ":2:10", "is not a key of the file"),
        ("data: {}", ":1:7", "is not a key of the file"),
        ("[name: A, preset: b", ":1:20", "is not YAML"),
        ("- 3", ":1:3", "is not a map"),
        ("- {name: A}", ":1:3", "has neither `mapping` nor `preset`"),
        ("- {name: '', preset: update-profile}", ":1:10", "is empty"),
        ("- {name: 7, preset: update-profile}", ":1:10", "is not text"),
        ("- {preset: update-profile}", ":1:3", "is required and not set"),
        ("- {name: A, preset: update-profile, enabled: 1}", ":1:46", "is neither true nor false"),
        ("- {name: A, trigger: 3, preset: update-profile}", ":1:22", "is not text"),
        ("- {name: A, mapping: text}", ":1:22", "is not a map of fields"),
        ("- {name: A, name: B, preset: update-profile}", ":1:19", "sets name a second time"),
        ("- {name: A, mapping: {eventName: e}}", ":1:22", "has no identifiers.custom_id, which is required"),
        (
            "- {name: A, mapping: {identifiers: {email: e}}}",
            ":1:22",
            "has no identifiers.custom_id, which is required",
        ),
        ("- {name: A, mapping: {identifiers: [u]}}", ":1:22", "has no identifiers.custom_id"),
        ("- {name: A, mapping: {identifiers: {custom_id: }}}", ":1:22", "has no identifiers.custom_id"),
        (
            "- {name: A, preset: update-profile, mapping: {identifiers: u}}",
            ":1:46",
            "has no identifiers.custom_id",
        ),
        (
            "- {name: A, mapping: {identifiers: {custom_id: u, custom_id: v}}}",
            ":1:62",
            "sets 'custom_id' a second time",
        ),
        (
            "- {name: A, preset: update-profile, mapping: {eventName: {[a]: b}}}",
            ":1:59",
            "has a key that is not text",
        ),
        ("- {name: A, preset: update-profile, <<: {}}", ":1:37", "has a merge key, which is not read"),
        ("- {name: A, preset: update-profile, mapping: &a {eventName: *a}}", ":1:46", "is nested too deeply"),
        (
            "filters: [{name: f, if: type = 'a', action: sample}]",
            ":1:11",
            "is required with `action: sample`",
        ),
        (
            "filters: [{name: f, if: type = 'a', action: sample, share: 5}]",
            ":1:60",
            "is not a number from 0 to 1",
        ),
        (
            "filters: [{name: f, if: type = 'a', action: sample, share: true}]",
            ":1:60",
            "is not a number from 0 to 1",
        ),
        (
            "filters: [{name: f, if: type = 'a', action: drop, share: 1}]",
            ":1:58",
            "has no effect with `action: drop`",
        ),
        (
            "filters: [{name: f, if: type = 'a', action: block_fields}]",
            ":1:11",
            "is required with `action: block_fields`",
        ),
        (
            "filters: [{name: f, if: type = 'a', action: allow_fields, fields: []}]",
            ":1:67",
            "is not a list of paths",
        ),
        (
            "filters: [{name: f, if: type = 'a', action: allow_fields, fields: [$.a]}]",
            ":1:67",
            "is not a list of paths",
        ),
        ("filters: [{name: f, action: drop}]", ":1:11", "is required and not set"),
    ],
)
def test_every_mistake_has_a_message_and_its_place(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    _, found, said, remedy = one_problem(tmp_path, text)
    assert (found, said[: len(message)]) == (place, message)
    assert remedy


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        (
            "custom_id: {{userId}}",
            '{{…}} without quotes is a map to YAML: write {"@template": "{{userId}}"}.',
        ),
        (
            "custom_id: @path $.userId",
            'A directive stands in braces, its name in quotes: {"@path": $.userId}.',
        ),
        ('custom_id: "a" = "b"', "A value that begins with a quote ends with that quote"),
        ("custom_id: a: b", "A value with `: ` in it needs quotes around it"),
    ],
)
def test_what_yaml_reads_otherwise_is_told_with_what_to_write(
    tmp_path: Path, written: str, remedy: str
) -> None:
    text = f"mappings:\n- name: A\n  mapping:\n    identifiers:\n      {written}\n"
    assert one_problem(tmp_path, text)[3].startswith(remedy)


def test_of_a_trigger_without_quotes_the_real_mistake_is_told(tmp_path: Path) -> None:
    _, place, message, remedy = one_problem(
        tmp_path, "- name: A\n  trigger: type = page\n  preset: update-profile\n"
    )
    assert (place, message) == (":2:19", 'is not FQL: an event has no field "page"')
    assert remedy == 'Text is written in quotes: "page".'


def test_a_mapping_that_is_switched_off_is_not_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "mappings.yaml"
    text = "- {name: A, enabled: ENABLED, mapping: {identifiers: {custom_id: kiosk}}}"
    path.write_text(text.replace("ENABLED", "false"))
    assert load_mappings(path).warnings == ()
    path.write_text(text.replace("ENABLED", "true"))
    assert [warning.key for warning in load_mappings(path).warnings] == [
        "mapping 'A', mapping.identifiers.custom_id"
    ]


def test_names_are_unique_within_a_list_only(tmp_path: Path) -> None:
    text = "mappings: [{name: A, preset: update-profile}]\nfilters: [{name: A, if: type = 'a', action: drop}]"
    assert loaded(tmp_path, text).filters[0].name == "A"
    twice = text.replace("filters: [", "filters: [{name: A, if: type = 'b', action: drop}, ")
    key, _, message, _ = one_problem(tmp_path, twice)
    assert (key, message[:28]) == ("filter 'A', name", "has a name that stands twice")


def entries(count: int, entry: str) -> str:
    return "\n".join(f"  - {{name: n{number}, {entry}}}" for number in range(count))


def test_fifty_mappings_and_ten_filters_are_allowed_and_no_more(tmp_path: Path) -> None:
    mapping, filter = "preset: update-profile", "if: type = 'a', action: drop"
    found = loaded(tmp_path, f"mappings:\n{entries(50, mapping)}\nfilters:\n{entries(10, filter)}")
    assert (len(found.mappings), len(found.filters)) == (50, 10)
    _, place, message, remedy = one_problem(tmp_path, f"mappings:\n{entries(51, mapping)}")
    assert (place, message, remedy) == (":52:5", "has 51 mappings", "There may be 50, as in Segment.")
    assert one_problem(tmp_path, f"filters:\n{entries(11, filter)}")[2] == "has 11 filters"


def test_a_filters_condition_has_at_most_5000_bytes(tmp_path: Path) -> None:
    long = " or ".join(f'event = "{"é" * 100}{number}"' for number in range(24))
    assert len(long) < 5_000 < len(long.encode())
    text = f"filters:\n  - name: f\n    action: drop\n    if: '{long}'\n"
    assert one_problem(tmp_path, text)[2] == "has more than 5000 bytes"


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        load_mappings(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes("- name: é".encode("latin-1"))
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        load_mappings(tmp_path / "latin.yaml")
    (tmp_path / "nul.yaml").write_bytes(b"- name: \0")
    with pytest.raises(ConfigurationError, match="is not YAML"):
        load_mappings(tmp_path / "nul.yaml")


def test_without_a_file_the_preset_is_in_force() -> None:
    assert load_mappings(None).mapping_set is None


def test_the_file_is_that_of_the_option_else_of_the_settings_else_the_one_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = Settings(mappings="chosen.yaml")
    assert mappings_path(Settings()) is None
    Path("mappings.yaml").touch()
    assert mappings_path(Settings()) == Path("mappings.yaml")
    assert mappings_path(chosen) == Path("chosen.yaml")
    assert mappings_path(chosen, Path("option.yaml")) == Path("option.yaml")


def test_a_filter_that_is_switched_off_is_checked_and_not_used(tmp_path: Path) -> None:
    text = "filters: [{name: f, if: type = 'a', action: drop, enabled: false}]"
    filters: list[Filter] = list(loaded(tmp_path, text).filters)
    assert filters == []
    assert one_problem(tmp_path, text.replace("drop", "dorp"))[0] == "filter 'f', action"


@pytest.mark.parametrize("text", ["mappings:\nfilters:\n", "mappings: []\nfilters: []\n"])
def test_empty_lists_are_no_mappings(tmp_path: Path, text: str) -> None:
    found: Any = loaded(tmp_path, text)
    assert (found.mappings, list(found.filters)) == ((), [])


def test_filters_alone_leave_the_preset_in_force(tmp_path: Path) -> None:
    found = loaded(tmp_path, "filters: [{name: f, if: type = 'a', action: drop}]")
    assert ([mapping.name for mapping in found.enabled], len(found.filters)) == (["Update Profile"], 1)
    assert found.enabled[0].is_plain_preset


def test_the_value_that_cannot_be_used_is_shown(tmp_path: Path) -> None:
    text = "mappings: [{name: A, preset: update-profiles}]\n"
    text += "filters: [{name: f, if: type = 'a', action: delete}, {name: g, if: type = 'a', action: sample, share: 50}]"
    assert [str(problem).split(" (")[0] for problem in problems_of(tmp_path, text)] == [
        "mapping 'A', preset = 'update-profiles'",
        "filter 'f', action = 'delete'",
        "filter 'g', share = '50'",
    ]


def test_a_missing_custom_id_is_told_with_what_to_write(tmp_path: Path) -> None:
    remedy = one_problem(tmp_path, "- {name: A, mapping: {eventName: e}}")[3]
    assert remedy.startswith('Write `identifiers: {custom_id: {"@path": "$.userId"}}`')
