"""The index of the ledger's contacts: who is found by what, and how far it reaches."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from consumer.domain.ledger import Contact


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMatches:
    """What the index knows of a customer."""

    linked: Contact | None
    by_email: tuple[Contact, ...]
    by_name: tuple[Contact, ...]
    by_tax: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexState:
    """How far the index of contacts reaches. ``fresh_seconds_ago`` is since the last list of changes; None: never."""

    complete: bool
    page: int
    seen_until: datetime | None
    fresh_seconds_ago: float | None


class ContactStore(Protocol):
    """The index of the ledger's contacts."""

    async def find(
        self, connection_id: str, shop_id: str, customer_key: str, email_key: str, name_key: str, tax_key: str = ""
    ) -> ContactMatches:
        """Look a customer up: by stored link, by e-mail key, by name key, by VAT number; gone ones are not found.

        A VAT number is known only of contacts that were read whole.
        """
        ...

    async def get(self, connection_id: str, contact_id: str) -> Contact | None:
        """Give what the index knows of one contact; None where it does not know it, or it is gone."""
        ...

    async def index_state(self, connection_id: str) -> IndexState:
        """Tell how complete and how fresh the index is."""
        ...

    async def save_page(
        self, connection_id: str, contacts: Sequence[Contact], *, page: int, complete: bool, refresh: bool
    ) -> None:
        """Keep a page of contacts. Data that was fully known stays only where the contact has not changed since.

        ``page`` and ``complete`` are the filling's progress; with ``refresh`` (a list of changes) they stay as they
        are, the freshness is noted, and orders that are parked because a default customer could not be used become
        due where the list shows it as an active customer.
        """
        ...

    async def save(self, connection_id: str, contact: Contact) -> None:
        """Keep a contact that was read whole; orders that wait for it as default customer go on, as in save_page."""
        ...

    async def drop(self, connection_id: str, contact_id: str) -> None:
        """The contact is gone, merged or inactive: forget it and the links to it."""
        ...
