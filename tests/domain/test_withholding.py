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


def test_the_longer_of_two_texts_is_masked_first() -> None:
    """Somebody of the name Ann at ANN STREET: the street is one text, and no part of it stays, whatever its case."""
    content = json.dumps({"customer": {"name": "Ann"}, "billing_address": {"street": "ANN STREET"}}).encode()
    assert without_persons("Ann, Ann Street 5", content) == "***, *** 5"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("user berta.k is unknown", "user *** is unknown"),
        ("shop.example is down", "shop.example is down"),
        ("code 1234 for 12345, ab", "code 1234 for ***, ab"),
        ("abc", "***"),
    ],
    ids=["the name of an address", "the place of an address", "four digits and five", "three letters"],
)
def test_what_tells_a_person_is_long_enough(said: str, told: str) -> None:
    """Three characters, or five digits; of an e-mail address what stands before the @."""
    customer = {"email": "berta.k@shop.example", "phone": "12345", "first_name": "abc", "last_name": "ab", "id": "1234"}
    assert without_persons(said, json.dumps({"customer": customer}).encode()) == told
