"""What is given back, to the cent: what of a document is left under each tax, and what a refund takes of it. Pure.

Everything is reckoned per tax of the ledger (``TaxSum``), with tax: what a document comes to, less what was credited,
is what may still be given back under each tax. How it is written is found in ``credit_layout`` (credit notes) and
``folding`` (refunds within a draft).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum, tax_factors
from consumer.domain.money import ZERO, round_half_up, split_by_largest_remainder
from consumer.domain.orders import Line, Order, Refund, Tax
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import plain

_HUNDRED = Decimal(100)

TaxKey = tuple[str | None, Decimal, tuple[Decimal, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One thing given back: ``gross`` is with tax; ``tax`` is None where nobody has said how much of it is tax."""

    name: str
    key: TaxKey
    gross: Decimal
    tax: Decimal | None = None


class UnclearError(Exception):
    """What is given back cannot be brought to figures; carries what to say."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.message)
        self.reason = reason


def key_of(one: TaxSum) -> TaxKey:
    """Give the tax of a sum: its id, its rate and a group's parts."""
    return one.tax_id, one.rate, one.parts


def tax_within(gross: Decimal, key: TaxKey, digits: int) -> Decimal:
    """Give the tax in one amount that contains it, as the ledger computes it: each member of a group for itself."""
    factors = tax_factors(key[1], key[2])
    divisor = _HUNDRED + sum((factor for _, factor in factors), ZERO)
    return sum((round_half_up(gross * factor / divisor, digits) for _, factor in factors), ZERO)


def sums_text(sums: Sequence[TaxSum]) -> str:
    """Write sums as one text, as an intent keeps them."""
    return ";".join(
        "|".join([one.tax_id or "", str(one.rate), str(one.gross), str(one.tax), ",".join(map(str, one.parts))])
        for one in sums
    )


def read_sums(text: str) -> tuple[TaxSum, ...]:
    """Read what ``sums_text`` wrote."""
    rows = (row.split("|") for row in text.split(";") if row)
    return tuple(
        TaxSum(
            tax_id=tax_id or None,
            rate=Decimal(rate),
            gross=Decimal(gross),
            tax=Decimal(tax),
            parts=tuple(Decimal(part) for part in parts.split(",") if part),
        )
        for tax_id, rate, gross, tax, parts in rows
    )


def rest_of(document: Sequence[TaxSum], credited: Iterable[Sequence[TaxSum]]) -> tuple[TaxSum, ...]:
    """Give what of a document has not been credited yet, per tax; a tax of which nothing is left stays, with nought."""
    rest = {key_of(one): one for one in document}
    for note in credited:
        for one in note:
            before = rest.get(
                key_of(one), TaxSum(tax_id=one.tax_id, rate=one.rate, parts=one.parts, gross=ZERO, tax=ZERO)
            )
            rest[key_of(one)] = replace(before, gross=before.gross - one.gross, tax=before.tax - one.tax)
    return tuple(rest.values())


def joined(given: Sequence[Given]) -> list[Given]:
    """Give one thing per tax; its tax is known where it is of all."""
    found: dict[TaxKey, Given] = {}
    for one in given:
        before = found.get(one.key)
        if before is None:
            found[one.key] = one
            continue
        tax = None if before.tax is None or one.tax is None else before.tax + one.tax
        found[one.key] = replace(before, gross=before.gross + one.gross, tax=tax)
    return list(found.values())


# ---- what a refund gives back -------------------------------------------------------------------------------------


def given_of_refund(
    order: Order,
    refund: Refund,
    rest: Sequence[TaxSum],
    *,
    label: str,
    digits: int,
    whole: Sequence[TaxSum] = (),
) -> list[Given]:
    """Spread a refund over the taxes of what is left of the invoice. Raises UnclearError.

    What it says of lines and shipping goes to their taxes; what is left of its amount goes over all of them in
    proportion. A refund of all that is left takes what is left, tax by tax. ``whole`` is the document before anything
    was given back: where amounts without lines have taken of a tax, a line's own refund takes the rest elsewhere.
    """
    _check_whole(refund, digits)
    left = sum((one.gross for one in rest), ZERO)
    if refund.amount == left:
        return all_of(rest, label=_label(label, refund))
    if refund.amount > left:
        raise UnclearError(_exceeds(order, refund.id, refund.amount, left))
    said = _as_left(_said(order, refund, whole or rest, label), rest, whole)
    given = _closed(_within(said, refund, rest, label, digits), rest)
    return _capped(given, rest, digits)


