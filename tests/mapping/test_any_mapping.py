"""Whatever mappings and filters somebody writes, and whatever event comes: a result within Batch's limits, by the same
reasons whether the event is mapped, matched or explained."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.directives import TemplateError, compile_template
from mapping.explain import explain
from mapping.fql import FqlError, compile_trigger
from mapping.mapper import compile_mapper, compile_matcher
from mapping.mappings import DEFAULT_TRIGGER, PAYLOAD_FIELDS, Filter, FilterAction, Mapping, MappingSet
from mapping.profile import MappingResult, ProfileUpdate, ProfileUpdates
from mapping.settings import MappingSettings
from tests.mapping.directives.test_any_template import templates
from tests.mapping.fql.strategies import events, expressions
from tests.mapping.test_any_input import assert_update_obeys

SETTINGS = MappingSettings(consent_categories=("ads",))
USER = st.sampled_from(["$.userId", "$.name", "$.anonymousId", "$.properties.a"]).map(
    lambda path: {"@path": path}
)

attributes = st.dictionaries(
    st.sampled_from(
        ["a", "plan", "email_address", "$region", "language", "region", "timezone", "Long " * 9, "é", "$x"]
    ),
    templates,
    max_size=4,
)
own_fields = st.fixed_dictionaries(
    {"identifiers": st.fixed_dictionaries({"custom_id": USER | templates}) | templates},
    optional={
        "profileAttributes": attributes | templates,
        "eventName": st.sampled_from(["e", {"@path": "$.event"}]) | templates,
        "eventAttributes": templates,
    },
)
triggers = st.sampled_from([DEFAULT_TRIGGER, 'type != "x"', 'type = "page"']) | expressions
fields = st.lists(
    st.sampled_from(["properties.a", "properties", "traits.b", "context.a.x", "userId"]), min_size=1
)


def mapping_of(number: int, trigger: str, own: dict[str, Any], preset: bool) -> Mapping | None:
    """None for what the mappings file would refuse."""
    try:
        template = compile_template(own)
        found = frozenset(PAYLOAD_FIELDS).intersection(own)
        return Mapping(f"m{number}", compile_trigger(trigger), template, found, preset)
    except (FqlError, TemplateError):
        return None


def filter_of(condition: str, action: FilterAction, share: float, paths: list[str]) -> Filter | None:
    try:
        return Filter("f", compile_trigger(condition), action, share, tuple(paths))
    except FqlError:
        return None


drawn_mappings = st.lists(st.tuples(triggers, own_fields, st.booleans()), max_size=3)
drawn_filters = st.lists(
    st.tuples(expressions, st.sampled_from(get_args(FilterAction)), st.floats(0, 1), fields), max_size=2
)


def assert_same_by_all_ways(mappings: MappingSet, event: dict[str, Any]) -> None:
    record = json.dumps(event).encode()
    result = compile_mapper(SETTINGS, mappings)(record)
    assert_result_obeys_limits(result)
    assert result == compile_mapper(SETTINGS, mappings)(record)
    matched = compile_matcher(SETTINGS, mappings)(record)
    steps = explain(record, SETTINGS, mappings)
    assert steps.result == result
    assert tuple(step.name for step in steps.mappings if step.decision.result) == matched
    for step in steps.mappings:
        assert (step.part is None) == (not step.decision.result)
        if step.part is not None:
            assert_result_obeys_limits(step.part)
    if isinstance(result, ProfileUpdate | ProfileUpdates):
        assert matched
    parts = [step.part for step in steps.mappings if step.part is not None]
    if len(parts) == 1 and isinstance(result, ProfileUpdate):
        assert parts == [result._replace(problems=parts[0].problems)]


def assert_result_obeys_limits(result: MappingResult) -> None:
    updates = result.updates if isinstance(result, ProfileUpdates) else (result,)
    users = [each.custom_id for each in updates if isinstance(each, ProfileUpdate)]
    assert len(set(users)) == len(users)
    for each in updates:
        if isinstance(each, ProfileUpdate):
            assert_update_obeys(each, SETTINGS)
        else:
            assert re.fullmatch("[a-z_]+", each.reason)
    for problem in result.problems:
        assert re.fullmatch("[a-z_]+", problem.reason)


def mapping_set(mappings: Any, filters: Any) -> MappingSet:
    compiled = [mapping_of(number, *each) for number, each in enumerate(mappings)]
    kept = [filter_of(*each) for each in filters]
    return MappingSet(tuple(filter(None, compiled)), list(filter(None, kept)))


mapping_sets = st.builds(mapping_set, drawn_mappings, drawn_filters)


@given(mapping_sets, events)
@settings(deadline=None)
def test_any_mappings_and_any_event(mappings: MappingSet, event: dict[str, Any]) -> None:
    assert_same_by_all_ways(mappings, event)


@pytest.mark.slow
@given(mapping_sets, events)
@settings(deadline=None, max_examples=10_000)
def test_any_mappings_and_any_event_ten_thousand_times(mappings: MappingSet, event: dict[str, Any]) -> None:
    assert_same_by_all_ways(mappings, event)
