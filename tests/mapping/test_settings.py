"""Settings that could not work are refused."""

import pytest

from mapping.settings import MappingSettings


@pytest.mark.parametrize("name", ["", "Total", "total price", "x" * 31, "total\n"])
def test_a_chosen_name_that_batch_would_refuse_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="chosen for 'Total Price'"):
        MappingSettings(names={"Total Price": name})


def test_a_limit_without_room_is_an_error() -> None:
    with pytest.raises(ValueError, match="event_attribute_limit"):
        MappingSettings(event_attribute_limit=0)


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = MappingSettings()
    assert settings.naming == "segment"
    assert settings.integrations_names == ("Batch (Actions)", "Kafka")
    assert settings.audience_tracks == "membership"
    assert settings.event_attribute_limit == 20
