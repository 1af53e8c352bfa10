"""Which tax of the organisation is chosen: the published order, its tie-breaks, and never a default."""

from dataclasses import replace

from consumer.domain.ledger import LedgerTax, TaxKind
from consumer.domain.orders import Address, Customer, LineKind, Tax
from consumer.domain.settings import ShopSettings, TaxOverride
from consumer.domain.states import ReasonCode
from consumer.domain.taxes import NO_TAX, TaxChosen, TaxWanted, match_tax
from tests.domain.order_building import FACTS, SHOP, D, amounts, line, mapped, order, parked, taxes_of, vat


def tax(tax_id: str, name: str, rate: str = "22", **more: object) -> LedgerTax:
    """Give one tax of the organisation."""
    return replace(LedgerTax(tax_id=tax_id, name=name, rate=D(rate)), **more)  # type: ignore[arg-type]  # fields by name


def wanted(*rates: str, **more: object) -> TaxWanted:
    """Give what the shop charges."""
    return replace(TaxWanted(rates=tuple(D(rate) for rate in rates)), **more)  # type: ignore[arg-type]  # fields by name


def chosen_id(want: TaxWanted, *taxes: LedgerTax, overrides: tuple[TaxOverride, ...] = ()) -> str | None:
    """Give the id of the tax that must be chosen."""
    result = match_tax(want, taxes, overrides)
    assert isinstance(result, TaxChosen), result
    return result.tax_id


def test_the_rate_must_be_exactly_equal() -> None:
    """22 is not 22.5, and 22.0 is 22."""
    assert chosen_id(wanted("22.0"), tax("a", "A", "22.5"), tax("b", "B", "22")) == "b"


def test_the_country_of_the_tax_decides_and_another_countrys_is_never_taken() -> None:
    """A 22 % of Italy is no 22 % of Slovenia; a tax without a country serves where there is no better."""
    italy, none = tax("it", "IVA", country="IT"), tax("any", "VAT")
    assert chosen_id(wanted("22", country="IT"), none, italy) == "it"
    assert chosen_id(wanted("22", country="SI"), none, italy) == "any"
    reason = match_tax(wanted("22", country="SI"), [italy], ())
    assert getattr(reason, "code", None) is ReasonCode.TAX_MISSING


def test_the_country_in_the_name_comes_next() -> None:
    """Where the taxes tell no country, ``SI VAT`` is Slovenia's."""
    assert chosen_id(wanted("22", country="SI"), tax("it", "IT VAT"), tax("si", "SI VAT")) == "si"


def test_the_kind_in_the_name_comes_before_the_shops_name() -> None:
    """Shipping prefers a tax named for it, goods prefer one that names no other kind."""
    taxes = (tax("s", "VAT services"), tax("p", "VAT"), tax("d", "VAT shipping"))
    assert chosen_id(wanted("22", kind="shipping"), *taxes) == "d"
    assert chosen_id(wanted("22", kind="goods"), *taxes) == "p"
    assert chosen_id(wanted("22", kind=LineKind.SERVICE.value), *taxes) == "s"


def test_the_shops_own_name_breaks_the_last_tie() -> None:
    """Of two equal taxes the one that the shop names, equal before contained."""
    taxes = (tax("a", "IVA ordinaria 22"), tax("b", "IVA"), tax("c", "MwSt"))
    assert chosen_id(wanted("22", names=("iva",)), *taxes) == "b"
    assert chosen_id(wanted("22", names=("ordinaria",)), *taxes) == "a"


def test_what_is_still_several_is_parked_with_the_candidates() -> None:
    """Two taxes that nothing tells apart are never chosen between."""
    facts = replace(FACTS, taxes=(tax("a", "IVA"), tax("b", "MwSt")))
    reason = parked(order([line("1", "10")], "12.20"), facts=facts)
    assert (reason.code, reason.group) == (ReasonCode.TAX_AMBIGUOUS, "tax_ambiguous::22")
    assert "IVA (a)" in reason.message
    assert "MwSt (b)" in reason.message


def test_an_inactive_tax_is_no_candidate() -> None:
    """A tax that was switched off is never taken, even where it is the only one."""
    reason = match_tax(wanted("22"), [tax("a", "IVA", active=False)], ())
    assert getattr(reason, "code", None) is ReasonCode.TAX_MISSING


def test_a_missing_rate_parks_under_one_group_and_says_what_to_create() -> None:
    """25 % for Sweden does not exist: one group, one fix."""
    given = order([line("1", "10", "25")], "12.50", shipping_address=Address(country="SE"))
    reason = parked(given)
    assert (reason.code, reason.group) == (ReasonCode.TAX_MISSING, "tax_missing:SE:25")
    assert "25 % for SE" in reason.fix


