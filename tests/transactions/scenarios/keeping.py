"""Scenarios of the stores of retention, of erasure and export, and of the comparison with the ledger's books.

Some of their methods are several transactions on purpose (``piecemeal``): they go through all rows there are, may be
repeated at will, and leave to the next run what they meet in other hands.
"""

from decimal import Decimal

from consumer.domain.reconciling.books import of_invoice
from consumer.domain.records import DocumentKind
from consumer.ports.privacy import Customer, DayTable, Thinned, Wanted
from consumer.ports.reconcile import Outcome
from tests.transactions.contents import Unordered
from tests.transactions.scenarios.scenario import Call, Scenario, nothing
from tests.transactions.scene import BOOKS, ORDERS, PERIOD, RUN, Stores, listed, order

JANE = Wanted(email_keys=("jane@shop.test",), customer_keys=("id:7",), needles=("jane@shop.test",))
AGES = 36500
LISTED = of_invoice(listed())
ANOTHER = of_invoice(listed("46due1", reference="due1"))


async def _about_orders(stores: Stores) -> Unordered:
    return Unordered(await stores.privacy.about_orders([order("booked"), order("open")]))


def _thin(what: Thinned) -> Call:
    return lambda s: s.retention.thin(what, 0, 100)


RETENTION = (
    Scenario(method="RetentionStore.make_days", call=lambda s: s.retention.make_days(7)),
    Scenario(method="RetentionStore.old_days", call=lambda s: s.retention.old_days(DayTable.EVENTS, 30)),
    Scenario(
        method="RetentionStore.drop_day",
        call=lambda s: s.retention.drop_day(DayTable.EVENTS, "events_20200101", 30),
    ),
    *(
        Scenario(
            method="RetentionStore.thin",
            variant=what.value,
            call=_thin(what),
            instead=(nothing(0),),
        )
        for what in (Thinned.REJECTED, Thinned.INTENT_WORDS, Thinned.CONTACTS)
    ),
    Scenario(method="RetentionStore.count", call=lambda s: s.retention.count(Thinned.OUTBOX, 0)),
    Scenario(
        method="RetentionStore.blank_orders",
        call=lambda s: s.retention.blank_orders(keep_days=0, legal_days=AGES, after=None, limit=100, dry_run=False),
        piecemeal=True,
    ),
)

PRIVACY = (
    Scenario(
        method="PrivacyStore.find_orders",
        call=lambda s: s.privacy.find_orders(Customer(email="jane@shop.test"), after=None, limit=100),
    ),
    Scenario(method="PrivacyStore.open_rejected", call=lambda s: s.privacy.open_rejected(JANE)),
    Scenario(method="PrivacyStore.erase_around", call=lambda s: s.privacy.erase_around(JANE), piecemeal=True),
    Scenario(
        method="PrivacyStore.erase_orders",
        call=lambda s: s.privacy.erase_orders([order(name) for name in ORDERS], actor="ada"),
    ),
    Scenario(method="PrivacyStore.around", call=lambda s: s.privacy.around(JANE), piecemeal=True),
    Scenario(method="PrivacyStore.about_orders", call=_about_orders),
    Scenario(
        method="PrivacyStore.note_access",
        call=lambda s: s.privacy.note_access(actor="ada", action="export", details={"of": "id:7"}),
    ),
)

RECONCILE = (
    Scenario(method="ReconcileStore.begin", call=lambda s: s.reconcile.begin(BOOKS, PERIOD, resume=False)),
    Scenario(
        method="ReconcileStore.begin", variant="resumed", call=lambda s: s.reconcile.begin(BOOKS, PERIOD, resume=True)
    ),
    Scenario(method="ReconcileStore.budget", call=lambda s: s.reconcile.budget(BOOKS)),
    Scenario(
        method="ReconcileStore.save_page",
        call=lambda s: s.reconcile.save_page(RUN, [LISTED, ANOTHER], page=2, more=True),
    ),
    Scenario(method="ReconcileStore.save_read", call=lambda s: s.reconcile.save_read(RUN, ANOTHER)),
    Scenario(method="ReconcileStore.orders", call=lambda s: s.reconcile.orders(RUN, "north", "", 100)),
    Scenario(
        method="ReconcileStore.records", call=lambda s: s.reconcile.records(RUN, "north", ["booked", "open", "due1"])
    ),
    Scenario(method="ReconcileStore.listed", call=lambda s: s.reconcile.listed(RUN, ["46booked", "46due1"], ["due1"])),
    Scenario(
        method="ReconcileStore.claim",
        call=lambda s: s.reconcile.claim(RUN, [(DocumentKind.INVOICE, "46booked"), (DocumentKind.INVOICE, "46due1")]),
    ),
    Scenario(method="ReconcileStore.unclaimed", call=lambda s: s.reconcile.unclaimed(RUN, None, 100)),
    Scenario(
        method="ReconcileStore.hand_over",
        call=lambda s: s.reconcile.hand_over(RUN, {order("taxed"): [ANOTHER], order("booked"): [LISTED]}, actor="ada"),
    ),
    Scenario(
        method="ReconcileStore.finish",
        call=lambda s: s.reconcile.finish(RUN, Outcome(unexplained={("north", "EUR"): Decimal("12.30")}, findings=1)),
    ),
)
