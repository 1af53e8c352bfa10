"""What `booked apply` would change: told before it is done, in sentences that name the old and the new."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from consumer.domain.applying import Plan, plan
from consumer.domain.settings import (
    ChangedSent,
    ConnectionSettings,
    LedgerLimits,
    OrderListSettings,
    RevisionKey,
    ShopSettings,
    TaxOverride,
)

NOW = datetime(2026, 3, 14, 12, 0, 30, 500_000, tzinfo=UTC)
BEFORE = NOW - timedelta(days=10)
BOOKS = ConnectionSettings(connection_id="books", data_center="eu")
SHOP = ShopSettings(shop_id="north", connection_id="books")


def planned(*shops: ShopSettings, stored: tuple[ShopSettings, ...] = (SHOP,)) -> Plan:
    """Plan for shops alone; the connection stays."""
    return plan({"books": BOOKS}, {shop.shop_id: shop for shop in stored}, [BOOKS], shops, NOW)


def told(new: ShopSettings, old: ShopSettings = SHOP) -> tuple[str, ...]:
    """Give the sentences of a shop's change; of no change none."""
    changes = planned(new, stored=(old,)).changes
    assert len(changes) <= 1
    return changes[0].sentences if changes else ()


def test_nothing_changes_where_nothing_differs() -> None:
    """Applied twice, the second time has nothing to say."""
    found = planned(SHOP)
    assert (found.changes, found.shops, found.connections) == ((), {"north": SHOP}, {"books": BOOKS})


def test_what_is_new_is_added_and_what_is_not_named_becomes_inactive() -> None:
    """In the order of their names, connections first."""
    south, other = ShopSettings(shop_id="south"), ConnectionSettings(connection_id="other", data_center="com")
    found = plan({"books": BOOKS}, {"north": SHOP}, [other], [south], NOW)
    assert [(change.subject, change.name, change.sentences) for change in found.changes] == [
        ("connection", "books", ("connection books becomes inactive",)),
        ("connection", "other", ("connection other is added",)),
        ("shop", "north", ("shop north becomes inactive",)),
        ("shop", "south", ("shop south is added",)),
    ]
    assert found.shops == {"south": south, "north": replace(SHOP, active=False)}
    assert found.connections == {"other": other, "books": replace(BOOKS, active=False)}


def test_a_shop_that_is_named_again_becomes_active() -> None:
    """It says the one thing that changes."""
    assert told(SHOP, replace(SHOP, active=False)) == ("shop north becomes active",)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"time_zone": "Europe/Rome"}, "time_zone changes from UTC to Europe/Rome"),
        ({"discount_label": ""}, "discount_label changes from Discount to nothing"),
        ({"notes": "Thanks"}, "notes changes from nothing to Thanks"),
        ({"connection_id": None}, "connection_id changes from books to nothing"),
        ({"mark_sent": True}, "mark_sent changes from off to on"),
        ({"update_customers": False}, "update_customers changes from on to off"),
        ({"vat_tolerance_units": 1}, "vat_tolerance_units changes from 0 to 1"),
        ({"changed_sent": ChangedSent.CREDIT_ALL}, "changed_sent changes from park to credit_all"),
        ({"tax_overrides": (TaxOverride(tax_id="1"),)}, "tax_overrides changes from 0 rows to 1 rows"),
        ({"book_from": NOW}, "book_from changes from nothing to 2026-03-14T12:00:30+00:00"),
    ],
)
def test_each_kind_of_value_is_told_as_a_person_writes_it(changes: dict[str, object], sentence: str) -> None:
    """Both the old one and the new one."""
    assert told(replace(SHOP, **changes)) == (f"shop north: {sentence}",)  # type: ignore[arg-type] # fields by name


