"""The open questions about Zoho, each as a switch of an organisation with the answers it may take.

The first answer is what the stand-in does unless told otherwise. `sandbox/assumptions.toml` says of each what the
question is and where it comes from; a test holds the two lists together.
"""

from typing import Any, Final

SWITCHES: Final[dict[str, tuple[Any, ...]]] = {
    # Money.
    "tax_rounding": ("entity_level", "item_level"),
    "negative_line_rate": ("accepted", "refused"),
    "rate_digits": ("kept", "rounded"),
    "quantity_digits": ("kept", "rounded"),
    "shipping_charge_tax_id": ("accepted", "ignored"),
    "shipping_charge_inclusive": ("as_invoice", "never"),
    "sent_tax": ("kept", "overridden"),
    # Fields.
    "reference_number_max": (100, 50),
    "markup_in_text": ("accepted", "refused"),
    "four_byte_characters": ("accepted", "refused"),
    "line_without_item": ("accepted", "refused"),
    "invoice_currency_code": ("accepted", "ignored"),
    "invoice_currency": ("free", "of_contact"),
    "number_without_flag": ("refused", "replaced", "accepted"),
    "unknown_template_code": (2, 1002),
    # Looking up.
    "list_delay_seconds": (0, 2),
    "per_page_default": (10, 200),
    "custom_field_filter": ("by_name", "ignored"),
    "contact_name_uniqueness": ("ignoring_case", "exact"),
    "email_filter": ("ignoring_case", "exact"),
    # Unique custom field.
    "unique_field_on_post": ("refused", "accepted"),
    "unique_field_code": (2, 1001),
    "upsert_created_status": (201, 200),
    "upsert_not_found_code": (1002, 2),
    # States.
    "created_status": ("draft", "pending_approval"),
    "void_of_draft": ("accepted", "refused"),
    "edit_of_void": ("refused", "accepted"),
    "delete_of_void": ("accepted", "refused"),
    "payment_on_draft": ("marks_paid", "refused"),
    "transaction_lock_code": (12020, 2),
    "transaction_lock_names": ("described", "short"),
    "inactive_customer_code": (1002, 3004),
    # Tokens, limits, statuses.
    "expired_token_code": (57, 14),
    "refused_token": ("uncounted", "counted"),
    "bearer_scheme": ("accepted", "refused"),
    "oauth_throttle_status": (200, 400),
    "oauth_error_status": (200, 400),
    "not_found_status": (404, 400),
    "method_status": (405, 400),
    "retry_after": ("absent", "sent"),
    "minute_block_seconds": (0, 60),
}
"""Every switch with its answers, the usual one first."""


class UnknownSwitchError(ValueError):
    """A switch, or an answer of it, that the stand-in does not know."""


def check_switch(name: str, answer: object) -> None:
    """Raise `UnknownSwitchError` unless the switch exists and may take the answer.

    Numbers are free within a switch whose answers are numbers: the list holds the two that tests are run under.
    """
    if name not in SWITCHES:
        raise UnknownSwitchError(f"There is no switch {name!r}; known are: {', '.join(sorted(SWITCHES))}.")
    answers = SWITCHES[name]
    if isinstance(answers[0], int):
        if isinstance(answer, bool) or not isinstance(answer, (int, float)):
            raise UnknownSwitchError(f"The switch {name!r} takes a number, not {answer!r}.")
    elif answer not in answers:
        raise UnknownSwitchError(f"The switch {name!r} takes one of {', '.join(map(str, answers))}, not {answer!r}.")


def switch_default(name: str) -> Any:
    """Give the usual answer. Raises `KeyError` for a switch that does not exist."""
    return SWITCHES[name][0]
