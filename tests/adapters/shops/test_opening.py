"""A shop's list is opened with its secret from the environment, or not at all; the secret shows nowhere."""

from pathlib import Path

import pytest

from consumer.bootstrap.shop_lists import open_shop_list
from consumer.domain.settings import OrderListSettings, Platform, ShopSettings
from consumer.ports.shop_lists import ShopListRefusedError
from tests.adapters.shops.lists import SINCE, shop_with_list
from tests.adapters.zoho.raw_server import RawServer, answer


def test_a_shop_without_a_list_has_none() -> None:
    """Nor has one that is not active."""
    assert open_shop_list(ShopSettings(shop_id="nl"), {}) is None
    settings = OrderListSettings(url="https://s.example/o", token_variable="SHOP_TOKEN")
    assert open_shop_list(ShopSettings(shop_id="nl", active=False, order_list=settings), {"SHOP_TOKEN": "t"}) is None


async def test_the_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    """As Kubernetes mounts it, with a line break behind it."""
    file = tmp_path / "token"
    file.write_text("from-a-file\n", "utf-8")
    async with RawServer([answer(200, {"orders": []}, Content_Type="application/json")]) as server:
        shop_list = open_shop_list(shop_with_list(server.url), {"SHOP_TOKEN_FILE": str(file)})
        assert shop_list is not None
        assert [one async for one in shop_list.paid_since(SINCE)] == []
        await shop_list.aclose()
    assert server.seen[0].headers["authorization"] == "Bearer from-a-file"


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "SHOP_TOKEN, and it is not set, nor is SHOP_TOKEN_FILE"),
        ({"SHOP_TOKEN": "  "}, "is not set"),
        ({"SHOP_TOKEN": "s3cret", "SHOP_TOKEN_FILE": "/x"}, "given twice"),
        ({"SHOP_TOKEN_FILE": "/nowhere/at/all"}, "its file cannot be read"),
        ({"SHOP_TOKEN": "s3cret\r\nX-Admin: 1"}, "spaces or signs"),
        ({"SHOP_TOKEN": "s3cret with spaces"}, "spaces or signs"),
        ({"SHOP_TOKEN": "s3cret\u00e9"}, "spaces or signs"),
        ({"SHOP_TOKEN": "s3cret" * 1000}, "spaces or signs"),
    ],
)
def test_a_secret_that_cannot_be_sent_refuses_this_shop_alone(environment: dict[str, str], says: str) -> None:
    """With the name of the variable, never its value."""
    with pytest.raises(ShopListRefusedError, match=says) as raised:
        open_shop_list(shop_with_list("https://s.example/o"), environment)
    assert "s3cret" not in str(raised.value)
    assert raised.value.shop_id == "nl"


def test_woocommerces_secret_has_two_parts() -> None:
    """One of them alone would be refused by the shop, with less help."""
    shop = shop_with_list("https://s.example", kind=Platform.WOOCOMMERCE)
    with pytest.raises(ShopListRefusedError, match="ck_…:cs_…") as raised:
        open_shop_list(shop, {"SHOP_TOKEN": "ck_s3cret"})
    assert "s3cret" not in str(raised.value)


def test_an_unencrypted_list_is_not_opened_without_the_setting() -> None:
    """Settings of another version, or written into the database by hand, are held to it as well."""
    with pytest.raises(ShopListRefusedError, match="https://"):
        open_shop_list(shop_with_list("http://s.example/o", allow_http=False), {"SHOP_TOKEN": "t"})
