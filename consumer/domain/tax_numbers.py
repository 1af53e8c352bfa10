"""VAT numbers: in which form they are written, and when two of them are one.

A number counts with its country, because the same digits are given out by several; where it has no prefix, the
address's country stands in. What stands for "none" on forms (all digits the same, no digits) is no number.
"""

import re

_NO_LETTER_OR_DIGIT = re.compile(r"[^0-9A-Z]")
_SWISS_ENDING = re.compile(r"(?<=[0-9])(MWST|TVA|IVA|VAT)$")
_DIGITS_MIN = 4
_COUNTRY_LETTERS = 2
# Who writes VAT numbers with the country in front: the EU (EL is Greece's), Northern Ireland (XI), and neighbours.
_PREFIXES = frozenset(
    {"AT", "BE", "BG", "CH", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "EU", "FI", "FR", "GB", "GR", "HR", "HU", "IE"}
    | {"IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "RS", "SE", "SI", "SK", "SM", "XI"}
)
_GREECE = {"GR": "EL"}


def compact_tax_number(number: str) -> str:
    """Give the number without spaces, dots, dashes and the like, in capitals: ``IT 0123.456`` is ``IT0123456``."""
    return _NO_LETTER_OR_DIGIT.sub("", number.upper())


def tax_key(number: str, country: str) -> str:
    """Give the key under which two VAT numbers are one; empty where it is no number.

    ``country`` is the address's, in two letters; it counts only where the number has no country in front.
    """
    text = _SWISS_ENDING.sub("", compact_tax_number(number))
    digits = [character for character in text if character.isdigit()]
    if len(digits) < _DIGITS_MIN or len(set(digits)) == 1:
        return ""
    prefix = text[:_COUNTRY_LETTERS]
    if prefix in _PREFIXES:
        return _GREECE.get(prefix, prefix) + text[_COUNTRY_LETTERS:]
    place = country.strip().upper()
    if len(place) != _COUNTRY_LETTERS or not place.isalpha():
        return text
    return _GREECE.get(place, place) + text
