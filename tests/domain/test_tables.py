"""The shop's tables: which account, item and name a line goes to, and what is no revenue."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.mapping import Mapped
from consumer.domain.orders import Address, Discount, Fee, FeeKind, LineKind, Order, Tax
from consumer.domain.settings import AccountRow, MethodRow, ShopSettings
from consumer.domain.states import ReasonCode
from tests.domain.order_building import CONNECTION, SHOP, D, amounts, line, mapped, order, parked, shipping, taxes_of

LIABILITIES = (LineKind.GIFT_CARD, LineKind.DEPOSIT)
TIP = Fee(name="Tip", kind=FeeKind.TIP, amount=D(1))


def with_accounts(*rows: AccountRow) -> ShopSettings:
    """Give a shop with this table of accounts."""
    return replace(SHOP, accounts=rows)


def with_methods(*rows: MethodRow) -> ShopSettings:
    """Give a shop with this table of methods."""
    return replace(SHOP, methods=rows)


def accounts(result: Mapped) -> list[str | None]:
    """Give the account of each line."""
    return [each.account_id for each in result.draft.lines]


def row(account_id: str, kind: str = "", **more: str) -> AccountRow:
    """Give a row of the table."""
    return AccountRow(account_id=account_id, kind=kind, **more)


# ---- liabilities ---------------------------------------------------------------------------------------------------


def test_a_gift_card_that_is_sold_goes_to_the_account_of_liabilities() -> None:
    """A mug of 10.00 at 22 % and a card of 50.00 without tax: 10.00 + 2.20 + 50.00 = 62.20."""
    given = order([line("1", "10"), line("1", "50", None, kind=LineKind.GIFT_CARD)], "62.20")
    result = mapped(given, shop=with_accounts(row("2100", "gift_card"), row("4000", "goods")))
    assert amounts(result) == [("1", "10", "t22"), ("1", "50", None)]
    assert accounts(result) == ["4000", "2100"]
    assert taxes_of(result) == {"22": "2.20"}


def test_a_deposit_bears_the_tax_that_the_shop_states() -> None:
    """An advance of 100.00 at 22 %: 122.00."""
    given = order([line("1", "100", kind=LineKind.DEPOSIT)], "122.00")
    result = mapped(given, shop=with_accounts(row("2200", "deposit")))
    assert (accounts(result), taxes_of(result)) == (["2200"], {"22": "22.00"})


@pytest.mark.parametrize("kind", LIABILITIES)
@pytest.mark.parametrize("rows", [(), (row("4000"),), (row("4000", "goods"),)], ids=["none", "any", "goods"])
def test_without_a_row_of_its_own_a_liability_is_parked(kind: LineKind, rows: Sequence[AccountRow]) -> None:
    """A row for lines of any kind names revenue: it does not count, and the fix names the setting."""
    reason = parked(order([line("1", "50", None, kind=kind)], "50"), shop=with_accounts(*rows))
    assert (reason.code, reason.group) == (ReasonCode.NOT_SUPPORTED, f"not_supported:{kind.value}")
    assert f"row of kind {kind.value}" in reason.fix
    assert "accounts" in reason.fix


def test_a_gift_card_that_is_given_away_is_a_liability_still() -> None:
    """50.00 with 50.00 off comes to nothing, but the card can be spent: parked without an account."""
    free = order([line("1", "50", None, kind=LineKind.GIFT_CARD, discount=D(50))], "0")
    assert parked(free).group == "not_supported:gift_card"
    assert mapped(free, shop=with_accounts(row("2100", "gift_card"))).expected.total == 0


# ---- accounts ------------------------------------------------------------------------------------------------------


def everything(**more: Any) -> Order:
    """Give an order with a product, shipping, a tip and a discount: 10 + 5 + 1 - 2 = 14.00, without tax."""
    discounts = (Discount(amount=D(2)),)
    return order(
        [line("1", "10", None)], "14", shipping=(shipping("5", None),), fees=(TIP,), discounts=discounts, **more
    )


def test_each_kind_of_line_has_its_account() -> None:
    """Products, shipping, a fee by its own kind, and discounts."""
    rows = (row("1", "goods"), row("2", "shipping"), row("3", "tip"), row("4", "discount"), row("9", "surcharge"))
    assert accounts(mapped(everything(), shop=with_accounts(*rows))) == ["1", "2", "3", "4"]


def test_a_row_for_any_kind_is_for_all_but_discounts() -> None:
    """A discount without a row of its own takes no account: the ledger's own is as good as a guess."""
    assert accounts(mapped(everything(), shop=with_accounts(row("1")))) == ["1", "1", "1", None]
    assert accounts(mapped(everything())) == [None] * 4


def test_a_lines_own_discount_takes_the_account_of_discounts() -> None:
    """10.00 less 1.00, and shipping 5.00 less 2.00: 12.00, each discount a line of its own."""
    given = order([line("1", "10", None, discount=D(1))], "12", shipping=(shipping("5", None, discount=D(2)),))
    result = mapped(given, shop=with_accounts(row("1"), row("4", "discount")))
    assert [(format(each.rate.normalize(), "f"), each.account_id) for each in result.draft.lines] == [
        ("10", "1"),
        ("-1", "4"),
        ("5", "1"),
        ("-2", "4"),
    ]


