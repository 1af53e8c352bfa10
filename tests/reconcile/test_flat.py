"""However many orders and documents there are, a comparison holds a page of them: its memory stays flat."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

from consumer.domain.orders import OrderKey
from consumer.domain.reconciling.books import Listed
from consumer.domain.records import DocumentKind
from consumer.ports.reconcile import Match, Run, Slip
from consumer.services.reconcile_report import ReconcileReport
from tests.reconcile.comparing import ComparedWorld, told
from tests.services.sync.virtual_time import run
from tests.services.sync.world import SHOP

_FEW, _MANY = 200, 800
_PLAY_BYTES = 400_000  # an order with its document takes some 10 kB: 600 more of them would be 6 MB


class Endless:
    """A store of copies of one booked order, each made when its page is asked for; the rest is the store's own."""

    def __init__(self, world: ComparedWorld, count: int) -> None:
        self._store = world.compared
        self._count = count
        self.held = 0  # the largest page

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def orders(self, run: Run, shop_id: str, after: str, limit: int) -> Sequence[Slip]:
        """Give the next copies."""
        (first,) = await self._store.orders(run, shop_id, "", 1)
        begin = int(after or 0)
        slips = [self._copy(first, number) for number in range(begin + 1, min(begin + limit, self._count) + 1)]
        self.held = max(self.held, len(slips))
        return slips

    def _copy(self, first: Slip, number: int) -> Slip:
        key = OrderKey(SHOP, f"{number:07}")
        assert first.record is not None
        (document,) = first.record.documents
        made = replace(document, ledger_id=key.order_id, reference=key.order_id)
        return replace(first, key=key, reference=key.order_id, record=replace(first.record, key=key, documents=(made,)))

    async def listed(self, run: Run, ledger_ids: Sequence[str], references: Sequence[str]) -> Sequence[Match]:
        """Give each copy's document as the list would show it."""
        del references
        (own,) = await self._store.listed(run, [], ["1001"])
        rows = (replace(own.listed, ledger_id=one, reference=one) for one in ledger_ids)
        return [Match(listed=row, owner=OrderKey(SHOP, row.ledger_id)) for row in rows]

    async def claim(self, run: Run, places: Sequence[tuple[DocumentKind, str]]) -> None:
        """Forget them: they are no rows of the store."""

    async def unclaimed(self, run: Run, after: tuple[str, str] | None, limit: int) -> Sequence[Listed]:
        """Leave no stranger."""
        del run, after, limit
        return []


def _peak(count: int) -> tuple[int, int, ReconcileReport]:
    world = ComparedWorld()

    async def work() -> tuple[int, int, ReconcileReport]:
        await world.set_up()
        await world.pay("1001")
        async with world.process():
            await world.rest()
        endless = Endless(world, count)
        world.compared = endless  # type: ignore[assignment] # a store all the same, by its methods
        tracemalloc.start()
        try:
            report = await world.compare()
            return tracemalloc.get_traced_memory()[1], endless.held, report
        finally:
            tracemalloc.stop()

    return run(work())


def test_memory_does_not_grow_with_orders() -> None:
    """Four times as many orders, the same peak to within some hundred kilobytes; a page is 100 orders at most."""
    _peak(_FEW)  # what is imported and cached on the first way counts for neither
    few, _, _ = _peak(_FEW)
    many, held, report = _peak(_MANY)
    assert report.counts.orders == _MANY
    assert told(report) == []
    assert held == 100
    assert many - few < _PLAY_BYTES, (few, many)
