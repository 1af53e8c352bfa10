"""The edges of an invoice's head: which setting gave nothing that fits, one line or several, and room for all."""

import pytest

from consumer.domain.orders import Address, Customer
from consumer.domain.settings import DefaultCustomerFor, ShippingAddressIn
from tests.domain.test_heading import HOME, WORK, an_order, head, refused

FAILS = "{{ abs(number) }}"
DATA: dict[str, object] = {"number": "A1", "lines_": "a\nb", "long": "x" * 101, "by": "s" * 200}


@pytest.mark.parametrize("setting", ["salesperson", "terms", "invoice_number", "template_id", "notes"])
def test_a_template_that_fails_names_its_setting(setting: str) -> None:
    """In the reason's group, so that one fix helps all."""
    reason = refused(an_order(DATA), **{setting: FAILS})
    assert reason.group_key == f"expression_failed:shop:{setting}"
    assert reason.message.startswith(f"The shop's {setting} gives no value that fits this order: ")


def test_a_number_and_a_layout_are_one_line() -> None:
    """A line's end in them is a space."""
    assert head(an_order(DATA), invoice_number="W-{{ lines_ }}").number == "W-a b"
    reason = refused(an_order(DATA), template_id="{{ lines_ }}")
    assert "'a b' is no id of the ledger, which are digits" in reason.message


def test_a_number_that_takes_nothing_from_the_order_is_none() -> None:
    """Of fixed text alone, or of nothing at all."""
    for text in ("WEB-{{ nothing }}", "{{ nothing }}", "WEB-"):
        reason = refused(an_order(DATA), invoice_number=text)
        assert reason.message.endswith(f"{text!r} takes nothing from it.")


@pytest.mark.parametrize("setting", ["invoice_number", "template_id"])
def test_what_does_not_fit_is_told_in_forty_characters(setting: str) -> None:
    """And how long it is, where that is what is wrong."""
    reason = refused(an_order(DATA), **{setting: "{{ long }}"})
    assert f"'{'x' * 39}\u2026'" in reason.message
    assert ("has 101 characters, of which the ledger takes 100" in reason.message) is (setting == "invoice_number")
    assert reason.group_key == f"expression_failed:shop:{setting}"


@pytest.mark.parametrize(("length", "said"), [(200, False), (201, True)])
def test_a_salesperson_that_is_cut_stands_whole_in_the_notes(length: int, said: bool) -> None:  # noqa: FBT001 a parameter
    """Two hundred characters fit."""
    made = head(an_order({"by": "s" * length}), salesperson="{{ by }}")
    assert made.salesperson is not None
    assert len(made.salesperson) == 200
    assert (f"Salesperson: {'s' * length}" in made.notes) is said


def test_notes_have_room_for_five_thousand_characters() -> None:
    """The shop's own alone take all of it; what is added has at most four thousand, and a line's end between."""
    whole = "n" * 5000
    assert head(an_order({"note": whole}), notes="{{ note }}").notes == whole
    assert head(an_order({"note": whole + "n"}), notes="{{ note }}").notes == "n" * 4999 + "\u2026"
    long = Customer(name="c" * 6000)
    both = head(
        an_order({"note": whole}, customer=long),
        notes="{{ note }}",
        default_customer_id="9",
        default_customer_for=DefaultCustomerFor.ALL,
    ).notes
    own, added = both.split("\n")
    assert (len(both), len(own), len(added)) == (5000, 999, 4000)
    assert own == "n" * 998 + "\u2026"


def test_a_delivery_address_stands_behind_what_else_is_added() -> None:
    """The customer first, then where it is sent."""
    made = head(
        an_order(customer=Customer(name="Ada"), billing_address=HOME, shipping_address=WORK),
        default_customer_id="9",
        default_customer_for=DefaultCustomerFor.ALL,
        shipping_address=ShippingAddressIn.NOTES,
    )
    assert made.notes.split("\n")[:3] == ["Customer: Ada", "Delivery address:", "Ada"]


def test_the_currency_of_the_ledger_is_named_by_its_id() -> None:
    """As the organisation has it."""
    assert head(an_order(billing_address=Address())).currency_id == "1"
