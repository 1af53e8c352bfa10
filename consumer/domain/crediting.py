"""What is given back, to the cent: refunds taken off a draft, and the drafts of credit notes. Pure.

Everything is reckoned per tax of the ledger (``TaxSum``), with tax: what a document comes to, less what was credited,
is what may still be given back under each tax. How it is written is found by trying layouts against the model of the
ledger's arithmetic, as invoices are.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum, compute, sums_by_tax
from consumer.domain.comparison import Expected
from consumer.domain.ledger import InvoiceDraft, InvoiceLine, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.money import ZERO, round_half_up, split_by_largest_remainder
from consumer.domain.orders import Line, Order, Refund
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import plain

_HUNDRED = Decimal(100)
_SPLITS_MAX = 6  # lines that one sum is split into to meet a tax that was rounded on each line
_BOTH = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)

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


# ---- what a refund gives back -------------------------------------------------------------------------------------


def given_of_refund(order: Order, refund: Refund, rest: Sequence[TaxSum], *, label: str, digits: int) -> list[Given]:
    """Spread a refund over the taxes of what is left of the invoice. Raises UnclearError.

    What it says of lines and shipping goes to their taxes; what is left of its amount goes over all of them in
    proportion. A refund of all that is left takes what is left, tax by tax.
    """
    _check_whole(refund, digits)
    left = sum((one.gross for one in rest), ZERO)
    if refund.amount == left:
        return all_of(rest, label=_label(label, refund))
    if refund.amount > left:
        raise UnclearError(_exceeds(order, refund.id, refund.amount, left))
    return _closed(_within(_said(order, refund, rest, label), refund, rest, label, digits), rest)


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


def _said(order: Order, refund: Refund, rest: Sequence[TaxSum], label: str) -> list[Given]:
    """Give what the refund says of single lines and of shipping, as far as its tax is one of the invoice's."""
    lines = {line.id: line for line in order.lines}
    found = []
    for part in refund.lines:
        line = lines.get(part.line_id)
        if part.amount is None or not part.amount or line is None:
            continue
        rate = sum((tax.rate for tax in part.taxes or line.taxes if not _is_nought(tax.amount)), ZERO)
        amounts = [tax.amount for tax in part.taxes]
        tax = None if not amounts or None in amounts else sum((amount or ZERO for amount in amounts), ZERO)
        key = _key_at(rate, part.amount, rest)
        if key is not None:
            name = f"{label}: {_pieces(line, part.quantity)}"
            found.append(Given(name=name, key=key, gross=part.amount, tax=tax if rate else ZERO))
    if refund.shipping and order.shipping:
        rates = {sum((tax.rate for tax in one.taxes if not _is_nought(tax.amount)), ZERO) for one in order.shipping}
        key = _key_at(rates.pop(), refund.shipping, rest) if len(rates) == 1 else None
        if key is not None:
            name = f"{label}: {order.shipping[0].method}" if order.shipping[0].method else label
            found.append(Given(name=name, key=key, gross=refund.shipping))
    return found


def _is_nought(amount: Decimal | None) -> bool:
    """A tax that is stated as nothing was not charged."""
    return amount is not None and amount == ZERO


def _pieces(line: Line, quantity: Decimal | None) -> str:
    name = line.name or line.sku or line.id
    return name if quantity in (None, ZERO, Decimal(1)) else f"{plain(quantity)} x {name}"


def _key_at(rate: Decimal, amount: Decimal, rest: Sequence[TaxSum]) -> TaxKey | None:
    """Find the tax of this rate; of several the first of which enough is left."""
    fitting = [one for one in rest if one.rate == rate]
    enough = next((one for one in fitting if one.gross >= amount), None)
    chosen = enough or next(iter(fitting), None)
    return None if chosen is None else key_of(chosen)


def _within(said: list[Given], refund: Refund, rest: Sequence[TaxSum], label: str, digits: int) -> list[Given]:
    """Bring what was said to the refund's amount: the rest of it, more or less, over what is left of all taxes."""
    over = refund.amount - sum((one.gross for one in said), ZERO)
    if not over:
        return said
    taken: dict[TaxKey, Decimal] = {}
    for one in said:
        taken[one.key] = taken.get(one.key, ZERO) + one.gross
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
    sums: dict[TaxKey, Decimal] = {}
    for one in given:
        sums[one.key] = sums.get(one.key, ZERO) + one.gross
    closing = {key_of(one): one for one in rest if sums.get(key_of(one)) == one.gross}
    kept = [one for one in given if one.key not in closing]
    names = {one.key: one.name for one in reversed(given)}
    return [*kept, *(Given(name=names[key], key=key, gross=one.gross, tax=one.tax) for key, one in closing.items())]