@pytest.mark.parametrize(
    ("country", "tax_class", "account"),
    [("DE", "", "10"), ("de", "books", "12"), ("AT", "books", "11"), ("AT", "", "13"), ("FR", "food", "13")],
)
def test_the_most_specific_row_decides(country: str, tax_class: str, account: str) -> None:
    """Country and class, then either of them, then any; of equals the first in the table."""
    rows = (
        row("13"),
        row("10", country="DE"),
        row("12", country="DE", tax_class="books"),
        row("11", tax_class="books"),
        row("14", country="DE"),
    )
    given = order([line("1", "10", None, tax_class=tax_class)], "10", shipping_address=Address(country=country))
    assert accounts(mapped(given, shop=with_accounts(*rows))) == [account]


def test_revenue_goes_to_the_account_of_the_country_that_the_tax_is_due_in() -> None:
    """Sent to Germany, billed in Italy: Germany's."""
    given = order(
        [line("1", "10")],
        "12.20",
        shipping_address=Address(country="DE"),
        billing_address=Address(country="IT"),
    )
    shop = with_accounts(row("39", "goods", country="IT"), row("49", "goods", country="DE"))
    assert accounts(mapped(given, shop=shop)) == ["49"]


# ---- templates -----------------------------------------------------------------------------------------------------


DATA = {
    "meta": {"channel": "7"},
    "lines": [{"meta": {"account": "501"}}, {"meta": {"account": "502"}}],
    "shipping": [{"method": "Parcel", "meta": {"account": "503"}}],
}


def test_an_account_may_come_from_the_order_and_from_the_line() -> None:
    """``line`` is the line's own data as the contract has it: products from ``lines``, shipping from ``shipping``."""
    given = order([line("1", "10", None), line("1", "20", None)], "35", shipping=(shipping("5", None),), data=DATA)
    by_line = with_accounts(row("{{ line.meta.account }}"))
    assert accounts(mapped(given, shop=by_line)) == ["501", "502", "503"]
    by_order = with_accounts(row("40{{ meta.channel }}"))
    assert accounts(mapped(given, shop=by_order)) == ["407", "407", "407"]


@pytest.mark.parametrize(
    "text", ["{{ line.meta.account }}", "{{ meta }}", "x{{ number }}", "1" * 31, "{{ abs(number) }}"]
)
def test_a_value_that_is_no_id_parks_the_order_under_the_setting(text: str) -> None:
    """Nothing, an object, letters, 31 digits, or an expression that fails: never passed over in silence."""
    given = order([line("1", "10", None)], "10", data={"number": "A1", "meta": {"a": 1}})
    reason = parked(given, shop=with_accounts(row(text)))
    assert (reason.code, reason.group) == (ReasonCode.EXPRESSION_FAILED, "expression_failed:shop:accounts")
    assert "accounts" in reason.message
    assert "accounts" in reason.fix
    item = parked(
        replace(given, shipping=(shipping("5", None),)), shop=with_methods(MethodRow(name="parcel", item_id=text))
    )
    assert item.group == "expression_failed:shop:methods"


# ---- methods -------------------------------------------------------------------------------------------------------


def test_a_shipping_method_becomes_an_item_under_a_name_of_its_own() -> None:
    """By name without case; the row's account comes before the table of accounts, what is empty stays."""
    shop = replace(
        with_methods(
            MethodRow(name="parcel", item_id="77", label="Freight {{ number }}"),
            MethodRow(name="TIP", account_id="55"),
        ),
        accounts=(row("1"),),
    )
    result = mapped(everything(data={"number": "1001"}), shop=shop)
    assert [(each.name, each.item_id, each.account_id) for each in result.draft.lines] == [
        ("Mug", None, "1"),
        ("Freight 1001", "77", "1"),
        ("Tip", None, "55"),
        ("Discount", None, None),
    ]


@pytest.mark.parametrize(
    ("name", "item"), [("Par*", "1"), ("parcel", "1"), ("*", "1"), ("Parce", None), ("el*", None), ("", None)]
)
def test_a_row_names_a_method_or_how_it_begins(name: str, item: str | None) -> None:
    """``*`` stands for the rest of the name."""
    shop = with_methods(MethodRow(name=name, item_id="1"))
    assert mapped(everything(), shop=shop).draft.lines[1].item_id == item


def test_the_first_row_that_fits_decides() -> None:
    """A row for all, before the one for Parcel, leaves that one without effect."""
    shop = with_methods(MethodRow(name="*", item_id="1"), MethodRow(name="parcel", item_id="2"))
    assert mapped(everything(), shop=shop).draft.lines[1].item_id == "1"


def test_tables_change_no_figure() -> None:
    """With every row there is, total and VAT are those without."""
    fee = Fee(name="Gift wrap", amount=D(4), taxes=(Tax(rate=D(10)),))
    given = order([line("2", "9.99")], "28.78", fees=(fee,))  # 19.98 + 4.40 (4.3956) + 4.00 + 0.40
    shop = replace(with_methods(MethodRow(name="*", item_id="1", label="Wrap")), accounts=(row("1"),))
    assert mapped(given, shop=shop).expected == mapped(given, connection=CONNECTION).expected
