"""The edges of the shop's tables: where a line's own data ends, thirty digits, and what a wrong value is told as."""

from dataclasses import replace

import pytest

from consumer.domain.refusals import RefusedError
from consumer.domain.settings import AccountRow, MethodRow, ShopSettings
from consumer.domain.tables import Place, Tables
from tests.domain.order_building import SHOP, line, order

DATA = {"number": "A1", "lines": [{"account": "501"}, "no mapping"]}


def tables(account: str = "", method: MethodRow | None = None, shop: ShopSettings = SHOP) -> Tables:
    """Give the tables of a shop with one row for goods and one for methods."""
    rows = (AccountRow(account_id=account, kind="goods"),) if account else ()
    methods = () if method is None else (method,)
    return Tables(order([line("1", "5")], "5", data=DATA), replace(shop, accounts=rows, methods=methods), "")


def refused(account: str, at: int = 0) -> str:
    """Give why a row's value is none."""
    with pytest.raises(RefusedError) as caught:
        tables(account).account("goods", within="lines", at=at)
    return caught.value.reason.message


def test_a_line_sees_its_own_data_and_nothing_beyond_it() -> None:
    """The first of two; an entry that is no object, one that is not there, and no place at all give nothing."""
    own = "{{ line.account }}"
    assert tables(own).account("goods", within="lines", at=0) == "501"
    for at in (1, 2, -1):
        assert refused(own, at).startswith("accounts of the shop: '{{ line.account }}' gives nothing for this order;")
    with pytest.raises(RefusedError):
        tables(own).account("goods")


def test_an_id_has_thirty_digits_at_most() -> None:
    """Thirty are one, thirty-one are none."""
    assert tables("1" * 30).account("goods") == "1" * 30
    assert "at most 30." in refused("1" * 31)


def test_a_value_that_is_no_id_is_told_in_sixty_characters() -> None:
    """As it came out, on one line."""
    assert refused("x{{ number }}") == (
        "accounts of the shop: 'x{{ number }}' gives 'xA1' for this order; an id of the ledger has digits only, at "
        "most 30."
    )
    assert f"gives '{'y' * 59}\u2026' for" in refused("y" * 80)


@pytest.mark.parametrize(
    "row", [MethodRow(name="Parcel", account_id="x"), MethodRow(name="Parcel", label="{{ abs(number) }}")]
)
def test_a_wrong_value_of_the_methods_names_that_table(row: MethodRow) -> None:
    """For its account, and for its label."""
    with pytest.raises(RefusedError) as caught:
        tables(method=row).method("parcel", within="shipping", at=0)
    reason = caught.value.reason
    assert reason.message.startswith("methods of the shop: ")
    assert reason.group_key == "expression_failed:shop:methods"


def test_a_method_sees_its_own_data() -> None:
    """And a plain value is taken as it stands, braces of an order's own included."""
    row = MethodRow(name="Parcel", item_id="{{ line.account }}", label=" {{ number }} ")
    assert tables(method=row).method("parcel", within="lines", at=0) == Place(item_id="501", label="A1")
    assert tables(method=row).method("other", within="lines", at=0) == Place()
