"""The benchmark compares like with like: its template gives what the preset gives."""

from bench.events import make_records
from bench.mapping_sets import preset_as_template, twenty_of_which_two_match
from mapping.mapper import compile_mapper, compile_matcher
from mapping.settings import MappingSettings


def test_the_preset_as_a_template_gives_what_the_preset_gives() -> None:
    by_hand = compile_mapper(MappingSettings())
    by_template = compile_mapper(MappingSettings(), preset_as_template())
    for record in make_records(500):
        assert by_template(record)._replace(problems=()) == by_hand(record)._replace(problems=())


def test_of_twenty_mappings_two_match_each_event() -> None:
    mappings = twenty_of_which_two_match()
    assert len(mappings.mappings) == 20
    matching = compile_matcher(MappingSettings(), mappings)
    assert {len(matching(record)) for record in make_records(500)} == {2}
