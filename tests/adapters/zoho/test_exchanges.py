"""What is kept of a call holds no secret and no customer link, and has a bounded size."""

import json
import time

import pytest

from consumer.adapters.zoho.classify import Reply
from consumer.adapters.zoho.encoding import UnreadableBodyError, read_json
from consumer.adapters.zoho.exchanges import MAX_BODY_BYTES, kept, masked, quota
from consumer.domain.exchanges import QuotaReading
from consumer.domain.ledger import FindContacts
from tests.adapters.zoho.books import CREATE_INVOICE, DEADLINE, INVOICE, READ_INVOICE, opened
from tests.adapters.zoho.raw_server import RawServer, answer

TOKEN = "1000.0123456789abcdef0123456789abcdef.0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"invoice_url": "https://x/SecurePayment?CInvoiceID=1"}', '{"invoice_url":"***"}'),
        (r'{"invoice_url":"https:\/\/x\/SecurePayment?CInvoiceID=1"}', '{"invoice_url":"***"}'),
        ("see https://x.example/a/SecurePayment?CInvoiceID=2-ab now", "see *** now"),
        (r'{"body":"<a href=\"https:\/\/x\/SecurePayment?CInvoiceID=2\">pay"}', r'{"body":"<a href=\"***\">pay"}'),
        ('{"refresh_token":"abc","x":1}', '{"refresh_token":"***","x":1}'),
        (f"Zoho-oauthtoken {TOKEN}!", "Zoho-oauthtoken ***!"),
        ("it was canary", "it was ***"),
        ('{"invoice_number":"INV-1"}', '{"invoice_number":"INV-1"}'),
    ],
)
def test_what_is_masked(text: str, expected: str) -> None:
    """Wherever it stands, with slashes escaped or not."""
    assert masked(text, ["canary"]) == expected


def test_what_is_kept_is_cut_after_masking_and_fits_the_database() -> None:
    """A token across the cut is gone before; NUL is no text for Postgres; no character is cut in two."""
    text = "ä" * (MAX_BODY_BYTES // 2 - 10) + TOKEN + "rest" * 50
    found = kept(masked(text))
    assert len(found.encode()) <= MAX_BODY_BYTES
    assert "0123456789" not in found
    assert kept("a\x00b") == "a\ufffdb"
    assert kept("a" + "ä" * MAX_BODY_BYTES).encode()[-1:] != b"\xc3"


@pytest.mark.parametrize("piece", ["https:", '"access_token":"', "1000.", '"', "<script", "<", "[", '{"a":'])
def test_a_body_made_to_be_slow_to_read_is_not(piece: str) -> None:
    """Two megabytes of any of these are read in the time of one call, where a careless pattern takes hours."""
    begun = time.perf_counter()
    text = masked(piece * (2_000_000 // len(piece)))
    assert len(Reply(status=502, body=None, text=text).words) <= 300
    with pytest.raises(UnreadableBodyError):
        read_json(text.encode())
    assert time.perf_counter() - begun < DEADLINE


async def test_an_exchange_tells_the_call() -> None:
    """Address without host, both bodies, status, code, how long it took, and the day's calls."""
    headers = {"X_Rate_Limit_Limit": "1000", "X_Rate_Limit_Remaining": "773", "X_Rate_Limit_Reset": "38607"}
    async with RawServer([answer(201, INVOICE, **headers)]) as server, opened(server.url) as ledger:
        exchange = (await ledger.execute(CREATE_INVOICE, deadline_seconds=DEADLINE)).exchange
    assert (exchange.operation, exchange.method, exchange.path) == (
        "create_invoice",
        "POST",
        "/books/v3/invoices?organization_id=927270289",
    )
    assert json.loads(exchange.request)["reference_number"] == "A-1001"
    assert json.loads(exchange.response)["invoice"]["invoice_number"] == "INV-000001"
    assert (exchange.status, exchange.code, exchange.outcome) == (201, 0, "ok")
    assert exchange.quota == QuotaReading(limit=1000, left=773, resets_in_seconds=38607.0)
    assert 0 < exchange.duration_seconds < DEADLINE
    assert exchange.started_at is not None
    assert exchange.started_at.tzinfo is not None


async def test_an_exchange_is_named_by_its_operation_and_not_by_a_person() -> None:
    """An operation may have a field `name`, which is a customer's; the exchange's name ends in metrics."""
    async with RawServer([answer(200, {"code": 0, "contacts": []})]) as server, opened(server.url) as ledger:
        exchange = (await ledger.execute(FindContacts(contact_name="Ada Muster"), deadline_seconds=DEADLINE)).exchange
    assert exchange.operation == "find_contacts"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"x-rate-limit-limit": "1000"}, None),
        ({"x-rate-limit-limit": "1000", "x-rate-limit-remaining": "-1"}, None),
        ({"x-rate-limit-limit": "many", "x-rate-limit-remaining": "7"}, None),
        ({"x-rate-limit-limit": "1000", "x-rate-limit-remaining": "9" * 400}, None),
        ({"x-rate-limit-limit": "1000", "x-rate-limit-remaining": "\u0663"}, None),
        (
            {"x-rate-limit-limit": " 5000 ", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "soon"},
            QuotaReading(limit=5000, left=0),
        ),
    ],
)
def test_headers_that_are_missing_or_rubbish_say_nothing(
    headers: dict[str, str], expected: QuotaReading | None
) -> None:
    """Some answers have none; none of them may stop a booking."""
    assert quota(headers) == expected


async def test_an_answer_of_megabytes_is_kept_in_kilobytes() -> None:
    """The exchange is cut, the answer itself is read whole."""
    body = {**INVOICE, "padding": "x" * 1_000_000}
    async with RawServer([answer(200, body)]) as server, opened(server.url) as ledger:
        answered = await ledger.execute(READ_INVOICE, deadline_seconds=DEADLINE)
    assert answered.result.number == "INV-000001"
    assert len(answered.exchange.response) == MAX_BODY_BYTES
