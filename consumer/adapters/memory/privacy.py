"""Erasure and export in memory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from consumer.adapters.memory.database import IntentRow, MemoryDatabase, OrderRow
from consumer.adapters.memory.retention import blank, blank_intent, blank_rejected, has_words, settled
from consumer.domain.customers import email_key
from consumer.domain.erasing import customer_needles, customer_of, is_of, mentions
from consumer.domain.events import Rejected
from consumer.domain.ledger import Contact
from consumer.domain.orders import OrderKey
from consumer.ports.privacy import (
    Customer,
    Erased,
    ExportedRow,
    FoundOrder,
    FoundPage,
    LedgerDocument,
    Wanted,
)


class MemoryPrivacyStore:
    """See consumer.ports.privacy.PrivacyStore."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database

    async def find_orders(self, who: Customer, *, after: OrderKey | None, limit: int) -> FoundPage:
        """See the port."""
        async with self._db.transaction():
            keys = [key for key in sorted(self._db.orders) if after is None or key > after]
            if who.customer_id and who.shop_id:
                keys = [key for key in keys if key.shop_id == who.shop_id]
            page = [self._db.orders[key] for key in keys[:limit]]
            found = (self._found(row, who) for row in page)
            return FoundPage(orders=tuple(one for one in found if one is not None), last=page[-1].key if page else None)

    def _found(self, row: OrderRow, who: Customer) -> FoundOrder | None:
        content = row.head.content
        if not mentions(content, customer_needles(who.email, who.customer_id)):
            return None
        own = is_of(content, email=who.email, customer_id=who.customer_id)
        if not own and not who.email:
            return None
        email, customer_id = customer_of(content)
        return FoundOrder(
            key=row.key,
            state=row.state.value,
            settled=settled(self._db, row),
            mentioned=not own,
            email=email,
            customer_id=customer_id,
            documents=tuple(
                LedgerDocument(
                    connection_id=d.connection_id,
                    kind=d.kind.value,
                    number=d.number,
                    ledger_id=d.ledger_id,
                    contact_id=d.contact_id,
                    url=d.url,
                )
                for d in self._db.documents.get(row.key, ())
            ),
        )

    async def open_rejected(self, wanted: Wanted) -> Sequence[int]:
        """See the port."""
        async with self._db.transaction():
            rows = [row for row in self._mentioning(wanted) if row["state"] == "open"]
            return [self._db.rejected.index(row) + 1 for row in rows]

    def _mentioning(self, wanted: Wanted) -> list[dict[str, Any]]:
        return [row for row in self._db.rejected if _mentioned(row["rejected"], wanted.needles)]

    async def erase_around(self, wanted: Wanted) -> Erased:
        """See the port."""
        async with self._db.transaction():
            counts: Counter[str] = Counter()
            for key in self._contacts(wanted):
                self._db.contacts_erased[key] = self._db.contacts.pop(key).modified_at
                counts["contacts"] += 1
            for intent in self._intents(wanted):
                blank_intent(intent)
                counts["intents"] += 1
            for row in self._mentioning(wanted):
                blank_rejected(row)
                counts["rejected_events"] += 1
            for number in [n for n, row in self._db.outbox.items() if mentions(row.payload, wanted.needles)]:
                if self._db.outbox[number].state == "sent":
                    del self._db.outbox[number]
                    counts["outbox"] += 1
            for link in [link for link in self._db.contact_links if link[2] in wanted.customer_keys]:
                del self._db.contact_links[link]
                counts["contact_links"] += 1
            counts += self._erase_logs(wanted)
            return Erased(counts=dict(counts))

    def _contacts(self, wanted: Wanted) -> list[tuple[str, str]]:
        linked = {
            (connection_id, contact_id)
            for (connection_id, _, customer_key), contact_id in self._db.contact_links.items()
            if customer_key in wanted.customer_keys
        }
        return [key for key, one in self._db.contacts.items() if key in linked or _is_named(one, wanted)]

    def _intents(self, wanted: Wanted) -> list[IntentRow]:
        subjects = {f"contact:{key}" for key in wanted.customer_keys}
        return [
            intent
            for intent in self._db.intents.values()
            if intent.resolution is not None
            and has_words(intent)
            and (
                intent.subject in subjects
                or mentions(repr((intent.sought, intent.late_answer)).encode(), wanted.needles)
            )
        ]

    def _erase_logs(self, wanted: Wanted) -> Counter[str]:
        counts: Counter[str] = Counter()
        for event in self._db.events:
            if mentions(event["value"], wanted.needles):
                event["value"] = None
                counts["events"] += 1
        for place, (connection_id, key, at, exchange) in enumerate(self._db.exchanges):
            if mentions(f"{exchange.path} {exchange.request} {exchange.response}".encode(), wanted.needles):
                blanked = replace(exchange, path=exchange.path.partition("?")[0], request="", response="")
                self._db.exchanges[place] = (connection_id, key, at, blanked)
                counts["exchanges"] += 1
        return counts

    async def erase_orders(self, keys: Sequence[OrderKey], *, actor: str) -> Erased:
        """See the port."""
        async with self._db.transaction() as now:
            counts: Counter[str] = Counter()
            refused = []
            for key in sorted(key for key in keys if key in self._db.orders):
                row = self._db.orders[key]
                if not settled(self._db, row):
                    refused.append(key)
                    continue
                blank(row, now)
                counts += Counter({"orders": 1}) + self._erase_parts(key)
                self._db.audit.append({"at": now, "actor": actor, "action": "erase order", "key": key, "details": {}})
            return Erased(counts=dict(counts), refused=tuple(refused))

    def _erase_parts(self, key: OrderKey) -> Counter[str]:
        counts: Counter[str] = Counter()
        for event in self._db.events:
            if event["key"] == key and event["value"] is not None:
                event["value"] = None
                counts["events"] += 1
        for place, (connection_id, of, at, exchange) in enumerate(self._db.exchanges):
            if of == key:
                blanked = replace(exchange, path=exchange.path.partition("?")[0], request="", response="")
                self._db.exchanges[place] = (connection_id, of, at, blanked)
                counts["exchanges"] += 1
        for intent in self._db.intents.values():
            if intent.key == key and intent.resolution is not None and has_words(intent):
                blank_intent(intent)
                counts["intents"] += 1
        return counts

    async def around(self, wanted: Wanted) -> Sequence[ExportedRow]:
        """See the port."""
        async with self._db.transaction():
            return list(self._around(wanted))

    def _around(self, wanted: Wanted) -> Iterator[ExportedRow]:
        for key in self._contacts(wanted):
            yield ExportedRow(table="contacts", row=asdict(self._db.contacts[key]))
        for link, contact_id in self._db.contact_links.items():
            if link[2] in wanted.customer_keys:
                yield ExportedRow(table="contact_links", row={"customer_key": link[2], "contact_id": contact_id})
        for intent in self._intents(wanted):
            yield ExportedRow(table="intents", row={"subject": intent.subject, "sought": intent.sought})
        for row in self._mentioning(wanted):
            yield ExportedRow(table="rejected_events", row=asdict(row["rejected"]))
        for event in self._db.events:
            if mentions(event["value"], wanted.needles):
                yield ExportedRow(table="events", row=dict(event))
        for _, _, _, exchange in self._db.exchanges:
            if mentions(f"{exchange.path} {exchange.request} {exchange.response}".encode(), wanted.needles):
                yield ExportedRow(table="exchanges", row=asdict(exchange))

    async def about_orders(self, keys: Sequence[OrderKey]) -> Sequence[ExportedRow]:
        """See the port."""
        async with self._db.transaction():
            return [row for key in keys if key in self._db.orders for row in self._about(key)]

    def _about(self, key: OrderKey) -> Iterator[ExportedRow]:
        order = self._db.orders[key]
        yield ExportedRow(
            table="orders",
            row={
                "shop_id": key.shop_id,
                "order_id": key.order_id,
                "content": order.head.content,
                "layout": order.layout,
            },
        )
        for document in self._db.documents.get(key, ()):
            yield ExportedRow(table="documents", row=asdict(document))
        for event in self._db.events:
            if event["key"] == key:
                yield ExportedRow(table="events", row=dict(event))
        for _, of, _, exchange in self._db.exchanges:
            if of == key:
                yield ExportedRow(table="exchanges", row=asdict(exchange))
        for of, at, change, note in self._db.decisions:
            if of == key:
                yield ExportedRow(table="decisions", row={"at": at, "change": change, "words": list(note.words)})

    async def note_access(
        self, *, actor: str, action: str, shop_id: str = "", order_id: str = "", details: Mapping[str, Any]
    ) -> None:
        """See the port."""
        async with self._db.transaction() as now:
            key = OrderKey(shop_id, order_id) if order_id else None
            self._db.audit.append({"at": now, "actor": actor, "action": action, "key": key, "details": dict(details)})


def _is_named(contact: Contact, wanted: Wanted) -> bool:
    key = email_key(contact.email)
    return bool(key) and key in wanted.email_keys


def _mentioned(one: Rejected, needles: tuple[str, ...]) -> bool:
    headers = b"".join(value or b"" for _, value in one.headers)
    return any(mentions(value, needles) for value in (one.value, one.record_key, one.message.encode(), headers))
