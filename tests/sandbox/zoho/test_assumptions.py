"""What is not proved about Zoho: each open question has a switch, and each answer is another behaviour."""

import dataclasses
import tomllib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.zoho.client import CLIENT_ID, CLIENT_SECRET, ControlError
from sandbox.zoho.switches import SWITCHES
from tests.sandbox.zoho.books import WIDE, Books, line

_LIST = Path(__file__).resolve().parents[3] / "sandbox" / "assumptions.toml"


async def _total(books: Books, **body: Any) -> Any:
    return (await books.invoice(**body))["total"]


async def _try(books: Books, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, int]:
    answer = await books.raw(method, path, body, **query)
    return answer.status_code, answer.json()["code"]


async def _create(books: Books, **body: Any) -> tuple[int, int]:
    return await _try(
        books, "POST", "/invoices", {"customer_id": await books.customer(), "line_items": [line()], **body}
    )


def _keyed(customer: str) -> dict[str, Any]:
    fields = [{"api_name": "cf_booked_key", "value": "k"}]
    return {"customer_id": customer, "line_items": [line()], "custom_fields": fields}


async def _upsert(books: Books, **headers: str) -> tuple[int, int]:
    sent = {"X-Unique-Identifier-Key": "cf_booked_key", "X-Unique-Identifier-Value": "k", **headers}
    answer = await books.raw("PUT", "/invoices", _keyed(await books.customer()), headers=sent)
    return answer.status_code, answer.json()["code"]


async def _token(books: Books, **values: str) -> int:
    data = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "grant_type": "refresh_token", **values}
    return (await books.client.post(f"{books.url}/oauth/v2/token", data=data)).status_code


async def _tax_rounding(books: Books) -> Any:
    lines = [line(0.1, tax_id=books.founded.taxes["VAT"]) for _ in range(30)]
    return (await books.invoice(line_items=lines))["tax_total"]


async def _negative(books: Books) -> Any:
    return await _create(books, line_items=[line(10), line(-1)])


async def _rate_digits(books: Books) -> Any:
    return await _total(books, line_items=[line(0.125, 100)])


async def _quantity_digits(books: Books) -> Any:
    return await _total(books, line_items=[line(1000, 0.125)])


async def _shipping_tax(books: Books) -> Any:
    return await _total(books, shipping_charge=10, shipping_charge_tax_id=books.founded.taxes["VAT"])


async def _shipping_inclusive(books: Books) -> Any:
    vat = books.founded.taxes["VAT"]
    return await _total(books, is_inclusive_tax=True, shipping_charge=10, shipping_charge_tax_id=vat)


async def _sent_tax(books: Books) -> Any:
    return await _total(books, line_items=[line(tax_id=books.founded.taxes["VAT"])])


async def _currency(books: Books) -> Any:
    return await _create(books, currency_id=books.founded.currencies["USD"])


async def _currency_code(books: Books) -> Any:
    return (await books.invoice(currency_code="USD"))["currency_code"]


async def _own_number(books: Books) -> Any:
    body = {"customer_id": await books.customer(), "line_items": [line()], "invoice_number": "A-1"}
    answer = (await books.raw("POST", "/invoices", body)).json()
    return answer["code"] or answer["invoice"]["invoice_number"]


async def _unknown_template(books: Books) -> Any:
    return (await _create(books, template_id="1"))[1]


async def _fresh_in_list(books: Books) -> Any:
    await books.invoice(reference_number="R")
    return len((await books.good("GET", "/invoices", reference_number="R"))["invoices"])


async def _rows(books: Books) -> Any:
    for number in range(11):
        await books.customer(f"Customer {number}")
    return len((await books.good("GET", "/contacts"))["contacts"])


async def _by_custom_field(books: Books) -> Any:
    customer = await books.customer()
    await books.invoice(customer)
    await books.good("POST", "/invoices", _keyed(customer))
    return len((await books.good("GET", "/invoices", cf_booked_key="k"))["invoices"])


async def _same_name(books: Books) -> Any:
    await books.customer("Ann")
    return await _try(books, "POST", "/contacts", {"contact_name": "ANN"})


async def _by_email(books: Books) -> Any:
    await books.customer("Ann", contact_persons=[{"email": "Ann@example.test"}])
    return len((await books.good("GET", "/contacts", email="ann@example.test"))["contacts"])


async def _same_key(books: Books) -> Any:
    body = _keyed(await books.customer())
    await books.good("POST", "/invoices", body)
    return await _try(books, "POST", "/invoices", body)


