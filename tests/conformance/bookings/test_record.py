"""What the record of a step makes of an order: its document, its state, what the shop is told, and what repeats."""

from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from consumer.domain.ledger import Contact
from consumer.domain.records import Conclusion, ContactKnown, IntentEnd, Note, OrderRecord, Outcome, Resolution
from consumer.domain.states import OrderState, Reason, ReasonCode, TransitionError
from consumer.errors import FencedError
from consumer.ports.lanes import LaneLease
from tests.conformance.intake.making import key
from tests.conformance.lanes.bench import Bench
from tests.conformance.lanes.scenes import (
    BOOKS,
    begin,
    booked,
    change,
    claim,
    concluded,
    exchange,
    invoice,
    lease,
    news,
    open_books,
)

ORDER = key("1001")
PARKED = Conclusion(
    state=OrderState.PARKED,
    reason=Reason(code=ReasonCode.TAX_MISSING, message="No tax of 22 %.", fix="Add it.", group_key="tax_missing:22"),
)


async def _begun(bench: Bench) -> tuple[LaneLease, UUID, int]:
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    return leased, *(await begin(bench, leased, ORDER))


async def _read(bench: Bench) -> OrderRecord:
    order = await bench.bookings.read(ORDER)
    assert order is not None
    return order


async def test_a_booked_order_has_its_document_and_is_told_of_once(bench: Bench) -> None:
    """Document, state, decision, exchange and message are one transaction; the document comes back exactly."""
    _, intent_id, slot = await _begun(bench)
    assert await bench.bookings.record(booked(ORDER, intent_id, slot))
    order = await _read(bench)
    assert (order.state, order.reason, order.takes, order.attempts) == (OrderState.BOOKED, None, 0, 0)
    assert order.documents == (invoice(),)
    assert (order.live_invoice, order.next_invoice_n, order.facts.has_document) == (invoice(), 2, True)
    assert (order.reference, order.sequence, order.open_intent) == ("1001", 1, None)
    assert await bench.due_in_seconds(ORDER) is None
    assert [(t.record_key, t.sequence, t.payload) for t in await bench.told()] == [("north/1001", 1, b"booked 1")]
    assert await bench.exchanges() == ["create_invoice"]
    assert await bench.decisions(ORDER) == ["compared"]
    assert await bench.intent(intent_id) == ("done", False, None)


async def test_the_same_outcome_twice_changes_nothing(bench: Bench) -> None:
    """The answer to a commit was lost and the record is repeated: no second message, exchange or decision."""
    _, intent_id, slot = await _begun(bench)
    outcome = booked(ORDER, intent_id, slot)
    assert [await bench.bookings.record(outcome) for _ in range(3)] == [True, True, True]
    assert len(await bench.told()) == len(await bench.exchanges()) == len(await bench.decisions(ORDER)) == 1
    assert (await _read(bench)).sequence == 1


async def test_a_step_that_ends_nothing_has_its_reasons_recorded_too(bench: Bench) -> None:
    """A booking of several steps: why each was taken stands in the story, also where the order stays due."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    note = Note(decision="adopt", words=("It was there already.",))
    outcome = Outcome(key=ORDER, connection_id=BOOKS, change=(await _read(bench)).change, note=note)
    assert await bench.bookings.record(outcome, leased)
    assert await bench.decisions(ORDER) == ["adopt"]
    assert (await _read(bench)).state is OrderState.DUE


async def test_a_decision_without_a_call_is_recorded_once_too(bench: Bench) -> None:
    """Attempts are not counted twice by a repetition, but they are by the next try, however alike."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    retry = concluded(
        ORDER,
        Conclusion(state=OrderState.DUE, due_in_seconds=5.0, failed=True),
        note=Note(decision="retry", words=("Later.",)),
    )
    for attempts in (1, 2):
        await claim(bench, leased)
        for _ in range(2):
            assert await bench.bookings.record(retry, leased)
        assert ((await _read(bench)).attempts, len(await bench.decisions(ORDER))) == (attempts, attempts)
        await bench.elapse(5.1)


async def test_a_doubt_recorded_twice_is_one_doubt(bench: Bench) -> None:
    """No usable answer: the intent stays open and in doubt, the order uncertain, one attempt counted."""
    _, intent_id, slot = await _begun(bench)
    doubt = Outcome(
        key=ORDER,
        connection_id=BOOKS,
        change=1,
        intent=IntentEnd(intent_id=intent_id, resolution=None),
        slot=slot,
        exchange=exchange(status=None),
        conclusion=Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=320.0, failed=True),
    )
    assert await bench.bookings.record(doubt)
    assert await bench.bookings.record(doubt)
    order = await _read(bench)
    assert (order.state, order.attempts) == (OrderState.UNCERTAIN, 1)
    assert order.open_intent is not None
    assert order.open_intent.doubtful
    assert await bench.due_in_seconds(ORDER) == pytest.approx(320.0, abs=2.0)
    assert await bench.exchanges() == ["create_invoice"]


