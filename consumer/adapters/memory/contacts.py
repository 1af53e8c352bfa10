"""The index of the ledger's contacts in memory."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from consumer.adapters.memory.database import LaneRow, MemoryDatabase
from consumer.adapters.memory.intake import wake
from consumer.adapters.memory.lane_knowledge import unpark
from consumer.domain.customer_choice import default_customer_group
from consumer.domain.customers import contact_tax_key
from consumer.domain.customers import email_key as default_email_key
from consumer.domain.customers import name_key as default_name_key
from consumer.domain.ledger import Contact
from consumer.domain.states import OrderState, Priority
from consumer.ports.contacts import ContactMatches, IndexState

MATCHES_MAX = 20  # by one key: more are as ambiguous as these
_MARGIN = timedelta(hours=1)  # two clocks differ


class MemoryContactStore:
    """See consumer.ports.contacts.ContactStore. The keys are those by which find() is asked."""

    def __init__(
        self,
        database: MemoryDatabase,
        *,
        email_key: Callable[[str], str] = default_email_key,
        name_key: Callable[[str], str] = default_name_key,
    ) -> None:
        self._db = database
        self._email_key = email_key
        self._name_key = name_key

    async def find(
        self, connection_id: str, shop_id: str, customer_key: str, email_key: str, name_key: str, tax_key: str = ""
    ) -> ContactMatches:
        """See the port."""
        async with self._db.transaction():
            link = self._db.contact_links.get((connection_id, shop_id, customer_key), "")
            own = [self._db.contacts[key] for key in sorted(self._db.contacts) if key[0] == connection_id]
            return ContactMatches(
                linked=self._db.contacts.get((connection_id, link)),
                by_email=_matching(own, email_key, lambda contact: self._email_key(contact.email)),
                by_name=_matching(own, name_key, lambda contact: self._name_key(contact.name)),
                by_tax=_matching(own, tax_key, contact_tax_key),
            )

    async def get(self, connection_id: str, contact_id: str) -> Contact | None:
        """See the port."""
        async with self._db.transaction():
            return self._db.contacts.get((connection_id, contact_id))

    async def index_state(self, connection_id: str) -> IndexState:
        """See the port."""
        async with self._db.transaction() as now:
            lane = self._db.lanes.get(connection_id)
            if lane is None:
                return IndexState(complete=False, page=0, seen_until=None, fresh_seconds_ago=None)
            fresh_at = lane.contacts_fresh_at
            return IndexState(
                complete=lane.contacts_complete_at is not None,
                page=lane.contacts_page,
                seen_until=lane.contacts_seen_until,
                fresh_seconds_ago=None if fresh_at is None else (now - fresh_at).total_seconds(),
            )

    async def save_page(
        self, connection_id: str, contacts: Sequence[Contact], *, page: int, complete: bool, refresh: bool
    ) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            for contact in contacts:
                key = (connection_id, contact.contact_id)
                if self._was_erased(key, contact):
                    continue
                self._db.contacts[key] = _merged(self._db.contacts.get(key), contact)
            lane = self._db.lanes[connection_id]
            if refresh:
                self._let_go_on(connection_id, contacts, now)
                _note_refresh(lane, page, sorted(c.modified_at for c in contacts if c.modified_at is not None), now)
            elif (lane.contacts_page, lane.contacts_complete_at is not None) != (page, complete):
                _note_filling(lane, page, now, complete=complete)

    def _was_erased(self, key: tuple[str, str], contact: Contact) -> bool:
        """Tell whether a list shows a contact as it was before its erasure; a newer change brings it back."""
        if key not in self._db.contacts_erased:
            return False
        before = self._db.contacts_erased[key]
        if before is not None and contact.modified_at is not None and contact.modified_at > before:
            del self._db.contacts_erased[key]
            return False
        return True

    def _let_go_on(self, connection_id: str, contacts: Sequence[Contact], now: datetime) -> None:
        usable = {contact.contact_id for contact in contacts if contact.active and contact.is_customer}
        for key, order in self._db.orders.items():
            if order.state is not OrderState.PARKED or order.connection_id != connection_id or order.reason is None:
                continue
            groups = {default_customer_group(key.shop_id, contact_id) for contact_id in usable}
            if order.reason.group in groups:
                unpark(order, Priority.LIVE.rank, now)
                wake(self._db, connection_id, now)

    async def save(self, connection_id: str, contact: Contact) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            self._let_go_on(connection_id, [contact], now)
            self._db.contacts_erased.pop((connection_id, contact.contact_id), None)
            self._db.contacts[connection_id, contact.contact_id] = contact

    async def drop(self, connection_id: str, contact_id: str) -> None:
        """See the port."""
        async with self._db.transaction():
            self._db.contacts.pop((connection_id, contact_id), None)
            links = self._db.contact_links
            for key in [key for key, linked in links.items() if key[0] == connection_id and linked == contact_id]:
                del links[key]


def _matching(contacts: Sequence[Contact], key: str, key_of: Callable[[Contact], str]) -> tuple[Contact, ...]:
    return tuple(contact for contact in contacts if key and key_of(contact) == key)[:MATCHES_MAX]


def _merged(known: Contact | None, listed: Contact) -> Contact:
    """Keep what is known whole where the contact has not changed since, and what is newer than the list."""
    if known is None or known.modified_at is None or listed.modified_at is None:
        return listed
    if listed.modified_at < known.modified_at:
        return known
    unchanged = listed.modified_at == known.modified_at
    return known if unchanged and known.data is not None and listed.data is None else replace(listed)


def _note_filling(lane: LaneRow, page: int, now: datetime, *, complete: bool) -> None:
    """Note the progress; sure to be seen are the changes before it began, and it is as fresh as its first page."""
    lane.contacts_page = page
    if complete:
        lane.contacts_complete_at = now
    if page == 1:
        lane.contacts_fresh_at, lane.contacts_seen_until = now, now - _MARGIN


def _note_refresh(lane: LaneRow, page: int, moments: list[datetime], now: datetime) -> None:
    """Note a page of the list of changes, newest first; it is complete where it has come down to what was seen."""
    lane.contacts_fresh_at = now
    if page == 1:
        lane.contacts_seen_next = moments[-1] if moments else None
    seen_until, seen_next = lane.contacts_seen_until, lane.contacts_seen_next
    if moments and seen_until is not None and moments[0] < seen_until and seen_next is not None:
        lane.contacts_seen_until = max(seen_until, seen_next)