def test_of_limits_those_are_told_that_differ() -> None:
    """Each by its own name."""
    new = replace(BOOKS, limits=LedgerLimits(daily_calls=5000, pace_share=Decimal("0.5")))
    found = plan({"books": BOOKS}, {}, [new], [], NOW).changes
    assert [change.sentences for change in found] == [
        (
            "connection books: limits.pace_share changes from 0.97 to 0.5",
            "connection books: limits.daily_calls changes from 1000 to 5000",
        )
    ]


def test_orders_are_concerned_by_what_they_are_booked_by_and_not_by_names_and_limits() -> None:
    """Orders that wait are looked at again only where the change may help them."""
    order_list = OrderListSettings(url="https://shop.example", token_variable="TOKEN")
    quiet = replace(SHOP, name="North", revision=RevisionKey.TIME, order_list=order_list)
    loud = replace(quiet, time_zone="Europe/Rome")
    silent, concerned = planned(quiet), planned(loud)
    assert (silent.changed("shop"), silent.changed("shop", orders_concerned=True)) == (["north"], [])
    assert (concerned.changed("shop"), concerned.changed("shop", orders_concerned=True)) == (["north"], ["north"])
    assert concerned.changed("connection") == []
    faster = replace(BOOKS, limits=LedgerLimits(daily_calls=5000))
    found = plan({"books": BOOKS}, {}, [faster], [], NOW)
    assert (found.changed("connection"), found.changed("connection", orders_concerned=True)) == (["books"], [])


def test_a_plan_names_what_changes_sorted() -> None:
    """Whatever the order of the file."""
    west, east = ShopSettings(shop_id="west"), ShopSettings(shop_id="east")
    assert planned(SHOP, west, east).changed("shop") == ["east", "west"]
    assert planned(SHOP, west, east).changed("shop", orders_concerned=True) == ["east", "west"]


# ---- what the database decides ---------------------------------------------------------------------------------------


def settled(new: ShopSettings, old: ShopSettings | None = None) -> ShopSettings:
    """Give the shop as it becomes."""
    return planned(new, stored=() if old is None else (old,)).shops["north"]


AUTOMATIC = replace(SHOP, automatic=True)


@pytest.mark.parametrize(
    ("new", "old", "book_from"),
    [
        (AUTOMATIC, None, NOW),
        (AUTOMATIC, SHOP, NOW),
        (AUTOMATIC, replace(SHOP, book_from=BEFORE), NOW),
        (AUTOMATIC, AUTOMATIC, NOW),
        (AUTOMATIC, replace(AUTOMATIC, book_from=BEFORE), BEFORE),
        (SHOP, replace(AUTOMATIC, book_from=BEFORE), BEFORE),
        (SHOP, SHOP, None),
        (SHOP, None, None),
        (replace(AUTOMATIC, book_from=BEFORE), None, BEFORE),
        (replace(SHOP, book_from=BEFORE), replace(AUTOMATIC, book_from=NOW), BEFORE),
    ],
    ids=[
        "a new shop",
        "switched on",
        "switched on again",
        "on without a start",
        "it stays on",
        "switched off",
        "it stays off",
        "new and off",
        "a start of its own",
        "another start",
    ],
)
def test_automatic_sending_begins_when_it_is_switched_on(
    new: ShopSettings, old: ShopSettings | None, book_from: datetime | None
) -> None:
    """Orders paid before wait: a shop's history is not booked by a switch."""
    assert settled(new, old).book_from == book_from


def test_the_key_that_the_first_event_fixed_stays_where_none_is_named() -> None:
    """A shop's file need not name it; where it does, that one holds."""
    fixed = replace(SHOP, revision=RevisionKey.UPDATED_AT)
    assert settled(SHOP, fixed).revision is RevisionKey.UPDATED_AT
    assert settled(replace(SHOP, revision=RevisionKey.TIME), fixed).revision is RevisionKey.TIME
    assert settled(replace(SHOP, revision=RevisionKey.TIME)).revision is RevisionKey.TIME
    assert settled(SHOP).revision is None
