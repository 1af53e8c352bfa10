"""Every code that Zoho Books is known to give leads to the one error type that says what is known of the call."""

from dataclasses import replace

import pytest

from consumer.adapters.zoho.errors import LEDGER_CODES
from consumer.domain.ledger import (
    CreateInvoice,
    DeleteInvoice,
    FindItems,
    Operation,
    ReadContact,
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
    UncertainError,
)
from tests.adapters.zoho.books import (
    CREATE_CONTACT,
    CREATE_INVOICE,
    DEADLINE,
    DRAFT,
    KEYED_DRAFT,
    READ_INVOICE,
    opened,
)
from tests.adapters.zoho.raw_server import RawServer, answer

READ_CONTACT = ReadContact(contact_id="460000000000000017")
UPDATE_CONTACT = UpdateContact(contact_id="460000000000000017", data=CREATE_CONTACT.data)
UPDATE_INVOICE = UpdateInvoice(invoice_id="460000000000000099", draft=DRAFT)
VOID = VoidInvoice(invoice_id="460000000000000099")
DELETE = DeleteInvoice(invoice_id="460000000000000099")
KEYED = CreateInvoice(draft=KEYED_DRAFT)
FIND_ITEMS = FindItems(text="SKU-1")

ROWS: list[tuple[int, int, Operation, type[LedgerError]]] = [
    (429, 44, CREATE_INVOICE, ThrottledError),
    (429, 45, READ_INVOICE, ThrottledError),
    (429, 1070, CREATE_CONTACT, ThrottledError),
    (401, 57, CREATE_INVOICE, ConnectionStoppedError),
    (401, 14, READ_INVOICE, ConnectionStoppedError),
    (400, 6041, CREATE_INVOICE, ConnectionStoppedError),
    (400, 9017, READ_INVOICE, ConnectionStoppedError),
    (403, 103001, CREATE_INVOICE, ConnectionStoppedError),
    (400, 3062, CREATE_CONTACT, NameTakenError),
    (400, 3062, UPDATE_CONTACT, NameTakenError),
    (400, 1001, CREATE_INVOICE, NumberTakenError),
    (404, 1002, READ_INVOICE, NotFoundError),
    (400, 1002, READ_CONTACT, NotFoundError),
    (404, 1002, VOID, NotFoundError),
    (404, 1002, DELETE, NotFoundError),
    (400, 1002, CREATE_INVOICE, NotFoundError),
    (400, 3004, CREATE_INVOICE, NotFoundError),
    (400, 3004, UPDATE_INVOICE, NotFoundError),
    (400, 2006, CREATE_INVOICE, NotFoundError),
    (400, 2, CREATE_INVOICE, RefusedError),
    (400, 4, UPDATE_INVOICE, RefusedError),
    (400, 15, CREATE_CONTACT, RefusedError),
    (404, 5, READ_INVOICE, RefusedError),
    (405, 37, DELETE, RefusedError),
    (400, 1038, CREATE_INVOICE, RefusedError),
    (400, 9004, CREATE_CONTACT, RefusedError),
    (400, 1000, FIND_ITEMS, RefusedError),
    (400, 3000, UPDATE_CONTACT, RefusedError),
    (400, 3009, UPDATE_CONTACT, RefusedError),
    (400, 3010, UPDATE_INVOICE, PaymentsInTheWayError),
    (400, 3013, CREATE_CONTACT, RefusedError),
    (400, 3004, READ_CONTACT, RefusedError),
    (400, 4001, DELETE, PaymentsInTheWayError),
    (400, 4001, CREATE_INVOICE, RefusedError),
    (400, 4097, CREATE_INVOICE, RefusedError),
    (400, 12003, VOID, DocumentStateError),
    (400, 12004, VOID, DocumentStateError),
    (400, 12005, VOID, DocumentStateError),
    (400, 12006, UPDATE_INVOICE, DocumentStateError),
    (400, 12007, UPDATE_INVOICE, DocumentStateError),
    (400, 12008, DELETE, PaymentsInTheWayError),
    (400, 12018, VOID, RefusedError),
    (400, 12020, CREATE_INVOICE, PeriodClosedError),
    (400, 24016, UPDATE_INVOICE, OverBalanceError),
    (400, 2049, UPDATE_INVOICE, RefusedError),
    (400, 2076, CREATE_INVOICE, RefusedError),
    (400, 9521, UPDATE_INVOICE, RefusedError),
    (400, 9523, UPDATE_INVOICE, RefusedError),
    (400, 31006, UPDATE_CONTACT, RefusedError),
    (400, 36026, CREATE_INVOICE, RefusedError),
    (500, 1000, READ_INVOICE, LedgerUnavailableError),
    (500, 1000, CREATE_INVOICE, UncertainError),
    # Not in the table: unknown codes are refused for good below 500, and passing from 500 on.
    (400, 777777, CREATE_INVOICE, RefusedError),
    (418, 777777, READ_INVOICE, RefusedError),
    (503, 777777, CREATE_INVOICE, UncertainError),
    (503, 777777, READ_INVOICE, LedgerUnavailableError),
    (429, 777777, CREATE_INVOICE, ThrottledError),
]


