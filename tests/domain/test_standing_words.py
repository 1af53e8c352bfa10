"""What an order that waits is told to wait for: the words that a person reads and acts on."""

from dataclasses import replace

import pytest

from consumer.domain.settings import ShopSettings
from consumer.domain.standing import Facts, stand
from consumer.domain.states import Reason
from tests.domain.test_standing import BOOKED, CONNECTION, PAID, SHOP


def reason(facts: Facts, shop: ShopSettings | None) -> Reason:
    """Give why the order waits, with no connection where the shop is on automatic."""
    connection = CONNECTION if shop is not None and not shop.automatic else None
    found = stand(facts, shop, connection).reason
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (BOOKED, "The booked order has changed; automatic sending is off."),
        (PAID, "Automatic sending is off for this shop."),
    ],
)
def test_with_automatic_sending_off_it_says_whether_something_is_booked(facts: Facts, words: str) -> None:
    """Who reads it looks into the ledger in one case and not in the other."""
    assert reason(facts, replace(SHOP, automatic=False)).message == words


@pytest.mark.parametrize(("named", "words"), [("books", "connection (books)."), (None, "connection.")])
def test_a_missing_connection_is_named_where_the_shop_names_one(named: str | None, words: str) -> None:
    """A shop of none has none to name."""
    assert reason(PAID, replace(SHOP, connection_id=named)).message.endswith(words)


def test_a_reason_without_a_remedy_has_none_and_gathers_with_nothing() -> None:
    """An order that is not paid waits for its payment: nobody has anything to do, and it is of no group."""
    found = reason(replace(PAID, paid=False, paid_moment=None), replace(SHOP, automatic=False))
    assert (found.fix, found.group_key) == ("", "")
