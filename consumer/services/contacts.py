"""The customer of an order: found in the index of the ledger's contacts, read, brought up to date, or made.

Orders of one customer wait for each other only while the contact is being made or changed: within a process by a lock
per customer, between processes by the intent on the contact.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from consumer.domain.comparison import CLOCK_TOLERANCE
from consumer.domain.customer_choice import (
    Choice,
    Known,
    NeedsCreate,
    NeedsRead,
    NeedsUpdate,
    choose,
    choose_default,
    default_missing,
)
from consumer.domain.customers import (
    customer_data,
    customer_key,
    email_key,
    name_key,
    name_with_suffix,
    order_tax_key,
    served_by_default,
)
from consumer.domain.deciding.situation import Rest
from consumer.domain.ledger import Contact, CreateContact, FindContacts, ReadContact, UpdateContact
from consumer.domain.orders import Order
from consumer.domain.records import Conclusion, ContactKnown, Intent, IntentEnd, Note, OrderRecord, Outcome, Resolution
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState, Reason, ReasonCode
from consumer.errors import ConnectionStoppedError, LedgerUnavailableError, NameTakenError, NotFoundError
from consumer.ports.contacts import ContactStore
from consumer.ports.lanes import BookingStore, Occupied, Superseded
from consumer.services.calling import Caller, Sent, Write
from consumer.services.outcomes import Judging, intent_end, judge_error
from consumer.services.retrying import after_error

STEPS_MAX = 12
NAMES_MAX = 2  # variants of a name that are tried before a person is asked


class CustomerLocks:
    """One lock per customer, as long as somebody holds or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def held(self, key: str) -> AsyncIterator[None]:
        """Hold the customer's lock."""
        lock, users = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks.pop(key)
            if users > 1:
                self._locks[key] = (lock, users - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a lane's customers are served with."""

    connection: ConnectionSettings
    caller: Caller
    contacts: ContactStore
    bookings: BookingStore
    locks: CustomerLocks


async def look_up(order: Order, shop: ShopSettings, contacts: ContactStore, connection_id: str) -> Choice:
    """Choose the order's contact by what the index knows, without a call to the ledger."""
    if served_by_default(order, shop):
        return choose_default(shop, await contacts.get(connection_id, shop.default_customer_id))
    wanted = customer_data(order)
    matches = await contacts.find(
        connection_id,
        shop.shop_id,
        customer_key(order),
        email_key(wanted.email),
        name_key(wanted.name),
        order_tax_key(order),
    )
    return choose(
        order,
        wanted,
        candidates=(*matches.by_email, *matches.by_tax, *matches.by_name),
        linked=matches.linked,
        match=shop.customer_name_match,
        update=shop.update_customers,
    )


class CustomerVisit:
    """The search for one order's contact; keeps what was learnt on the way."""

    def __init__(self, desk: Desk, *, order: Order, record: OrderRecord, shop: ShopSettings, judging: Judging) -> None:
        self._desk = desk
        self._order = order
        self._record = record
        self._shop = shop
        self._judging = judging
        self._wanted = customer_data(order)
        self._data = self._wanted
        self._default_id = shop.default_customer_id if served_by_default(order, shop) else ""
        # Orders of one default customer wait for each other while it is read: it costs one call, not one each.
        self._key = f"default:{self._default_id}" if self._default_id else customer_key(order)
        self._names_taken = 0
        self.calls = 0

    async def serve(self, doubted: str = "") -> Known | Reason | Rest | Conclusion:
        """Give the order's contact, whatever it takes; a reason to park; or a rest, to try again later.

        ``doubted`` is a contact that may be gone or inactive though the index has it: it is read first. A conclusion
        is one that was recorded already, with the write that led to it.

        Raises LedgerError and its subclasses for reads, FencedError, DatabaseUnavailableError.
        """
        if doubted:
            await self._read(doubted)
        choice = await self._choose()
        if isinstance(choice, Known | Reason):
            return choice
        async with self._desk.locks.held(self._key):
            for _ in range(STEPS_MAX):
                choice = await self._choose()
                if isinstance(choice, Known | Reason):
                    return choice
                rest = await self._step(choice)
                if rest is not None:
                    return rest
        return Rest(conclusion=Conclusion(state=OrderState.DUE, due_in_seconds=1.0, failed=True))

    async def _choose(self) -> Choice:
        return await look_up(self._order, self._shop, self._desk.contacts, self._desk.connection.connection_id)

    async def _step(self, choice: NeedsRead | NeedsUpdate | NeedsCreate) -> Rest | Reason | Conclusion | None:
        match choice:
            case NeedsRead(contact_id=contact_id):
                found = await self._read(contact_id)
                if contact_id == self._default_id and not (found and found.active and found.is_customer):
                    return default_missing(self._shop, found)
                return None
            case NeedsUpdate(contact=contact, data=data):
                operation = UpdateContact(contact_id=contact.contact_id, data=data, persons=contact.persons)
                return await self._write(operation, sought={"contact_id": contact.contact_id})
            case NeedsCreate():
                return await self._create()

    async def _read(self, contact_id: str) -> Contact | None:
        self.calls += 1
        try:
            answer = await self._desk.caller.read(
                ReadContact(contact_id=contact_id), key=self._record.key, priority=self._record.priority
            )
        except NotFoundError:
            # Deleted or merged in the ledger: the index is corrected, and the choice made again.
            await self._desk.contacts.drop(self._desk.connection.connection_id, contact_id)
            return None
        found: Contact = answer.result
        await self._desk.contacts.save(self._desk.connection.connection_id, found)
        return found

    async def _create(self) -> Rest | Reason | Conclusion | None:
        if self._names_taken > NAMES_MAX:
            return Reason(
                code=ReasonCode.CUSTOMER_AMBIGUOUS,
                message=f"The ledger has contacts of the name {self._wanted.name} already, and of its variants.",
                fix="Give the customer's contact there the order's e-mail address or make it active again; then retry.",
            )
        operation = CreateContact(data=self._data)
        return await self._write(operation, sought={"name": self._data.name, "email": self._data.email})

    async def _write(
        self, operation: CreateContact | UpdateContact, sought: Mapping[str, str]
    ) -> Rest | Conclusion | None:
        result = await self._desk.caller.write(
            Write(
                key=self._record.key,
                change=self._record.change,
                priority=self._record.priority,
                subject=f"contact:{self._key}",
                operation=operation,
                sought=sought,
                judge=lambda sent: self._judge(operation, sent),
            )
        )
        if isinstance(result, Superseded):
            return Rest(conclusion=Conclusion(state=OrderState.DUE, due_in_seconds=0.0))
        if isinstance(result, Occupied):
            return await self._occupied(result)
        self.calls += 1
        return await self._after(operation, result.sent)

    def _judge(self, operation: CreateContact | UpdateContact, sent: Sent) -> Outcome:
        if sent.error is not None or sent.answer is None:
            error = sent.error or LedgerUnavailableError("no answer")
            # A name that is taken and a contact that is gone are met at once; the rest is for the order to bear.
            return judge_error(self._judging, sent, error, keep_due=isinstance(error, NameTakenError | NotFoundError))
        contact: Contact = sent.answer.result
        return Outcome(
            key=self._record.key,
            connection_id=self._judging.connection_id,
            change=self._record.change,
            intent=intent_end(sent),
            slot=sent.slot,
            exchange=sent.answer.exchange,
            contact=ContactKnown(contact=contact, customer_key=self._key),
            note=Note(decision=f"{operation.name}_done", words=(f"Contact {contact.contact_id}.",)),
        )

    async def _after(self, operation: CreateContact | UpdateContact, sent: Sent) -> Conclusion | None:
        error = sent.error
        if error is None:
            return None
        if isinstance(error, NameTakenError) and isinstance(operation, CreateContact):
            await self._learn_of_name(operation.data.name)
            return None
        if isinstance(error, NotFoundError) and isinstance(operation, UpdateContact):
            await self._desk.contacts.drop(self._desk.connection.connection_id, operation.contact_id)
            return None
        if isinstance(error, ConnectionStoppedError):
            raise error
        return after_error(
            error,
            attempts=self._record.attempts,
            settle_seconds=self._judging.settle_seconds,
            jitter=self._judging.jitter,
        )

    async def _learn_of_name(self, name: str) -> None:
        """Somebody has the name: the same e-mail makes it ours, else the customer's id goes behind the name."""
        found = await self._find(name)
        self._names_taken += 1
        if not any(_has_email(contact, self._wanted.email) for contact in found):
            self._data = name_with_suffix(self._wanted, self._order, self._names_taken)

    async def _find(self, name: str) -> Sequence[Contact]:
        self.calls += 1
        answer = await self._desk.caller.read(
            FindContacts(contact_name=name), key=self._record.key, priority=self._record.priority
        )
        rows: Sequence[Contact] = answer.result.rows
        connection_id = self._desk.connection.connection_id
        state = await self._desk.contacts.index_state(connection_id)
        await self._desk.contacts.save_page(
            connection_id, rows, page=state.page, complete=state.complete, refresh=False
        )
        return rows

    async def _occupied(self, occupied: Occupied) -> Rest | None:
        """Somebody's write for this customer has no answer yet: wait, and once it has settled find out."""
        if occupied.seconds > 0:
            return Rest(conclusion=Conclusion(state=OrderState.DUE, due_in_seconds=occupied.seconds))
        intent = await self._desk.bookings.open_intent(self._desk.connection.connection_id, f"contact:{self._key}")
        if intent is not None:
            await self._settle(intent)
        return None

    async def _settle(self, intent: Intent) -> None:
        # Names are unique in the ledger: whether the contact was made shows by its name, and if the list should lag
        # behind, the next create is refused with NameTakenError and finds it then. A changed contact is read again.
        made: Contact | None = None
        if "name" in intent.sought:
            found = await self._find(intent.sought["name"])
            made = next((contact for contact in found if _made_by(intent, contact)), None)
        elif "contact_id" in intent.sought:
            await self._read(intent.sought["contact_id"])
        resolution = Resolution.SUPERSEDED if made is None else Resolution.ADOPTED
        await self._desk.bookings.record(
            Outcome(
                key=self._record.key,
                connection_id=intent.connection_id,
                change=self._record.change,
                intent=IntentEnd(intent_id=intent.intent_id, resolution=resolution),
                contact=None if made is None else ContactKnown(contact=made, customer_key=self._key),
                note=Note(decision="asked", words=("A write of the contact had no answer; the ledger was asked.",)),
            )
        )


def _has_email(contact: Contact, email: str) -> bool:
    """Tell whether an active customer has this very mailbox."""
    key = email_key(email)
    return contact.active and contact.is_customer and bool(key) and email_key(contact.email) == key


def _made_by(intent: Intent, contact: Contact) -> bool:
    """Tell whether a contact of the name sought is what the lost write made: by e-mail, else by when it was made."""
    if intent.sought.get("email"):
        return _has_email(contact, intent.sought["email"])
    usable = contact.active and contact.is_customer and not contact.email
    return usable and contact.created_at is not None and contact.created_at >= intent.begun_at - CLOCK_TOLERANCE
