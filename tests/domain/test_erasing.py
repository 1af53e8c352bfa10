"""What is left of an order without its persons, to the byte, and by which texts a person is found in what came in."""

import json
from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.data_map import map_rows, why_of
from consumer.domain.erasing import (
    customer_needles,
    customer_of,
    emails_in,
    forgotten,
    head_without_words,
    is_of,
    is_settled,
    layout_of,
    mentions,
    needles,
    refund_without_words,
)
from consumer.domain.facts_change import (
    HELPED_BY_CURRENCIES,
    HELPED_BY_ROUNDING,
    HELPED_BY_TAXES,
    helped_by,
)
from consumer.domain.ledger import TaxRounding
from consumer.domain.revisions import RefundTold, Revision
from consumer.domain.settings import RevisionKey
from consumer.domain.states import OrderState, Wish
from tests.domain.order_building import FACTS, vat
from tests.domain.test_revisions import NOON, event, head_of

VERSION = RevisionKey.VERSION


def as_json(value: Any) -> bytes:
    """Write a value as JSON."""
    return json.dumps(value).encode()


# ---- what is left ----------------------------------------------------------------------------------------------------


def test_of_an_order_its_lines_and_figures_are_left() -> None:
    """Named one by one: what nobody has thought of goes, and so does what is of another shape."""
    order = {
        "currency": "EUR",
        "customer": {"email": "ada@example.com", "tax_exempt": True},
        "billing_address": {"country": "IT", "city": "Rom"},
        "shipping_address": "Via Roma 1",
        "lines": [{"id": "1", "name": "Mug", "note": "for Ada", "taxes": [{"rate": "22", "who": "Ada"}]}, "Ada"],
        "placed_at": {"by": "Ada"},
        "discounts": {"amount": "1", "code": "ADA"},
        "note": "ring twice",
    }
    assert layout_of(as_json(order)) == {
        "currency": "EUR",
        "customer": {"tax_exempt": True},
        "billing_address": {"country": "IT"},
        "shipping_address": None,
        "lines": [{"id": "1", "name": "Mug", "taxes": [{"rate": "22"}]}],
        "placed_at": None,
        "discounts": {"amount": "1"},
    }


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'"x"', b"3"])
def test_of_what_is_no_order_nothing_is_left(content: bytes | None) -> None:
    """No error either."""
    assert layout_of(content) is None


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (b'{"reason": "for Ada", "id": "r1", "amount": "5"}', b'{"amount":"5","id":"r1"}'),
        (b'{"lines": [{"id": "\xc3\xbc", "note": "x"}]}', b'{"lines":[{"id":"\xc3\xbc"}]}'),
        (b"{", b"{}"),
        (b"[1]", b"{}"),
        (b"3", b"{}"),
    ],
)
def test_of_a_refund_its_figures_are_left_in_canonical_form(data: bytes, left: bytes) -> None:
    """Sorted, without blanks, in its own letters: written twice it is the same."""
    assert refund_without_words(data) == left


def test_a_head_keeps_its_revision_and_its_figures() -> None:
    """Its content goes, and the words of its refunds."""
    head = head_of(event(refunds=(("r1", b'{"id": "r1", "reason": "Ada"}'),)))
    revision = head.refunds["r1"].revision
    assert head_without_words(head) == replace(
        head, content=None, refunds={"r1": RefundTold(revision=revision, data=b'{"id":"r1"}')}
    )


def test_an_event_that_is_not_newer_than_the_mark_says_nothing_of_a_person() -> None:
    """By the shop's own key: the same revision at another place is none; refunds that are known are not told anew."""
    mark = Revision.of(event(version=3))
    refunds = (("r1", b'{"id": "r1", "reason": "Ada"}'), ("r2", b'{"id": "r2", "reason": "Ada"}'))
    newer = event(version=4, refunds=refunds)
    assert forgotten(newer, mark, VERSION) is newer
    assert forgotten(newer, None, VERSION) is newer
    for version in (2, 3):
        old = event(version=version, offset=9, refunds=refunds)
        assert forgotten(old, mark, VERSION, {"r1"}) == replace(
            old, content=None, refunds=(("r2", b'{"id":"r2"}'),), erased=True
        )


@pytest.mark.parametrize(
    ("state", "wish", "more", "settled"),
    [
        (OrderState.BOOKED, Wish.AUTO, {}, True),
        (OrderState.WITHDRAWN, Wish.AUTO, {}, True),
        (OrderState.WAITING, Wish.AUTO, {}, False),
        (OrderState.PARKED, Wish.IGNORE, {}, True),
        (OrderState.PARKED, Wish.NONE, {}, True),
        (OrderState.PARKED, Wish.HOLD, {}, False),
        (OrderState.BOOKED, Wish.AUTO, {"due": True}, False),
        (OrderState.BOOKED, Wish.AUTO, {"asked": True}, False),
        (OrderState.BOOKED, Wish.AUTO, {"open_intent": True}, False),
    ],
)
def test_only_of_what_is_settled_the_content_may_go(
    state: OrderState,
    wish: Wish,
    more: dict[str, bool],
    settled: bool,  # noqa: FBT001 a parameter
) -> None:
    """Nothing is due, asked for or under way."""
    given = {"due": False, "asked": False, "open_intent": False, **more}
    assert is_settled(state, wish, **given) is settled


# ---- whose it is -----------------------------------------------------------------------------------------------------

ADA = as_json({"customer": {"id": "42", "email": "Ada@Example.com"}, "meta": {"to": ["eve@example.com", "x@"]}})


