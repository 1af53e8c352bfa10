"""What an answer means: a result that may be read, or the error that says what is known of the call. Pure.

The one question behind every row: did the call take effect? For certain not: RefusedError, ThrottledError,
ConnectionStoppedError. Not known, and it was a write: UncertainError. Not known, and it was a read: it may be asked
again, LedgerUnavailableError.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consumer.adapters.zoho.errors import (
    CONTACT_UNUSABLE,
    INVOICE_WRITES,
    KEY_TAKEN,
    PERIOD_CLOSED,
    TEMPLATE_UNKNOWN,
    LedgerCode,
    find_code,
)
from consumer.domain.credits import CreateCreditNote
from consumer.domain.ledger import CreateInvoice, InvoiceDraft, Operation, UpdateInvoice
from consumer.errors import (
    ConnectionStoppedError,
    LedgerError,
    LedgerUnavailableError,
    NotFoundError,
    NumberTakenError,
    RefusedError,
    StopCause,
    ThrottledError,
    ThrottleKind,
    UncertainError,
)

MAX_WAIT_SECONDS: Final = 86_400.0
MINUTE_WAIT_SECONDS: Final = 60.0
_MAX_WORDS: Final = 300
_MAX_PAGE: Final = 4096

_OK: Final = 200
_REDIRECT: Final = 300
_REFUSED: Final = 400
_UNAUTHORIZED: Final = 401
_TIMED_OUT: Final = 408
_TOO_MANY: Final = 429
_FAULT: Final = 500

_TAKEN = re.compile(r"already|duplicate|in use|must be unique", re.IGNORECASE)
_CUSTOMER_UNUSABLE = re.compile(
    r"(customer|contact)\b.*\b(inactive|not active|does not exist|deleted|merged|not found)"
    r"|inactive (customer|contact)",
    re.IGNORECASE | re.DOTALL,
)
_NUMBER = re.compile(r"number", re.IGNORECASE)
_NUMBER_TAKEN: Final = 1001
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer after reading: ``body`` is the JSON object, or None with the reason in ``unreadable``."""

    status: int
    body: Mapping[str, Any] | None
    text: str = ""
    unreadable: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int | None:
        """Give Zoho's own code; None where the body has none."""
        code = self.body.get("code") if self.body is not None else None
        if isinstance(code, bool):
            return None
        if isinstance(code, str):
            return int(code) if _NUMERIC.fullmatch(code.strip()) else None
        return code if isinstance(code, int) else None

    @property
    def words(self) -> str:
        """Give the ledger's own words, cut: the message, or what an HTML page says."""
        message = self.body.get("message") if self.body is not None else None
        # Only the beginning: a page made to be slow to read must not hold up the other calls of the process.
        text = message if isinstance(message, str) and message else _TAG.sub(" ", self.text[:_MAX_PAGE])
        return " ".join(text.split())[:_MAX_WORDS]


_NUMERIC: Final = re.compile(r"-?[0-9]{1,18}")
_LOCKED: Final = re.compile(r"\b(transactions?|period|books|date)\b.{0,80}\block(ed)?\b", re.IGNORECASE)
_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


def operation_name(operation: Operation) -> str:
    """Give the operation's name for logs and exchanges, from its class.

    Not ``operation.name``: an operation may have a field of that name, which is somebody's.
    """
    return _CAPITAL.sub("_", type(operation).__name__).lower()


def failure(operation: Operation, reply: Reply) -> LedgerError | None:
    """Tell what went wrong; None where the answer is a success whose result may be read."""
    if reply.status == _TOO_MANY:
        return _throttled(operation, reply, find_code(_TOO_MANY, reply.code, type(operation)))
    if reply.status >= _FAULT or reply.status == _TIMED_OUT:
        return unknown(operation, f"Zoho Books answered {reply.status}{_quoted(reply)}")
    if reply.status >= _REFUSED:
        return _refused(operation, reply)
    if not _OK <= reply.status < _REDIRECT:
        # A redirect is never followed: whoever answered it is not the ledger's interface.
        return unknown(operation, f"Zoho Books answered {reply.status}, a redirect, which is never followed")
    if reply.body is None:
        return unknown(operation, f"Zoho Books answered {reply.status} with a body that is {reply.unreadable}")
    return None if reply.code in {0, None} else _refused_in_success(operation, reply)


def unknown(operation: Operation, what: str) -> LedgerError:
    """Make the error for a call of which nothing is known: UncertainError for a write, else LedgerUnavailableError."""
    if operation.is_write:
        return UncertainError(f"{_subject(operation)}: {what}; whether it took effect must be looked up")
    return LedgerUnavailableError(f"{_subject(operation)}: {what}; it will be tried again")


def unusable(operation: Operation, what: str) -> LedgerError:
    """Make the error for a success that lacks what it must hold, such as the id of what was made."""
    return unknown(operation, f"Zoho Books answered with success, but {what}")


