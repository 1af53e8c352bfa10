"""Texts for the ledger: made harmless, and cut to its field limits without breaking a character apart."""

import hashlib
import unicodedata

_JOINERS = {"\u200d", "\ufe0e", "\ufe0f"}  # zero width joiner, and the variation selectors
_BRACKETS = str.maketrans({"<": "\u2039", ">": "\u203a"})
_HASH_CHARACTERS = 8


def one_line(text: str) -> str:
    """Make a text fit for a name: one line, no control characters, single spaces, no angle brackets.

    The ledger is said to refuse ``<`` and ``>`` in names; the single quotation marks in their place look the same.
    """
    if text.isascii() and text.isprintable() and "<" not in text and ">" not in text and "  " not in text:
        return text.strip()
    return " ".join(_printable(text, keep="").translate(_BRACKETS).split())


def several_lines(text: str) -> str:
    """Make a text fit for a description or note: control characters gone, line ends kept as line feeds."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return _printable(text.replace("\r\n", "\n").replace("\r", "\n"), keep="\n").strip()


def _printable(text: str, keep: str) -> str:
    """Turn control characters into spaces and drop surrogates and code points without a meaning."""
    return "".join(c if c in keep else _replaced(c) for c in text)


def _replaced(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    return "\ufffd" if category in {"Cs", "Cn"} else character


def cut(text: str, limit: int) -> str:
    """Cut to at most ``limit`` characters, at the end of a character as people see it, with ``…`` where it was cut."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and _continues(text, end):
        end -= 1
    return text[: end or limit - 1].rstrip() + "\u2026"


def _continues(text: str, at: int) -> bool:
    """Tell whether the code point at ``at`` belongs to the character that began before it."""
    here, before = text[at], text[at - 1]
    if here in _JOINERS or before == "\u200d" or unicodedata.combining(here):
        return True
    if unicodedata.category(here) in {"Mn", "Mc", "Me"} or "\U0001f3fb" <= here <= "\U0001f3ff":
        return True
    return _is_flag_half(here) and _flag_halves_before(text, at) % 2 == 1


def _is_flag_half(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_halves_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_flag_half(text[at - 1 - count]):
        count += 1
    return count


def cut_with_hash(text: str, limit: int) -> str:
    """Cut to ``limit`` characters, ended with a hash of the whole: two long texts stay two."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
    return f"{text[: limit - _HASH_CHARACTERS - 1]}~{digest}"


def plain(amount: object) -> str:
    """Write a decimal without exponent and without trailing zeros: ``0.25``, ``100``."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
