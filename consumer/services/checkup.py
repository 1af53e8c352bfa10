"""The checks of `booked doctor`: each gives a finding with what to do about it; none changes anything."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from consumer.domain.ledger import ListTaxes, Organization, ReadOrganization
from consumer.domain.settings import ConnectionSettings, ShopSettings
from consumer.domain.states import OrderState, Priority
from consumer.errors import BookedError, ConnectionStoppedError, LedgerError, StopCause
from consumer.ports.lanes import LaneView
from consumer.ports.people import GroupSum
from consumer.services.calling import Caller

RECONNECT = frozenset(
    {StopCause.TOKEN_REVOKED, StopCause.NOT_CONNECTED, StopCause.SECRET_UNREADABLE, StopCause.SCOPE_MISSING}
)


class Grade(StrEnum):
    """How a check came out."""

    GOOD = "good"
    WARNING = "warning"  # it works, but somebody should look
    WRONG = "wrong"  # it does not work like this


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and what to do about it."""

    about: str
    grade: Grade
    text: str
    fix: str = ""


async def try_out(about: str, work: Callable[[], Awaitable[str]], fix: str) -> Finding:
    """Run one check that either answers with a sentence or raises."""
    try:
        return Finding(about=about, grade=Grade.GOOD, text=await work())
    except BookedError as error:
        return Finding(about=about, grade=Grade.WRONG, text=str(error), fix=fix)


async def check_connection(view: LaneView, caller: Caller) -> list[Finding]:
    """Check one connection against its ledger, in two calls: token, organisation, taxes."""
    connection = view.connection
    about = f"connection {connection.connection_id}"
    if not connection.organization_id:
        fix = "Enter organization_id for it in shops.yaml and run booked apply; until then its orders wait."
        return [Finding(about=about, grade=Grade.WRONG, text="It has no organisation id.", fix=fix)]
    findings = _stopped(about, view)
    try:
        organization = (await caller.read(ReadOrganization(), key=None, priority=Priority.PERSON)).result
        taxes = (await caller.read(ListTaxes(), key=None, priority=Priority.PERSON)).result.rows
    except LedgerError as error:
        return [*findings, Finding(about=about, grade=Grade.WRONG, text=str(error), fix=_fix(connection, error))]
    return [*findings, *_about_organization(about, connection, organization, len(taxes))]


def _stopped(about: str, view: LaneView) -> list[Finding]:
    if view.stopped is None:
        return []
    fix = f"Put right what is named below, then run: booked resume {view.connection.connection_id}"
    return [Finding(about=about, grade=Grade.WRONG, text=f"It is stopped: {view.stopped.value}.", fix=fix)]


def _fix(connection: ConnectionSettings, error: LedgerError) -> str:
    if isinstance(error, ConnectionStoppedError) and error.cause in RECONNECT:
        return f"Run: booked connect {connection.connection_id}"
    if isinstance(error, ConnectionStoppedError) and error.cause is StopCause.WRONG_ORGANIZATION:
        return "Correct organization_id or data_center in shops.yaml, or connect with a user of that organisation."
    return "Try again; if it stays, look at the ledger's own status page and at the words above."


def _about_organization(
    about: str, connection: ConnectionSettings, organization: Organization, taxes: int
) -> list[Finding]:
    plan = organization.plan or "plan not told"
    text = f"{organization.name}: {organization.currency}, {organization.time_zone}, {plan}"
    findings = [Finding(about=about, grade=Grade.GOOD, text=text)]
    if not organization.active:
        fix = "Activate the organisation in the ledger."
        findings.append(Finding(about=about, grade=Grade.WRONG, text="The organisation is not active.", fix=fix))
    if taxes == 0:
        fix = "Create the taxes of your shop's rates in the ledger's settings."
        findings.append(Finding(about=about, grade=Grade.WARNING, text="The organisation has no taxes.", fix=fix))
    if connection.unique_field is None:
        text = "No unique custom field is set: a request that reaches the ledger very late could make a second invoice."
        fix = "See docs/connecting-zoho.md: make a custom field that refuses duplicates and enter it as unique_field."
        findings.append(Finding(about=about, grade=Grade.WARNING, text=text, fix=fix))
    return findings


def check_shops(shops: list[ShopSettings]) -> list[Finding]:
    """Check what can be seen of the shops without asking anybody."""
    findings = []
    for shop in shops:
        about = f"shop {shop.shop_id}"
        if not shop.active:
            continue
        if shop.connection_id is None:
            fix = "Name a connection for it in shops.yaml."
            findings.append(Finding(about=about, grade=Grade.WRONG, text="It has no connection.", fix=fix))
        elif not shop.automatic:
            fix = "Set automatic: true in shops.yaml when its orders shall be booked by themselves."
            findings.append(Finding(about=about, grade=Grade.WARNING, text="Automatic sending is off.", fix=fix))
        else:
            since = "" if shop.book_from is None else f", from {shop.book_from:%Y-%m-%d %H:%M %Z} on"
            findings.append(Finding(about=about, grade=Grade.GOOD, text=f"books into {shop.connection_id}{since}"))
    return findings


def check_groups(groups: list[GroupSum]) -> list[Finding]:
    """Tell which orders are parked, and what would help them."""
    return [
        Finding(
            about=f"shop {group.shop_id}",
            grade=Grade.WARNING,
            text=f"{group.count} orders are parked: {group.group_key}",
            fix=group.fix,
        )
        for group in groups
        if group.state is OrderState.PARKED
    ]