def _refused_in_success(operation: Operation, reply: Reply) -> LedgerError:
    """Read the code of a 2xx that is no success after all; the code decides, as if the status were 400."""
    row = find_code(_FAULT, reply.code, type(operation))
    if row is not None:
        return unknown(operation, f"Zoho Books answered code {reply.code}{_quoted(reply)}")
    row = find_code(_TOO_MANY, reply.code, type(operation))
    if row is not None and row.kind is not None:
        return _throttled(operation, reply, row)
    return _refused(operation, reply)


def _refused(operation: Operation, reply: Reply) -> LedgerError:
    row = find_code(reply.status, reply.code, type(operation))
    if row is None and reply.status < _REFUSED:
        # Within a success the code alone tells what the status would have told.
        row = find_code(_UNAUTHORIZED, reply.code, type(operation))
    if row is None or row.error in {RefusedError, NumberTakenError, NotFoundError}:
        row = _locked(operation, reply) or _by_words(operation, reply) or row
    message = f"{_subject(operation)}: {_answered(reply)}"
    if row is not None:
        message = f"{message}. {row.sentence} {row.fix}"
    if row is not None and row.cause is not None:
        return ConnectionStoppedError(message, row.cause)
    if reply.status == _UNAUTHORIZED:
        # A new token was tried before: see auth. Parking every order one by one would help nobody.
        return ConnectionStoppedError(f"{message}. Connect again with `booked connect`.", StopCause.TOKEN_REVOKED)
    error = row.error if row is not None and issubclass(row.error, RefusedError) else RefusedError
    return error(message, reply.status, reply.code)


def _locked(operation: Operation, reply: Reply) -> LedgerCode | None:
    """Find a closed period by the message: its code is not proved."""
    return PERIOD_CLOSED if operation.is_write and _LOCKED.search(reply.words) else None


def _by_words(operation: Operation, reply: Reply) -> LedgerCode | None:
    """Find what no proved code tells: a duplicate in the unique field, a customer or a layout that cannot be used."""
    if type(operation) not in INVOICE_WRITES or not isinstance(
        operation, CreateInvoice | UpdateInvoice | CreateCreditNote
    ):
        return None
    draft = operation.draft
    if draft.template_id and "template" in reply.words.lower():
        return TEMPLATE_UNKNOWN
    # Without a number of our own the ledger numbers by itself, so 1001 can only mean the other unique value; with
    # one, the message has to tell the two apart.
    taken = _TAKEN.search(reply.words) is not None or reply.code == _NUMBER_TAKEN
    about_number = isinstance(operation, CreateInvoice) and _names_number(draft, reply.words)
    if draft.unique_field and draft.unique_key and taken and not about_number:
        return KEY_TAKEN
    return CONTACT_UNUSABLE if _CUSTOMER_UNUSABLE.search(reply.words) else None


def _names_number(draft: InvoiceDraft, words: str) -> bool:
    """Tell whether a message speaks of the number that was sent, which may also be a part of the unique key."""
    rest = words.replace(draft.unique_key, "") if draft.unique_key else words
    return bool(draft.number) and (_NUMBER.search(rest) is not None or draft.number in rest)


def _throttled(operation: Operation, reply: Reply, row: LedgerCode | None) -> ThrottledError:
    kind = row.kind if row is not None and row.kind is not None else ThrottleKind.MINUTE
    default = row.wait_seconds if row is not None else MINUTE_WAIT_SECONDS
    advice = _seconds(reply.headers.get("retry-after"))
    if advice is None and kind is ThrottleKind.DAY:
        advice = _seconds(reply.headers.get("x-rate-limit-reset"))
    wait = advice if advice is not None else default
    return ThrottledError(f"{_subject(operation)}: {_answered(reply)}; waiting {wait:g} s", kind, wait)


def _seconds(text: str | None) -> float | None:
    """Read a header of seconds, bounded to a day; a date or rubbish counts as no advice."""
    try:
        seconds = float((text or "").strip())
    except ValueError:
        return None
    return min(max(seconds, 1.0), MAX_WAIT_SECONDS) if seconds >= 0 else None


def _answered(reply: Reply) -> str:
    code = "" if reply.code is None else f", code {reply.code}"
    return f"Zoho Books answered {reply.status}{code}{_quoted(reply)}"


def _quoted(reply: Reply) -> str:
    return f': "{reply.words}"' if reply.words else ""


def _subject(operation: Operation) -> str:
    """Name the call and what it is about, by ids and references and never by a person's name."""
    draft = getattr(operation, "draft", None)
    for name in ("invoice_id", "credit_note_id", "contact_id", "reference"):
        value = getattr(operation, name, "") or (getattr(draft, name, "") if name == "reference" else "")
        if value:
            return f"{operation_name(operation)} {value}"
    return operation_name(operation)