def check_within(order: Order, part: str, given: Sequence[Given], rest: Sequence[TaxSum]) -> Reason | None:
    """Refuse credits that exceed what is left of the invoice under any tax."""
    left = {key_of(one): one.gross for one in rest}
    sums: dict[TaxKey, Decimal] = {}
    for one in given:
        sums[one.key] = sums.get(one.key, ZERO) + one.gross
    over = next((key for key, gross in sums.items() if gross > left.get(key, ZERO)), None)
    if over is None:
        return None
    reason = _exceeds(order, part, sums[over], left.get(over, ZERO))
    return replace(reason, message=f"At {plain(over[1])} %: {reason.message}")


# ---- credit notes -------------------------------------------------------------------------------------------------


def credit_draft(
    header: InvoiceDraft,
    given: Sequence[Given],
    *,
    digits: int,
    rounding: TaxRounding,
    same_as: InvoiceDraft | None = None,
) -> InvoiceDraft | None:
    """Draft a credit note of exactly these sums; None where no layout gives them.

    ``header`` has all but lines. ``same_as`` is the invoice's own draft where all of it is given back: its lines come
    to its figures by nature.
    """
    for candidate in _candidates(header, given, digits, rounding, same_as):
        if all(_fits(candidate, given, digits, way) for way in ((rounding,) if rounding in _BOTH else _BOTH)):
            return candidate
    return None


def _candidates(
    header: InvoiceDraft, given: Sequence[Given], digits: int, rounding: TaxRounding, same_as: InvoiceDraft | None
) -> Iterable[InvoiceDraft]:
    if same_as is not None:
        yield replace(
            header,
            lines=same_as.lines,
            tax_inclusive=same_as.tax_inclusive,
            discount=same_as.discount,
            discount_before_tax=same_as.discount_before_tax,
            adjustment=same_as.adjustment,
            adjustment_label=same_as.adjustment_label,
        )
    for things in (given, _joined(given)):
        yield replace(header, tax_inclusive=True, lines=tuple(_line(one.name, one.key, one.gross) for one in things))
        nets = [(one, one.gross - _tax_of(one, digits)) for one in things]
        yield replace(header, tax_inclusive=False, lines=tuple(_line(one.name, one.key, net) for one, net in nets))
    if rounding is TaxRounding.PER_LINE:
        split = [line for one in _joined(given) for line in _split(one, digits)]
        yield replace(header, tax_inclusive=False, lines=tuple(split))


def _line(name: str, key: TaxKey, amount: Decimal) -> InvoiceLine:
    tax_id, rate, parts = key
    return InvoiceLine(name=name, quantity=Decimal(1), rate=amount, tax_id=tax_id, tax_rate=rate, tax_parts=parts)


def _joined(given: Sequence[Given]) -> list[Given]:
    """One thing per tax; its tax is known where it is of all."""
    joined: dict[TaxKey, Given] = {}
    for one in given:
        before = joined.get(one.key)
        if before is None:
            joined[one.key] = one
            continue
        tax = None if before.tax is None or one.tax is None else before.tax + one.tax
        joined[one.key] = replace(before, gross=before.gross + one.gross, tax=tax)
    return list(joined.values())


def _tax_of(one: Given, digits: int) -> Decimal:
    if one.tax is not None:
        return one.tax
    rate = one.key[1]
    return round_half_up(one.gross * rate / (_HUNDRED + rate), digits)


def _split(one: Given, digits: int) -> list[InvoiceLine]:
    """Split a sum into lines whose taxes, each rounded for itself, come to the tax that is wanted."""
    tax, net = _tax_of(one, digits), one.gross - _tax_of(one, digits)
    unit = Decimal(1).scaleb(-digits)
    rate = one.key[1]
    for count in range(1, _SPLITS_MAX):
        for cents in range(1, 100):
            piece = unit * cents
            rest = net - piece * count
            if rest <= 0:
                break
            if (
                count * round_half_up(piece * rate / _HUNDRED, digits) + round_half_up(rest * rate / _HUNDRED, digits)
                == tax
            ):
                return [_line(one.name, one.key, amount) for amount in (rest, *[piece] * count)]
    return [_line(one.name, one.key, net)]