def all_of(rest: Sequence[TaxSum], *, label: str) -> list[Given]:
    """Give back everything that is left."""
    return [Given(name=label, key=key_of(one), gross=one.gross, tax=one.tax) for one in rest if one.gross or one.tax]


def _label(label: str, refund: Refund) -> str:
    return f"{label}: {refund.reason}" if refund.reason else label


def _check_whole(refund: Refund, digits: int) -> None:
    amounts = [refund.amount, refund.shipping, *(line.amount or ZERO for line in refund.lines)]
    if any(round_half_up(amount, digits) != amount for amount in amounts) or min(amounts) < 0:
        raise UnclearError(
            Reason(
                code=ReasonCode.REFUND_UNCLEAR,
                message=f"Refund {refund.id} has amounts below zero or with more than {digits} decimals.",
                fix="Send the refund with amounts in the currency's decimals, with tax.",
            )
        )


def _exceeds(order: Order, refund_id: str, wanted: Decimal, left: Decimal) -> Reason:
    return Reason(
        code=ReasonCode.REFUND_EXCEEDS_INVOICE,
        message=(
            f"Refund {refund_id} gives back {plain(wanted)} {order.currency}, "
            f"of the invoice {plain(left)} {order.currency} is left."
        ),
        fix="Correct the refund in the shop, or make the credit note by hand and ignore the order.",
    )


def _said(order: Order, refund: Refund, sums: Sequence[TaxSum], label: str) -> list[Given]:
    """Give what the refund says of single lines and of shipping, as far as its tax is one of the invoice's."""
    lines = {line.id: line for line in order.lines}
    found = []
    for part in refund.lines:
        line = lines.get(part.line_id)
        if part.amount is None or not part.amount or line is None:
            continue
        rate = _rate_of(part.taxes or line.taxes)
        amounts = [tax.amount for tax in part.taxes]
        tax = None if not amounts or None in amounts else sum((amount or ZERO for amount in amounts), ZERO)
        key = _key_at(rate, part.amount, sums)
        if key is not None:
            name = f"{label}: {_pieces(line, part.quantity)}"
            found.append(Given(name=name, key=key, gross=part.amount, tax=tax if rate else ZERO))
    if refund.shipping and order.shipping:
        rates = {_rate_of(one.taxes) for one in order.shipping}
        key = _key_at(rates.pop(), refund.shipping, sums) if len(rates) == 1 else None
        if key is not None:
            name = f"{label}: {order.shipping[0].method}" if order.shipping[0].method else label
            found.append(Given(name=name, key=key, gross=refund.shipping))
    return found


def _rate_of(taxes: Sequence[Tax]) -> Decimal:
    """Give the percent of the net that taxes come to: a compound one is taken of the net and the others."""
    charged = [tax for tax in taxes if tax.amount != ZERO]  # one that is stated as nothing was not charged
    simple = sum((tax.rate for tax in charged if not tax.compound), ZERO)
    compound = sum((tax.rate for tax in charged if tax.compound), ZERO)
    return simple + compound * (1 + simple / _HUNDRED)


def _pieces(line: Line, quantity: Decimal | None) -> str:
    name = line.name or line.sku or line.id
    return name if quantity in (None, ZERO, Decimal(1)) else f"{plain(quantity)} x {name}"


def _key_at(rate: Decimal, amount: Decimal, rest: Sequence[TaxSum]) -> TaxKey | None:
    """Find the tax of this rate; of several the first of which enough is left."""
    fitting = [one for one in rest if one.rate == rate]
    enough = next((one for one in fitting if one.gross >= amount), None)
    chosen = enough or next(iter(fitting), None)
    return None if chosen is None else key_of(chosen)


