"""At which place the schedule of a number aims, and what is let happen so that a process comes by there.

The first numbers aim at all places in turn. Those after them aim oftener where processes seldom come by: by a fixed
table, so that the number alone tells the aim, and each schedule can be played again by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from tests.interleaving.telling import lot
from tests.simulation.faults import FaultKind
from tests.simulation.scenario import Feature
from tests.simulation.sites import Site, all_sites

EVEN_UNTIL = 2000  # numbers below it aim at all places in turn, whatever is added here
AIMED_FROM = 10_000_000  # numbers from here on name their aim: its place among all, times NUMBERS_EACH, and a count
NUMBERS_EACH = 10_000
PLAIN_SHARES = 2  # of a place that needs nothing but an aim


@dataclass(frozen=True, slots=True, kw_only=True)
class Luck:
    """What is let happen in a schedule because its aim needs it; in most schedules nothing of it."""

    storm_seconds: float = 11.0
    token_life_seconds: float = 3600.0
    stop_seconds: float = 8.0
    facts_fresh_seconds: float | None = None
    own_share: float = 0.1  # of the calls of a lane itself something may go wrong with
    contacts_go: float = 0.0  # how readily people delete contacts that have no document yet
    lost: FaultKind | None = None  # what half of the calls ``lost_of`` meet
    lost_of: tuple[str, ...] = ()
    looks: bool = False  # the watch's next look is due again and again
    looks_refused: bool = False
    strange_items: bool = False  # orders of what the ledger has no item of
    more_orders: int = 0
    revoked: bool = False  # the right to call is withdrawn, and given again by a person
    unconfigured: bool = False  # a process that knows no address of a ledger
    rounding_flips: bool = False
    messages_refused: bool = False
    flood: bool = False  # more records at once than an intake looks at in one go
    doubles_anew: bool = False
    skipped: bool = False  # a person has moved the intake's place by hand
    moved: bool = False  # people merge contacts in the ledger
    hands: tuple[str, ...] = ()  # what people do at the ledger by hand, many times over
    wrong_rates: bool = False  # the ledger's tax rates are changed by hand, and back
    forgotten: bool = False  # the database has forgotten documents, as after a restore; others were renamed by hand
    resumes: bool = False  # a person lets stopped connections go on
    unpublished: int = 1  # so many orders, where shops leave any out
    renewals_fail: float = 0.0
    renewal_seconds: float = 0.05  # each half of one
    slow_seconds: float = 0.0  # how much longer the ledger takes for each call while faults strike
    slow_database_seconds: float = 0.0  # for each way, at most, in processes that begin in the storm
    compacted: bool = False
    lists_lag: bool = False  # a list of all invoices leaves one out now and then
    bad_again: bool = False  # what was mended is refused once more


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a process is brought to some places. ``shares``: so many numbers aim at each of them where others have one.

    ``calls`` and ``others`` are shares of what goes wrong, None: as usual.
    """

    shares: int = 5
    commands: tuple[str, ...] = ()
    features: Feature = Feature.NONE
    faults: tuple[FaultKind, ...] = ()
    calls: float | None = None
    others: float | None = None
    stops: int = 0
    window: int | None = None
    alone: bool = False  # nobody dies on the way
    luck: Luck = field(default_factory=Luck)


