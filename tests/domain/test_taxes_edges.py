"""The choice of a tax at its edges: groups and compound rates, the shop's own rows, and what is said of none."""

import pytest

from consumer.domain.ledger import LedgerTax, TaxKind
from consumer.domain.orders import Tax
from consumer.domain.settings import TaxOverride
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.taxes import TaxChosen, TaxWanted, match_tax, wanted_tax
from tests.domain.order_building import D
from tests.domain.test_taxes import chosen_id, tax, wanted

GROUP, COMPOUND = TaxKind.GROUP, TaxKind.COMPOUND
BOTH = wanted("5", "8.5", compound=True)  # 5 + 8.5 x 1.05 = 13.925


def said(want: TaxWanted, *taxes: LedgerTax, overrides: tuple[TaxOverride, ...] = ()) -> Reason:
    """Give why no tax is chosen."""
    found = match_tax(want, taxes, overrides)
    assert isinstance(found, Reason), found
    return found


def test_a_compound_rate_is_taken_of_the_net_and_all_before_it() -> None:
    """3 + 5 + 8.5 x 1.08 is 17.18; simple rates are added up."""
    assert wanted("3", "5", "8.5", compound=True).rate == D("17.18")
    assert wanted("3", "5", "8.5").rate == D("16.5")


def test_what_a_line_charges_is_gathered_simple_rates_first() -> None:
    """A rate of nought beside others says nothing; one tax alone is no compound; alone it says its name."""
    taxes = (
        Tax(rate=D("8.5"), name="C", compound=True),
        Tax(rate=D(0), name="Z"),
        Tax(rate=D(5), name="B"),
        Tax(rate=D(3), name="A"),
        Tax(rate=D(7), name=""),
    )
    assert wanted_tax(taxes, kind="shipping", tax_class="x", country="CA", cause="exempt") == TaxWanted(
        rates=(D(3), D(5), D(7), D("8.5")),
        compound=True,
        names=("A", "B", "C"),
        kind="shipping",
        tax_class="x",
        country="CA",
        cause="exempt",
    )
    one = wanted_tax((Tax(rate=D(22), compound=True),), kind="goods", tax_class="", country="", cause="")
    assert one == TaxWanted(rates=(D(22),))
    none = wanted_tax((Tax(rate=D(0), name="Export"),), kind="goods", tax_class="", country="", cause="")
    assert none == TaxWanted(rates=(D(0),), names=("Export",))


def test_what_is_chosen_has_the_ledgers_rate_and_the_orders_parts() -> None:
    """A group that the ledger does not take apart has the order's members; of a single rate the ledger's."""
    assert match_tax(wanted("22"), [tax("a", "A")], ()) == TaxChosen(tax_id="a", rate=D(22))
    known = tax("g", "G", "15", kind=GROUP, parts=(D(10), D(5)))
    assert match_tax(wanted("15"), [known], ()) == TaxChosen(tax_id="g", rate=D(15), parts=(D(10), D(5)))
    unknown = tax("g", "G", "15", kind=GROUP)
    assert match_tax(wanted("5", "10"), [unknown], ()) == TaxChosen(tax_id="g", rate=D(15), parts=(D(5), D(10)))


@pytest.mark.parametrize(
    ("want", "group", "fits"),
    [
        (wanted("5", "10"), tax("g", "G", "15", kind=GROUP, parts=(D(10), D(5))), True),
        (wanted("5", "10"), tax("g", "G", "15", kind=GROUP, parts=(D(9), D(6))), False),
        (wanted("5", "10"), tax("g", "G", "15", kind=COMPOUND), False),
        (wanted("5", "10"), tax("g", "G", "15.01", kind=GROUP), False),
        (BOTH, tax("g", "G", "13.93", kind=GROUP), True),
        (BOTH, tax("g", "G", "13.935", kind=GROUP), True),
        (BOTH, tax("g", "G", "13.936", kind=GROUP), False),
    ],
    ids=["its members", "other members", "no group", "another rate", "rounded", "just so", "too far"],
)
def test_several_rates_need_a_group_of_them(want: TaxWanted, group: LedgerTax, fits: bool) -> None:  # noqa: FBT001 a parameter
    """Of the whole rate; a ledger may round that of one with a compound member, by a hundredth of a percent."""
    assert isinstance(match_tax(want, [group], ()), TaxChosen) is fits


def test_a_single_tax_comes_before_a_compound_one_and_that_before_a_group() -> None:
    """All of the rate."""
    simple, compound = tax("s", "S"), tax("c", "C", kind=COMPOUND)
    group = tax("g", "G", kind=GROUP)
    assert chosen_id(wanted("22"), group, compound, simple) == "s"
    assert chosen_id(wanted("22"), group, compound) == "c"
    assert chosen_id(wanted("22"), group) == "g"


def test_without_a_country_no_name_is_looked_at_for_one() -> None:
    """Two taxes of one rate, one of them with words in its name: nothing tells them apart."""
    assert said(wanted("22"), tax("a", "IT VAT"), tax("b", "SI VAT")).code is ReasonCode.TAX_AMBIGUOUS
    assert chosen_id(wanted("22", country="SI"), tax("a", "SILK"), tax("b", "X SI")) == "b"


