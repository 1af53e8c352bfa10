"""What one call carries in, and what is handed back: the shapes that every handler of the stand-in works with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.zoho.clock import Clock
from sandbox.zoho.ids import Ids
from sandbox.zoho.organizations import Organization
from sandbox.zoho.store import Store


@dataclass(slots=True, kw_only=True)
class Answer:
    """What is sent back. `body` is turned into JSON; `content`, where given, is sent as it is."""

    status: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str = "application/json;charset=UTF-8"


class Refusal(Exception):  # noqa: N818  # it is an answer, and named as the ledger's people would name it
    """The ledger refuses the call: an HTTP status, Zoho's own code, and a sentence."""

    def __init__(self, *, status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        """Give the error envelope that Zoho sends."""
        return Answer(status=self.status, body={"code": self.code, "message": self.message}, headers=self.headers)


@dataclass(slots=True, kw_only=True)
class Call:
    """One authorised call to the API, with everything that its handler may need."""

    method: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    organization: Organization
    store: Store
    clock: Clock
    ids: Ids
    origin: str
    user_name: str = "Sandbox User"
    stale_seconds: float = 0.0
    """How long a change stays hidden from lists: set by a fault, beside the organisation's own switch."""

    @property
    def now(self) -> float:
        """The moment of the call, as epoch seconds."""
        return self.clock.now()

    @property
    def today(self) -> str:
        """The organisation's own date, as yyyy-mm-dd."""
        return self.clock.date(self.organization.time_zone)

    def switch(self, name: str) -> Any:
        """Say how this organisation answers one of the open questions about Zoho."""
        return self.organization.switch(name)

    def mapping(self) -> dict[str, Any]:
        """Give the body as a JSON object.

        Raises `Refusal` (1038) where the body is anything else.
        """
        if not isinstance(self.body, dict):
            raise Refusal(status=400, code=1038, message="The body is not a well formed JSON object.")
        return self.body


def invalid(name: str, *, code: int = 2) -> Refusal:
    """Refuse a value: code 2 for a field's value, code 4 for an amount."""
    return Refusal(status=400, code=code, message=f"Invalid value passed for {name}")


def rule(code: int, message: str) -> Refusal:
    """Refuse a call that breaks a rule of the books."""
    return Refusal(status=400, code=code, message=message)


def missing(call: Call, what: str) -> Refusal:
    """Refuse a call for something that does not exist."""
    return Refusal(status=int(call.switch("not_found_status")), code=1002, message=f"{what} does not exist.")