_PLAIN = Way(shares=PLAIN_SHARES)
_BURST = Feature.BURST
_EXPIRED = (FaultKind.TOKEN_EXPIRED,) * 10
_AWAY = (FaultKind.LEDGER_AWAY,) * 5
_LOOKS = Luck(looks=True, storm_seconds=20.0)
_AGAIN = (FaultKind.STEADY_JUMP,) * 6  # after which a lane looks again that has looked a moment ago
_SHARED = Way(
    shares=8,
    commands=("ask all again",) * 8,
    faults=_AGAIN,
    stops=4,
    luck=Luck(looks=True, storm_seconds=20.0, more_orders=12),
    alone=True,
)
_GONE = Way(shares=6, luck=Luck(looks=True, storm_seconds=20.0, hands=("gone", "sent", "edit")), alone=True)
_EDITED = Way(
    shares=10,
    commands=("ask all again",) * 5,
    faults=_AGAIN,
    stops=4,
    alone=True,
    luck=replace(_GONE.luck, more_orders=12),
)
_SLOW = Luck(
    looks=True, storm_seconds=25.0, more_orders=6, moved=True, hands=("edit", "sent"), slow_database_seconds=0.15
)
_SHIFTED = Way(
    shares=12,
    faults=_AGAIN * 2,
    stops=6,
    alone=True,
    luck=Luck(looks=True, storm_seconds=25.0, hands=("edit",), lists_lag=True),
)
_DOUBLES = Way(
    shares=8,
    features=Feature.DOUBLE,
    calls=0.05,
    faults=_AGAIN,
    stops=4,
    alone=True,
    luck=Luck(
        looks=True,
        storm_seconds=28.0,
        doubles_anew=True,
        lost=FaultKind.CALL_LOST,
        lost_of=("create_invoice", "delete_invoice"),
    ),
)
_MOVED = Way(shares=8, luck=Luck(looks=True, moved=True, storm_seconds=25.0), alone=True)
_REVOKED = Way(shares=8, luck=Luck(revoked=True, resumes=True, storm_seconds=15.0), alone=True)
_FAILING = Way(shares=8, calls=0.7, luck=Luck(storm_seconds=20.0, more_orders=8), faults=_AWAY)
_UNPREPARED = Way(luck=Luck(unconfigured=True))
_RESTING = Way(calls=0.5, features=Feature.NEW_CONNECTION, luck=Luck(own_share=1.0))
_BUSY = Way(features=_BURST, window=3, luck=Luck(more_orders=16, storm_seconds=20.0))
_LEAVING = Way(
    shares=8,
    stops=10,
    features=_BURST,
    alone=True,
    luck=Luck(looks=True, storm_seconds=20.0, slow_seconds=1.4, more_orders=6),
)
_LOST = Way(luck=Luck(lost=FaultKind.CALL_LOST, lost_of=("create_invoice",), storm_seconds=20.0))
_UNANSWERED = Way(luck=Luck(lost=FaultKind.ANSWER_LOST, lost_of=("create_invoice",), storm_seconds=20.0))
_CONTACTS_GO = Way(shares=8, luck=Luck(contacts_go=0.9))
_CONTACTS_LOST = Way(
    shares=6,
    features=Feature.SAME_NAME,
    luck=Luck(
        lost=FaultKind.ANSWER_LOST, lost_of=("create_contact", "update_contact"), contacts_go=0.2, storm_seconds=20.0
    ),
)
_ROUNDING = Way(
    shares=8,
    features=Feature.ROUNDING | _BURST,
    alone=True,
    window=60,
    faults=_AGAIN,
    stops=4,
    luck=Luck(facts_fresh_seconds=0.0, rounding_flips=True, storm_seconds=20.0, more_orders=6, resumes=True),
)
_FORGOTTEN = Way(
    shares=8,
    commands=("hold against",) * 8,
    alone=True,
    luck=Luck(forgotten=True, storm_seconds=20.0),
)

_CLOSED = Way(features=Feature.CLOSED, alone=True, luck=Luck(more_orders=8))