async def _in_state(books: Books, state: str, method: str, path: str, body: Any = None) -> Any:
    invoice = await books.invoice()
    if state:
        await books.good("POST", f"/invoices/{invoice['invoice_id']}/status/{state}")
    return await _try(books, method, f"/invoices/{invoice['invoice_id']}{path}", body)


async def _payment_on_draft(books: Books) -> Any:
    customer = await books.customer()
    share = {"invoice_id": (await books.invoice(customer))["invoice_id"], "amount_applied": 100}
    body = {"customer_id": customer, "payment_mode": "cash", "amount": 100, "date": "2026-06-09", "invoices": [share]}
    return await _try(books, "POST", "/customerpayments", body)


async def _locked(books: Books) -> Any:
    await books.control.change_organization(books.id, transaction_lock_date="2026-06-30")
    return await _create(books, date="2026-06-09")


async def _lock_names(books: Books) -> Any:
    await books.control.change_organization(books.id, transaction_lock_date="2026-06-30")
    row = (await books.good("GET", "/transactionlocks"))["transaction_locks"][0]
    return sorted(row.items())


async def _inactive(books: Books) -> Any:
    customer = await books.customer("Ann")
    await books.good("POST", f"/contacts/{customer}/inactive")
    return await _create(books, customer_id=customer)


async def _expired(books: Books) -> Any:
    await books.control.expire_tokens(books.refresh_token)
    return await _try(books, "GET", "/contacts")


async def _refused(books: Books) -> Any:
    await books.control.change_organization(books.id, limits={"per_minute": 1})
    stale = {"Authorization": "Zoho-oauthtoken 1000.none"}
    assert (await books.raw("GET", "/contacts", headers=stale)).status_code == _UNAUTHORIZED
    return await _try(books, "GET", "/contacts")


async def _bearer(books: Books) -> Any:
    answer = await books.raw("GET", "/contacts", headers={"Authorization": f"Bearer {books.token}"})
    return answer.status_code


async def _throttled(books: Books) -> Any:
    await books.control.set_oauth(tokens_per_window=0)
    return await _token(books, refresh_token=books.refresh_token)


async def _full(books: Books) -> Any:
    await books.control.change_organization(books.id, limits={"per_minute": 0})
    return (await books.raw("GET", "/contacts")).headers.get("retry-after", "absent") == "absent"


async def _blocked(books: Books) -> Any:
    await _full(books)
    await books.control.change_organization(books.id, limits={"per_minute": 100})
    return await _try(books, "GET", "/contacts")


_Probe = Callable[[Books], Awaitable[Any]]
_OK, _MADE = (200, 0), (201, 0)
_UNAUTHORIZED = 401