async def outcome(operation: Operation, status: int, body: object, **headers: str) -> LedgerError:
    """Answer an operation on a real socket and give the error that it raises."""
    async with RawServer([answer(status, body, **headers)]) as server, opened(server.url) as ledger:
        with pytest.raises(LedgerError) as raised:
            await ledger.execute(operation, deadline_seconds=DEADLINE)
    return raised.value


@pytest.mark.parametrize(("status", "code", "operation", "kind"), ROWS)
async def test_every_row_of_the_table_over_a_real_socket(
    status: int, code: int, operation: Operation, kind: type[LedgerError]
) -> None:
    """The type is exactly the one of the row, and the exchange on it has what was answered."""
    error = await outcome(operation, status, {"code": code, "message": "the ledger's own words"})
    assert type(error) is kind
    assert error.exchange is not None
    assert (error.exchange.status, error.exchange.code) == (status, code)
    assert error.exchange.outcome == kind.__name__
    assert operation.name in str(error)


def test_every_row_of_the_table_is_tried_above() -> None:
    """A row that is added without a line here fails."""
    tried = {(code, type(operation)) for _, code, operation, _ in ROWS}
    for row in LEDGER_CODES:
        operations = row.operations
        assert any(code == row.code and (operations is None or kind in operations) for code, kind in tried), (
            f"code {row.code} is not tried"
        )


def test_every_row_says_what_happened_and_what_to_do() -> None:
    """Both texts are sentences, fit for people."""
    for row in LEDGER_CODES:
        assert row.sentence.endswith("."), row.code
        assert row.fix.endswith("."), row.code


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [
        (401, 57, StopCause.SCOPE_MISSING),
        (401, 14, StopCause.TOKEN_REVOKED),
        (401, 999, StopCause.TOKEN_REVOKED),
        (400, 6041, StopCause.WRONG_ORGANIZATION),
        (400, 9017, StopCause.WRONG_ORGANIZATION),
        (400, 103001, StopCause.SUBSCRIPTION_OVER),
    ],
)
async def test_a_stopped_connection_says_why(status: int, code: int, cause: StopCause) -> None:
    """The cause tells what the person has to do."""
    error = await outcome(CREATE_INVOICE, status, {"code": code, "message": "no"})
    assert isinstance(error, ConnectionStoppedError)
    assert error.cause is cause


@pytest.mark.parametrize(
    ("code", "headers", "kind", "wait"),
    [
        (44, {}, ThrottleKind.MINUTE, 60.0),
        (44, {"Retry_After": "17"}, ThrottleKind.MINUTE, 17.0),
        (44, {"Retry_After": "Wed, 21 Oct 2026 07:28:00 GMT"}, ThrottleKind.MINUTE, 60.0),
        (44, {"Retry_After": "nan"}, ThrottleKind.MINUTE, 60.0),
        (44, {"Retry_After": "-3"}, ThrottleKind.MINUTE, 60.0),
        (44, {"Retry_After": "9999999"}, ThrottleKind.MINUTE, 86400.0),
        (1070, {}, ThrottleKind.CONCURRENT, 2.0),
        (45, {}, ThrottleKind.DAY, 3600.0),
        (45, {"X_Rate_Limit_Reset": "5400"}, ThrottleKind.DAY, 5400.0),
    ],
)
async def test_a_limit_says_which_one_and_how_long(
    code: int, headers: dict[str, str], kind: ThrottleKind, wait: float
) -> None:
    """The ledger's advice is taken where it is a number, within a day; else the documented waits."""
    error = await outcome(CREATE_INVOICE, 429, {"code": code, "message": "slow down"}, **headers)
    assert isinstance(error, ThrottledError)
    assert (error.kind, error.wait_seconds) == (kind, wait)


