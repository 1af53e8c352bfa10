"""Texts for the ledger: harmless, and cut where a reader sees the end of a character."""

import pytest

from consumer.domain.texts import cut, cut_with_hash, one_line, plain, several_lines
from tests.domain.order_building import D


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("ab e\u0301x", 6, "ab e\u0301x"),
        ("abce\u0301x", 5, "abc…"),  # the accent stays with its letter
        ("ab\U0001f1ee\U0001f1f9\U0001f1e9\U0001f1ea", 5, "ab\U0001f1ee\U0001f1f9…"),  # flags are two letters each
        ("abc\U0001f44d\U0001f3fdx", 5, "abc…"),  # a skin tone stays with its hand
        ("x" + "\u0301" * 9, 5, "x\u0301\u0301\u0301…"),  # nothing but one character: cut all the same
    ],
)
def test_a_cut_never_breaks_a_character(text: str, limit: int, expected: str) -> None:
    """Accents, joined emoji, flags and skin tones stay whole."""
    assert cut(text, limit) == expected
    assert len(cut(text, limit)) <= limit


def test_one_line_has_no_control_characters_no_brackets_and_single_spaces() -> None:
    """NUL, tabs, line separators and lone surrogates are replaced."""
    assert one_line(" a\x00b\u2028c  <d>\ud800 ") == "a b c \u2039d\u203a\ufffd"
    assert one_line("שלום\u200f עולם") == "שלום\u200f עולם"


def test_several_lines_keep_their_line_ends() -> None:
    """Windows and old line ends become line feeds."""
    assert several_lines("a\r\nb\rc\x0b\n") == "a\nb\nc"


def test_a_hash_keeps_two_long_texts_two() -> None:
    """Equal to the limit and beyond: only the second is cut."""
    assert cut_with_hash("x" * 50, 50) == "x" * 50
    assert cut_with_hash("x" * 51, 50) != cut_with_hash("x" * 52, 50)
    assert len(cut_with_hash("x" * 51, 50)) == 50


def test_decimals_are_written_plainly() -> None:
    """No exponent, no trailing zeros."""
    assert [plain(D(text)) for text in ("1E+2", "0.250", "100", "-0.10")] == ["100", "0.25", "100", "-0.1"]