PROBES: dict[str, tuple[_Probe, tuple[Any, ...]]] = {
    "tax_rounding": (_tax_rounding, (0.57, 0.6)),
    "negative_line_rate": (_negative, (_MADE, (400, 4))),
    "rate_digits": (_rate_digits, (12.5, 13)),
    "quantity_digits": (_quantity_digits, (125, 130)),
    "shipping_charge_tax_id": (_shipping_tax, (111.9, 110)),
    "shipping_charge_inclusive": (_shipping_inclusive, (110, 111.9)),
    "sent_tax": (_sent_tax, (119, 100)),
    "reference_number_max": (lambda books: _create(books, reference_number="x" * 51), (_MADE, (400, 15))),
    "markup_in_text": (lambda books: _create(books, line_items=[line(name="<b>")]), (_MADE, (400, 2))),
    "four_byte_characters": (lambda books: _create(books, line_items=[line(name="🙂")]), (_MADE, (400, 2))),
    "line_without_item": (_create, (_MADE, (400, 2))),
    "invoice_currency_code": (_currency_code, ("USD", "EUR")),
    "invoice_currency": (_currency, (_MADE, (400, 3009))),
    "number_without_flag": (_own_number, (4097, "INV-000001", "A-1")),
    "unknown_template_code": (_unknown_template, (2, 1002)),
    "list_delay_seconds": (_fresh_in_list, (1, 0)),
    "per_page_default": (_rows, (10, 11)),
    "custom_field_filter": (_by_custom_field, (1, 2)),
    "contact_name_uniqueness": (_same_name, ((400, 3062), _MADE)),
    "email_filter": (_by_email, (1, 0)),
    "unique_field_on_post": (_same_key, ((400, 2), _MADE)),
    "unique_field_code": (_same_key, ((400, 2), (400, 1001))),
    "upsert_created_status": (lambda books: _upsert(books, **{"X-Upsert": "true"}), (_MADE, _OK)),
    "upsert_not_found_code": (_upsert, ((400, 1002), (400, 2))),
    "void_of_draft": (lambda books: _in_state(books, "", "POST", "/status/void"), (_OK, (400, 12005))),
    "edit_of_void": (lambda books: _in_state(books, "void", "PUT", "", {"notes": "n"}), ((400, 12007), _OK)),
    "delete_of_void": (lambda books: _in_state(books, "void", "DELETE", ""), (_OK, (400, 12007))),
    "payment_on_draft": (_payment_on_draft, (_MADE, (400, 12005))),
    "transaction_lock_code": (_locked, ((400, 12020), (400, 2))),
    "transaction_lock_names": (
        _lock_names,
        (
            [
                ("transaction_lock_date", "2026-06-30"),
                ("transaction_lock_module", "sales"),
                ("transaction_lock_status", "enabled"),
            ],
            [("lock_date", "2026-06-30"), ("module", "sales"), ("status", "enabled")],
        ),
    ),
    "inactive_customer_code": (_inactive, ((400, 1002), (400, 3004))),
    "expired_token_code": (_expired, ((401, 57), (401, 14))),
    "refused_token": (_refused, (_OK, (429, 44))),
    "bearer_scheme": (_bearer, (200, 401)),
    "oauth_throttle_status": (_throttled, (200, 400)),
    "oauth_error_status": (lambda books: _token(books, refresh_token="none"), (200, 400)),
    "not_found_status": (lambda books: _try(books, "GET", "/invoices/1"), ((404, 1002), (400, 1002))),
    "method_status": (lambda books: _try(books, "DELETE", "/settings/currencies"), ((405, 37), (400, 37))),
    "retry_after": (_full, (True, False)),
    "minute_block_seconds": (_blocked, (_OK, (429, 44))),
}


async def _created_status(books: Books) -> Any:
    return (await books.invoice())["status"]


PROBES["created_status"] = (_created_status, ("draft", "pending_approval"))


def _assumptions() -> list[dict[str, Any]]:
    return list(tomllib.loads(_LIST.read_text(encoding="utf-8"))["assumption"])


async def _organization_with(books: Books, switch: str, answer: Any) -> Books:
    """Make an organisation like the one at hand with one question answered."""
    founded = await books.control.create_organization(
        name="Answered",
        unique_field="cf_booked_key",
        taxes=[{"tax_name": "VAT", "tax_percentage": 19}],
        currencies=["USD"],
        limits=WIDE,
        switches={switch: answer},
    )
    granted = await books.control.grant(organization_ids=[founded.organization_id])
    return dataclasses.replace(
        books, founded=founded, token=granted.access_token, refresh_token=granted.refresh_token, calls=[]
    )


@pytest.mark.parametrize("switch", SWITCHES)
async def test_every_answer_is_another_behaviour(books: Books, switch: str) -> None:
    """Under each answer the same steps have the outcome that was written down for it."""
    probe, expected = PROBES[switch]
    for answer, outcome in zip(SWITCHES[switch], expected, strict=True):
        changed = await _organization_with(books, switch, answer)
        assert await probe(changed) == outcome, answer
        # The accounts server goes by any organisation that answers otherwise: leave none behind.
        await changed.switch(**{switch: SWITCHES[switch][0]})
        await books.control.set_oauth(tokens_per_window=10)
    assert len(set(map(str, expected))) > 1


def test_the_list_and_the_switches_are_the_same() -> None:
    """Every assumption of the list has its switch with the same answers, and every switch is in the list."""
    listed = {one["switch"]: tuple(one["answers"]) for one in _assumptions()}
    assert listed == SWITCHES
    assert set(PROBES) == set(SWITCHES)


def test_every_assumption_says_what_it_is_about() -> None:
    """Id, statement and source are there, and no id twice."""
    assumptions = _assumptions()
    assert all(one["statement"].endswith(".") and one["source"] for one in assumptions)
    assert len({one["id"] for one in assumptions}) == len(assumptions)


@pytest.mark.parametrize("switches", [{"unheard_of": 1}, {"negative_line_rate": "maybe"}, {"list_delay_seconds": "x"}])
async def test_an_unknown_switch_or_answer_is_refused(books: Books, switches: dict[str, Any]) -> None:
    """The control API names what it does not know."""
    with pytest.raises(ControlError, match="UnknownSwitchError"):
        await books.switch(**switches)
