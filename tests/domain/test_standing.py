"""Whether an order may be written at all: the table of facts, wishes and settings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.standing import Facts, stand
from consumer.domain.states import OrderState, ReasonCode, Wish

START = datetime(2026, 3, 1, tzinfo=UTC)
SHOP = ShopSettings(shop_id="north", connection_id="books", automatic=True, book_from=START)
CONNECTION = ConnectionSettings(connection_id="books", data_center="eu", organization_id="1")
PAID = Facts(paid=True, paid_moment=START, cancelled=False)
BOOKED = replace(PAID, has_document=True)
D, W, N = OrderState.DUE, OrderState.WAITING, OrderState.WITHDRAWN
C = ReasonCode


@pytest.mark.parametrize(
    ("facts", "shop", "connection", "state", "code"),
    [
        (PAID, SHOP, CONNECTION, D, None),
        # the shop
        (PAID, None, None, W, C.UNKNOWN_SHOP),
        (PAID, replace(SHOP, active=False), CONNECTION, W, C.SHOP_INACTIVE),
        (BOOKED, replace(SHOP, active=False), CONNECTION, D, None),
        # wishes: stronger than events
        (replace(PAID, wish=Wish.HOLD), SHOP, CONNECTION, W, C.HELD),
        (replace(BOOKED, wish=Wish.HOLD, cancelled=True), SHOP, CONNECTION, W, C.HELD),
        (replace(PAID, wish=Wish.IGNORE), SHOP, CONNECTION, N, C.IGNORED),
        (replace(PAID, wish=Wish.NONE), SHOP, CONNECTION, N, C.NOT_WANTED),
        (replace(PAID, wish=Wish.NONE, released=True), SHOP, CONNECTION, N, C.NOT_WANTED),
        # facts
        (replace(PAID, paid=False, paid_moment=None), SHOP, CONNECTION, W, C.NOT_PAID),
        (replace(PAID, paid=False, paid_moment=None, released=True), SHOP, CONNECTION, D, None),
        (replace(PAID, cancelled=True), SHOP, CONNECTION, N, C.CANCELLED),
        (replace(PAID, cancelled=True, released=True), SHOP, CONNECTION, N, C.CANCELLED),
        (replace(BOOKED, cancelled=True), SHOP, CONNECTION, D, None),
        # automatic sending, and the start
        (PAID, replace(SHOP, automatic=False), CONNECTION, W, C.AUTOMATIC_OFF),
        (BOOKED, replace(SHOP, automatic=False), CONNECTION, W, C.CHANGED_AUTOMATIC_OFF),
        (replace(BOOKED, cancelled=True), replace(SHOP, automatic=False), CONNECTION, W, C.CHANGED_AUTOMATIC_OFF),
        (replace(PAID, released=True), replace(SHOP, automatic=False), CONNECTION, D, None),
        (replace(PAID, paid_moment=START - timedelta(microseconds=1)), SHOP, CONNECTION, W, C.BEFORE_START),
        (replace(BOOKED, paid_moment=START - timedelta(days=1)), SHOP, CONNECTION, D, None),
        (replace(PAID, paid_moment=START - timedelta(days=1), released=True), SHOP, CONNECTION, D, None),
        (replace(PAID, paid_moment=START - timedelta(days=1)), replace(SHOP, book_from=None), CONNECTION, D, None),
        # the connection: no release cures its absence
        (PAID, SHOP, None, W, C.NO_CONNECTION),
        (replace(PAID, released=True), SHOP, None, W, C.NO_CONNECTION),
        (PAID, SHOP, replace(CONNECTION, active=False), W, C.NO_CONNECTION),
        (PAID, SHOP, replace(CONNECTION, organization_id=None), W, C.NO_ORGANIZATION),
        (replace(PAID, released=True), SHOP, replace(CONNECTION, organization_id=""), W, C.NO_ORGANIZATION),
    ],
)
def test_an_order_stands_where_its_facts_and_settings_put_it(
    facts: Facts, shop: Any, connection: Any, state: OrderState, code: ReasonCode | None
) -> None:
    """One row per rule of the design; the reason says which."""
    standing = stand(facts, shop, connection)
    assert (standing.state, standing.reason and standing.reason.code) == (state, code)


def test_every_waiting_order_that_a_person_can_help_says_how() -> None:
    """A reason to wait that nobody can act upon is only the payment's."""
    cases = [
        (PAID, None, None),
        (PAID, replace(SHOP, active=False), CONNECTION),
        (replace(PAID, wish=Wish.HOLD), SHOP, CONNECTION),
        (PAID, replace(SHOP, automatic=False), CONNECTION),
        (replace(PAID, paid_moment=START - timedelta(days=1)), SHOP, CONNECTION),
        (PAID, SHOP, None),
        (PAID, SHOP, replace(CONNECTION, organization_id=None)),
    ]
    reasons = [stand(*case).reason for case in cases]
    assert all(reason is not None and reason.fix for reason in reasons)
