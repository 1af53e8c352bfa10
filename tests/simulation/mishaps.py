"""What happens beside the processes in the schedules whose aim needs just that; see ``aiming.Luck``."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from consumer.adapters.memory.lanes import MemoryLaneStore
from consumer.domain.ledger import InvoiceStatus, Operation, ReadContact, TaxRounding, UpdateContact
from consumer.ports.intake import Gap
from tests.simulation.faults import FaultKind
from tests.simulation.scenario import BOOKS

if TYPE_CHECKING:
    from tests.simulation.world import World

_ENDED_TOKENS = 2
_LAST_SECONDS = 2.0  # of the storm, in which all is put right again
_UPDATED_SHARE = 0.8  # of the contacts that are gone just as they were to be brought up to date
_DOUBLED_SHARE = 0.4  # of the invoices that get another reference: a copy of theirs does
_DELETED_SHARE = 0.6  # of the contacts that go; the others are made inactive
Work = Coroutine[Any, Any, None]


def mishaps(world: "World") -> Iterator[Work]:
    """Give the work of those who let happen what the schedule's luck asks for."""
    luck = world.plan.luck
    ways: tuple[tuple[object, Callable[[World], Work]], ...] = (
        (luck.looks, _let_look),
        (luck.contacts_go, _take_contacts),
        (luck.revoked, _revoke),
        (luck.rounding_flips, _flip_rounding),
        (luck.moved, _move_invoices),
        (luck.skipped, _skip),
        (luck.hands, _lay_hands),
        (luck.wrong_rates, _change_rates),
        (luck.forgotten, _forget),
        (luck.compacted, _leave_tombstones),
    )
    return (work(world) for asked, work in ways if asked)


async def _let_look(world: "World") -> None:
    """Let the watch's next look be due, again and again: as if it had been long since the last one."""
    async for _ in _moments(world, 0.3, 2.0):
        for lane in world.database.lanes.values():
            lane.watch_due = world.now()


async def _take_contacts(world: "World") -> None:
    """Delete contacts, or make them inactive, between their making and their first invoice."""
    async for _ in _moments(world, 0.02, 0.5):
        for server in world.servers.values():
            contact_id = _unused(world, server.book)
            if contact_id is not None and world.chance.random() < world.plan.luck.contacts_go:
                _take(world, server.book, contact_id)


def _unused(world: "World", book: Any) -> str | None:
    """Choose a contact of which no document is; the ledger would refuse to delete another."""
    used = {one.contact_id for one in (*book.invoices.values(), *book.credits.notes.values())}
    unused = [one.contact_id for one in book.contacts.values() if one.active and one.contact_id not in used]
    unused = [one for one in unused if one not in world.guests]
    return world.chance.choice(unused) if unused else None


def _take(world: "World", book: Any, contact_id: str) -> None:
    if world.chance.random() < _DELETED_SHARE:
        del book.contacts[contact_id]
    else:
        book.set_contact_active(contact_id, active=False)


async def _revoke(world: "World") -> None:
    """Withdraw the right to call, and have it given again by a person, some times over."""
    known = set(world.accounts.refresh_tokens)
    async for _ in _moments(world, 0.5, 2.5):
        world.accounts.refresh_tokens.clear()
        for server in world.servers.values():
            server.tokens.clear()
        await asyncio.sleep(world.chance.uniform(0.3, 1.5))
        world.accounts.refresh_tokens.update(known)


async def resume(world: "World") -> None:
    """A person lets stopped connections go on, as ``booked connect`` does, where the schedule has one at hand.

    Also where tokens end before their time again and again: two of them within one call stop its connection.
    """
    ended = sum(kind is FaultKind.TOKEN_EXPIRED for _, kind in world.faults.met)
    if not world.plan.luck.resumes and ended < _ENDED_TOKENS:
        return
    lanes = MemoryLaneStore(world.database)
    for name in BOOKS:
        if world.database.connections[name].stopped is not None:
            await lanes.resume_connection(name)


async def _flip_rounding(world: "World") -> None:
    """Change the ledger's rounding by hand, to and fro; in the end it is as it was."""
    async for _ in _moments(world, 0.3, 2.0):
        for server in world.servers.values():
            per_rate = server.book.rounding is TaxRounding.PER_RATE
            rounding = TaxRounding.PER_LINE if per_rate else TaxRounding.PER_RATE
            server.book.rounding = rounding
            # Each document shows the setting as it is now: that is where it is read from.
            for invoice in list(server.book.invoices.values()):
                server.book.invoices[invoice.invoice_id] = replace(invoice, rounding=rounding)
    for server in world.servers.values():
        server.book.rounding = world.scenario.rounding


