"""Names as Batch takes them."""

import re

import pytest

from mapping.naming import attribute_name, event_name, snake_name
from tests.mapping.builders import attributes_of, identify, posted_attributes, posted_event, track

LONG = "Customers who bought coffee in the last thirty days"


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("plan", "plan"),
        ("accountType", "accounttype"),
        ("Total Price", "totalprice"),
        ("user.id-2", "userid2"),
        ("__proto__", "__proto__"),
        ("prénom", "prnom"),
        ("$plan", "plan"),
        ("İd", "id"),
        ("\u212aelvin", "kelvin"),
        ("日本", ""),
        ("", ""),
    ],
)
def test_attribute_names_lose_what_is_not_allowed(key: str, name: str) -> None:
    assert attribute_name(key) == name


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ("User Registered", "user_registered"),
        ("  Order  ", "__order__"),
        ("Achat validé", "achat_valid_"),
        ("🎉", "__"),
        ("123 Go!", "123_go_"),
        ("İ", "i_"),
        ("___", "___"),
    ],
)
def test_event_names_get_an_underscore_for_each_utf_16_unit(event: str, name: str) -> None:
    assert event_name(event) == name


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("firstName", "first_name"),
        ("First Name", "first_name"),
        ("first-name", "first_name"),
        ("first_name", "first_name"),
        ("HTTPServer", "http_server"),
        ("userID", "user_id"),
        ("aBCd", "a_b_cd"),
        ("Total Price (EUR)", "total_price_eur"),
        ("address2Line", "address2_line"),
        ("Prénom", "prenom"),
        ("j_o_a__step", "j_o_a__step"),
        ("  ", ""),
        ("日本", ""),
    ],
)
def test_snake_names(key: str, name: str) -> None:
    assert snake_name(key) == name


def test_a_long_name_is_shortened_with_a_hash() -> None:
    assert attribute_name("a" * 30) == "a" * 30
    name = attribute_name(LONG)
    assert name == "customerswhoboughtcof_ouy3i3m3"
    assert event_name(LONG) == "customers_who_bought__vv6uwfoh"
    assert attribute_name(LONG.lower().replace(" ", "")) == name


def test_long_names_that_differ_in_their_end_stay_apart() -> None:
    names = {attribute_name(f"{LONG} {number}") for number in range(2_000)}
    assert len(names) == 2_000
    assert all(re.fullmatch("[a-z0-9_]{30}", name) for name in names)


def test_a_chosen_name_goes_before_the_rule() -> None:
    names = {"Total Price": "sum", LONG: "coffee_people", "Order Completed": "order"}
    assert attributes_of(identify({"Total Price": 1, LONG: True, "total price": 2}), names=names) == {
        "sum": 1,
        "coffee_people": True,
        "totalprice": 2,
    }
    assert posted_event(track({"Total Price": 1}), names=names) | {"time": ""} == {
        "name": "order",
        "time": "",
        "attributes": {"sum": 1},
    }


def test_the_naming_setting_holds_for_attributes_events_and_inside_objects() -> None:
    assert attributes_of(identify({"firstName": "Ada"}), naming="snake") == {"first_name": "Ada"}
    assert (
        posted_event(track(event="orderCompleted Today"), naming="snake")["name"] == "order_completed_today"
    )
    properties = {"shipTo": {"zipCode": "75"}, "lineItems": [{"unitPrice": 5}]}
    assert posted_attributes(properties, naming="snake") == {
        "ship_to": {"zip_code": "75"},
        "line_items": [{"unit_price": 5}],
    }


def test_names_hold_with_more_keys_than_are_remembered() -> None:
    names = {"chosen": "other"}
    for start in range(0, 30_000, 10_000):
        traits = {f"Key {start + number}": number for number in range(10_000)} | {"chosen": 1}
        sent = attributes_of(identify(traits), names=names)
        assert len(sent) == 10_001
        assert sent[f"key{start + 9_999}"] == 9_999
        assert sent["other"] == 1