def test_the_shops_table_comes_first_and_its_most_specific_row_wins() -> None:
    """(country, class) beats (rate), which beats nothing; the row's tax must have the rate."""
    rows = (TaxOverride(tax_id="t22"), TaxOverride(tax_id="x", country="IT", tax_class="books"))
    facts = replace(FACTS, taxes=(*FACTS.taxes, tax("x", "Special")))
    shop = ShopSettings(shop_id="shop", tax_overrides=rows)
    books = line("1", "10", tax_class="books")
    italy = {"shipping_address": Address(country="IT")}
    assert amounts(mapped(order([books], "12.20", **italy), shop=shop, facts=facts))[0][2] == "x"
    assert amounts(mapped(order([line("1", "10")], "12.20", **italy), shop=shop, facts=facts))[0][2] == "t22"


def test_a_taxed_line_is_never_booked_under_a_tax_of_zero() -> None:
    """A row of the shop's table that names a 0 % tax for 22 % would lose the tax."""
    facts = replace(FACTS, taxes=vat("22", "0"))
    shop = replace(SHOP, tax_overrides=(TaxOverride(tax_id="t0"),))
    reason = parked(order([line("1", "10")], "12.20"), shop=shop, facts=facts)
    assert reason.code is ReasonCode.TAX_WOULD_BE_LOST


def test_a_table_row_of_another_rate_or_without_a_tax_parks() -> None:
    """The shop's table must name a tax that exists and has the rate."""
    for tax_id in ("t10", "gone"):
        shop = replace(SHOP, tax_overrides=(TaxOverride(tax_id=tax_id),))
        reason = parked(order([line("1", "10")], "12.20"), shop=shop)
        assert (reason.code, tax_id in reason.message) == (ReasonCode.TAX_MISSING, True)


def test_tax_that_no_line_has_a_rate_for_is_never_dropped() -> None:
    """10.00 without any rate, but 2.20 of tax stated: refused, and not booked as 12.20 without VAT."""
    reason = parked(order([line("1", "12.20", None)], "12.20", tax="2.20"))
    assert reason.code is ReasonCode.TAX_WOULD_BE_LOST


def test_rate_0_takes_the_organisations_0_percent_tax_else_none_and_says_so() -> None:
    """With a 0 % tax the line bears it; without, it has no tax and a word says so."""
    given = order([line("1", "10", "0")], "10.00")
    assert amounts(mapped(given, facts=replace(FACTS, taxes=vat("0"))))[0][2] == "t0"
    without = mapped(given)
    assert amounts(without)[0][2] is None
    assert "no tax of 0 %" in without.words[-1]


def test_rate_0_is_told_apart_by_its_cause() -> None:
    """Reverse charge, exempt and zero-rated are three taxes of 0 %."""
    taxes = (tax("z", "Zero rated", "0"), tax("e", "Exempt", "0"), tax("r", "Reverse charge", "0"))
    assert chosen_id(wanted("0", cause="reverse_charge"), *taxes) == "r"
    assert chosen_id(wanted("0", cause="exempt"), *taxes) == "e"
    assert chosen_id(wanted("0"), *taxes) == "z"
    assert match_tax(wanted("0"), [], ()) == NO_TAX


def test_an_exempt_buyers_rates_are_not_charged_where_the_totals_say_so() -> None:
    """A reverse-charge buyer: the lines name 22 %, the total is the net: booked with the 0 % tax or none."""
    buyer = Customer(name="Firm", reverse_charge=True)
    given = order([line("1", "10")], "10.00", customer=buyer, tax="0")
    assert amounts(mapped(given, facts=replace(FACTS, taxes=vat("22", "0"))))[0][2] == "t0"
    charged = order([line("1", "10")], "12.20", customer=buyer, tax="2.20")
    assert taxes_of(mapped(charged)) == {"22": "2.20"}


def test_several_taxes_on_a_line_need_the_group_of_them() -> None:
    """5 % and 9.975 % on 10.10: the group of both, 0.51 and 1.01; total 11.62."""
    both = (Tax(rate=D(5), name="GST"), Tax(rate=D("9.975"), name="QST"))
    group = tax("g", "GST+QST", "14.975", kind=TaxKind.GROUP, parts=(D(5), D("9.975")))
    given = order([line("1", "10.10", taxes=both)], "11.62")
    result = mapped(given, facts=replace(FACTS, taxes=(*FACTS.taxes, group)))
    assert (amounts(result)[0][2], taxes_of(result)) == ("g", {"5": "0.51", "9.975": "1.01"})
    assert result.expected.group_rates == ((D("14.975"), (D(5), D("9.975"))),)
    reason = parked(given)
    assert (reason.code, "a tax group of 5 % + 9.975 %" in reason.fix) == (ReasonCode.TAX_MISSING, True)


def test_compound_taxes_match_the_group_by_its_whole_rate() -> None:
    """5 % and 8.5 % of the sum on 100.00: 5.00 and 8.93; the group has 13.925 %."""
    both = (Tax(rate=D("8.5"), compound=True), Tax(rate=D(5)))
    group = tax("g", "Compound", "13.925", kind=TaxKind.GROUP)
    result = mapped(order([line("1", "100", taxes=both)], "113.93"), facts=replace(FACTS, taxes=(group,)))
    assert taxes_of(result) == {"5": "5.00", "8.5": "8.93"}
