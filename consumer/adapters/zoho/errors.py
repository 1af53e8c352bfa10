"""The one table from (HTTP status, Zoho's code, operation) to our error types, with what happened and what to do.

Zoho's codes are not unique over its endpoints, so a row may be bound to operations; the first row that fits holds.
Rows marked "not proved" rest on recollection or on a sister product. The table is also the source of the page on
errors in the documentation.
"""

from dataclasses import dataclass, replace
from typing import Final

from consumer.domain.credits import (
    ApplyCredit,
    CreateCreditNote,
    EmailInvoice,
    ListCreditRefunds,
    MarkSent,
    ReadCreditNote,
    RecordPayment,
    RefundCredit,
)
from consumer.domain.ledger import (
    CreateContact,
    CreateInvoice,
    DeleteInvoice,
    FindItems,
    Operation,
    ReadContact,
    ReadInvoice,
    UpdateContact,
    UpdateInvoice,
    VoidInvoice,
)
from consumer.errors import (
    ConnectionStoppedError,
    DocumentStateError,
    KeyTakenError,
    LedgerError,
    LedgerUnavailableError,
    NameTakenError,
    NotFoundError,
    NumberTakenError,
    OverBalanceError,
    PaymentsInTheWayError,
    PeriodClosedError,
    RefusedError,
    StopCause,
    ThrottledError,
    ThrottleKind,
)

Operations = frozenset[type[Operation]]

