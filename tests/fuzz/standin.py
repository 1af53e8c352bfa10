"""The ledger's stand-in, fed with whatever a client might send: it refuses, and never falls over."""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any, Final

from sandbox.zoho.app import Application
from sandbox.zoho.store import Store
from sandbox.zoho.world import open_world
from tests.fuzz.spoiling import spoilt, spoilt_text

_INVOICE: Final = {
    "customer_id": "CONTACT",
    "reference_number": "A-1",
    "date": "2026-06-09",
    "line_items": [{"name": "Cup", "quantity": 2, "rate": 9.9, "tax_id": "TAX", "discount": "1.00"}],
    "adjustment": 0.01,
    "is_inclusive_tax": False,
    "discount": "5%",
    "custom_fields": [{"api_name": "cf_booked_key", "value": "a"}],
}
_CONTACT: Final = {
    "contact_name": "Ada",
    "contact_type": "customer",
    "billing_address": {"address": "Way 1", "country": "Germany"},
    "contact_persons": [{"first_name": "Ada", "email": "ada@example.com", "is_primary_contact": True}],
}
_NOTE: Final = _INVOICE | {"creditnote_number": ""}
_PAYMENT: Final = {
    "customer_id": "CONTACT",
    "payment_mode": "cash",
    "amount": 10,
    "date": "2026-06-09",
    "invoices": [{"invoice_id": "INVOICE", "amount_applied": 10}],
}
_CALLS: Final[tuple[tuple[str, str, Any], ...]] = (
    ("POST", "/invoices", _INVOICE),
    ("PUT", "/invoices/INVOICE", _INVOICE),
    ("GET", "/invoices/INVOICE", None),
    ("GET", "/invoices?reference_number=A-1&page=1&per_page=200&sort_column=last_modified_time", None),
    ("POST", "/invoices/INVOICE/status/void", None),
    ("POST", "/contacts", _CONTACT),
    ("PUT", "/contacts/CONTACT", _CONTACT),
    ("GET", "/contacts?contact_name=Ada&page=2", None),
    ("POST", "/creditnotes", _NOTE),
    ("POST", "/customerpayments", _PAYMENT),
    ("GET", "/settings/taxes", None),
    ("GET", "/items?search_text=x", None),
)
_FAULT: Final = 500


class StandIn:
    """One stand-in within this process, on a state file of its own."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="booked-fuzz-")
        self._application = Application(open_world(Store(Path(self._folder.name) / "books.sqlite")))
        founded = self._control("/control/organizations", _FOUNDING)
        self._organization = str(founded["organization_id"])
        taxes = [str(one) for one in founded["taxes"].values()]
        client = self._control("/control/clients", {})
        granted = self._control("/control/grants", client | {"organization_ids": [self._organization]})
        self._token = str(granted["access_token"])
        self._names = {"TAX": taxes[0]}
        for name, path, body in (("CONTACT", "/contacts", _CONTACT), ("INVOICE", "/invoices", _INVOICE)):
            made = self._books("POST", path, self._filled(json.dumps(body).encode()))
            kind = name.lower()
            self._names[name] = str(made[1][kind][f"{kind}_id"])

    def make(self, chance: Random) -> bytes:
        """Draw a call: its method, its path with a query, and its body."""
        method, path, body = chance.choice(_CALLS)
        if chance.random() < 0.2:
            path = spoilt_text(path, chance)
        if chance.random() < 0.1:
            method = chance.choice(("GET", "PUT", "DELETE", "PATCH", "POST", "HEAD"))
        content = b"" if body is None and chance.random() < 0.7 else spoilt(body, chance)
        return json.dumps({"method": method, "path": path}).encode() + b"\n" + content

    def feed(self, given: bytes) -> None:
        """Make the call. Raises AssertionError where the stand-in has fallen over or answers no JSON."""
        head, _, content = given.partition(b"\n")
        told = json.loads(head)
        status, _ = self._books(told["method"], self._filled(told["path"].encode()).decode(), self._filled(content))
        if status >= _FAULT:
            raise AssertionError(f"the stand-in answered {status}")

    def close(self) -> None:
        """Take the folder away."""
        self._folder.cleanup()

    def _filled(self, text: bytes) -> bytes:
        for name, value in self._names.items():
            text = text.replace(name.encode(), value.encode())
        return text

    def _control(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        status, found = self._call("POST", path, json.dumps(body).encode(), {})
        if status >= 300 or not isinstance(found, dict):  # whatever is no success
            raise AssertionError(f"{path}: {status} {found}")
        return found

    def _books(self, method: str, path: str, content: bytes) -> tuple[int, Any]:
        joint = "&" if "?" in path else "?"
        address = f"/books/v3{path}{joint}organization_id={self._organization}"
        headers = {"authorization": f"Zoho-oauthtoken {self._token}", "content-type": "application/json"}
        return self._call(method, address, content, headers)

    def _call(self, method: str, address: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        path, _, query = address.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query.encode("utf-8", "replace"),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 1),
            "scheme": "http",
        }
        return asyncio.run(_answered(self._application, scope, content))


_FOUNDING: Final = {
    "name": "Fuzz",
    "currency_code": "EUR",
    "time_zone": "Europe/Berlin",
    "country_code": "DE",
    "unique_field": "cf_booked_key",
    "taxes": [{"tax_name": "VAT", "tax_percentage": 19}],
    "limits": {"per_minute": 10_000_000, "per_day": 100_000_000, "concurrent": 1_000},
}


async def _answered(application: Application, scope: dict[str, Any], content: bytes) -> tuple[int, Any]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    status = next(message["status"] for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    return status, json.loads(body) if body else None
