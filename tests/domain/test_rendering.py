"""Amounts written as lines: as the shop states them where that gives the amount, and in words where it does not."""

from dataclasses import replace

from consumer.domain.charges import Charge, Charges, Position, Reduction
from consumer.domain.ledger import InvoiceLine
from consumer.domain.rendering import Render, Source, render
from consumer.domain.taxes import NO_TAX, TaxChosen
from tests.domain.order_building import SHOP, D

GROUP = TaxChosen(tax_id="g", rate=D(15), parts=(D(5), D(10)))
TAXES = (NO_TAX, TaxChosen(tax_id="t22", rate=D(22)), GROUP)


def position(quantity: str = "2", price: str = "5.00", **more: object) -> Position:
    """Give mugs at 22 %."""
    made = Position(
        charge=Charge.PRODUCT,
        label="Line 1 (Mug)",
        name="Mug",
        amount=D(quantity) * D(price),
        inclusive=False,
        tax=1,
        quantity=D(quantity),
        unit_price=D(price),
    )
    return replace(made, **more)  # type: ignore[arg-type] # fields by name


def task(
    *amounts: int, of: tuple[Position, ...], reductions: tuple[Reduction, ...] = (), folded: bool = False
) -> Render:
    """Lay positions out, each with its amount in cents."""
    charges = Charges(positions=of, reductions=reductions, taxes=TAXES, digits=2, inclusive=False, mixed=False)
    sources = tuple(Source(position=at) for at in range(len(of)))
    return Render(charges=charges, shop=SHOP, sources=sources, amounts=amounts, inclusive=False, folded=folded)


def line_of(quantity: str, rate: str, **more: object) -> InvoiceLine:
    """Give a line of mugs."""
    made = InvoiceLine(name="Mug", quantity=D(quantity), rate=D(rate), tax_id="t22", tax_rate=D(22))
    return replace(made, **more)  # type: ignore[arg-type] # fields by name


PLAIN = "Prices are without tax in them."


def test_a_line_is_written_as_the_shop_states_it_where_that_gives_its_amount() -> None:
    """With its unit, its item and its account; nothing is said of it."""
    given = position(unit="pcs", item_id="4", account_id="5", description="Blue")
    assert render(task(1000, of=(given,))) == (
        (line_of("2", "5.00", unit="pcs", item_id="4", account_id="5", description="Blue"),),
        (PLAIN,),
    )


def test_a_discount_within_a_line_leaves_its_price() -> None:
    """10.00 less 1.00, and one of which nothing is left: both are said."""
    lines, words = render(task(900, 0, of=(position(), position()), folded=True))
    assert lines == (line_of("2", "5.00", discount=D("1.00")), line_of("2", "5.00", discount=D("10.00")))
    assert words == (PLAIN, "2 line(s) with the discount within: only so VAT is exact.")


def test_a_line_beyond_its_price_has_no_discount_within() -> None:
    """11.00 of two at 5.00 are two at 5.50; below nought they are two at -0.50."""
    lines, words = render(task(1100, -100, of=(position(), position()), folded=True))
    assert lines == (line_of("2", "5.50"), line_of("2", "-0.50"))
    assert words == (PLAIN,)


def test_without_a_discount_within_another_amount_is_another_price() -> None:
    """9.98 of two at 5.00 are two at 4.99, and 9.96 at 4.98: two lines rounded the other way."""
    lines, words = render(task(998, 996, 1000, of=(position(), position(), position(multiplies=False))))
    assert lines == (line_of("2", "4.99"), line_of("2", "4.98"), line_of("2", "5.00"))
    assert words == (PLAIN, "2 line(s) rounded the other way, so that the lines add up as in the shop.")


def test_what_no_price_gives_is_one_piece_with_its_count_in_words() -> None:
    """10.01 for three, 2.51 for 1.255 kg: without a unit of their own, the price in the description."""
    fine = position("1.255", "2.00", unit="kg", description="Oak")
    lines, words = render(
        task(1001, 251, of=(position("3", "3.3367", multiplies=False), replace(fine, multiplies=False)))
    )
    assert lines == (
        line_of("1", "10.01", name="3 \u00d7 Mug", description="3 \u00d7 3.3367"),
        line_of("1", "2.51", name="1.255 kg \u00d7 Mug", description="1.255 \u00d7 2\nOak"),
    )
    assert words == (
        PLAIN,
        "2 line(s) as one piece: quantity and unit price do not give the amount exactly.",
    )


