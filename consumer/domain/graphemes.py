"""Where a character ends as people see it, which may be many code points: the rules of Unicode's UAX #29 that matter.

The tables of the standard are not in Python's library; the categories that are there, and the few ranges below, give
the same answer for the scripts and emoji that names and addresses are written in. In doubt two code points are kept
together: a cut that is one character shorter harms nobody.
"""

import unicodedata

_ZERO_WIDTH_JOINER = "\u200d"
_MARKS = {"Mn", "Mc", "Me"}
_VIRAMA = 9  # the combining class of the signs that join two letters of an Indic script
_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
_LEADING = (range(0x1100, 0x1160), range(0xA960, 0xA97D))
_VOWELS = (range(0x1160, 0x11A8), range(0xD7B0, 0xD7C7))
_TRAILING = (range(0x11A8, 0x1200), range(0xD7CB, 0xD7FC))
_FLAG_HALVES = range(0x1F1E6, 0x1F200)
_BELONG_TO_THE_ONE_BEFORE = frozenset(
    [
        0x200C,  # zero width non-joiner
        0x200D,  # zero width joiner
        0x200E,  # mark left-to-right: it is about what stands before it, as the next two
        0x200F,  # mark right-to-left
        0x061C,  # mark of Arabic letters
        0x0E33,  # Thai and Lao AM
        0x0EB3,
        0xFF9E,  # half-width marks of Japanese
        0xFF9F,
        *range(0x1F3FB, 0x1F400),  # colours of skin
        *range(0xE0020, 0xE0080),  # tags, which the flags of regions are made of
    ]
)
_ISOLATES, _END_OF_ISOLATE = "\u2066\u2067\u2068", "\u2069"
_EMBEDDINGS, _END_OF_EMBEDDING = "\u202a\u202b\u202d\u202e", "\u202c"


def graphemes_end(text: str, limit: int) -> int:
    """Give the greatest length up to ``limit`` at which the text can be cut; 0 where there is none."""
    end = min(limit, len(text))
    while 0 < end < len(text) and _continues(text, end):
        end -= 1
    return max(end, 0)


def closing_marks(text: str) -> str:
    """Give the marks that close the directions of writing which the text has left open, the last one first."""
    still_open: list[str] = []
    for character in text:
        if character in _ISOLATES:
            still_open.append(_END_OF_ISOLATE)
        elif character in _EMBEDDINGS:
            still_open.append(_END_OF_EMBEDDING)
        elif still_open and character == still_open[-1]:
            still_open.pop()
    return "".join(reversed(still_open))


def _continues(text: str, at: int) -> bool:
    """Tell whether the code point at ``at`` belongs to the character that began before it."""
    here, before = text[at], text[at - 1]
    if ord(here) in _BELONG_TO_THE_ONE_BEFORE or unicodedata.category(here) in _MARKS:
        return True
    if _ZERO_WIDTH_JOINER in (here, before) or (before, here) == ("\r", "\n"):
        return True
    if unicodedata.combining(before) == _VIRAMA and unicodedata.category(here) == "Lo":
        return True
    if _is_surrogate_pair(before, here) or _joins_hangul(ord(before), ord(here)):
        return True
    return ord(here) in _FLAG_HALVES and _flag_halves_before(text, at) % 2 == 1


def _is_surrogate_pair(before: str, here: str) -> bool:
    # Python keeps no pairs, but a text that was decoded carelessly may have them.
    return "\ud800" <= before <= "\udbff" and "\udc00" <= here <= "\udfff"


def _joins_hangul(before: int, here: int) -> bool:
    leads = _in(before, _LEADING)
    if leads:
        return _in(here, _LEADING) or _in(here, _VOWELS) or here in _HANGUL_SYLLABLES
    if _in(before, _VOWELS) or before in _HANGUL_SYLLABLES:
        return _in(here, _TRAILING) or (_in(here, _VOWELS) and _ends_open(before))
    return _in(before, _TRAILING) and _in(here, _TRAILING)


def _ends_open(before: int) -> bool:
    return before not in _HANGUL_SYLLABLES or (before - _HANGUL_SYLLABLES.start) % 28 == 0


def _in(code: int, ranges: tuple[range, ...]) -> bool:
    return any(code in each for each in ranges)


def _flag_halves_before(text: str, at: int) -> int:
    count = 0
    while count < at and ord(text[at - 1 - count]) in _FLAG_HALVES:
        count += 1
    return count