@pytest.mark.parametrize(
    ("content", "email", "customer_id", "expected"),
    [
        (ADA, "ada@example.COM", "", True),
        (ADA, "eve@example.com", "", True),
        (ADA, "", "42", True),
        (ADA, "otto@example.com", "42", True),
        (ADA, "otto@example.com", "", False),
        (ADA, "", "43", False),
        (ADA, "", "", False),
        (None, "ada@example.com", "", False),
        (b"{", "ada@example.com", "", False),
        (b'["ada@example.com"]', "ada@example.com", "", False),
        (as_json({"customer": {"id": ""}}), "", "", False),
        (as_json({"customer": "42"}), "", "42", False),
    ],
)
def test_an_order_is_a_customers_by_an_address_of_its_own_or_by_the_id(
    content: bytes | None,
    email: str,
    customer_id: str,
    expected: bool,  # noqa: FBT001 a parameter
) -> None:
    """Wherever the address stands; an empty one is nobody's."""
    assert is_of(content, email=email, customer_id=customer_id) is expected


def test_addresses_are_found_wherever_they_fill_a_field() -> None:
    """By their keys; what is none is left out."""
    assert emails_in(json.loads(ADA)) == {"ada@example.com", "eve@example.com"}
    assert emails_in([3, None, "nobody", "a@"]) == frozenset()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (ADA, ("Ada@Example.com", "42")),
        (as_json({"customer": {"email": None}}), ("", "")),
        (as_json({"customer": {"id": 42}}), ("", "42")),
        (as_json({"customer": None}), ("", "")),
        (as_json({}), ("", "")),
        (b"{", ("", "")),
        (None, ("", "")),
    ],
)
def test_an_order_names_its_customer_or_nobody(content: bytes | None, expected: tuple[str, str]) -> None:
    """Without an error."""
    assert customer_of(content) == expected


def test_an_address_is_looked_for_in_every_way_it_may_stand() -> None:
    """As text, as JSON escapes it, as a link writes it: all in lower case, bytes beyond ASCII as Postgres has them."""
    assert needles(frozenset({"A/b@x.example", ""})) == ("a%2fb%40x.example", "a/b@x.example")
    assert set(needles(frozenset({"\u00fc\\@x.example"}))) == {
        "\\303\\274\\\\@x.example",
        "\\303\\234\\\\@x.example",
        "\\\\u00fc\\\\\\\\@x.example",
        "\\\\u00dc\\\\\\\\@x.example",
        "%c3%bc%5c%40x.example",
        "%c3%9c%5c%40x.example",
    }
    assert {"\\303\\274@x.example", "\\303\\234@x.example"} < set(needles(frozenset({"\u00dc@x.example"})))
    # An address with half a character in it stops no erasure.
    assert needles(frozenset({"\ud800@x.example"})) == ("%3f%40x.example", "?@x.example", "\\\\ud800@x.example")


def test_a_customer_is_looked_for_by_the_address_or_by_the_id() -> None:
    """The id as canonical JSON writes it."""
    assert customer_needles("Ada@x.example", "42") == ("ada%40x.example", "ada@x.example")
    assert customer_needles("", "\u00dc1") == ('"id":"\\303\\2341"',)


@pytest.mark.parametrize(
    ("value", "wanted", "found"),
    [
        (b"to: ADA@X.example", ("ada@x.example",), True),
        (b"to: eve@x.example", ("ada@x.example",), False),
        (b"to: eve@x.example", ("ada@x.example", "eve@x.example"), True),
        (b"a\x00b\x7f\x80\\", ("a\\000b\x7f\\200\\\\",), True),
        (b"\x01", ("\x01",), True),
        (b"", ("x",), False),
        (None, ("x",), False),
        (b"x", (), False),
    ],
)
def test_bytes_mention_a_person_by_any_of_the_texts(value: bytes | None, wanted: tuple[str, ...], found: bool) -> None:  # noqa: FBT001 a parameter
    """Whatever their case; the twin of the database's own function."""
    assert mentions(value, wanted) is found


# ---- the map of the data ---------------------------------------------------------------------------------------------


def test_a_table_says_why_its_rows_are_kept() -> None:
    """By its personal fields, each reason once; else by its figures; of a table without either nothing."""
    rows = map_rows()
    assert len(rows) > 0
    places = {place for place, *_ in rows}
    assert any(place.startswith("`orders.") for place in places)
    for place, _, why, *_ in rows:
        table = place.strip("`").split(".")[0]
        assert why in why_of(table)
        assert why_of(table).count(why) == 1
    assert why_of("documents") == "what was made in the ledger; ids and figures, which the law keeps"
    assert why_of("nothing") == ""


# ---- what other facts help -------------------------------------------------------------------------------------------


def test_other_facts_help_the_orders_that_wait_for_them() -> None:
    """All of them where nothing was known; the same facts read again help nobody."""
    everything = HELPED_BY_TAXES | HELPED_BY_CURRENCIES | HELPED_BY_ROUNDING
    assert helped_by(None, FACTS) == everything
    assert helped_by(FACTS, FACTS) == frozenset()
    assert helped_by(FACTS, replace(FACTS, read_at=NOON)) == frozenset()
    assert helped_by(FACTS, replace(FACTS, taxes=vat("5"))) == HELPED_BY_TAXES
    other = replace(FACTS, organization=replace(FACTS.organization, name="Other"))
    assert helped_by(FACTS, other) == HELPED_BY_TAXES
    assert helped_by(FACTS, replace(FACTS, currencies=())) == HELPED_BY_CURRENCIES
    assert helped_by(FACTS, replace(FACTS, rounding=TaxRounding.PER_LINE)) == HELPED_BY_ROUNDING
    both = replace(FACTS, currencies=(), taxes=(), rounding=TaxRounding.PER_LINE)
    assert helped_by(FACTS, both) == everything
