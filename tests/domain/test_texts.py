"""Texts for the ledger: harmless, and cut where a reader sees the end of a character."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


# Each is one character as people see it; by hand, from the examples of Unicode's UAX #29 and UTS #51.
GRAPHEMES = [
    "a",
    "\u00e9",
    "e\u0301",
    "\u0e01\u0e33",  # Thai, with AM
    "\u0915\u094d\u0937\u093f",  # Devanagari, two letters joined by a virama, and a vowel
    "\u1112\u1161\u11ab",  # Hangul by its parts
    "\ud55c",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
    "\U0001f3f4\u200d\u2620\ufe0f",  # the pirates' flag
    "\U0001f44d\U0001f3fd",  # a thumb with a colour
    "\U0001f1ee\U0001f1f9",  # Italy
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # Scotland
    "1\ufe0f\u20e3",  # a key
    "\u05e9\u05c1",  # Hebrew with a point
    "\u05dd\u200f",  # Hebrew with a mark of direction
]


@given(st.lists(st.sampled_from(GRAPHEMES), min_size=1, max_size=30), st.integers(min_value=9, max_value=40))
def test_a_cut_text_is_whole_characters_from_its_beginning(characters: list[str], limit: int) -> None:
    """Whatever they are and wherever the limit falls; as many as there is room for."""
    text = "".join(characters)
    made = cut(text, limit)
    assert len(made) <= limit
    if len(text) <= limit:
        assert made == text
        return
    beginnings = ["".join(characters[:n]) for n in range(len(characters))]
    assert made == max((one for one in beginnings if len(one) < limit), key=len) + "\u2026"


@pytest.mark.parametrize("character", GRAPHEMES)
def test_a_cut_at_every_place_within_a_character_takes_it_away_whole(character: str) -> None:
    """One after the other of its code points falls on the limit."""
    for inside in range(1, len(character)):
        assert cut(f"abcdefghij{character}klmnopqrst", 11 + inside) == "abcdefghij\u2026"


@given(st.lists(st.sampled_from(GRAPHEMES), min_size=1, max_size=30))
def test_a_hash_stands_behind_whole_characters(characters: list[str]) -> None:
    """The name that carries it is read by people too."""
    text = "".join(characters)
    kept = cut_with_hash(text, 20).partition("~")[0]
    assert kept in {"".join(characters[:n]) for n in range(len(characters) + 1)}


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("\u202b", "\u202c"), ("\u202e", "\u202c"), ("\u2067", "\u2069"), ("\u2067\u202b", "\u202c\u2069")],
)
def test_a_direction_that_a_cut_leaves_open_is_closed(opening: str, closing: str) -> None:
    """Else what stands behind it on the page would turn round."""
    made = cut(f"ab{opening}\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5{closing} and more", 9)
    assert len(made) <= 9
    assert made.endswith(closing + "\u2026")
    assert cut("\u202b" * 20, 5) == "\u2026"
