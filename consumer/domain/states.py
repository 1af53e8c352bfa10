"""The states of an order, which step leads to which, and the reasons for not being booked.

The same names stand in SQL (a CHECK), in ``invoice.synced``, in metrics and in the drawing of ``docs/states.md``.
"""

from dataclasses import dataclass
from enum import StrEnum


class OrderState(StrEnum):
    """Where an order stands."""

    WAITING = "waiting"  # known, but not to be written now; the reason says why
    DUE = "due"  # the ledger does not yet agree with the newest revision
    UNCERTAIN = "uncertain"  # a write was sent and it is not known what came of it
    BOOKED = "booked"  # the ledger agrees, proved by its own answer
    PARKED = "parked"  # refused, with a reason and a fix
    WITHDRAWN = "withdrawn"  # there is no live document and none is wanted


TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.WAITING: frozenset({OrderState.DUE, OrderState.WITHDRAWN, OrderState.WAITING}),
    OrderState.DUE: frozenset(OrderState),
    OrderState.UNCERTAIN: frozenset(
        {OrderState.DUE, OrderState.UNCERTAIN, OrderState.BOOKED, OrderState.PARKED, OrderState.WITHDRAWN}
    ),
    OrderState.BOOKED: frozenset({OrderState.DUE, OrderState.BOOKED, OrderState.WAITING, OrderState.PARKED}),
    OrderState.PARKED: frozenset({OrderState.DUE, OrderState.PARKED, OrderState.WITHDRAWN, OrderState.WAITING}),
    OrderState.WITHDRAWN: frozenset({OrderState.DUE, OrderState.WITHDRAWN, OrderState.WAITING}),
}


class Wish(StrEnum):
    """What a person wants of an order; stronger than any event."""

    AUTO = "auto"  # as the settings say
    HOLD = "hold"  # nothing is written until released
    NONE = "none"  # no document: it was deleted on purpose
    IGNORE = "ignore"  # never book this order


class Ask(StrEnum):
    """What a person has asked of an order, until a booking has come to a conclusion."""

    GENERATE = "generate"  # make its invoice now, whatever the settings hold back
    UPDATE = "update"  # write the order's newest content now, over somebody's edit too
    DELETE = "delete"  # take a draft away; anything that was sent is asked for once more
    DELETE_SENT = "delete_sent"  # asked once more: a sent invoice goes as that of a cancelled order


class Priority(StrEnum):
    """Who is served first; in SQL 0, 1 and 2."""

    PERSON = "person"  # somebody clicked and waits
    LIVE = "live"  # an event that just came
    BACKFILL = "backfill"  # replay, backfill, large releases

    @property
    def rank(self) -> int:
        """Give the figure that the table and its index hold."""
        return tuple(Priority).index(self)


class ReasonCode(StrEnum):
    """Why an order is not booked; each has its entry in docs/errors.md."""

    # waiting
    NOT_PAID = "not_paid"
    BEFORE_START = "before_start"
    AUTOMATIC_OFF = "automatic_off"
    CHANGED_AUTOMATIC_OFF = "changed_automatic_off"
    HELD = "held"
    UNKNOWN_SHOP = "unknown_shop"
    SHOP_INACTIVE = "shop_inactive"
    NO_CONNECTION = "no_connection"
    NO_ORGANIZATION = "no_organization"
    CONNECTION_STOPPED = "connection_stopped"
    QUOTA_SPENT = "quota_spent"
    # withdrawn
    CANCELLED = "cancelled"
    NOT_WANTED = "not_wanted"
    REFUNDED = "refunded"
    IGNORED = "ignored"
    # parked: the order cannot be mapped
    NEGATIVE_QUANTITY = "negative_quantity"
    UNKNOWN_CURRENCY = "unknown_currency"
    CURRENCY_MISSING = "currency_missing"
    TOTALS_DO_NOT_FOLLOW = "totals_do_not_follow"
    NO_EXACT_LAYOUT = "no_exact_layout"
    ROUNDING_UNKNOWN = "rounding_unknown"
    TAX_MISSING = "tax_missing"
    TAX_AMBIGUOUS = "tax_ambiguous"
    TAX_WOULD_BE_LOST = "tax_would_be_lost"
    CUSTOMER_AMBIGUOUS = "customer_ambiguous"
    DEFAULT_CUSTOMER_MISSING = "default_customer_missing"
    ORDER_UNREADABLE = "order_unreadable"
    PERSONAL_DATA_REMOVED = "personal_data_removed"
    NOT_SUPPORTED = "not_supported"
    ITEM_MISSING = "item_missing"
    DATE_MISSING = "date_missing"
    EXPRESSION_FAILED = "expression_failed"
    # parked: the ledger or a person has to act
    LEDGER_REFUSED = "ledger_refused"
    DIFFERENCE = "difference"
    ALREADY_IN_LEDGER = "already_in_ledger"
    STOPS_THE_PROCESS = "stops_the_process"
    CHANGES_IN_A_LOOP = "changes_in_a_loop"
    CHANGED_AFTER_BOOKING = "changed_after_booking"
    CANCELLED_AFTER_BOOKING = "cancelled_after_booking"
    GONE_FROM_LEDGER = "gone_from_ledger"
    EDITED_BY_HAND = "edited_by_hand"
    UNPAID_AFTER_BOOKING = "unpaid_after_booking"
    PAYMENTS_IN_THE_WAY = "payments_in_the_way"
    REFUND_EXCEEDS_INVOICE = "refund_exceeds_invoice"
    REFUND_UNCLEAR = "refund_unclear"
    PERIOD_CLOSED = "period_closed"
    TOO_MANY_ATTEMPTS = "too_many_attempts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why an order is where it is: for people (message, fix) and for machines (code, group).

    ``group_key`` joins the orders that one fix will help; empty means the code alone is the group.
    """

    code: ReasonCode
    message: str
    fix: str = ""
    group_key: str = ""

    @property
    def group(self) -> str:
        """Give the key of the group that this reason belongs to."""
        return self.group_key or self.code.value


class TransitionError(RuntimeError):
    """A step between two states that the table does not know: a fault of the program."""


def check_transition(before: OrderState, after: OrderState) -> None:
    """Raise TransitionError unless the table allows the step."""
    if after not in TRANSITIONS[before]:
        raise TransitionError(f"an order cannot go from {before} to {after}")
