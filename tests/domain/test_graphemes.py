"""Where a text may be cut: never within a line's end, a pair, a syllable or a flag."""

import pytest

from consumer.domain.graphemes import graphemes_end

# Of Hangul: a leading consonant, a vowel, a trailing consonant, a syllable that is open, one that is closed.
L, V, T, OPEN, CLOSED = "\u1100", "\u1161", "\u11a8", "\uac00", "\uac01"
FLAG_HALF = "\U0001f1ee"


@pytest.mark.parametrize(
    ("before", "here", "joined"),
    [
        ("\r", "\n", True),
        ("\n", "\r", False),
        ("a", "\n", False),
        ("\ud800", "\udc00", True),
        (chr(0xDBFF), chr(0xDFFF), True),
        ("\ud800", "a", False),
        ("a", "\udc00", False),
        ("\udc00", "\udc00", False),
        ("\ud7ff", "\udc00", False),
        ("\ud800", "\ue000", False),
        (L, L, True),
        (L, V, True),
        (L, OPEN, True),
        (L, CLOSED, True),
        (L, T, False),
        (L, "a", False),
        (V, V, True),
        (V, T, True),
        (V, L, False),
        (OPEN, V, True),
        (OPEN, T, True),
        (OPEN, OPEN, False),
        (CLOSED, T, True),
        (CLOSED, V, False),
        (CLOSED, L, False),
        ("\uac1c", V, True),
        ("\uac1b", V, False),
        (T, T, True),
        (T, V, False),
        (T, "a", False),
        ("a", T, False),
        ("a", V, False),
    ],
)
def test_two_code_points_are_one_character_or_two(before: str, here: str, joined: bool) -> None:  # noqa: FBT001 a parameter
    """By UAX #29; a syllable that ends with a consonant takes no vowel more."""
    assert graphemes_end(f"x{before}{here}y", 2) == (1 if joined else 2)


@pytest.mark.parametrize(("limit", "end"), [(0, 0), (1, 0), (2, 2), (3, 2), (4, 4), (5, 4), (6, 6), (7, 6), (9, 6)])
def test_flags_are_pairs_of_halves(limit: int, end: int) -> None:
    """Three of them, and no more than there is."""
    assert graphemes_end(FLAG_HALF * 6, limit) == end
