"""Scenarios of the stores of lanes, bookings, calls, contacts, tokens and sealed secrets."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from uuid import UUID

from consumer.adapters.postgres.sql import load
from consumer.domain.ledger import LedgerFacts, LedgerTax, Organization
from consumer.domain.orders import OrderKey
from consumer.domain.records import Conclusion, ContactKnown, IntentEnd, Resolution
from consumer.domain.states import OrderState, Priority
from consumer.errors import StopCause, ThrottleKind
from consumer.ports.lanes import ANY_PRIORITY, Claimed, Slot, Throttle
from tests.conformance.lanes.scenes import booked, concluded, exchange, intent, invoice, request
from tests.transactions.scenarios.scenario import Call, Scenario, nothing, rewritten
from tests.transactions.scene import (
    BOOKS,
    DEFAULT,
    INSTALLATION,
    JANE,
    LEASE,
    NEW_KEY,
    OPEN_INTENT,
    OPEN_SLOT,
    ORDERS,
    Stores,
    listed,
    order,
)

DUE = (order("due1"), order("due2"), order("open"))
IN_HAND = [order(name) for name in ORDERS]
CLAIM_MAX = 50
HALF_AN_HOUR = 1800.0
FACTS = LedgerFacts(
    organization=Organization(organization_id="60001", name="Books", currency="EUR", time_zone="Europe/Madrid"),
    taxes=(LedgerTax(tax_id="t1", name="VAT", rate=Decimal("21.0")),),
    currencies=(),
)
ELSEWHERE = replace(LEASE, owner="two", epoch=2)
TO_THE_OPEN = booked(
    order("open"),
    OPEN_INTENT,
    OPEN_SLOT,
    document=invoice(ledger_id="46open", reference="open", unique_key="north/open"),
    contact=ContactKnown(contact=replace(JANE, name="Jane Doe"), customer_key="id:7"),
    reference="open",
)
IN_DOUBT = replace(
    TO_THE_OPEN,
    intent=IntentEnd(intent_id=OPEN_INTENT, resolution=None),
    document=None,
    contact=None,
    announcement=None,
    conclusion=Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=HALF_AN_HOUR),
    exchange=exchange(status=None),
)
GIVEN_UP = replace(
    IN_DOUBT, intent=IntentEnd(intent_id=OPEN_INTENT, resolution=Resolution.ABSENT), slot=None, exchange=None,
    conclusion=Conclusion(state=OrderState.DUE, due_in_seconds=0.0),
)  # fmt: skip
NO_CALL = concluded(order("due1"), Conclusion(state=OrderState.BOOKED), reference="due1")


def claim_without(*locked: str, exclude: Sequence[OrderKey] = ()) -> Call:
    """Claim while somebody holds these orders, or commits them right after the look: the claim passes over them."""
    where = "WHERE o.connection_id = $1"
    names = ", ".join(f"'{name}'" for name in locked)

    async def claim(stores: Stores) -> Claimed:
        lanes = stores.lanes
        lanes._sql = rewritten(load("lanes"), "find_due", where, f"{where} AND o.order_id NOT IN ({names})")
        return await _claim(stores, exclude)

    return claim


async def _claim(
    stores: Stores, exclude: Sequence[OrderKey] = (), *, only: Collection[Priority] = ANY_PRIORITY
) -> Claimed:
    """Claim all that is due. Among orders that are due at the same moment a claim may take any first."""
    claimed = await stores.lanes.claim(LEASE, CLAIM_MAX, exclude, only=only)
    return replace(claimed, orders=tuple(sorted(claimed.orders, key=lambda record: record.key)))


LANES = (
    Scenario(method="LaneStore.check_in", call=lambda s: s.lanes.check_in(INSTALLATION)),
    Scenario(method="LaneStore.check_in", variant="a copy", call=lambda s: s.lanes.check_in("copy")),
    Scenario(
        method="LaneStore.lease_due",
        call=lambda s: s.lanes.lease_due("two", HALF_AN_HOUR, 5),
        instead=(nothing([]),),
    ),
    Scenario(method="LaneStore.renew", call=lambda s: s.lanes.renew(LEASE, HALF_AN_HOUR)),
    Scenario(method="LaneStore.give_back", call=lambda s: s.lanes.give_back(LEASE)),
    Scenario(method="LaneStore.view", call=lambda s: s.lanes.view(BOOKS)),
    Scenario(
        method="LaneStore.claim",
        call=_claim,
        instead=tuple(
            claim_without(*some) for many in (1, 2, 3) for some in combinations(("due1", "due2", "open"), many)
        ),
    ),
    Scenario(
        method="LaneStore.claim",
        variant="all in hand",
        call=lambda s: _claim(s, IN_HAND),
        instead=(claim_without("new", "unpaid", exclude=IN_HAND),),
    ),
    Scenario(
        method="LaneStore.claim",
        variant="people only",
        call=lambda s: _claim(s, only=[Priority.PERSON]),
        instead=(nothing(Claimed()),),
    ),
    Scenario(method="LaneStore.release", call=lambda s: s.lanes.release([*DUE, order("booked")])),
    Scenario(method="LaneStore.next_due_seconds", call=lambda s: s.lanes.next_due_seconds()),
    Scenario(method="LaneStore.sweep", call=lambda s: s.lanes.sweep()),
    Scenario(method="LaneStore.wake", call=lambda s: s.lanes.wake(BOOKS)),
    Scenario(method="LaneStore.save_facts", call=lambda s: s.lanes.save_facts(BOOKS, FACTS)),
    Scenario(
        method="LaneStore.stop_connection",
        call=lambda s: s.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "revoked"),
    ),
    Scenario(
        method="LaneStore.stop_connection",
        variant="for the token before",
        call=lambda s: s.lanes.stop_connection(BOOKS, StopCause.TOKEN_REVOKED, "revoked", evidence_seconds=600.0),
    ),
    Scenario(method="LaneStore.resume_connection", call=lambda s: s.lanes.resume_connection(BOOKS)),
    Scenario(method="LaneStore.finish_look_first", call=lambda s: s.lanes.finish_look_first(BOOKS)),
    Scenario(
        method="LaneStore.save_seen",
        call=lambda s: s.lanes.save_seen(BOOKS, [listed("46b"), listed("46a"), listed()]),
    ),
    Scenario(method="LaneStore.seen", call=lambda s: s.lanes.seen(BOOKS, "booked")),
)

BOOKINGS = (
    Scenario(method="BookingStore.read", call=lambda s: s.bookings.read(order("open"))),
    Scenario(method="BookingStore.open_intent", call=lambda s: s.bookings.open_intent(BOOKS, f"order:{order('open')}")),
    Scenario(
        method="BookingStore.begin",
        call=lambda s: s.bookings.begin(LEASE, intent(order("due1"), intent_id=UUID(int=11)), request()),
    ),
    Scenario(
        method="BookingStore.begin",
        variant="for a contact",
        call=lambda s: s.bookings.begin(
            LEASE, intent(order("due2"), intent_id=UUID(int=12), subject="contact:jane"), request()
        ),
    ),
    Scenario(
        method="BookingStore.begin",
        variant="for the same contact",
        call=lambda s: s.bookings.begin(
            LEASE, intent(order("due1"), intent_id=UUID(int=13), subject="contact:jane"), request()
        ),
    ),
    Scenario(
        method="BookingStore.begin",
        variant="for an order in doubt",
        call=lambda s: s.bookings.begin(LEASE, intent(order("open"), intent_id=UUID(int=14)), request()),
    ),
    Scenario(
        method="BookingStore.begin",
        variant="fenced",
        call=lambda s: s.bookings.begin(ELSEWHERE, intent(order("due1"), intent_id=UUID(int=15)), request()),
    ),
    Scenario(method="BookingStore.record", variant="booked", call=lambda s: s.bookings.record(TO_THE_OPEN)),
    Scenario(method="BookingStore.record", variant="in doubt", call=lambda s: s.bookings.record(IN_DOUBT)),
    Scenario(method="BookingStore.record", variant="found absent", call=lambda s: s.bookings.record(GIVEN_UP)),
    Scenario(method="BookingStore.record", variant="no call", call=lambda s: s.bookings.record(NO_CALL, LEASE)),
)

CALLS = (
    Scenario(method="CallStore.take_slot", call=lambda s: s.calls.take_slot(request())),
    Scenario(
        method="CallStore.end_call",
        call=lambda s: s.calls.end_call(
            Slot(connection_id=BOOKS, n=OPEN_SLOT), sent=True, exchange=exchange("list"), key=order("open")
        ),
    ),
    Scenario(
        method="CallStore.end_call",
        variant="refused for the day",
        call=lambda s: s.calls.end_call(
            Slot(connection_id=BOOKS, n=OPEN_SLOT),
            sent=True,
            throttle=Throttle(kind=ThrottleKind.DAY, wait_seconds=HALF_AN_HOUR),
        ),
    ),
    Scenario(
        method="CallStore.throttle",
        call=lambda s: s.calls.throttle(BOOKS, Throttle(kind=ThrottleKind.MINUTE, wait_seconds=HALF_AN_HOUR)),
    ),
)

CONTACTS = (
    Scenario(
        method="ContactStore.find",
        call=lambda s: s.contacts.find(BOOKS, "north", "id:7", "jane@shop.test", "jane roe"),
    ),
    Scenario(method="ContactStore.get", call=lambda s: s.contacts.get(BOOKS, "c-1")),
    Scenario(method="ContactStore.index_state", call=lambda s: s.contacts.index_state(BOOKS)),
    Scenario(
        method="ContactStore.save_page",
        call=lambda s: s.contacts.save_page(
            BOOKS, [replace(JANE, name="Jane Page", data=None), DEFAULT], page=2, complete=True, refresh=False
        ),
    ),
    Scenario(
        method="ContactStore.save_page",
        variant="changes",
        call=lambda s: s.contacts.save_page(BOOKS, [DEFAULT, JANE], page=1, complete=True, refresh=True),
    ),
    Scenario(method="ContactStore.save", call=lambda s: s.contacts.save(BOOKS, DEFAULT)),
    Scenario(method="ContactStore.save", variant="Jane", call=lambda s: s.contacts.save(BOOKS, JANE)),
    Scenario(method="ContactStore.drop", call=lambda s: s.contacts.drop(BOOKS, "c-1")),
)

TOKENS = (
    Scenario(method="SealedStore.counts", call=lambda s: s.sealed.counts()),
    Scenario(
        method="SealedStore.seal_again",
        call=lambda s: s.sealed.seal_again(
            prefix=NEW_KEY, after="", limit=10, seal_again=lambda sealed, _: NEW_KEY + sealed
        ),
    ),
    Scenario(method="TokenStore.read", call=lambda s: s.tokens.read(BOOKS)),
    Scenario(method="TokenStore.begin_renewal", call=lambda s: s.tokens.begin_renewal(BOOKS, 1, HALF_AN_HOUR)),
    Scenario(method="TokenStore.save_renewed", call=lambda s: s.tokens.save_renewed(BOOKS, 1, "renewed", HALF_AN_HOUR)),
    Scenario(method="TokenStore.end_renewal", call=lambda s: s.tokens.end_renewal(BOOKS)),
    Scenario(
        method="TokenStore.save_grant",
        call=lambda s: s.tokens.save_grant(
            BOOKS,
            client_id="another",
            client_secret="secret",
            refresh_token="refresh",
            access_token="granted",
            expires_in_seconds=HALF_AN_HOUR,
            actor="test",
        ),
    ),
)
