"""Values that settings take from the order: what an expression gives, what it refuses, and which fields it reads."""

import pytest

from consumer.domain.expressions import ExpressionError, fields_read, template

ORDER = {
    "number": "A-1",
    "meta": {"po": "PO 7", "urgent": True, "gift": False, "empty": None, "nested": [{"a": 1}], "deep": {"x": "y"}},
    "lines": [{"sku": "A", "colour": "red"}, {"sku": "B", "colour": "blue"}, {"sku": "C"}],
    "payments": [{"kind": "money", "reference": "m"}, {"kind": "gift_card", "reference": "g"}],
}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Thank you", "Thank you"),
        ("Order {{ number }} / {{meta.po}}", "Order A-1 / PO 7"),
        ("{{ meta.missing || number }}", "A-1"),
        ("{{ meta.empty }}", ""),
        ("{{ meta.urgent }}", "true"),
        ("{{ meta.gift }}", "false"),
        ("{{ lines[].colour }}", "red, blue"),
        ("{{ payments[?kind=='gift_card'].reference }}", "g"),
        ("{{ length(lines) }}", "3"),
        ("{ number }", "{ number }"),
    ],
)
def test_a_template_is_filled_from_the_order(text: str, filled: str) -> None:
    """Text stays as it is, expressions give their values, and what is not there is empty."""
    assert template(text).fill(ORDER) == filled


@pytest.mark.parametrize("text", ["{{ number", "{{ }}", "{{ a..b }}", "{{ nosuch( }}", "x" * 2001])
def test_a_template_that_cannot_be_read_is_refused_when_it_is_set(text: str) -> None:
    """Before any order comes, with the place in the message."""
    with pytest.raises(ExpressionError):
        template(text)


@pytest.mark.parametrize(
    "text", ["{{ meta }}", "{{ meta.nested }}", "{{ [lines, lines] }}", "{{ abs(number) }}", "{{ unknown(number) }}"]
)
def test_what_gives_no_text_for_an_order_is_refused(text: str) -> None:
    """Objects, lists within lists, and functions that do not take what the order has."""
    with pytest.raises(ExpressionError, match=r"meta|lines|number"):
        template(text).fill(ORDER)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("nothing", set()),
        ("{{ meta.po || number }}", {"meta.po", "number"}),
        ("{{ lines[?sku=='a'].meta.x | [0] }}", {"lines.sku", "lines.meta.x"}),
        ("{{ payments[?meta.gift].reference }}", {"payments.meta.gift", "payments.reference"}),
        ("{{ join(', ', lines[*].name) }}", {"lines.name"}),
        ("{{ {a: meta.x, b: number}.a }}", {"meta.x", "number", "meta.x.a", "number.a"}),
        ("{{ line.meta.account }}", {"lines.meta.account", "shipping.meta.account", "fees.meta.account"}),
        ("{{ @ }}", set()),
    ],
)
def test_the_fields_that_a_template_reads_are_known(text: str, fields: set[str]) -> None:
    """Rather one too many than one too few: a change of one of them is a change of content."""
    assert template(text).fields == fields
    assert fields_read([text, "{{ note }}"]) == fields | {"note"}


def test_a_template_has_two_thousand_characters_at_most() -> None:
    """One more is refused with both figures."""
    assert template("x" * 2000).text == "x" * 2000
    with pytest.raises(ExpressionError, match="it has 2001 characters; at most 2000 are taken"):
        template("x" * 2001)
