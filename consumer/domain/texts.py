"""Texts for the ledger: made harmless, and cut to its field limits without breaking a character apart."""

import hashlib
import unicodedata

from consumer.domain.graphemes import closing_marks, graphemes_end

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
    """Cut to at most ``limit`` characters, at the end of a character as people see it, with ``…`` where it was cut.

    Marks that open another direction of writing are closed again, or all that follows on the page would turn round.
    """
    if len(text) <= limit:
        return text
    kept = _beginning(text, limit - 1)
    while closing := closing_marks(kept):
        if len(kept) + len(closing) < limit:
            return kept + closing + "\u2026"
        shorter = _beginning(kept, limit - 1 - len(closing))
        # Nothing but marks: they go.
        kept = shorter if len(shorter) < len(kept) else ""
    return kept + "\u2026"


def _beginning(text: str, limit: int) -> str:
    limit = max(limit, 0)
    end = graphemes_end(text, limit)
    # One single character may be longer than all the room: then it is cut all the same.
    return text[: end or limit].rstrip()


def cut_with_hash(text: str, limit: int) -> str:
    """Cut to ``limit`` characters, ended with a hash of the whole: two long texts stay two."""
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
    room = limit - _HASH_CHARACTERS - 1
    return f"{text[: graphemes_end(text, room) or room]}~{digest}"


def plain(amount: object) -> str:
    """Write a decimal without exponent and without trailing zeros: ``0.25``, ``100``."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
