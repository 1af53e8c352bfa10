"""What a lane must know before it books: the organisation's facts, the index of contacts, and what the ledger holds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import structlog

from consumer.domain.ledger import (
    LedgerFacts,
    ListContacts,
    ListCurrencies,
    ListInvoices,
    ListTaxes,
    Operation,
    Organization,
    ReadOrganization,
    TaxRounding,
)
from consumer.domain.settings import ConnectionSettings
from consumer.domain.states import Priority
from consumer.errors import ConnectionStoppedError, StopCause
from consumer.ports.contacts import ContactStore
from consumer.ports.lanes import LaneStore, LaneView
from consumer.ports.ledger import Answer
from consumer.services.calling import Caller

log = structlog.get_logger()

PAGES_MAX = 100  # of one list: 20,000 rows
FILL_PAGES_AT_ONCE = 10  # of the index, before orders are looked at again
FILL_AGAIN_SECONDS = 60.0  # between two goes at an index that is not complete yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """Reads what a lane needs, and keeps it."""

    connection: ConnectionSettings
    caller: Caller
    lanes: LaneStore
    contacts: ContactStore

    async def facts(self, view: LaneView, *, at_least_as_new_as_seconds: float | None = None) -> LedgerFacts:
        """Give the organisation's facts, read anew where they are too old. Raises LedgerError and its subclasses."""
        limit = self.connection.limits.facts_fresh_seconds
        if at_least_as_new_as_seconds is not None:
            limit = at_least_as_new_as_seconds
        age = view.facts_age_seconds
        if view.facts is not None and age is not None and age <= limit:
            return view.facts
        rounding = TaxRounding.UNKNOWN if view.facts is None else view.facts.rounding
        facts = replace(await self._read_facts(), rounding=rounding)
        helped = await self.lanes.save_facts(self.connection.connection_id, facts)
        log.info("ledger_facts_read", connection=self.connection.connection_id, orders_due=helped)
        return facts

    async def learn_rounding(self, facts: LedgerFacts, rounding: TaxRounding) -> LedgerFacts:
        """Keep what an invoice's answer has shown of how the organisation rounds."""
        if rounding in (TaxRounding.UNKNOWN, facts.rounding):
            return facts
        learnt = replace(facts, rounding=rounding)
        await self.lanes.save_facts(self.connection.connection_id, learnt)
        log.info("ledger_rounding_learnt", connection=self.connection.connection_id, rounding=rounding.value)
        return learnt

    async def _read_facts(self) -> LedgerFacts:
        answer = await self._read(ReadOrganization())
        organization: Organization = answer.result
        if not organization.active:
            message = f"Organisation {organization.organization_id} is not active in the ledger."
            raise ConnectionStoppedError(message, StopCause.WRONG_ORGANIZATION, answer.exchange)
        taxes = await self._pages(lambda page: ListTaxes(page=page))
        currencies = await self._pages(lambda page: ListCurrencies(page=page))
        return LedgerFacts(
            organization=organization, taxes=tuple(taxes), currencies=tuple(currencies), read_at=datetime.now(UTC)
        )

    async def _pages(self, operation: Callable[[int], Operation]) -> list[Any]:
        rows: list[Any] = []
        for page in range(1, PAGES_MAX + 1):
            answer = await self._read(operation(page))
            rows.extend(answer.result.rows)
            if not answer.result.more:
                break
        return rows

    async def index(self) -> float:
        """Fill the index of contacts a few pages further, or bring it up to date where it is older than it may be.

        Gives in how many seconds there is to be looked again.
        """
        fresh_seconds = self.connection.limits.contacts_fresh_seconds
        state = await self.contacts.index_state(self.connection.connection_id)
        if not state.complete:
            return fresh_seconds if await self._fill(state.page) else FILL_AGAIN_SECONDS
        age = state.fresh_seconds_ago
        if age is not None and age <= fresh_seconds:
            return fresh_seconds - age
        await self._refresh(state.seen_until)
        return fresh_seconds

    async def _fill(self, page: int) -> bool:
        for number in range(page + 1, page + 1 + FILL_PAGES_AT_ONCE):
            answer = await self._read(ListContacts(page=number))
            await self.contacts.save_page(
                self.connection.connection_id,
                answer.result.rows,
                page=number,
                complete=not answer.result.more,
                refresh=False,
            )
            if not answer.result.more:
                log.info("contact_index_complete", connection=self.connection.connection_id, pages=number)
                return True
        return False

    async def _refresh(self, seen_until: datetime | None) -> None:
        for number in range(1, PAGES_MAX + 1):
            answer = await self._read(ListContacts(page=number, by_change=True))
            rows = answer.result.rows
            await self.contacts.save_page(self.connection.connection_id, rows, page=number, complete=True, refresh=True)
            oldest = min((row.modified_at for row in rows if row.modified_at is not None), default=None)
            reached = seen_until is not None and oldest is not None and oldest < seen_until
            if reached or not answer.result.more:
                return

    async def look_first(self, view: LaneView) -> None:
        """List what the ledger holds before anything is made: Postgres may have forgotten what it made there."""
        log.warning("lane_looks_first", connection=self.connection.connection_id, since=str(view.look_first_since))
        # To the very end, however many pages: what is not seen here could be made a second time.
        for number in count(1):
            answer = await self._read(ListInvoices(changed_after=view.look_first_since, page=number))
            await self.lanes.save_seen(self.connection.connection_id, answer.result.rows)
            if not answer.result.more:
                break
        await self.lanes.finish_look_first(self.connection.connection_id)

    async def _read(self, operation: Operation) -> Answer:
        return await self.caller.read(operation, key=None, priority=Priority.LIVE)
