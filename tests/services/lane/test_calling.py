"""One call with its slot, its intent and its record: what is sent, what is not, and what is known of it afterwards."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from consumer.domain.ledger import ContactData, CreateContact, Operation, ReadOrganization
from consumer.domain.records import IntentEnd, Outcome, Resolution
from consumer.domain.states import Priority
from consumer.errors import DatabaseUnavailableError, NotSentError, UncertainError
from consumer.ports.lanes import LaneLease
from consumer.ports.ledger import Answer
from consumer.services.calling import Caller, PutBackError, Sent, Write, Written
from consumer.services.outcomes import intent_end
from tests.services.sync.virtual_time import let_pass, run
from tests.services.sync.world import BOOKS, World, key, with_limits

CREATE = CreateContact(data=ContactData(name="Anna Bianchi"))


class Case:
    """A leased lane with one due order, and a ledger that is told what to do."""

    def __init__(self, world: World | None = None) -> None:
        self.world = world or World()
        self.clock = 100.0
        self.sent: list[Operation] = []
        self.fails: Exception | None = None
        self.answers_after_seconds = 0.0
        self.leaving = asyncio.Event()

    async def execute(self, operation: Operation, *, deadline_seconds: float) -> Answer:
        """See Ledger."""
        assert deadline_seconds == 20.0
        if self.fails is not None:
            raise self.fails
        self.sent.append(operation)
        await let_pass(self.answers_after_seconds)
        return Answer(result=None, exchange=None)  # type: ignore[arg-type] # the judge of this test looks at neither

    async def ready(self) -> None:
        """See Ledger."""

    async def aclose(self) -> None:
        """See Ledger."""

    async def open(self, bookings: Any = None) -> Caller:
        """Lease the lane and make its caller."""
        await self.world.set_up()
        await self.world.pay("1001")
        (self.lease,) = await self.world.lanes.lease_due("one", 600.0, 1)
        return Caller(
            lease=self.lease,
            ledger=self,
            bookings=bookings or self.world.booking_store,
            calls=self.world.call_store,
            steady=lambda: self.clock,
            queued=lambda: False,
            deadline_seconds=20.0,
            settle_seconds=300.0,
            leaving=self.leaving,
        )

    def write(self) -> Write:
        """Make a contact for the order."""

        def judge(sent: Sent) -> Outcome:
            end: IntentEnd = intent_end(sent)
            return Outcome(key=key(), connection_id=BOOKS, change=1, intent=end, slot=sent.slot)

        return Write(
            key=key(),
            change=1,
            priority=Priority.LIVE,
            subject="contact:anna",
            operation=CREATE,
            sought={"name": "Anna Bianchi"},
            judge=judge,
        )

    def resolutions(self) -> list[str | None]:
        """Look at what is known of the intents."""
        return [row.resolution for row in self.world.database.intents.values()]


class Standing:
    """A store whose commit is answered only after the process stood still."""

    def __init__(self, world: World, stand: Callable[[], None]) -> None:
        self._store = world.booking_store
        self._stand = stand

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def begin(self, *arguments: Any) -> Any:
        """Commit, then stand still."""
        begun = await self._store.begin(*arguments)
        self._stand()
        return begun


@pytest.mark.parametrize(("stood_seconds", "leaves"), [(0.9, True), (1.1, False)])
def test_a_request_leaves_within_a_second_after_its_intent_or_not_at_all(stood_seconds: float, leaves: bool) -> None:  # noqa: FBT001 both ways
    """By a clock that does not stop: somebody else may be asking the ledger already."""
    case = Case()

    def stand() -> None:
        case.clock += stood_seconds

    async def work() -> None:
        caller = await case.open(Standing(case.world, stand))
        written = await caller.write(case.write())
        assert isinstance(written, Written)
        assert isinstance(written.sent.error, NotSentError) is not leaves

    run(work())
    assert len(case.sent) == leaves
    assert case.resolutions() == ["done" if leaves else "never_sent"]


@pytest.mark.parametrize(("stood_seconds", "leaves"), [(0.9, True), (1.1, False)])
def test_a_look_leaves_within_a_second_after_its_slot_or_not_at_all(
    stood_seconds: float,
    leaves: bool,  # noqa: FBT001 both ways
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A slot counts from its deadline on: a look that left late could be one too many in the ledger's minute."""
    case = Case()

    async def work() -> None:
        caller = await case.open()
        take = case.world.call_store.take_slot

        async def taken_and_stood(*arguments: Any) -> Any:
            slot = await take(*arguments)
            case.clock += stood_seconds
            return slot

        monkeypatch.setattr(case.world.call_store, "take_slot", taken_and_stood)
        if leaves:
            await caller.read(ReadOrganization(), key=None, priority=Priority.LIVE)
        else:
            with pytest.raises(NotSentError):
                await caller.read(ReadOrganization(), key=None, priority=Priority.LIVE)

    run(work())
    assert len(case.sent) == leaves


@pytest.mark.parametrize("error", [DatabaseUnavailableError("away"), PutBackError("no slot for a repetition")])
def test_a_token_that_cannot_be_had_means_that_nothing_was_sent(error: Exception) -> None:
    """It is asked for before the request leaves: there is no doubt, and no waiting for the settle time."""
    case = Case()
    case.fails = error

    async def work() -> None:
        caller = await case.open()
        await caller.write(case.write())
        with pytest.raises(NotSentError):
            await caller.read(ReadOrganization(), key=None, priority=Priority.LIVE)

    run(work())
    assert case.resolutions() == [Resolution.NEVER_SENT.value]


def test_a_call_goes_on_and_records_itself_when_nobody_waits_for_it_any_more() -> None:
    """Who waited was cancelled in the middle; the intent is closed by the answer all the same."""
    case = Case()
    case.answers_after_seconds = 5.0

    async def work() -> None:
        caller = await case.open()
        waiting = asyncio.create_task(caller.write(case.write()))
        await let_pass(1.0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert case.resolutions() == [None]
        await caller.drain(30.0)

    run(work())
    assert case.resolutions() == ["done"]


def test_a_write_without_an_answer_leaves_its_intent_open_and_in_doubt() -> None:
    """Nothing else says what came of it."""
    case = Case()
    case.fails = UncertainError("no answer")

    async def work() -> None:
        await (await case.open()).write(case.write())

    run(work())
    (row,) = case.world.database.intents.values()
    assert (row.resolution, row.doubtful) == (None, True)


def test_what_waits_for_a_slot_is_put_back_when_the_lane_leaves() -> None:
    """The window is full for a minute; the wait ends as soon as the lane is asked to end."""
    case = Case(World(connection=with_limits(calls_per_window=1, people_calls=0)))

    async def work() -> None:
        caller = await case.open()
        await caller.read(ReadOrganization(), key=None, priority=Priority.LIVE)
        loop = asyncio.get_running_loop()
        loop.call_later(3.0, case.leaving.set)
        begun = loop.time()
        with pytest.raises(PutBackError, match="ending"):
            await caller.write(case.write())
        assert loop.time() - begun < 4.0

    run(work())
    assert (len(case.sent), case.resolutions()) == (1, [])


def test_a_caller_without_a_lease_writes_nothing() -> None:
    """As `doctor` has one: reads only."""
    case = Case()

    async def work() -> None:
        caller = await case.open()
        caller._lease = LaneLease(connection_id=BOOKS, owner="", epoch=-1)
        with pytest.raises(Exception, match="no longer"):
            await caller.write(case.write())

    run(work())
    assert (case.sent, case.resolutions()) == ([], [])