# By the beginning of "file function: code"; the first that fits holds.
WAYS: Sequence[tuple[str, Way]] = (
    (
        "access.py TokenKeeper.renewed",
        Way(
            shares=8,
            faults=_EXPIRED,
            alone=True,
            luck=Luck(resumes=True, more_orders=16, renewal_seconds=0.4),
        ),
    ),
    (
        "access.py",
        Way(
            faults=_EXPIRED[:3],
            commands=("doctor",) * 3,
            luck=Luck(token_life_seconds=303.0, resumes=True, renewals_fail=0.3),
        ),
    ),
    ("asking.py", Way(faults=_EXPIRED, commands=("doctor", "hold against") * 3, luck=Luck(resumes=True))),
    ("doubles.py Doubles._deal_with: await self._put_off", replace(_DOUBLES, commands=("ask all again",) * 6)),
    ("doubles.py", _DOUBLES),
    ("watching.py Watch._is_gone", _MOVED),
    ("watching.py Watch._judge_one: await self._is_gone", _MOVED),
    ("watching.py Watch._keep: await self._contacts.drop", _MOVED),
    ("watching.py Watch._ask_for: await self._judge", _SHIFTED),
    ("watching.py Watch._ask_for: await self._store", _SHIFTED),
    (
        "watching.py Watch._judge_one: await self._put_off",
        replace(_EDITED, shares=14, commands=("ask all again",) * 10, luck=_SLOW),
    ),
    ("watching.py Watch._ask_for", _GONE),
    ("watching.py Watch._sweep: await self._ask_for", _GONE),
    ("watching.py Watch._judge_one", _EDITED),
    ("watching.py Watch._put_off", _EDITED),
    ("watching.py Watch._judge_put_off", _EDITED),
    ("watching.py Watch.instead", _SHARED),
    ("watching.py Watch._list", _SHARED),
    ("watching.py Watch._counted: async with", _SHARED),
    ("watching.py Watch._judge: async with", replace(_SHARED, shares=14, luck=_SLOW)),
    ("watching.py", Way(shares=3, features=Feature.SENT | Feature.GONE, luck=_LOOKS)),
    (
        "lane.py Lane._note: await self._stop_connection",
        Way(
            shares=12,
            features=_BURST,
            alone=True,
            luck=Luck(wrong_rates=True, storm_seconds=20.0, more_orders=10, resumes=True),
        ),
    ),
    ("lane.py Lane._look: await self._stop_connection", replace(_REVOKED, luck=replace(_REVOKED.luck, looks=True))),
    ("lane.py Lane._work: await self._stop_connection", replace(_REVOKED, features=Feature.NEW_CONNECTION)),
    ("lane.py Lane._book_or_put_back: await self._stop_connection", _REVOKED),
    ("lane.py Lane._stop_connection", replace(_REVOKED, shares=2)),
    ("lane.py Lane._note", _FAILING),
    ("lane.py Lane._book_or_put_back: await self._note", _FAILING),
    ("lane.py Lane._rest_unprepared", _UNPREPARED),
    ("lane.py Lane._work: await self._rest_unprepared", _UNPREPARED),
    ("lane.py Lane._rest", _RESTING),
    ("lane.py Lane._work: await self._rest_lane", _RESTING),
    ("lane.py Lane._wait", _BUSY),
    ("lane.py Lane._take_urgent", _BUSY),
    (
        "lane.py Lane._finish: await self._give_back",
        Way(stops=10, features=_BURST, window=3, alone=True, luck=Luck(more_orders=12, storm_seconds=20.0)),
    ),
    ("lane.py Lane._finish", _LEAVING),
    ("calling.py Caller.drain", _LEAVING),
    (
        "calling.py Caller._try_until: await first_of",
        Way(shares=10, window=3, faults=_AGAIN, stops=4, alone=True, luck=replace(_LOOKS, more_orders=16)),
    ),
    ("calling.py Caller._write: await self._until_recorded(lambda: self._calls", Way(calls=0.4)),
    ("calling.py", Way(shares=2)),
    ("booking.py Booking._carry_out: await self._gone", Way(features=Feature.GONE, commands=("ask again",) * 8)),
    ("booking.py Booking._gone", Way(features=Feature.GONE, commands=("ask again",) * 8)),
    ("booking.py Booking._carry_out: await self._record", Way(features=Feature.SENT, commands=("ask away",) * 10)),
    (
        "booking.py Booking._read: await self._failed",
        Way(shares=8, calls=0.4, luck=replace(_UNANSWERED.luck, looks_refused=True)),
    ),
    (
        "booking.py Booking._step: await self._failed",
        Way(
            shares=8,
            features=Feature.SKU,
            calls=0.5,
            luck=Luck(strange_items=True, facts_fresh_seconds=1.0, own_share=0.5),
        ),
    ),
    ("booking.py Booking._who_is: await self._rest", _CONTACTS_LOST),
    ("booking.py Booking._who_is", Way(calls=0.3, luck=Luck(contacts_go=0.3))),
    (
        "booking.py Booking._write: await self._failed",
        Way(
            shares=14,
            alone=True,
            luck=Luck(
                token_life_seconds=302.0,
                resumes=True,
                renewals_fail=0.4,
                more_orders=16,
                storm_seconds=15.0,
            ),
        ),
    ),
    ("booking.py Booking._write: await self._read_again", Way(shares=8, features=_BURST, window=3)),
    ("contacts.py CustomerVisit.serve: await self._read", _CONTACTS_GO),
    ("booking.py Booking._after_write: await self._ask_lock", _CLOSED),
    ("booking.py Booking._ask_lock", _CLOSED),
    ("booking.py Booking._a", _UNANSWERED),
    ("booking.py Booking._forget", _LOST),
    ("booking.py Booking._carry_out: await self._adopt", _UNANSWERED),
    ("booking.py Booking._carry_out: await self._forget", _LOST),
    ("booking.py", Way(shares=3, luck=Luck(storm_seconds=15.0))),
    ("contacts.py CustomerVisit._read", _CONTACTS_GO),
    ("contacts.py CustomerVisit._after: await self._desk", Way(shares=8, alone=True, luck=Luck(contacts_go=0.02))),
    ("contacts.py CustomerVisit._after", _CONTACTS_GO),
    ("contacts.py", _CONTACTS_LOST),
    ("observing.py", Way(luck=Luck(facts_fresh_seconds=0.5))),
    (
        "knowing.py Knowledge.learn_rounding",
        Way(
            shares=8,
            window=60,
            alone=True,
            luck=Luck(facts_fresh_seconds=0.6, rounding_flips=True, resumes=True, more_orders=16, slow_seconds=0.3),
        ),
    ),
    ("knowing.py", Way(shares=4, luck=Luck(facts_fresh_seconds=0.3))),
    ("order_map.py", _ROUNDING),
    ("groups.py", Way(features=Feature.LACKING_TAX, commands=("release",) * 8)),
    ("intake.py Intake._fetch: await asyncio.sleep", Way(luck=Luck(flood=True))),
    (
        "intake_places.py Places._begin_log: await self._settled",
        Way(shares=10, features=Feature.TOPIC_AGAIN, others=0.1, luck=Luck(flood=True), alone=True),
    ),
    ("intake_places.py Places._begin_log", Way(features=Feature.TOPIC_AGAIN, alone=True)),
    ("intake_places.py Places._place_one: await self._begin_log", Way(features=Feature.TOPIC_AGAIN)),
    ("intake.py Intake._committing", Way(shares=4, faults=(FaultKind.BROKER_AWAY, FaultKind.DATABASE_AWAY) * 3)),
    ("intake", Way(shares=2)),
    (
        "relay.py Relay._round: await self._store.set_aside",
        Way(features=Feature.NO_ORDER, luck=Luck(messages_refused=True)),
    ),
    ("relay.py Relay._insist_marked", Way(shares=8, others=0.1, alone=True, luck=Luck(storm_seconds=20.0))),
    ("relay.py", Way(shares=2, others=0.05)),
    (
        "reconciling.py _Comparison._page: await self._store.records",
        replace(_FORGOTTEN, commands=("hold January against",) * 8),
    ),
    ("reconciling.py", _FORGOTTEN),
    ("reconcile_asking.py", Way(features=Feature.GONE, commands=("hold against",) * 5)),
    (
        "rejected.py RejectedRetry._retry: await self.store.still_bad",
        Way(features=Feature.NO_ORDER, commands=("put in again",) * 5, luck=Luck(bad_again=True)),
    ),
    ("rejected.py", Way(features=Feature.NO_ORDER, commands=("put in again",) * 5)),
    ("replay.py _Run._range_of_time", Way(commands=("compare back",) * 4)),
    ("replay.py _Run._close_compared_gaps", Way(commands=("compare whole",) * 5, luck=Luck(skipped=True))),
    (
        "replay.py _Run._compare_range",
        Way(commands=("compare whole",) * 5, luck=Luck(compacted=True, flood=True)),
    ),
    (
        "replay_lists.py ListAsking._read: async with",
        Way(
            shares=10,
            features=Feature.UNPUBLISHED,
            commands=("compare whole",) * 8,
            alone=True,
            luck=Luck(unpublished=6, more_orders=10, slow_database_seconds=0.2, storm_seconds=25.0),
        ),
    ),
    (
        "replay",
        Way(shares=4, features=Feature.UNPUBLISHED | Feature.GAP, commands=("compare whole", "compare back") * 2),
    ),
    ("retention.py Retention._rows: await self.store.count", Way(commands=("thin out dry",) * 4)),
    ("rounding", Way(features=Feature.ROUNDING, commands=("doctor",) * 6)),
    (
        "sync.py Sync._release",
        Way(
            stops=8,
            features=_BURST,
            alone=True,
            luck=Luck(stop_seconds=0.3, more_orders=8, slow_seconds=1.4, storm_seconds=15.0),
        ),
    ),
    ("erasure", Way(shares=3, features=Feature.ROUNDING, commands=("forget customer",) * 4)),
    ("actions", Way(shares=3, commands=("speak",) * 4)),
    ("lane.py", Way(shares=2)),
)


@cache
def way_to(site: Site) -> Way:
    """Give how a process is brought to this place."""
    name = f"{site.file} {site.function}: {site.code}"
    return next((way for beginning, way in WAYS if name.startswith(beginning)), _PLAIN)


@cache
def _table() -> tuple[Site, ...]:
    """Give the places in turn, each as often as its way says, well mixed."""
    table = [site for site in all_sites() for _ in range(way_to(site).shares)]
    lot("aims").shuffle(table)
    return tuple(table)


def aim_of(number: int) -> Site:
    """Tell at which place the schedule of this number aims."""
    if number >= AIMED_FROM:
        return all_sites()[(number - AIMED_FROM) // NUMBERS_EACH]
    if number < EVEN_UNTIL:
        return all_sites()[number % len(all_sites())]
    return _table()[number % len(_table())]


def aimed_at(site: Site, count: int) -> int:
    """Give the number of the schedule that aims at this place for the so many-th time."""
    return AIMED_FROM + all_sites().index(site) * NUMBERS_EACH + count % NUMBERS_EACH