CONTACT_WRITES: Final[Operations] = frozenset({CreateContact, UpdateContact})
INVOICE_WRITES: Final[Operations] = frozenset({CreateInvoice, UpdateInvoice, CreateCreditNote})
INVOICE_ENDS: Final[Operations] = frozenset({VoidInvoice, DeleteInvoice})
BY_ID: Final[Operations] = frozenset(
    {
        ReadContact,
        ReadInvoice,
        UpdateContact,
        UpdateInvoice,
        CreateInvoice,
        VoidInvoice,
        DeleteInvoice,
        ReadCreditNote,
        ListCreditRefunds,
        CreateCreditNote,
        ApplyCredit,
        RefundCredit,
        MarkSent,
        EmailInvoice,
        RecordPayment,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCode:
    """One row. ``status`` None fits any status below 500; ``operations`` None fits all.

    A ThrottledError's row has a kind and the wait where the answer advises none, a ConnectionStoppedError's row has a
    cause.
    """

    status: int | None
    code: int
    operations: Operations | None = None
    error: type[LedgerError]
    sentence: str
    fix: str
    kind: ThrottleKind | None = None
    wait_seconds: float = 0.0
    cause: StopCause | None = None


def _refused(
    code: int, sentence: str, fix: str, *, operations: Operations | None = None, status: int | None = None
) -> LedgerCode:
    return LedgerCode(status=status, code=code, operations=operations, error=RefusedError, sentence=sentence, fix=fix)


def _of(error: type[RefusedError], row: LedgerCode) -> LedgerCode:
    """Give a row the error that a decision tells apart."""
    return replace(row, error=error)


def _throttled(code: int, kind: ThrottleKind, wait_seconds: float, sentence: str) -> LedgerCode:
    return LedgerCode(
        status=429,
        code=code,
        error=ThrottledError,
        kind=kind,
        wait_seconds=wait_seconds,
        sentence=sentence,
        fix="Nothing: the calls go on by themselves. If it is frequent, lower this connection's share of the limit.",
    )


def _stopped(code: int, cause: StopCause, sentence: str, fix: str, *, status: int | None = None) -> LedgerCode:
    return LedgerCode(status=status, code=code, error=ConnectionStoppedError, cause=cause, sentence=sentence, fix=fix)


_LIMITS = (
    _throttled(44, ThrottleKind.MINUTE, 60.0, "The organisation made more calls in a minute than Zoho allows."),
    _throttled(45, ThrottleKind.DAY, 3600.0, "The organisation has used up its calls for the day."),
    _throttled(1070, ThrottleKind.CONCURRENT, 2.0, "More calls were under way at once than Zoho allows."),
)

_STOPS = (
    _stopped(
        57,
        StopCause.SCOPE_MISSING,
        "The user who connected Booked is not allowed to do this: a scope or a role is missing.",
        "Connect again with `booked connect` as a user who may write invoices, and agree to all scopes asked for.",
        status=401,
    ),
    _stopped(
        14,
        StopCause.TOKEN_REVOKED,
        "Zoho does not accept the access token, not even a new one.",
        "Connect again with `booked connect`.",
        status=401,
    ),
    _stopped(
        6041,
        StopCause.WRONG_ORGANIZATION,
        "The user who connected Booked does not belong to this organisation.",
        "Check organization_id and data_center of the connection, or connect as a user of that organisation.",
    ),
    _stopped(
        9017,
        StopCause.WRONG_ORGANIZATION,
        "The user who connected Booked belongs to no organisation.",
        "Connect as a user of the organisation whose invoices are to be written.",
    ),
    _stopped(
        103001,
        StopCause.SUBSCRIPTION_OVER,
        "The organisation's trial or subscription of Zoho Books is over.",
        "Renew the subscription in Zoho Books, then resume the connection.",
    ),
)

_IDENTITY = (
    LedgerCode(
        status=None,
        code=3062,
        operations=CONTACT_WRITES,
        error=NameTakenError,
        sentence="Another contact has this name; names are unique over customers and vendors.",
        fix="Nothing: Booked looks the name up, and takes that contact or adds the customer's id to the name.",
    ),
    LedgerCode(
        status=None,
        code=1001,
        operations=INVOICE_WRITES,
        error=NumberTakenError,
        sentence="Another invoice has this number.",
        fix=(
            "Look the number up in Zoho Books: give that invoice another number, or change invoice_number of the shop; "
            "then release the order. Where Booked sends no numbers, check the series in Zoho's settings."
        ),
    ),
    LedgerCode(
        status=None,
        code=1002,
        operations=BY_ID,
        error=NotFoundError,
        sentence="What the call names does not exist in Zoho Books (any more).",
        fix="Nothing: Booked looks the customer or the invoice up again.",
    ),
    LedgerCode(
        status=None,
        code=3004,
        operations=INVOICE_WRITES,
        error=NotFoundError,
        sentence="The invoice's customer cannot be used: gone, merged or not active (code not proved).",
        fix="Nothing: Booked looks the customer up again. To use this one, mark it as active in Zoho Books.",
    ),
    LedgerCode(
        status=None,
        code=2006,
        error=NotFoundError,
        sentence="An item of the invoice does not exist in Zoho Books.",
        fix="Make the item again, or switch items by SKU off for the shop.",
    ),
)

_REQUESTS = (
    _refused(2, "Zoho does not accept the value of a field; its message names the field.", "See the message."),
    _refused(4, "Zoho does not accept an amount; its message names the field.", "See the message."),
    _refused(15, "A field is longer than Zoho allows; its message names the field.", "Shorten it in the shop."),
    _refused(
        5,
        "Zoho does not know the address called; this says nothing of the document.",
        "Report it: the path of the interface is wrong, or the data centre is.",
    ),
    _refused(37, "Zoho does not allow this method at this address.", "Report it: the interface has changed."),
    _refused(1038, "Zoho could not read the JSON that Booked sent.", "Report it with the story of the order."),
    _refused(9004, "The organisation does not have this currency.", "Add the currency in Zoho Books, then try again."),
    _refused(
        1000,
        "An item of this name exists already.",
        "Rename one of the two items in Zoho Books.",
        operations=frozenset({FindItems}),
        status=400,
    ),
)

_RULES = (
    _refused(3000, "The contact has documents and cannot be deleted.", "Leave it, or mark it as inactive by hand."),
    _refused(3009, "The contact's details are fixed because credits exist.", "Change it by hand in Zoho Books."),
    _of(
        PaymentsInTheWayError,
        _refused(3010, "The invoice's customer is fixed because payments exist.", "Change it by hand in Zoho Books."),
    ),
    _refused(3013, "Zoho does not accept the contact's name.", "Correct the customer's name in the shop."),
    _refused(3004, "The payment's customer cannot be used.", "Check the customer in Zoho Books."),
    _of(
        PaymentsInTheWayError,
        _refused(
            4001,
            "The invoice has payments and cannot be deleted.",
            "Remove the payment in Zoho Books, or write a credit note.",
            operations=INVOICE_ENDS,
        ),
    ),
    _refused(4001, "The documents belong to different customers.", "Check the customer of both in Zoho Books."),
    _refused(
        4097,
        "The number was refused because the organisation numbers by itself (code not proved).",
        "Leave the numbers to Zoho Books, or switch its own numbering off.",
    ),
    _of(DocumentStateError, _refused(12003, "The credit note is closed.", "Use another credit note.")),
    _of(DocumentStateError, _refused(12004, "The credit note is void.", "Use another credit note.")),
    _of(
        DocumentStateError,
        _refused(12005, "The invoice is a draft; a draft takes no credits.", "Mark the invoice as sent first."),
    ),
    _of(DocumentStateError, _refused(12006, "The invoice is closed.", "Nothing is left to be credited.")),
    _of(
        DocumentStateError, _refused(12007, "The invoice is void.", "Make it a draft again in Zoho Books, or leave it.")
    ),
    _of(
        PaymentsInTheWayError,
        _refused(12008, "Credits were applied to the invoice; it cannot be deleted.", "Remove the credits first."),
    ),
    _refused(12018, "Another credit note has this number.", "Look the number up in Zoho Books."),
    _of(
        PeriodClosedError,
        _refused(
            12020,
            "The invoice lies in a period that is locked (code not proved).",
            "Unlock the period in Zoho Books, or book the order by hand.",
        ),
    ),
    _of(
        OverBalanceError,
        _refused(
            24016, "The payment is more than what is still owed.", "Compare the invoice's total with the order's."
        ),
    ),
    _refused(2049, "The item is in use.", "Leave it, or mark it as inactive by hand."),
    _refused(2076, "Zoho does not accept the item.", "Check the item in Zoho Books."),
    _refused(9521, "The retainer's payment was refused.", "Check the retainer in Zoho Books."),
    _refused(9523, "The retainer's payment was refused.", "Check the retainer in Zoho Books."),
    _refused(31006, "The contact has no access to the portal.", "Switch the portal on for it in Zoho Books."),
    _refused(36026, "Another bill has this number.", "Look the number up in Zoho Books."),
)

_SERVER = (
    LedgerCode(
        status=500,
        code=1000,
        error=LedgerUnavailableError,
        sentence="Zoho Books had an internal error.",
        fix="Nothing: reads are repeated, and after a write Booked looks first what came of it.",
    ),
)

LEDGER_CODES: Final[tuple[LedgerCode, ...]] = _LIMITS + _STOPS + _IDENTITY + _REQUESTS + _RULES + _SERVER
"""Every code that is known, the more special row first."""

UNIQUE_FIELD_SENTENCE: Final = "Another document has this value in the unique field."
UNIQUE_FIELD_FIX: Final = "Nothing: the document exists, and Booked looks it up by its reference."

KEY_TAKEN: Final = LedgerCode(
    status=None,
    code=1001,
    operations=INVOICE_WRITES,
    error=KeyTakenError,
    sentence=UNIQUE_FIELD_SENTENCE,
    fix=UNIQUE_FIELD_FIX,
)
"""Not found by its code, which is not proved, but by the message: see ``classify``."""

CONTACT_UNUSABLE: Final = LedgerCode(
    status=None,
    code=1002,
    operations=INVOICE_WRITES,
    error=NotFoundError,
    sentence="The invoice's customer is gone, merged or not active.",
    fix="Nothing: Booked looks the customer up again.",
)
"""Found by the message too: which code Zoho gives for an inactive customer is not proved."""

PERIOD_CLOSED: Final = LedgerCode(
    status=None,
    code=12020,
    error=PeriodClosedError,
    sentence="The document lies in a period that is locked.",
    fix="Unlock the period in Zoho Books, or set closed_period: first_open_day for the shop.",
)
"""Found by the message too: which code Zoho gives for locked books is not proved."""

TEMPLATE_UNKNOWN: Final = LedgerCode(
    status=None,
    code=1002,
    operations=INVOICE_WRITES,
    error=RefusedError,
    sentence="The organisation does not have the layout for print that template_id of the shop names.",
    fix="Correct template_id of the shop in shops.yaml and run `booked apply`, then release the order.",
)
"""Found by the message: the code is not proved, and 1002 of an invoice is else its customer's."""


_SERVER_FAULTS: Final = 500


def find_code(status: int, code: int | None, operation: type[Operation]) -> LedgerCode | None:
    """Give the first row that fits; None for a code that is not known."""
    for row in LEDGER_CODES:
        fits_status = row.status == status if row.status is not None else status < _SERVER_FAULTS
        fits_operation = row.operations is None or operation in row.operations
        if row.code == code and fits_status and fits_operation:
            return row
    return None