def _fits(draft: InvoiceDraft, given: Sequence[Given], digits: int, rounding: TaxRounding) -> bool:
    found = {key_of(one): one for one in sums_by_tax(draft, digits, rounding) if one.gross or one.tax}
    wanted = {one.key: one for one in _joined(given) if one.gross or one.tax}
    if found.keys() != wanted.keys():
        return False
    return all(
        found[key].gross == one.gross and (one.tax is None or found[key].tax == one.tax) for key, one in wanted.items()
    )


def unclear(what: str, given: Sequence[Given]) -> Reason:
    """Say that no layout gives these sums."""
    sums = ", ".join(
        f"{plain(one.gross)} at {plain(one.key[1])} %" + ("" if one.tax is None else f" (tax {plain(one.tax)})")
        for one in _joined(given)
    )
    return Reason(
        code=ReasonCode.REFUND_UNCLEAR,
        message=f"{what} cannot be written so that the ledger comes to {sums}.",
        fix="Send the refund again with the tax of each line, or make the credit note by hand and ignore the order.",
    )


# ---- refunds within a draft ---------------------------------------------------------------------------------------


def folded(
    mapped: Mapped, order: Order, refunds: Sequence[Refund], *, label: str, digits: int, rounding: TaxRounding
) -> Mapped | Reason:
    """Take refunds off a draft: one negative line per refund and tax, exact under the ledger's rounding.

    Raises nothing; gives the reason where a refund exceeds what is left or cannot be laid out.
    """
    for refund in refunds:
        if not refund.amount:
            mapped = replace(mapped, folded=(*mapped.folded, refund.id))
            continue
        taken = _fold_one(mapped, order, refund, label=label, digits=digits, rounding=rounding)
        if isinstance(taken, Reason):
            return taken
        mapped = taken
    return mapped


def _fold_one(
    mapped: Mapped, order: Order, refund: Refund, *, label: str, digits: int, rounding: TaxRounding
) -> Mapped | Reason:
    ways = (rounding,) if rounding in _BOTH else _BOTH
    rest = sums_by_tax(mapped.draft, digits, ways[0])
    try:
        given = given_of_refund(order, refund, rest, label=label, digits=digits)
    except UnclearError as unclear_error:
        return unclear_error.reason
    beyond = check_within(order, refund.id, given, rest)
    if beyond is not None:
        return beyond
    draft = mapped.draft
    for one in _joined(given):
        lined = _with_line(draft, one, {key_of(row): row for row in rest}, digits, ways)
        if lined is None:
            return unclear(f"Refund {refund.id} within the draft", given)
        draft = lined
    return _folded_mapped(mapped, draft, refund, digits, ways[0])


def _with_line(
    draft: InvoiceDraft,
    one: Given,
    rest: Mapping[TaxKey, TaxSum],
    digits: int,
    ways: Sequence[TaxRounding],
) -> InvoiceDraft | None:
    """Add the negative line that leaves exactly what is to be left; its net may be a minor unit off its own tax."""
    unit = Decimal(1).scaleb(-digits)
    amount = one.gross if draft.tax_inclusive else one.gross - _tax_of(one, digits)
    before = rest[one.key]
    for off in (ZERO, unit, -unit):
        candidate = replace(draft, lines=(*draft.lines, _line(one.name, one.key, -(amount + off))))
        found = [{key_of(row): row for row in sums_by_tax(candidate, digits, way)}.get(one.key) for way in ways]
        left = before.gross - one.gross
        if all(
            row is not None
            and row.gross == left
            and (row.tax == before.tax - one.tax if one.tax is not None else row.tax >= 0)
            for row in found
        ):
            return candidate
    return None


def _folded_mapped(mapped: Mapped, draft: InvoiceDraft, refund: Refund, digits: int, way: TaxRounding) -> Mapped:
    figures = compute(draft, digits, way)
    expected = Expected(
        total=figures.total,
        tax_total=figures.tax_total,
        tax_by_rate=figures.tax_by_rate,
        currency=mapped.expected.currency,
        group_rates=mapped.expected.group_rates,
    )
    words = f"Refund {refund.id} of {plain(refund.amount)} {expected.currency} is taken off within the draft."
    return replace(
        mapped, draft=draft, expected=expected, folded=(*mapped.folded, refund.id), notes=(*mapped.notes, words)
    )
