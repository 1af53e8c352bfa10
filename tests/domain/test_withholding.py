"""What the ledger says in a refusal is told on without the persons that it quotes, and otherwise as it was said."""

import json

import pytest

from consumer.domain.withholding import without_persons

CONTENT = json.dumps(
    {
        "customer": {"email": "Anna@shop.example", "name": "Anna Schmidt", "last_name": "Schmidt", "language": "deu"},
        "billing_address": {"street": "Via Roma", "house_number": "12", "postal_code": "10115", "country": "ITA"},
        "note": "ring twice",
        "lines": [{"name": "Oak chair"}],
    }
).encode()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Invalid value passed for anna@SHOP.example", "Invalid value passed for ***"),
        ("Contact 'ANNA SCHMIDT' is inactive", "Contact '***' is inactive"),
        ("the address Via Roma 12, 10115 (ITA) is wrong", "the address *** 12, *** (ITA) is wrong"),
        ("ring twice (somebody.else@other.example)", "*** (***)"),
        ("Zoho Books answered 400, code 12: Oak chair deu", "Zoho Books answered 400, code 12: Oak chair deu"),
        ("", ""),
    ],
)
def test_persons_are_masked_and_nothing_else(said: str, told: str) -> None:
    """Whatever the case; e-mail addresses of anybody; codes, goods, countries and short numbers stay."""
    assert without_persons(said, CONTENT) == told


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"customer": 3, "note": ["x"]}'])
def test_without_a_readable_order_addresses_are_masked_all_the_same(content: bytes | None) -> None:
    """An order whose content is gone or odd: no error, and no e-mail address."""
    assert without_persons("for a.b@c.example, Schmidt", content) == "for ***, Schmidt"