def _as_left(said: list[Given], rest: Sequence[TaxSum], whole: Sequence[TaxSum]) -> list[Given]:
    """Take no more of a tax than is left, where something else has taken of it; the refund's amount stays its own.

    Beyond what the document ever had under a tax nothing is moved: then the refund contradicts the invoice.
    """
    left, had = ({key_of(one): one.gross for one in sums} for sums in (rest, whole))
    kept = []
    wanted = {one.key: one.gross for one in joined(said)}
    for one in said:
        excess = wanted[one.key] - left.get(one.key, ZERO)
        if excess <= 0 or wanted[one.key] > had.get(one.key, ZERO):
            kept.append(one)
            continue
        taken = min(excess, one.gross)
        wanted[one.key] -= taken
        if one.gross > taken:
            kept.append(replace(one, gross=one.gross - taken, tax=None))
    return kept


def _within(said: list[Given], refund: Refund, rest: Sequence[TaxSum], label: str, digits: int) -> list[Given]:
    """Bring what was said to the refund's amount: the rest of it, more or less, over what is left of all taxes."""
    over = refund.amount - sum((one.gross for one in said), ZERO)
    if not over:
        return said
    taken = {one.key: one.gross for one in joined(said)}
    # More than was said: over what is left beside it. Less (a fee for the return): off what was said.
    weights = [max(one.gross - taken.get(key_of(one), ZERO), ZERO) for one in rest]
    if over < 0:
        weights = [taken.get(key_of(one), ZERO) for one in rest]
    shares = split_by_largest_remainder(over, weights, digits)
    name = _label(label, refund)
    return [
        *said,
        *(Given(name=name, key=key_of(one), gross=share) for one, share in zip(rest, shares, strict=True) if share),
    ]


def _closed(given: list[Given], rest: Sequence[TaxSum]) -> list[Given]:
    """Where a tax is given back to its last cent its tax is the rest of the tax: whatever was rounded before."""
    sums = {one.key: one.gross for one in joined(given)}
    closing = {key_of(one): one for one in rest if sums.get(key_of(one)) == one.gross}
    kept = [one for one in given if one.key not in closing]
    names = {one.key: one.name for one in reversed(given)}
    return [*kept, *(Given(name=names[key], key=key, gross=one.gross, tax=one.tax) for key, one in closing.items())]


def _capped(given: list[Given], rest: Sequence[TaxSum], digits: int) -> list[Given]:
    """Give back no more tax than is left of it, though what was rounded up before has taken more than its share."""
    for left in rest:
        of_key = [one for one in given if one.key == key_of(left)]
        each = sum((tax_within(one.gross, one.key, digits) if one.tax is None else one.tax for one in of_key), ZERO)
        whole = tax_within(sum((one.gross for one in of_key), ZERO), key_of(left), digits)
        if max(each, whole) <= left.tax or not of_key:
            continue
        tax = min(whole if any(one.tax is None for one in of_key) else each, left.tax)
        given = [*(one for one in given if one.key != key_of(left)), replace(joined(of_key)[0], tax=tax)]
    return given


def check_within(order: Order, part: str, given: Sequence[Given], rest: Sequence[TaxSum]) -> Reason | None:
    """Refuse credits that exceed what is left of the invoice under any tax."""
    left = {key_of(one): one.gross for one in rest}
    sums = {one.key: one.gross for one in joined(given)}
    over = next((key for key, gross in sums.items() if gross > left.get(key, ZERO)), None)
    if over is None:
        return None
    reason = _exceeds(order, part, sums[over], left.get(over, ZERO))
    return replace(reason, message=f"At {plain(over[1])} %: {reason.message}")


def unclear(what: str, given: Sequence[Given]) -> Reason:
    """Say that no layout gives these sums."""
    sums = ", ".join(
        f"{plain(one.gross)} at {plain(one.key[1])} %" + ("" if one.tax is None else f" (tax {plain(one.tax)})")
        for one in joined(given)
    )
    return Reason(
        code=ReasonCode.REFUND_UNCLEAR,
        message=f"{what} cannot be written so that the ledger comes to {sums}.",
        fix="Send the refund again with the tax of each line, or make the credit note by hand and ignore the order.",
    )
