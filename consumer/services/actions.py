"""What a person does to one order, from the words to the result: for the command line, and for the HTTP interface.

The store takes the words up in one transaction; the lane does the work before everything else. Here the result is
waited for, up to a limit: what takes longer is accepted, and its result stands in the order later.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from consumer.domain.asking import Mark, Reception
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document, OrderRecord
from consumer.domain.states import Ask, OrderState, Priority, Reason, ReasonCode, Wish
from consumer.ports.intake import IntakeStore
from consumer.ports.lanes import BookingStore, LaneStore
from consumer.ports.people import Asked, PeopleStore
from consumer.services.actions_body import BodyReader, RefusedBodyError

WAIT_SECONDS = 20.0  # for the result, unless somebody says otherwise
WAIT_SECONDS_MAX = 300.0
NOTE_CHARACTERS_MAX = 2000
_FIRST_LOOK_SECONDS = 0.05
_LOOK_SECONDS = 0.5  # between later looks
_AT_WORK = frozenset({OrderState.DUE, OrderState.UNCERTAIN})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionResult:
    """What came of it. ``accepted``: it is not done yet, and goes on without anybody who waits.

    ``done``: the order is as was asked for. ``document`` is the order's live invoice; ``answer`` says in words what
    came of it. Without a state nothing is known of the order.
    """

    reception: Reception
    answer: str
    state: OrderState | None = None
    document: Document | None = None
    reason: Reason | None = None
    accepted: bool = False
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionTools:
    """What an action works with. ``wake`` tells a lane that it has work; it must not wait. ``steady`` gives seconds."""

    people: PeopleStore
    bookings: BookingStore
    lanes: LaneStore
    intake: IntakeStore
    bodies: BodyReader
    wake: Callable[[str], None]
    steady: Callable[[], float]
    nap: Callable[[float], Awaitable[None]]


async def act(
    key: OrderKey,
    what: Ask | Mark,
    *,
    tools: ActionTools,
    actor: str,
    note: str = "",
    body: bytes | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> ActionResult:
    """Do what a person asks of an order, and wait for what comes of it.

    ``body`` is the order as the shop has it, in its own words: it is taken in first, so that an order which is not
    known yet can be asked for. What is wrong with it is said in ``answer``, and nothing is done then.
    Raises DatabaseUnavailableError.
    """
    refused = _refused_words(what, note)
    if refused:
        return ActionResult(reception=Reception.REFUSED, answer=refused)
    if body is not None:
        try:
            await _take_in(key, body, tools)
        except RefusedBodyError as error:
            return ActionResult(reception=Reception.REFUSED, answer=str(error))
    asked = await _speak(key, what, tools, actor, note)
    if asked.reception is not Reception.TAKEN or asked.order is None:
        return _at_once(what, asked)
    if asked.order.state in _AT_WORK and asked.order.connection_id is not None:
        tools.wake(asked.order.connection_id)
    deadline = tools.steady() + min(max(0.0, wait_seconds), WAIT_SECONDS_MAX)
    return await _result(what, asked, tools, deadline)


def reached(what: Ask | Mark, order: OrderRecord) -> bool:
    """Tell whether an order that is at rest is as was asked for."""
    match what:
        case Ask.GENERATE | Ask.UPDATE:
            return order.state is OrderState.BOOKED and order.live_invoice is not None
        case Ask.DELETE | Ask.DELETE_SENT:
            return order.live_invoice is None
        case Mark.HOLD:
            return order.facts.wish is Wish.HOLD
        case Mark.IGNORE:
            return order.facts.wish is Wish.IGNORE
        case _:
            return order.state not in (OrderState.PARKED, OrderState.WAITING)


def _refused_words(what: Ask | Mark, note: str) -> str:
    if what is Mark.IGNORE and not note.strip():
        return "To ignore an order a note is needed that says why."
    if len(note) > NOTE_CHARACTERS_MAX:
        return f"The note has {len(note)} characters; {NOTE_CHARACTERS_MAX} are the most."
    return ""


async def _take_in(key: OrderKey, body: bytes, tools: ActionTools) -> None:
    """Take the order of the call in, through the intake's own door. Raises RefusedBodyError."""
    taken = await tools.bodies.read(key, body)
    recorded = await tools.intake.put_in([taken], priority=Priority.PERSON)
    tools.bodies.check(recorded)


async def _speak(key: OrderKey, what: Ask | Mark, tools: ActionTools, actor: str, note: str) -> Asked:
    if isinstance(what, Ask):
        return await tools.people.ask(key, what, actor=actor, note=note)
    return await tools.people.mark(key, what, actor=actor, note=note)


def _at_once(what: Ask | Mark, asked: Asked) -> ActionResult:
    order = asked.order
    if order is None:
        return ActionResult(reception=asked.reception, answer=asked.words)
    done = asked.reception is Reception.NOTHING and (isinstance(what, Mark) or reached(what, order))
    return _told(asked.reception, order, asked.words, done=done)


async def _result(what: Ask | Mark, asked: Asked, tools: ActionTools, deadline: float) -> ActionResult:
    """Look at the order until it is at rest, or until the deadline."""
    order, pause = asked.order, _FIRST_LOOK_SECONDS
    while order is not None and _is_at_work(order):
        left = deadline - tools.steady()
        if left <= 0:
            return _told(Reception.TAKEN, order, await _why_not_yet(order, tools), accepted=True)
        await tools.nap(min(pause, left))
        pause = min(pause * 2, _LOOK_SECONDS)
        order = await tools.bookings.read(order.key)
    if order is None:
        return ActionResult(reception=Reception.UNKNOWN, answer="The order was erased meanwhile.")
    return _told(Reception.TAKEN, order, _words(order, asked.words), done=reached(what, order))


def _is_at_work(order: OrderRecord) -> bool:
    return order.state in _AT_WORK or order.facts.asked is not None


def _words(order: OrderRecord, at_once: str) -> str:
    """Give what the lane answered; where it said nothing of its own, why the order stands where it does."""
    if order.answer:
        return order.answer
    held_by_wish = order.reason is not None and order.reason.code in (ReasonCode.HELD, ReasonCode.IGNORED)
    if order.reason is None or held_by_wish:
        return at_once
    return f"{order.reason.message} {order.reason.fix}".strip()


async def _why_not_yet(order: OrderRecord, tools: ActionTools) -> str:
    """Say what an order that is still at work waits for, as far as its lane knows."""
    accepted = "Accepted; it goes on by itself."
    if order.state is OrderState.UNCERTAIN:
        return f"{accepted} It is not known yet what came of a write; the ledger is asked when that can be told."
    if order.connection_id is None:
        return accepted
    view = await tools.lanes.view(order.connection_id)
    if view.stopped is not None:
        return f"{accepted} Its connection is stopped ({view.stopped.value}); run booked doctor."
    until = view.rests_until.get(order.priority)
    if until is not None:
        return f"{accepted} It waits for the ledger's limits until {until:%Y-%m-%d %H:%M:%S %Z}."
    return accepted


def _told(
    reception: Reception, order: OrderRecord, answer: str, *, accepted: bool = False, done: bool = False
) -> ActionResult:
    return ActionResult(
        reception=reception,
        answer=answer,
        state=order.state,
        document=order.live_invoice,
        reason=order.reason,
        accepted=accepted,
        done=done,
    )
