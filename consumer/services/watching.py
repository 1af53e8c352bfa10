"""The watch of one leased lane: it looks at what people have changed in the ledger, and lends its looks to bookings.

One list of changes serves both: what stands in it is judged, and for a minute it stands for the reads of the orders
that were due before it began. Looks of the watch itself are rare (a share of the day's calls); between them a sweep
compares the list of all invoices, page by page, with ours, because what is deleted stands in no list of changes.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from consumer.domain import watching
from consumer.domain.ledger import Invoice, InvoiceStatus, ListInvoices, Operation, ReadContact, ReadInvoice
from consumer.domain.records import Announcement, Conclusion, OrderRecord
from consumer.domain.settings import ConnectionSettings, RefundOnDraft, ShopSettings
from consumer.domain.states import OrderState, Priority
from consumer.domain.watching import Known, Look, Verdict
from consumer.errors import ConnectionStoppedError, DatabaseUnavailableError, LedgerError, NotFoundError
from consumer.ports.contacts import ContactStore
from consumer.ports.lanes import BookingStore, LaneLease
from consumer.ports.ledger import Answer
from consumer.ports.watch import Notice, WatchState, WatchStore
from consumer.services.calling import Caller, PutBackError
from consumer.services.doubles import Doubles
from consumer.services.outcomes import Announce, with_document

log = structlog.get_logger()

FIRST_DOCUMENTS_MAX = 1000  # a first look begins at the oldest change of so many, the newest: some pages
PAGES_MAX = 500  # of one list of changes; beyond it the watch begins anew at the newest
PUT_OFF_AT_ONCE = 200
ASKED_AT_ONCE = 5  # invoices that the sweep missed, read one by one
ASKING = -1  # the sweep's "page" while it reads what it missed
OPENING_CALLS = 1  # a lane that is opened for a look brings its index of contacts up to date: counted as the watch's
AGAIN_SECONDS = 60.0  # after a list that failed, bookings read singly for so long


class Watch:
    """Kept by one lane, for as long as it is leased."""

    def __init__(
        self,
        *,
        lease: LaneLease,
        connection: ConnectionSettings,
        caller: Caller,
        store: WatchStore,
        bookings: BookingStore,
        contacts: ContactStore,
        announce: Announce,
        steady: Callable[[], float],
        several: Callable[[], bool],
        shop: Callable[[str], ShopSettings | None],
        on_found: Callable[[str], None] = lambda _found: None,
    ) -> None:
        """``several`` tells whether more than one order of the lane may need a read; ``on_found`` counts findings."""
        self._lease = lease
        self._connection = connection
        self._caller = caller
        self._store = store
        self._bookings = bookings
        self._contacts = contacts
        self._announce = announce
        self._steady = steady
        self._several = several
        self._shop = shop
        self._on_found = on_found
        self._doubles = Doubles(
            connection=connection, caller=caller, store=store, bookings=bookings, put_off=self._put_off
        )
        self._looking = asyncio.Lock()
        self._judging = asyncio.Lock()
        self._latest: Look | None = None
        self._waits: set[str] = set()  # what was put off since this was last emptied
        self._no_list_until = 0.0
        self._due_at = 0.0
        self._calls = 0

    @property
    def _id(self) -> str:
        return self._connection.connection_id

    # ---- instead of a read ----

    async def instead_of_reading(self, record: OrderRecord, invoice_id: str) -> Invoice | None:
        """Give our invoice as a list of changes proves it to be; None: read it singly.

        A list is used where a fresh one is at hand, and made where several orders may share it: a lone order's own
        read costs as much. While it is in doubt what came of a write only a read by id tells: lists may lag behind.
        Raises DatabaseUnavailableError.
        """
        if record.open_intent is not None or record.due_at is None:
            return None
        async with self._looking:  # one list at a time; who waited finds it made
            look = self._latest
            if look is None or not look.is_good_for(record.due_at, self._steady()):
                look = await self._list_for_bookings()
        if look is None or not look.is_good_for(record.due_at, self._steady()):
            return None
        # Asked only now: what was noticed or put off up to the end of that list is known.
        found = await self._store.known(self._id, [invoice_id])
        return next((watching.as_seen(look, known) for known in found if known.key == record.key), None)

    async def _list_for_bookings(self) -> Look | None:
        if not self._several() or self._steady() < self._no_list_until:
            return None
        try:
            return await self._list(Priority.LIVE)
        except (LedgerError, PutBackError) as error:
            # The read of each order meets the same trouble and says so for that order.
            log.info("list_of_changes_failed", connection=self._id, error=str(error))
            self._no_list_until = self._steady() + AGAIN_SECONDS
            return None

    # ---- looks of its own ----

    async def tend(self) -> None:
        """Look where it is due, and plan the next look.

        Raises FencedError and ConnectionStoppedError, which are the lane's to deal with.
        """
        try:
            await self._tend()
        except DatabaseUnavailableError:
            log.warning("watch_waits_for_database", connection=self._id)

    async def _tend(self) -> None:
        share = float(self._connection.limits.watch_share)
        if share <= 0 or self._steady() < self._due_at:
            return
        state = await self._store.state(self._id)
        if state.due_in_seconds is not None and state.due_in_seconds > 0:
            self._due_at = self._steady() + state.due_in_seconds
            return
        # Planned before the first call: whatever happens to this look, the next one is not before its time.
        await self._plan(watching.next_look_seconds(2 + OPENING_CALLS, share, state.daily_calls))
        if state.due_in_seconds is None:
            return
        calls = await self._counted()
        await self._plan(watching.next_look_seconds(calls + OPENING_CALLS, share, state.daily_calls))

    async def _plan(self, seconds: float) -> None:
        await self._store.plan(self._lease, seconds)
        self._due_at = self._steady() + seconds

    async def _counted(self) -> int:
        before = self._calls
        try:
            async with self._looking:
                await self._list(Priority.BACKFILL)
            await self._judge_put_off()
            await self._sweep()
        except ConnectionStoppedError:
            raise
        except (LedgerError, PutBackError) as error:
            # Nothing was skipped: the cursor moves only at the end of a list.
            log.info("watch_waits", connection=self._id, error=str(error))
        return self._calls - before

    async def _list(self, priority: Priority) -> Look | None:
        """Read the list of changes to its end and judge all of it; then the cursor moves. Under ``_looking``."""
        state = await self._store.state(self._id)
        cursor = state.cursor or await self._store.first_cursor(self._id, FIRST_DOCUMENTS_MAX)
        if cursor is None:
            return None
        steady_at = self._steady()
        changed_after = cursor - watching.OVERLAP
        pages, whole = await self._pages(lambda page: ListInvoices(changed_after=changed_after, page=page), priority)
        for rows in pages:
            await self._judge(rows)
        after = watching.advanced(cursor, pages, state.now)
        # Of a list that has no end nothing is proved: what is known without a gap begins here.
        since = (state.covered_since or cursor) if whole else after
        await self._store.save_look(self._id, cursor=after, covered_since=since)
        self._latest = Look(
            begun_at=state.now,
            steady_at=steady_at,
            changed_after=changed_after,
            covered_since=since,
            rows={row.invoice_id: row for rows in pages for row in rows},
        )
        return self._latest

    async def _pages(
        self, operation: Callable[[int], Operation], priority: Priority
    ) -> tuple[list[Sequence[Invoice]], bool]:
        pages: list[Sequence[Invoice]] = []
        for number in range(1, PAGES_MAX + 1):
            page = (await self._read(operation(number), priority)).result
            pages.append(page.rows)
            if not page.more:
                return pages, True
        log.error("list_of_changes_too_long", connection=self._id, pages=PAGES_MAX)
        return pages, False

    async def _read(self, operation: Operation, priority: Priority = Priority.BACKFILL) -> Answer:
        self._calls += 1
        return await self._caller.read(operation, key=None, priority=priority)

    # ---- judging ----

    async def _judge(self, rows: Sequence[Invoice]) -> None:
        """Judge what was listed. Our records are read after the list was answered, never before.

        So a write of ours that is in the list has either been recorded, or its order is in work still: then it is
        put off. The other way round its moment would be taken for somebody's edit.
        """
        async with self._judging:  # a look for bookings and the sweep would tell the same thing twice
            found = await self._store.known(self._id, [row.invoice_id for row in rows])
            known = {one.document.ledger_id: one for one in found}
            for row in rows:
                if row.invoice_id in known:
                    await self._judge_one(known[row.invoice_id], row)
            strangers = [row for row in rows if row.invoice_id not in known and row.reference]
            for double in await self._doubles.look(strangers):
                self._on_found(double.value)

    async def _judge_one(self, known: Known, row: Invoice) -> None:
        verdict = watching.judge(known, row)
        if verdict is None:
            return
        if known.busy:
            await self._put_off([row])
            return
        moved_from = ""
        if verdict.moved and await self._is_gone(known.document.contact_id):
            moved_from = known.document.contact_id
            verdict = watching.merged(verdict, known.document, row)
        if not await self._keep(known, verdict, moved_from):
            await self._put_off([row])

    async def _keep(self, known: Known, verdict: Verdict, moved_from: str = "") -> bool:
        record = await self._bookings.read(known.key)
        if record is None:
            return False
        notice = Notice(
            key=known.key,
            connection_id=self._id,
            change=known.change,
            judged_until=known.judged_until,
            verdict=verdict,
            announcement=self._news(record, verdict),
            due=self._refunds_may_wait(known, verdict),
            contact_moved_from=moved_from,
        )
        if not await self._store.notice(notice):
            return False
        if moved_from:
            # After the links: dropping a contact forgets the links to it.
            await self._contacts.drop(self._id, moved_from)
        self._on_found(verdict.found.value)
        log.info("found_in_ledger", order=str(known.key), found=verdict.found.value, invoice=known.document.number)
        return True

    def _news(self, record: OrderRecord, verdict: Verdict) -> Announcement | None:
        """Tell the shop of a booked order's new status; what is gone is told by the booking that follows."""
        if verdict.gone or record.state is not OrderState.BOOKED:
            return None
        conclusion = Conclusion(state=OrderState.BOOKED)
        return self._announce(with_document(record, verdict.document), conclusion, "updated")

    def _refunds_may_wait(self, known: Known, verdict: Verdict) -> bool:
        """A draft was sent, of a shop that credits refunds only then: those that came before are credited now."""
        shop = self._shop(known.key.shop_id)
        later = shop is not None and shop.automatic and shop.refund_on_draft is RefundOnDraft.CREDIT_NOTE_LATER
        draft = InvoiceStatus.DRAFT.value
        return later and known.document.status == draft and verdict.document.status != draft

    async def _is_gone(self, contact_id: str) -> bool:
        """Tell whether a contact was deleted, merged or made inactive, from an invoice moved by itself."""
        try:
            return not (await self._read(ReadContact(contact_id=contact_id))).result.active
        except NotFoundError:
            return True

    async def _put_off(self, rows: Sequence[Invoice]) -> None:
        self._waits.update(row.invoice_id for row in rows)
        await self._store.put_off(self._id, rows)

    async def _judge_put_off(self) -> None:
        """Judge what had to wait. It is taken off last: whoever ends in between finds it waiting still."""
        rows = await self._store.put_off_rows(self._id, PUT_OFF_AT_ONCE)
        if rows:
            self._waits.clear()
            await self._judge(rows)
            judged = [row.invoice_id for row in rows if row.invoice_id not in self._waits]
            await self._store.settle(self._id, judged)

    # ---- the sweep ----

    async def _sweep(self) -> None:
        """Compare one more page of all invoices with ours, or read what the sweep has missed."""
        state = await self._store.state(self._id)
        if state.sweep_page == ASKING:
            await self._ask_for_missing()
        elif state.cursor is not None:
            await self._sweep_page(state)

    async def _sweep_page(self, state: WatchState) -> None:
        number = state.sweep_page + 1
        if number == 1:
            await self._store.begin_sweep(self._id)
        page = (await self._read(ListInvoices(page=number))).result
        await self._store.seen(self._id, [row.invoice_id for row in page.rows])
        await self._judge(page.rows)
        await self._store.save_sweep(self._id, number if page.more else ASKING)
        if not page.more:
            await self._ask_for_missing()

    async def _ask_for_missing(self) -> None:
        """Read singly what stood on no page: a list may have shifted under the sweep, only a 404 is a deletion."""
        missing = await self._store.missing(self._id, ASKED_AT_ONCE)
        for known in missing:
            await self._ask_for(known)
        if len(missing) < ASKED_AT_ONCE:
            await self._store.save_sweep(self._id, 0)

    async def _ask_for(self, known: Known) -> None:
        ledger_id = known.document.ledger_id
        if not known.busy:
            try:
                row: Invoice = (await self._read(ReadInvoice(invoice_id=ledger_id))).result
            except NotFoundError:
                await self._keep(known, watching.deleted(known.document))
                return
            await self._judge_one(known, row)
        await self._store.seen(self._id, [ledger_id])
