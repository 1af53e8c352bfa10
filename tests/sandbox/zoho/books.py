"""One organisation in a running stand-in, as a test talks to it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.zoho.client import ControlClient, Founded

WIDE = {"per_minute": 1_000_000, "per_day": 10_000_000, "concurrent": 1_000}
"""Limits that no test meets by accident."""


@dataclass(slots=True, kw_only=True)
class Books:
    """An organisation with a token for it. `calls` keeps every good exchange for the check against the description."""

    url: str
    control: ControlClient
    founded: Founded
    token: str
    refresh_token: str
    client: httpx.AsyncClient
    calls: list[tuple[str, str, dict[str, str], Any, int, Any]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The organisation's id."""
        return self.founded.organization_id

    async def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> httpx.Response:
        """Make a call and give the answer as it is."""
        params = {"organization_id": self.id, **{name: str(value) for name, value in query.items()}}
        sent = {"Authorization": f"Zoho-oauthtoken {self.token}", **(headers or {})}
        address = f"{self.url}/books/v3{path}"
        answer = await self.client.request(method, address, json=body, params=params, headers=sent)
        if answer.is_success and "json" in answer.headers.get("content-type", "") and not headers:
            self.calls.append((method, path, params, body, answer.status_code, answer.json()))
        return answer

    async def good(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """Make a call that has to succeed, and give its body."""
        answer = await self.raw(method, path, body, **query)
        read: dict[str, Any] = answer.json()
        assert answer.is_success, read
        assert read["code"] == 0, read
        return read

    async def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, int]:
        """Make a call that has to be refused, and give its status and code."""
        answer = await self.raw(method, path, body, **query)
        assert answer.is_error, answer.text
        return answer.status_code, answer.json()["code"]

    async def switch(self, **answers: Any) -> None:
        """Answer open questions about Zoho otherwise."""
        await self.control.change_organization(self.id, switches=answers)

    async def customer(self, name: str = "Ann Example", **more: Any) -> str:
        """Make a customer and give its id."""
        made = await self.good("POST", "/contacts", {"contact_name": name, **more})
        return str(made["contact"]["contact_id"])

    async def invoice(self, customer_id: str | None = None, *, query: Any = None, **more: Any) -> dict[str, Any]:
        """Make an invoice, of one line of 100.00 unless told otherwise, and give it."""
        body = {
            "customer_id": customer_id or await self.customer(f"Customer {len(self.calls)}"),
            "line_items": [line()],
        }
        made = await self.good("POST", "/invoices", {**body, **more}, **(query or {}))
        invoice: dict[str, Any] = made["invoice"]
        return invoice


def line(rate: float = 100, quantity: float = 1, **more: Any) -> dict[str, Any]:
    """Give a line without an item."""
    return {"name": "Thing", "rate": rate, "quantity": quantity, **more}


async def until(asked: Callable[[], Awaitable[Any]], wanted: Any) -> None:
    """Ask until the answer is the one that is wanted; the caller sets the deadline. Asking is the wait."""
    while await asked() != wanted:
        pass
