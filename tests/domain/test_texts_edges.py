"""The edges of texts and numbers: brackets one by one, separators, what is cut where marks need room, short numbers."""

from decimal import Decimal

import pytest

from consumer.domain.tax_numbers import tax_key
from consumer.domain.texts import cut, cut_with_hash, one_line, plain, several_lines


@pytest.mark.parametrize(
    ("text", "line"),
    [("a<b", "a\u2039b"), ("a>b", "a\u203ab"), ("a  b", "a b"), ("a\u0378b", "a\ufffdb"), ("a\u2028b", "a b")],
    ids=["opened", "closed", "two spaces", "no character", "a line separator"],
)
def test_a_name_is_one_harmless_line(text: str, line: str) -> None:
    """Either bracket alone, and what is no character at all."""
    assert one_line(text) == line


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x07"])
def test_a_separator_in_a_note_is_a_space(separator: str) -> None:
    """Only line feeds end its lines."""
    assert several_lines(f"a{separator}b\r\nc") == "a b\nc"


def test_a_cut_has_no_space_before_its_mark() -> None:
    """``abc defg`` in five characters."""
    assert cut("abc defg", 5) == "abc\u2026"


def test_a_direction_that_is_closed_takes_no_more_room_than_it_needs() -> None:
    """Six characters: the opening mark, three letters, the closing mark and the mark of the cut."""
    assert cut("\u202eabcdef", 6) == "\u202eabc\u202c\u2026"


def test_a_text_that_is_no_unicode_has_a_hash_as_well() -> None:
    """Half a pair, thirty times."""
    assert len(cut_with_hash("\ud800" * 30, 20)) == 20


@pytest.mark.parametrize(
    ("number", "country", "key"),
    [
        ("1234", "", "1234"),
        ("123", "", ""),
        ("12345", "AT", "AT12345"),
        ("12345", "12", "12345"),
        ("12345", "ITA", "12345"),
        ("12345", "gr", "EL12345"),
        ("GR12345", "AT", "EL12345"),
        ("IT 0123.456", "", "IT0123456"),
        ("CHE-123.456.789 MWST", "", "CHE123456789"),
        ("12 12 12", "", "121212"),
        ("IT00000", "", ""),
    ],
    ids=[
        "four digits",
        "three",
        "the address's country",
        "no letters",
        "three letters",
        "Greece",
        "its own country",
        "dots",
        "Swiss",
        "two",
        "one",
    ],
)
def test_a_number_counts_with_a_country_of_two_letters(number: str, country: str, key: str) -> None:
    """From four digits on."""
    assert tax_key(number, country) == key


@pytest.mark.parametrize(
    ("amount", "written"), [("5.00", "5"), ("0.50", "0.5"), ("100", "100"), ("0.00", "0"), ("1E+2", "100")]
)
def test_a_decimal_is_written_without_what_says_nothing(amount: str, written: str) -> None:
    """No exponent, no noughts at its end, no point without digits behind it."""
    assert plain(Decimal(amount)) == written