async def test_an_order_that_changed_meanwhile_stays_due(bench: Bench) -> None:
    """The invoice is made and recorded, but of the older revision: due now, not booked, nothing told."""
    _, intent_id, slot = await _begun(bench)
    await change(bench, "1001", offset=1)
    assert not await bench.bookings.record(booked(ORDER, intent_id, slot))
    order = await _read(bench)
    assert (order.state, order.change, order.documents) == (OrderState.DUE, 2, (invoice(),))
    assert (await bench.due_in_seconds(ORDER) or 0.0) <= 0.0
    assert await bench.told() == []
    assert await bench.intent(intent_id) == ("done", False, None)


async def test_the_same_news_is_not_told_again(bench: Bench) -> None:
    """A message goes out only where its digest differs from the last one's; the sequence counts messages."""
    leased, intent_id, slot = await _begun(bench)
    await bench.bookings.record(booked(ORDER, intent_id, slot))
    for offset, digest, told in ((1, b"booked", 1), (2, b"changed", 2)):
        await change(bench, "1001", offset=offset, version=offset + 1)
        await claim(bench, leased)
        end = concluded(ORDER, Conclusion(state=OrderState.BOOKED), offset + 1, announcement=news(digest))
        assert await bench.bookings.record(end, leased)
        assert len(await bench.told()) == told
    assert [(t.sequence, t.payload) for t in await bench.told()] == [(1, b"booked 1"), (2, b"changed 2")]
    assert len({t.event_id for t in await bench.told()}) == 2


async def test_a_parked_order_keeps_its_reason(bench: Bench) -> None:
    """Code, message, fix, group and difference are kept; it is not due until something changes."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    assert await bench.bookings.record(concluded(ORDER, PARKED, announcement=news(b"parked")), leased)
    order = await _read(bench)
    assert (order.state, order.reason) == (OrderState.PARKED, PARKED.reason)
    assert await bench.due_in_seconds(ORDER) is None
    await change(bench, "1001", offset=1)
    assert [order.key for order in await claim(bench, leased)] == [ORDER]


async def test_a_late_answer_is_kept_and_makes_the_order_due(bench: Bench) -> None:
    """Two looks found nothing, then the answer comes: kept, a check for doubles is due, told once, never lost."""
    leased, intent_id, slot = await _begun(bench)
    absent = Outcome(
        key=ORDER, connection_id=BOOKS, change=1, intent=IntentEnd(intent_id=intent_id, resolution=Resolution.ABSENT)
    )
    assert await bench.bookings.record(absent, leased)
    assert not await bench.bookings.record(booked(ORDER, intent_id, slot))
    resolution, _, late = await bench.intent(intent_id)
    assert resolution == "absent"
    assert late is not None
    assert (late["resolution"], late["ledger_id"], late["number"]) == ("done", "46000001", "INV-1")
    order = await _read(bench)
    assert (order.state, order.change, order.documents) == (OrderState.DUE, 2, ())
    assert not await bench.bookings.record(booked(ORDER, intent_id, slot))
    assert (await _read(bench)).change == 2
    assert (await bench.told(), await bench.exchanges()) == ([], ["create_invoice"])


async def test_who_lost_the_lease_records_no_decision(bench: Bench) -> None:
    """A decision without a call is fenced; a call's own answer is recorded whatever the epoch is by then."""
    old, intent_id, slot = await _begun(bench)
    await bench.elapse(15.1)
    await lease(bench, "two")
    with pytest.raises(FencedError):
        await bench.bookings.record(concluded(ORDER, PARKED), old)
    assert (await _read(bench)).state is OrderState.DUE
    assert await bench.bookings.record(booked(ORDER, intent_id, slot))
    assert (await _read(bench)).state is OrderState.BOOKED


async def test_a_look_that_found_nothing_is_noted_once(bench: Bench) -> None:
    """The first look's moment stays: the second has to come some time after it."""
    leased, intent_id, _ = await _begun(bench)
    for seconds in (30.0, 10.0):
        looked = Outcome(
            key=ORDER,
            connection_id=BOOKS,
            change=1,
            intent=IntentEnd(intent_id=intent_id, resolution=None, looked=True),
            conclusion=Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=seconds),
        )
        assert await bench.bookings.record(looked, leased)
        await bench.elapse(10.0)
        assert await bench.lanes.renew(leased, 15.0)
    order = await _read(bench)
    assert order.open_intent is not None
    assert order.open_intent.looked_seconds_ago == pytest.approx(20.0, abs=2.0)
    assert not order.open_intent.doubtful


