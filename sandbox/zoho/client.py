"""A client for the control API, for tests, the demo and the command line."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
"""The client that a grant is for unless another one is named."""

_TIMEOUT_SECONDS = 30.0
_READY_SECONDS = 20.0


class ControlError(Exception):
    """The stand-in refused a control call; the message is its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """The ids of everything in a new organisation, by name or code."""

    organization_id: str
    unique_field_id: str
    taxes: Mapping[str, str]
    tax_groups: Mapping[str, str]
    currencies: Mapping[str, str]
    items: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A refresh token, and a first access token made from it."""

    refresh_token: str
    access_token: str


class ControlClient:
    """Tells one running stand-in what to do. Use as `async with ControlClient(url) as control`."""

    def __init__(self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self.url = url
        self._client = httpx.AsyncClient(base_url=url, timeout=timeout_seconds, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        given = {name: value for name, value in query.items() if value is not None}
        answer = await self._client.request(method, f"/control{path}", json=body, params=given)
        read: dict[str, Any] = answer.json()
        if answer.is_error:
            raise ControlError(f"{method} /control{path}: {read.get('error') or read.get('message')}")
        return read

    async def wait_ready(self, *, deadline_seconds: float = _READY_SECONDS) -> dict[str, Any]:
        """Wait until the stand-in answers. Raises `TimeoutError` when it does not within the deadline."""
        async with asyncio.timeout(deadline_seconds):
            while True:
                try:
                    return await self._ask("GET", "/health")
                except httpx.TransportError:
                    await asyncio.sleep(0.02)

    async def create_organization(self, **settings: Any) -> Founded:
        """Found an organisation: settings, `limits`, `switches`, `taxes`, `tax_groups`, `currencies`, `items`."""
        return Founded(**await self._ask("POST", "/organizations", settings))

    async def change_organization(self, organization_id: str, **changes: Any) -> dict[str, Any]:
        """Change settings, limits and switches."""
        return await self._ask("PATCH", f"/organizations/{organization_id}", changes)

    async def organization(self, organization_id: str) -> dict[str, Any]:
        """Give an organisation's settings and how much of its day is used."""
        return await self._ask("GET", f"/organizations/{organization_id}")

    async def create_client(
        self, *, client_id: str, client_secret: str, redirect_uris: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Register an OAuth client."""
        body = {"client_id": client_id, "client_secret": client_secret, "redirect_uris": list(redirect_uris)}
        return await self._ask("POST", "/clients", body)

    async def grant(
        self,
        *,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        scopes: Sequence[str] = ("ZohoBooks.fullaccess.all",),
        organization_ids: Sequence[str] | None = None,
    ) -> Granted:
        """Make a refresh token at once, as if a person had allowed the client."""
        body = {
            "client_id": client_id,
            "client_secret": client_secret,
            "scopes": list(scopes),
            "organization_ids": None if organization_ids is None else list(organization_ids),
        }
        return Granted(**await self._ask("POST", "/grants", body))

    async def create_code(self, **settings: Any) -> str:
        """Make a code as the API console does for a self client; `seconds` is how long it can be exchanged."""
        return str((await self._ask("POST", "/codes", settings))["code"])

    async def set_oauth(self, **rules: float) -> dict[str, Any]:
        """Change the accounts server's figures, such as `access_token_seconds`."""
        return await self._ask("PATCH", "/oauth", rules)

    async def expire_tokens(self, refresh_token: str | None = None) -> int:
        """End access tokens now: those of one refresh token, or all. Gives how many."""
        body = {} if refresh_token is None else {"refresh_token": refresh_token}
        return int((await self._ask("POST", "/tokens/expire", body))["expired"])

    async def revoke_token(self, token: str) -> bool:
        """Revoke a refresh token with all its access tokens."""
        return bool((await self._ask("POST", "/tokens/revoke", {"token": token}))["revoked"])

    async def add_faults(self, *faults: Mapping[str, Any]) -> list[str]:
        """Put faults in force: `{"match": {…}, "nth" | "times" | "share": …, "action": …}`. Gives their ids."""
        return list((await self._ask("POST", "/faults", {"faults": list(faults)}))["ids"])

    async def faults(self) -> list[dict[str, Any]]:
        """Give all faults, with what they have met (`matched`) and struck (`fired`)."""
        return list((await self._ask("GET", "/faults"))["faults"])

    async def clear_faults(self, fault_id: str | None = None) -> int:
        """Take one fault, or all, out of force."""
        return int((await self._ask("DELETE", "/faults", id=fault_id))["removed"])

    async def set_latency(self, seconds: float) -> None:
        """Hold every call so long."""
        await self._ask("POST", "/latency", {"seconds": seconds})

    async def requests(
        self, *, since: int = 0, organization_id: str | None = None, limit: int = 1000
    ) -> list[dict[str, Any]]:
        """Give the recorded requests after a number, oldest first."""
        answer = await self._ask("GET", "/requests", since=since, organization_id=organization_id, limit=limit)
        return list(answer["requests"])

    async def counts(self, *, since: int = 0, organization_id: str | None = None) -> list[dict[str, Any]]:
        """Count recorded requests by method, address, status and code."""
        return list((await self._ask("GET", "/requests/count", since=since, organization_id=organization_id))["counts"])

    async def newest_request(self) -> int:
        """Give the number of the newest request, to count from."""
        return int((await self._ask("GET", "/health"))["seq"])

    async def ledger(self, organization_id: str) -> dict[str, Any]:
        """Give the whole books: contacts, invoices, creditnotes, payments."""
        return await self._ask("GET", f"/ledger/{organization_id}")

    async def live_invoices(self, organization_id: str) -> dict[str, Any]:
        """Give the invoices that count by reference, and the references that have more than one."""
        return await self._ask("GET", f"/invoices/{organization_id}/live")

    async def by_hand(self, organization_id: str, invoice_id: str, action: str = "edit", **changes: Any) -> None:
        """Do what a person does in the books: `edit` with changes, `void`, `sent`, `delete`."""
        body = {"action": action, "changes": changes}
        await self._ask("PATCH", f"/invoices/{organization_id}/{invoice_id}", body)


@asynccontextmanager
async def running(
    state: Path, *, python: str, arguments: Sequence[str] = ()
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """Run a stand-in as a child process for as long as the block lasts; gives its address and the process.

    Raises `TimeoutError` when it does not get ready, `ControlError` when it ends before that.
    """
    process = await asyncio.create_subprocess_exec(
        *(python, "-m", "sandbox.zoho", "--state", str(state), "--exit-with-parent", *arguments),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield await _address(process), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        raise ControlError("The stand-in was started without a pipe to read its address from.")
    line = await asyncio.wait_for(process.stdout.readline(), _READY_SECONDS)
    if not line:
        raise ControlError("The stand-in ended before it was ready; its messages are above.")
    return str(json.loads(line)["url"])
