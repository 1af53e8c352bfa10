"""What doctor and connect say of rounding: how each shop rounds, how the organisation does, and where that differs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from consumer.domain.ledger import LedgerFacts, ListTaxes, ReadOrganization, TaxRounding
from consumer.domain.orders import Order
from consumer.domain.records import OrderRecord
from consumer.domain.settings import ShopSettings
from consumer.domain.shop_rounding import Evidence, ShopRounding, survey
from consumer.domain.states import Priority
from consumer.errors import BookedError, LedgerError
from consumer.ports.lanes import LaneStore, LaneView
from consumer.ports.people import PeopleStore
from consumer.services.calling import Caller, PutBackError
from consumer.services.checkup import Finding, Grade
from consumer.services.rounding import newest_rounding

log = structlog.get_logger()

SAMPLE_MAX = 1000  # of a shop's newest orders that are not booked; about 3 s of one processor
WORDS = {TaxRounding.PER_RATE: "once per tax rate", TaxRounding.PER_LINE: "on each line"}
ZOHO = {TaxRounding.PER_RATE: "entity_level", TaxRounding.PER_LINE: "item_level"}

ReadOrder = Callable[[OrderRecord, ShopSettings], Order]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundingCheckup:
    """Looks at one connection and its shops. Writes nothing in the ledger; what the books show of rounding is kept.

    For a command's process: the survey is up to 3 s of arithmetic per shop, in which the event loop stands still.
    """

    lanes: LaneStore
    people: PeopleStore
    read_order: ReadOrder

    async def check(self, view: LaneView, caller: Caller) -> list[Finding]:
        """Give the findings; a ledger that does not answer is said by the other checks, and gives none here."""
        if not view.connection.organization_id:
            return []
        try:
            facts = await self._facts(view, caller)
        except (LedgerError, PutBackError) as error:
            log.info("rounding_not_checked", connection=view.connection.connection_id, error=str(error))
            return []
        shops = [await self._survey(view, shop, facts) for shop in view.shops.values() if shop.active]
        return findings(view.connection.connection_id, facts.rounding, shops)

    async def _facts(self, view: LaneView, caller: Caller) -> LedgerFacts:
        facts = view.facts or await _taxes_now(caller)
        if facts.rounding is not TaxRounding.UNKNOWN:
            return facts
        learnt = replace(facts, rounding=await newest_rounding(caller, Priority.PERSON))
        if view.facts is not None and learnt != facts:
            await self.lanes.save_facts(view.connection.connection_id, learnt)
        return learnt

    async def _survey(self, view: LaneView, shop: ShopSettings, facts: LedgerFacts) -> ShopRounding:
        sample = []
        for record in await self.people.newest_unbooked(shop.shop_id, SAMPLE_MAX):
            try:
                order = self.read_order(record, shop)
            except (BookedError, ValueError):
                continue  # it is parked as unreadable, and that is said elsewhere
            sample.append((order, record.facts.paid_moment or record.event_time))
        return survey(shop, sample, facts=facts, connection=view.connection)


async def _taxes_now(caller: Caller) -> LedgerFacts:
    """Read what a lane has not read yet: on a new connection doctor and connect come first."""
    organization = (await caller.read(ReadOrganization(), key=None, priority=Priority.PERSON)).result
    taxes = (await caller.read(ListTaxes(), key=None, priority=Priority.PERSON)).result.rows
    return LedgerFacts(organization=organization, taxes=tuple(taxes), currencies=())


def findings(connection_id: str, setting: TaxRounding, shops: Sequence[ShopRounding]) -> list[Finding]:
    """Tell it: the organisation first, then each shop of which orders are known, then shops that contradict."""
    known = [shop for shop in shops if shop.orders]
    return [
        _organization(connection_id, setting, known),
        *(_shop(setting, shop) for shop in known),
        *_contradictions(connection_id, known),
    ]


def _organization(connection_id: str, setting: TaxRounding, shops: Sequence[ShopRounding]) -> Finding:
    about = f"connection {connection_id}"
    if setting is not TaxRounding.UNKNOWN:
        return Finding(about=about, grade=Grade.GOOD, text=f"The organisation rounds VAT {WORDS[setting]}.")
    text = "How the organisation rounds VAT is not known: it has no invoice that shows it."
    per_rate, per_line = (sum(shop.lost_under(way) for shop in shops) for way in WORDS)
    if per_rate == per_line:
        fix = "Nothing: the first booking tells, and what is recorded of the shops' orders needs neither setting."
        return Finding(about=about, grade=Grade.GOOD, text=f"{text} {fix.removeprefix('Nothing: ')}")
    needed = TaxRounding.PER_LINE if per_rate > per_line else TaxRounding.PER_RATE
    return Finding(about=about, grade=Grade.WARNING, text=text, fix=f"Before the first booking: {_set_to(needed)}")


def _shop(setting: TaxRounding, shop: ShopRounding) -> Finding:
    about, text = f"shop {shop.shop_id}", _told(shop)
    other = shop.lost_under(setting)
    if setting is TaxRounding.UNKNOWN:
        worst = max(WORDS, key=shop.lost_under)
        other, text = shop.lost_under(worst), f"{text} {_lost(shop, worst)}" if shop.lost_under(worst) else text
        return Finding(about=about, grade=Grade.WARNING if other else Grade.GOOD, text=text, fix=_fix(shop, other))
    if not other:
        return Finding(about=about, grade=Grade.GOOD, text=text)
    return Finding(about=about, grade=Grade.WARNING, text=f"{text} {_lost(shop, setting)}", fix=_fix(shop, other))


def _told(shop: ShopRounding) -> str:
    told = shop.told
    way = f"rounds VAT {WORDS[shop.way]}" if shop.way in WORDS else "does not tell how it rounds VAT"
    return (
        f"It {way}. Of its newest {shop.orders} orders that are not booked {told[Evidence.PER_RATE]} come out only "
        f"once per tax rate, {told[Evidence.PER_LINE]} only on each line, {told[Evidence.EITHER]} either way, "
        f"{told[Evidence.NEITHER]} neither way."
    )


def _lost(shop: ShopRounding, setting: TaxRounding) -> str:
    lost = shop.lost_under(setting)
    share = lost * 100 / shop.orders
    return (
        f"An organisation that rounds {WORDS[setting]} cannot book {lost} of them ({share:.1f} %), "
        "which the other setting books."
    )


def _fix(shop: ShopRounding, lost: int) -> str:
    if not lost:
        return ""
    if shop.needed is TaxRounding.UNKNOWN:
        return "The shop itself rounds now so, now so: look at its own tax settings first."
    return _set_to(shop.needed)


def _set_to(way: TaxRounding) -> str:
    return (
        f"In Zoho Books' tax settings let tax be rounded {WORDS[way]} (the API's tax_rounding: {ZOHO[way]}). "
        "Then: booked release SHOP --reason no_exact_layout, where orders are parked for it."
    )


def _contradictions(connection_id: str, shops: Sequence[ShopRounding]) -> list[Finding]:
    by_way = {way: [shop.shop_id for shop in shops if shop.way is way] for way in WORDS}
    per_rate, per_line = (", ".join(by_way[way]) for way in WORDS)
    if not per_rate or not per_line:
        return []
    return [
        Finding(
            about=f"connection {connection_id}",
            grade=Grade.WARNING,
            text=f"Its shops round differently: once per tax rate {per_rate}; on each line {per_line}.",
            fix="No setting suits both: change the rounding in one shop, or give it an organisation of its own.",
        )
    ]