async def test_a_429_of_a_gateway_in_html_is_a_limit_too() -> None:
    """Nothing was done, whoever said so."""
    error = await outcome(CREATE_INVOICE, 429, b"<html><body>Too many</body></html>")
    assert isinstance(error, ThrottledError)
    assert error.kind is ThrottleKind.MINUTE


@pytest.mark.parametrize(
    ("code", "message", "operation", "kind"),
    [
        (2, "The value shop/A-1001/invoice//1 of cf_booked_key is in use already.", KEYED, KeyTakenError),
        (1001, "The value shop/A-1001/invoice//1 of cf_booked_key is in use already.", KEYED, KeyTakenError),
        (120131, "This value already exists for Booked key", KEYED, KeyTakenError),
        (2, "Invalid value passed for rate", KEYED, RefusedError),
        (2, "The value is in use already.", CREATE_INVOICE, RefusedError),
        (1001, "Invoice number INV-1 already exists", CREATE_INVOICE, NumberTakenError),
        (77, "The customer Ada is inactive", CREATE_INVOICE, NotFoundError),
        (77, "The customer Ada is inactive", CREATE_CONTACT, RefusedError),
    ],
)
async def test_what_no_proved_code_tells_is_read_from_the_words(
    code: int, message: str, operation: Operation, kind: type[LedgerError]
) -> None:
    """A duplicate in the unique field and an unusable customer have no proved code."""
    assert type(await outcome(operation, 400, {"code": code, "message": message})) is kind


async def test_a_taken_number_of_our_own_is_told_from_a_taken_key() -> None:
    """With a number and a key sent, the message has to say which one is taken."""
    numbered = CreateInvoice(draft=replace(KEYED_DRAFT, number="INV-7"))
    about_number = await outcome(numbered, 400, {"code": 1001, "message": "Invoice number INV-7 already exists"})
    about_key = await outcome(numbered, 400, {"code": 1001, "message": "cf_booked_key already exists"})
    assert (type(about_number), type(about_key)) == (NumberTakenError, KeyTakenError)


async def test_a_wrong_path_is_never_taken_for_a_deleted_document() -> None:
    """404 comes for an unknown address too; only code 1002 speaks of the document."""
    error = await outcome(READ_INVOICE, 404, {"code": 5, "message": "Invalid URL Passed"})
    assert not isinstance(error, NotFoundError)
    html = await outcome(READ_INVOICE, 404, b"<html>Not Found</html>")
    assert not isinstance(html, NotFoundError)


@pytest.mark.parametrize(
    ("code", "operation", "kind"),
    [
        (3062, CREATE_CONTACT, NameTakenError),
        (1002, READ_INVOICE, NotFoundError),
        (44, CREATE_INVOICE, ThrottledError),
        (57, CREATE_INVOICE, ConnectionStoppedError),
        (6041, READ_INVOICE, ConnectionStoppedError),
        (777777, CREATE_INVOICE, RefusedError),
        (1000, CREATE_INVOICE, UncertainError),
    ],
)
async def test_a_code_within_a_success_decides(code: int, operation: Operation, kind: type[LedgerError]) -> None:
    """HTTP 200 with a code other than 0 is no success, even with a whole document in it."""
    document = {"invoice": {"invoice_id": "1", "total": 1}, "contact": {"contact_id": "1"}}
    assert type(await outcome(operation, 200, {"code": code, "message": "no", **document})) is kind