def test_prices_that_were_turned_are_said_once() -> None:
    """Two lines with tax in an order without: they are converted. Of a document that is turned as a whole: that."""
    mixed = task(820, 820, of=(position(inclusive=True), position(inclusive=True)))
    lines, words = render(mixed)
    assert lines == (line_of("2", "4.10"), line_of("2", "4.10"))
    assert words == (PLAIN, "2 line(s) converted: the order mixes prices with and without tax.")
    assert render(replace(mixed, amounts=(1000, 1000), inclusive=True))[1] == (
        "Prices are with tax in them, other than in the shop: only so it is exact.",
    )
    turned = replace(mixed, charges=replace(mixed.charges, inclusive=True))
    assert render(turned)[1] == ("Prices are without tax in them, other than in the shop: only so it is exact.",)
    same = replace(turned, amounts=(1000, 1000), inclusive=True)
    assert render(same)[1] == ("Prices are with tax in them.",)


def test_what_bears_no_tax_is_neither_with_nor_without() -> None:
    """An untaxed line with its own mode in a document of the other."""
    lines, words = render(task(1000, of=(position(tax=0, inclusive=True),)))
    assert (lines, words) == ((line_of("2", "5.00", tax_id=None, tax_rate=D(0)),), (PLAIN,))


def test_a_discount_is_a_line_of_its_own_under_each_tax() -> None:
    """With its account, its rate where it is split, a group's members; a long name is cut and told whole."""
    name = "x" * 150
    coupons = (
        Reduction(name=name, amount=D(3), positions=(0,), inclusive=False, account_id="9"),
        Reduction(name="Coupon", amount=D(1), positions=(0,), inclusive=False),
    )
    given = position(reduction=D(1), reduction_account_id="8")
    made = replace(
        task(of=(given,), reductions=coupons),
        sources=(
            Source(position=0),
            Source(position=0, own_reduction=True),
            Source(reduction=0, tax=1, split=True),
            Source(reduction=0, tax=2, split=True),
            Source(reduction=1, tax=2),
        ),
        amounts=(1000, -100, -200, -100, -100),
    )
    lines, words = render(made)
    assert lines[1:] == (
        line_of("1", "-1.00", name="Discount: Mug", account_id="8"),
        line_of("1", "-2.00", name="x" * 92 + "\u2026 (22 %)", account_id="9"),
        line_of(
            "1",
            "-1.00",
            name="x" * 92 + "\u2026 (15 %)",
            account_id="9",
            tax_id="g",
            tax_rate=D(15),
            tax_parts=(D(5), D(10)),
        ),
        line_of("1", "-1.00", name="Coupon", tax_id="g", tax_rate=D(15), tax_parts=(D(5), D(10))),
    )
    assert words == (PLAIN, "Discounts are split over the tax rates: -2 at 22 %, -1 at 15 %.")


def test_a_name_that_is_too_long_is_told_whole_below() -> None:
    """Of a line and of a discount: a hundred characters, the last of which says that there is more."""
    long = "Mug " * 40
    discount = position(reduction=D(1), name=long)
    made = replace(
        task(of=(discount,)),
        sources=(Source(position=0), Source(position=0, own_reduction=True)),
        amounts=(1000, -100),
    )
    first, second = render(made)[0]
    assert (len(first.name), first.name[-1], first.description) == (100, "\u2026", long.strip())
    assert (len(second.name), second.description) == (100, f"Discount: {long.strip()}")


def test_one_piece_that_the_shop_sold_as_one_is_no_count() -> None:
    """As stated, and at a cent less; under a group with its members."""
    lines, words = render(task(500, 499, of=(position("1"), position("1", tax=2, unit="pcs"))))
    assert lines == (
        line_of("1", "5.00"),
        line_of("1", "4.99", unit="pcs", tax_id="g", tax_rate=D(15), tax_parts=(D(5), D(10))),
    )
    assert words == (PLAIN, "1 line(s) rounded the other way, so that the lines add up as in the shop.")
