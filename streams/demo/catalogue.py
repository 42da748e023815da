"""What the invented company tracks: traits, products, events, audiences; each written twice, by hand.

Once as Segment's libraries send it, once as Batch must get it. The second column is the oracle: it states the
result (key folded as Segment's connector folds it, `date()` and `url()` forms, whole numbers without a
fraction) and computes nothing that the mapping computes.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Sent(NamedTuple):
    """One trait: key and value as sent, wire key and wire value as Batch must get them (None deletes)."""

    key: str
    value: Any
    wire_key: str
    wire_value: Any


class Call(NamedTuple):
    """The properties of a track as sent, and the event attributes Batch must get."""

    properties: dict[str, Any]
    attributes: dict[str, Any]


def whole(value: float) -> int | float:
    """A number as JavaScript, and so Segment, writes it: 450.0 is 450."""
    return int(value) if value == int(value) else value


def _same(key: str, wire_key: str, *values: Any) -> tuple[Sent, ...]:
    return tuple(Sent(key, value, wire_key, value) for value in values)


def _numbers(key: str, wire_key: str, *values: float) -> tuple[Sent, ...]:
    return tuple(Sent(key, value, wire_key, whole(value)) for value in values)


def _deletes(key: str, wire_key: str) -> tuple[Sent, ...]:
    return (Sent(key, None, wire_key, None),)


_DAYS = tuple(
    f"20{year}-{month:02d}-{day:02d}" for year in (19, 23, 25) for month, day in ((1, 31), (7, 4), (11, 9))
)

# One row a trait: every choice of one row is the same Batch attribute.
TRAITS: tuple[tuple[Sent, ...], ...] = (
    _same("firstName", "firstname", "Lea", "Sam", "Inès", "Noah", "美娜", "Ørjan"),
    _same("lastName", "lastname", "Martin", "Gibbons", "Rossi", "Keller", "O'Neil")
    + _deletes("lastName", "lastname"),
    _same("name", "name", "Peter Gibbons", "Lea Martin", "Sam Keller"),
    _same("plan", "plan", "free", "premium", "pro_annual", "trial") * 3 + _deletes("plan", "plan"),
    _same("logins", "logins", 0, 1, 5, 12, 340),
    _numbers("totalSpend", "totalspend", 450.0, 0.0, 12.5, 1999.99, 120.0),
    _numbers("lifetime_value", "lifetime_value", 89.9, 450.5, 3000.0, -12.0),
    _same("age", "age", 19, 27, 34, 58) + _deletes("age", "age"),
    _same("isVip", "isvip", True, False),
    _same("newsletter", "newsletter", True, False),
    tuple(Sent("createdAt", f"{day}T08:15:30Z", "date(createdat)", f"{day}T08:15:30Z") for day in _DAYS),
    tuple(
        Sent("last_login", f"{day}T20:01:02.345Z", "date(last_login)", f"{day}T20:01:02.345Z")
        for day in _DAYS
    )
    + _deletes("last_login", "last_login"),
    (
        Sent("birthday", "1989-07-20T00:00:00Z", "date(birthday)", "1989-07-20T00:00:00Z"),
        Sent("birthday", "2001-02-03T00:00:00.000Z", "date(birthday)", "2001-02-03T00:00:00.000Z"),
        # Without a time of day it is no UTC instant: Segment's connector leaves it a string.
        Sent("birthday", "1989-07-20", "birthday", "1989-07-20"),
        Sent("birthday", None, "birthday", None),
    ),
    (
        *_same("avatar", "url(avatar)", "https://cdn.example.com/a/1.png", "https://cdn.example.com/a/2.png"),
        Sent("avatar", "default", "avatar", "default"),
        Sent("avatar", None, "avatar", None),
    ),
    _same("website", "url(website)", "https://www.example.org/~lea?ref=app#top", "http://blog.example.net/"),
    _same(
        "favorite_categories", "favorite_categories", ["shoes"], ["shoes", "bags"], ["home", "garden", "été"]
    ),
    _same("App Versions", "appversions", ["4.1.0"], ["4.1.0", "4.2.0"])
    + _deletes("App Versions", "appversions"),
    _same("loyalty-tier", "loyaltytier", "bronze", "silver", "gold")
    + _deletes("loyalty-tier", "loyaltytier"),
    _same("Preferred Store", "preferredstore", "Lyon Part-Dieu", "Paris Rivoli", "Online"),
    _same("gender", "gender", "f", "m", "x") + _deletes("gender", "gender"),
    _same("title", "title", "Dr", "Head of Growth"),
    _same(
        "description", "description", "Likes long walks and short checkouts.", "Asked for a call in spring"
    ),
    _same("company_name", "company_name", "Initech", "Globex", "ACME & Co")
    + _deletes("company_name", "company_name"),
    _same("employeeCount", "employeecount", 3, 50, 12_000),
    _same("trial.ends", "trialends", "soon", "today"),
    _same("referrals", "referrals", 0, 2, 9_007_199_254_740_993),
    _same("signup_source", "signup_source", "organic", "paid_search", "friend"),
    _same("HasApp", "hasapp", True, False),
    _numbers("avg_basket", "avg_basket", 35.0, 41.2, 77.77),
)

# (sent, expected): `reset` and null both clear.
MARKETING: tuple[tuple[str | None, str | None], ...] = (
    ("subscribed", "subscribed"),
    ("subscribed", "subscribed"),
    ("unsubscribed", "unsubscribed"),
    ("reset", None),
    (None, None),
)

AUDIENCES = (
    "order_completed_last_30days",
    "newsletter_readers",
    "vip_customers",
    "churn_risk",
    "cart_abandoners",
    "first_time_buyers",
    "app_users_7d",
    "black_friday_2025",
    "store_visitors_paris",
    "high_ltv",
)
JOURNEY_STEPS = ("j_o_winback__reached_ab12c", "j_o_welcome__step2_k9z1q")
COMPUTED_TRAITS: tuple[tuple[Sent, ...], ...] = (
    _numbers("total_revenue_180_days", "total_revenue_180_days", 450.5, 450.0, 0.0, 1_234.56),
    _same("orders_count", "orders_count", 1, 2, 17),
    _same("favourite_brand", "favourite_brand", "Initech", "Globex"),
    _same("categories_seen", "categories_seen", ["shoes", "bags"], ["garden"]),
    _same("is_repeat_buyer", "is_repeat_buyer", True, False),
)


def _product(number: int) -> Call:
    price = (19.9, 450.0, 35.0, 7.25, 120.0)[number % 5]
    shared = {
        "product_id": f"prod-{number:04d}",
        "sku": f"SKU-{number * 37 % 10_000:04d}",
        "name": ("Trail Shoes", "Tote Bag", "Desk Lamp", "Garden Hose", "Café Filter")[number % 5],
        "category": ("shoes", "bags", "home", "garden", "kitchen")[number % 5],
        "quantity": number % 4 + 1,
    }
    link, image = f"https://shop.example.com/p/{number}", f"https://cdn.example.com/p/{number}.jpg"
    return Call(
        {**shared, "price": price, "url": link, "imageUrl": image},
        {**shared, "price": whole(price), "url(url)": link, "url(imageurl)": image},
    )


def _page(number: int) -> Call:
    section = ("home", "sale", "help", "stores")[number % 4]
    address, back = f"https://shop.example.com/{section}/{number}", "https://search.example.net/?q=shoes"
    words = ["shop", section]
    shared = {"path": f"/{section}/{number}", "title": f"{section.title()} | Shop", "keywords": words}
    return Call(
        {**shared, "url": address, "referrer": back},
        {**shared, "url(url)": address, "url(referrer)": back},
    )


PRODUCTS = tuple(_product(number) for number in range(200))
PAGES = tuple(_page(number) for number in range(40))

# (event as sent, event name for Batch, what it may carry)
EVENTS: tuple[tuple[str, str, tuple[Call, ...]], ...] = (
    ("Product Viewed", "product_viewed", PRODUCTS),
    ("Product Viewed", "product_viewed", PRODUCTS),
    ("Product Added", "product_added", PRODUCTS),
    ("Viewed Page", "viewed_page", PAGES),
    (
        "User Registered",
        "user_registered",
        (
            Call(
                {"plan": "Pro Annual", "accountType": "Facebook", "Total Price": 9.5, "coupon": None},
                {"plan": "Pro Annual", "accounttype": "Facebook", "totalprice": 9.5},
            ),
            Call({"plan": "free", "trialDays": 14.0, "invited-by": "a friend"},
                 {"plan": "free", "trialdays": 14, "invitedby": "a friend"}),
        ),
    ),
    (
        "Delivery: Booked!",
        "delivery__booked_",
        (
            Call(
                {"slotStart": "2026-12-01T09:00:00Z", "Address": {"city": "Lyon", "postalCode": "690"}},
                {"date(slotstart)": "2026-12-01T09:00:00Z", "address": {"city": "Lyon", "postalcode": "690"}},
            ),
            Call({"Lift": {"floor": 3.0, "works": True}}, {"lift": {"floor": 3, "works": True}}),
            Call({"express": True, "notes": ["ring", "été"]}, {"express": True, "notes": ["ring", "été"]}),
        ),
    ),
    ("Menu Opened", "menu_opened", (Call({}, {}),)),
    ("Café Visité", "caf__visit_", (Call({"store": "Paris Rivoli"}, {"store": "Paris Rivoli"}),)),
)  # fmt: skip
