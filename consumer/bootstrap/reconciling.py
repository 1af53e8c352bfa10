"""What one comparison of a connection is made of: the stores, the way to its ledger, and a reader of orders."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumer.adapters.postgres.reconcile import PostgresReconcileStore
from consumer.bootstrap.parts import LedgerWay, Stores, steady_clock
from consumer.errors import LedgerError
from consumer.ports.lanes import LaneView
from consumer.services.asking import asking
from consumer.services.calling import PutBackError
from consumer.services.preparing import Preparing
from consumer.services.reconciling import ReconcileParts
from consumer.sources.own import to_order


@asynccontextmanager
async def open_comparison(
    stores: Stores, way: LedgerWay, connection_id: str
) -> AsyncIterator[tuple[LaneView, ReconcileParts]]:
    """Open one connection's ledger for reads, with its slots and its token. Raises LookupError, UnavailableError."""
    view = await stores.lanes.view(connection_id)
    async with asking(
        view, open_ledger=way.open, bookings=stores.bookings, calls=stores.calls, steady=steady_clock
    ) as caller:
        preparing = Preparing(connection=view.connection, caller=caller, lanes=stores.lanes, contacts=stores.contacts)
        if view.facts is None and view.connection.organization_id:
            try:
                await preparing.facts(view)
                view = await stores.lanes.view(connection_id)
            except (LedgerError, PutBackError):
                pass  # Without facts the shop's own split of VAT is taken; why there are none the first list will say.
        yield (
            view,
            ReconcileParts(
                store=PostgresReconcileStore(stores.database),
                caller=caller,
                read_order=lambda record, shop: to_order(record.content or b"", shop.time_zone, record.kept_refunds),
            ),
        )