def test_every_name_of_the_shop_has_to_be_in_the_ledgers() -> None:
    """Two taxes of a line, and a group named after both."""
    want = wanted("5", "10", names=("state", "city"))
    one = tax("a", "City tax", "15", kind=GROUP)
    both = tax("b", "State and city tax", "15", kind=GROUP)
    assert chosen_id(want, one, both) == "b"


# ---- the shop's own rows ---------------------------------------------------------------------------------------------


def row(tax_id: str, rate: str | None = None, **more: str) -> TaxOverride:
    """Give a row of the shop's table."""
    return TaxOverride(tax_id=tax_id, rate=None if rate is None else D(rate), **more)


TAXES = (tax("a", "A"), tax("b", "B"))
FOOD = wanted("22", tax_class="food", country="IT")


@pytest.mark.parametrize(
    ("rows", "tax_id"),
    [
        ((row("a"),), "a"),
        ((row("b", country="it"),), "b"),
        ((row("b", "10"), row("a", "22")), "a"),
        ((row("b", tax_class="books"), row("a")), "a"),
        ((row("a"), row("b", "22")), "b"),
        ((row("a"), row("b", tax_class="food")), "b"),
        ((row("a", "22"), row("b", country="IT", tax_class="food")), "b"),
        ((row("a", "22"), row("b", country="IT")), "a"),
        ((row("a", country="IT"), row("b", "22", country="IT")), "b"),
    ],
    ids=[
        "any",
        "the country, in any case",
        "the rate",
        "another class",
        "the rate says more than nothing",
        "the class says more than nothing",
        "two say more than one",
        "of equals the first",
        "the rate beside the country",
    ],
)
def test_the_row_that_says_most_decides(rows: tuple[TaxOverride, ...], tax_id: str) -> None:
    """Country, rate and class count alike."""
    assert chosen_id(FOOD, *TAXES, overrides=rows) == tax_id


def test_a_row_may_name_the_zero_tax_for_what_bears_none_and_for_nothing_else() -> None:
    """A 1 % that is booked under 0 % would be lost."""
    zero = tax("z", "Z", "0")
    assert chosen_id(wanted("0"), zero, overrides=(row("z"),)) == "z"
    lost = said(wanted("1", country="IT"), zero, overrides=(row("z"),))
    assert lost == Reason(
        code=ReasonCode.TAX_WOULD_BE_LOST,
        message="The order charges 1 % but the shop's tax table names tax z of 0 %.",
        fix="Correct that row of the shop's tax_overrides, or the tax in the shop.",
        group_key="tax_would_be_lost:IT:1",
    )


@pytest.mark.parametrize(
    ("want", "rate", "fits"),
    [
        (wanted("22"), "22.01", False),
        (BOTH, "13.935", True),
        (BOTH, "13.936", False),
        (BOTH, "13.915", True),
    ],
)
def test_a_rows_tax_has_the_orders_rate(want: TaxWanted, rate: str, fits: bool) -> None:  # noqa: FBT001 a parameter
    """Exactly; of a compound one to a hundredth of a percent."""
    found = match_tax(want, [tax("x", "X", rate)], (row("x"),))
    assert isinstance(found, TaxChosen) is fits


def test_a_row_whose_tax_has_another_rate_is_named() -> None:
    """With the rate that it has."""
    reason = said(wanted("22"), tax("x", "X", "10"), overrides=(row("x"),))
    assert reason.message == ("The organisation has no tax of 22 %. The shop's tax table names tax x, which has 10 %.")


# ---- what is said ----------------------------------------------------------------------------------------------------


def test_a_missing_tax_is_said_with_what_to_create() -> None:
    """A tax, or a group of several; for a country where one is known."""
    assert said(wanted("22")) == Reason(
        code=ReasonCode.TAX_MISSING,
        message="The organisation has no tax of 22 %.",
        fix="Create an active tax of 22 % in the ledger, or name one in the shop's tax_overrides.",
        group_key="tax_missing::22",
    )
    assert said(wanted("5", "10", country="CA")) == Reason(
        code=ReasonCode.TAX_MISSING,
        message="The organisation has no tax of 5 % + 10 % for CA.",
        fix="Create a tax group of 5 % + 10 % for CA in the ledger, or name one in the shop's tax_overrides.",
        group_key="tax_missing:CA:5+10",
    )


@pytest.mark.parametrize(("count", "listed"), [(5, "a (0), b (1), c (2), d (3), e (4)."), (7, "e (4) and 2 more.")])
def test_of_several_taxes_five_are_named(count: int, listed: str) -> None:
    """And it is said how many more there are."""
    reason = said(wanted("22"), *(tax(str(at), name) for at, name in enumerate("abcdefg"[:count])))
    assert reason.message.startswith("Several taxes of the organisation could be the 22 %: a (0), ")
    assert reason.message.endswith(listed)
    assert (reason.code, reason.fix, reason.group_key) == (
        ReasonCode.TAX_AMBIGUOUS,
        "Name the right one in the shop's tax_overrides (country, rate, class, tax_id).",
        "tax_ambiguous::22",
    )