async def _change_rates(world: "World") -> None:
    """Set the ledger's tax rates wrong by hand, for a while each time."""
    async for _ in _moments(world, 0.3, 1.5):
        right = {name: server.book.taxes for name, server in world.servers.items()}
        for server in world.servers.values():
            server.book.taxes = tuple(replace(tax, rate=tax.rate + 1) for tax in server.book.taxes)
        await asyncio.sleep(world.chance.uniform(1.0, 4.0))
        for name, server in world.servers.items():
            server.book.taxes = right[name]


async def _lay_hands(world: "World") -> None:
    """Send drafts, delete invoices, edit them, each now and then."""
    async for _ in _moments(world, 0.1, 0.8):
        for server in world.servers.values():
            drafts = [one for one in server.book.invoices.values() if one.status is InvoiceStatus.DRAFT]
            if drafts:
                _lay_hand(world, server, world.chance.choice(drafts))


def _lay_hand(world: "World", server: Any, invoice: Any) -> None:
    world.hands.touched.add(invoice.reference)
    match world.chance.choice(world.plan.luck.hands):
        case "sent":
            server.by_hand(invoice.invoice_id, InvoiceStatus.SENT)
        case "gone":
            server.remove_by_hand(invoice.invoice_id)
        case _:
            server.by_hand(invoice.invoice_id, invoice.status)


async def _forget(world: "World") -> None:
    """Let the database have forgotten documents, as after a restore, and people give invoices other references."""
    async for _ in _moments(world, 0.3, 1.5):
        made = [key for key, documents in world.database.documents.items() if documents]
        if made:
            key = world.chance.choice(made)
            world.hands.touched.add(key.order_id)
            world.database.documents[key] = []
        for server in world.servers.values():
            invoices = list(server.book.invoices.values())
            if invoices:
                invoice = world.chance.choice(invoices)
                if world.chance.random() < _DOUBLED_SHARE:
                    invoice = server.double_by_hand(invoice.invoice_id)
                names = [key.order_id for key in world.database.orders]
                _rename(world, server, invoice, world.chance.choice((*names, "by hand", "by hand")))


def _rename(world: "World", server: Any, invoice: Any, reference: str) -> None:
    world.hands.touched |= {invoice.reference, reference}
    server.rename_by_hand(invoice.invoice_id, reference)


async def _leave_tombstones(world: "World") -> None:
    """Let the newest records of the topics be such as no reader is given: of aborted transactions, compacted."""
    async for _ in _moments(world, 0.5, 2.0):
        for topic in world.topics:
            if not world.broker.missing({topic}):
                world.broker.publish(topic, key=b"x", value=None)


def meddle(world: "World", server: Any, operation: Operation) -> None:
    """Delete a contact just before a call that names it arrives."""
    go = world.plan.luck.contacts_go
    if not go or not world.storm() or not isinstance(operation, ReadContact | UpdateContact):
        return
    share = _UPDATED_SHARE if isinstance(operation, UpdateContact) else go / 4
    used = {one.contact_id for one in (*server.book.invoices.values(), *server.book.credits.notes.values())}
    if operation.contact_id not in used | world.guests and world.chance.random() < share:
        server.book.contacts.pop(operation.contact_id, None)


async def _move_invoices(world: "World") -> None:
    """Merge contacts in the ledger: the invoices of one pass to another, and the first is gone."""
    async for _ in _moments(world, 0.5, 2.0):
        for server in world.servers.values():
            drafts = [one for one in server.book.invoices.values() if one.status is InvoiceStatus.DRAFT]
            others = [one for one in server.book.contacts if one not in world.guests]
            if drafts and others:
                _merge(world, server, world.chance.choice(drafts).contact_id, world.chance.choice(others))


def _merge(world: "World", server: Any, gone: str, into: str) -> None:
    if gone == into or gone in world.guests:
        return
    # Whoever buys by either address is one customer from now on, and the later orders go to that one's contact.
    world.hands.merged |= {server.book.contacts[one].email for one in (gone, into) if one in server.book.contacts}
    for invoice in list(server.book.invoices.values()):
        if invoice.contact_id == gone:
            world.hands.touched.add(invoice.reference)
            server.move_by_hand(invoice.invoice_id, into)
    if all(one.contact_id != gone for one in server.book.credits.notes.values()):
        del server.book.contacts[gone]


async def _skip(world: "World") -> None:
    """Record what a person's moving of the intake's place leaves: a gap that the log still holds."""
    async for _ in _moments(world, 0.5, 2.0):
        for place, position in sorted(world.database.positions.items()):
            if position.next_offset:
                gap = Gap(
                    place=place,
                    log=position.log,
                    from_offset=0,
                    to_offset=1,
                    cause="moved_by_hand",
                    found_at=world.now(),
                )
                world.database.gaps.append(gap)


async def _moments(world: "World", least_seconds: float, most_seconds: float) -> AsyncIterator[None]:
    """Give moments of the storm, some time apart."""
    while world.loop.time() < world.plan.luck.storm_seconds - _LAST_SECONDS:
        await asyncio.sleep(world.chance.uniform(least_seconds, most_seconds))
        yield