async def test_a_resolved_doubt_makes_the_order_due(bench: Bench) -> None:
    """Adopted, decided anew: a crash right after that finds the order due, not uncertain for ever."""
    leased, intent_id, _ = await _begun(bench)
    uncertain = concluded(ORDER, Conclusion(state=OrderState.UNCERTAIN, due_in_seconds=300.0))
    await bench.bookings.record(uncertain, leased)
    adopted = Outcome(
        key=ORDER,
        connection_id=BOOKS,
        change=1,
        intent=IntentEnd(intent_id=intent_id, resolution=Resolution.ADOPTED),
        document=invoice(),
        reference="1001",
    )
    assert await bench.bookings.record(adopted, leased)
    order = await _read(bench)
    assert (order.state, order.open_intent, order.reference) == (OrderState.DUE, None, "1001")
    assert (await bench.due_in_seconds(ORDER) or 0.0) <= 0.0


async def test_a_document_is_replaced_in_its_place(bench: Bench) -> None:
    """The same kind and number again is an update; the reference stays as it was first booked."""
    leased, intent_id, slot = await _begun(bench)
    await bench.bookings.record(booked(ORDER, intent_id, slot))
    void = invoice(status="void", live=False, total=Decimal("12.00"), layout=())
    assert await bench.bookings.record(
        Outcome(key=ORDER, connection_id=BOOKS, change=1, document=void, reference="other"), leased
    )
    order = await _read(bench)
    assert (order.documents, order.live_invoice, order.reference) == ((void,), None, "1001")
    assert order.state is OrderState.DUE


async def test_an_order_never_has_two_live_invoices(bench: Bench) -> None:
    """The store itself refuses a second one, whatever the program believes; nothing of the outcome is kept."""
    leased, intent_id, slot = await _begun(bench)
    await bench.bookings.record(booked(ORDER, intent_id, slot))
    second = Outcome(key=ORDER, connection_id=BOOKS, change=1, document=invoice(2), note=Note(decision="second"))
    with pytest.raises(Exception, match=r"live_invoice|two live invoices"):
        await bench.bookings.record(second, leased)
    assert (await _read(bench)).documents == (invoice(),)
    assert await bench.decisions(ORDER) == ["compared"]


async def test_a_contact_that_was_written_is_found_and_linked(bench: Bench) -> None:
    """The outcome of a contact's write puts it into the index, linked to the shop's customer."""
    leased, intent_id, slot = await _begun(bench)
    contact = Contact(contact_id="c-1", name="Jane Roe", email="jane@shop.test")
    outcome = Outcome(
        key=ORDER,
        connection_id=BOOKS,
        change=1,
        intent=IntentEnd(intent_id=intent_id, resolution=Resolution.DONE),
        slot=slot,
        contact=ContactKnown(contact=contact, customer_key="id:7"),
    )
    assert await bench.bookings.record(outcome)
    matches = await bench.contacts.find(BOOKS, "north", "id:7", "", "")
    assert matches.linked == contact
    assert (await claim(bench, leased))[0].state is OrderState.DUE


async def test_a_step_that_the_table_does_not_know_is_refused(bench: Bench) -> None:
    """A withdrawn order cannot become booked without being due: a fault of the program, and nothing is kept."""
    await open_books(bench, "1001")
    leased = await lease(bench)
    await claim(bench, leased)
    reason = Reason(code=ReasonCode.CANCELLED, message="Cancelled.")
    await bench.bookings.record(concluded(ORDER, Conclusion(state=OrderState.WITHDRAWN, reason=reason)), leased)
    with pytest.raises(TransitionError):
        await bench.bookings.record(concluded(ORDER, Conclusion(state=OrderState.BOOKED)), leased)
    assert (await _read(bench)).state is OrderState.WITHDRAWN


async def test_what_is_not_known_is_not_recorded(bench: Bench) -> None:
    """An unknown order or intent is a fault that must not pass in silence."""
    await open_books(bench, "1001")
    with pytest.raises(LookupError, match="north/none"):
        await bench.bookings.record(concluded(key("none"), PARKED))
    end = IntentEnd(intent_id=uuid4(), resolution=Resolution.DONE)
    with pytest.raises(LookupError, match=str(end.intent_id)):
        await bench.bookings.record(Outcome(key=ORDER, connection_id=BOOKS, change=1, intent=end))


async def test_what_the_ledger_says_is_stored_whatever_it_holds(bench: Bench) -> None:
    """NUL and lone surrogates in an answer, a number or a reason do not lose the record."""
    _, intent_id, slot = await _begun(bench)
    strange = "a\x00b\ud800c"
    outcome = booked(
        ORDER,
        intent_id,
        slot,
        exchange=exchange(response=strange),
        document=invoice(number=strange, layout=(strange,)),
        note=Note(decision="compared", words=(strange,), figures={"x": strange}),
    )
    assert await bench.bookings.record(outcome)
    assert (await _read(bench)).state is OrderState.BOOKED
