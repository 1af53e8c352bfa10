"""What the file of shops takes and refuses of a shop's own list of orders, with the line."""

from datetime import UTC, datetime

import pytest

from consumer.adapters.postgres import codec
from consumer.cli.shops_file import parse_shops
from consumer.domain.applying import plan
from consumer.domain.settings import OrderListSettings, Platform, ShopSettings
from consumer.errors import ConfigurationError

TEXT = """\
shops:
  web:
    source: shopify
    order_list:
      url: https://web.example
      kind: shopify
      token_variable: WEB_TOKEN
"""


def _shop(text: str = TEXT) -> ShopSettings:
    (shop,) = parse_shops(text, name="shops.yaml", environment={}).shops
    return shop


def test_a_list_reaches_the_domain_and_comes_back_from_the_database() -> None:
    """All of it; the kind is the shop's source where it is not given."""
    shop = _shop(TEXT + '      api_version: "2026-01"\n      allow_private: true\n      allow_http: true\n')
    assert shop.order_list == OrderListSettings(
        url="https://web.example",
        kind=Platform.SHOPIFY,
        token_variable="WEB_TOKEN",
        api_version="2026-01",
        allow_private=True,
        allow_http=True,
    )
    assert codec.load(ShopSettings, codec.dump(shop)) == shop
    assert _shop(TEXT.replace("      kind: shopify\n", "")) == _shop()
    assert _shop("shops: {nl: {}}").order_list is None


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("https://web.example", "http://web.example", 4, "has to begin with https://"),
        ("https://web.example", "ftp://web.example", 5, "no address such as"),
        ("https://web.example", "web.example/orders", 5, "no address such as"),
        ("https://web.example", "https://", 5, "no address such as"),
        ("https://web.example", "https://web.example:99999", 5, "no address such as"),
        ("https://web.example", '"https://web example/"', 5, "no address such as"),
        ("https://web.example", "https://me:secret@web.example", 5, "no place in it"),
        ("https://web.example", '"https://web.example/#x"', 5, "no place in it"),
        ("kind: shopify", "kind: woocommerce", 6, "needs `source: woocommerce`; the shop has shopify"),
        ("WEB_TOKEN", "shpat_0123456789abcdef", 7, "never the secret itself"),
        ("WEB_TOKEN", "BOOKED_WEB_TOKEN", 7, "must not begin with BOOKED_"),
        ("WEB_TOKEN", "WEB_TOKEN_FILE", 7, "nor end in _FILE"),
        ("token_variable: WEB_TOKEN", "token: abc", 4, "token_variable: it is missing"),
    ],
)
def test_a_list_that_could_not_be_asked_is_refused(old: str, new: str, line: int, says: str) -> None:
    """When the file is applied, not when the replay first needs it; a secret in the file is refused, not stored."""
    with pytest.raises(ConfigurationError, match=says) as raised:
        _shop(TEXT.replace(old, new))
    assert raised.value.key == f"shops.yaml:{line}"


def test_a_list_of_our_contract_may_belong_to_a_platforms_shop() -> None:
    """A shop behind WooCommerce may implement the contract instead of handing out a key of its interface."""
    shop = _shop(TEXT.replace("kind: shopify", "kind: booked"))
    assert shop.order_list is not None
    assert (shop.source, shop.order_list.kind) == (Platform.SHOPIFY, Platform.BOOKED)


def test_a_new_list_is_told_and_concerns_no_order() -> None:
    """How the shop is asked changes nothing about an order that is there."""
    before = ShopSettings(shop_id="web", source=Platform.SHOPIFY, revision=_shop().revision)
    changes = plan({}, {"web": before}, [], [_shop()], datetime.now(UTC)).changes
    assert [change.orders_concerned for change in changes] == [False]
    assert changes[0].sentences == ("shop web: order_list changes from nothing to https://web.example (shopify)",)
