"""Zoho's limits of text fields, in characters, and what is done about a longer text.

Words for people are cut; what a document is found by is never cut, because a cut one would find another document.
"""

from typing import Final

from consumer.domain import texts
from consumer.errors import RefusedError

CONTACT_NAME: Final = 200
COMPANY_NAME: Final = 200
PERSON_NAME: Final = 100
EMAIL: Final = 100
PHONE: Final = 50
ATTENTION: Final = 100
STREET: Final = 500
STREET2: Final = 255
CITY: Final = 100
STATE: Final = 100
ZIP_CODE: Final = 50
COUNTRY: Final = 100
VAT_NUMBER_MIN: Final = 2
VAT_NUMBER: Final = 12
LINE_NAME: Final = 100
LINE_DESCRIPTION: Final = 2000
UNIT: Final = 100
REFERENCE: Final = 100
INVOICE_NUMBER: Final = 100
NOTES: Final = 5000
TERMS: Final = 10000
TERMS_LABEL: Final = 100
SALESPERSON: Final = 200
CUSTOM_FIELD: Final = 2000  # of a field of several lines; for a shorter one Zoho's own refusal names the field
ADJUSTMENT_LABEL: Final = 100
SEARCH: Final = 100
PER_PAGE: Final = 200
LANGUAGES: Final = frozenset({"de", "en", "es", "fr", "it", "ja", "nl", "pt", "pt_br", "sv", "zh", "en_gb"})


def cut(text: str, limit: int) -> str:
    """Cut a text for people to the limit, at the end of a character as people see it."""
    return texts.cut(text, limit)


def whole(text: str, limit: int, name: str) -> str:
    """Give the text as it is. Raises RefusedError where Zoho would refuse it for its length; nothing was sent."""
    if not text or len(text) > limit:
        fault = f"has {len(text)} characters; Zoho Books takes 1 to {limit}"
        raise RefusedError(f"{name} {text[:limit]!r} {fault}, and it must not be cut", 0, None)
    return text
