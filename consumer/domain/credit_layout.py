"""How a credit note is written so that the ledger comes to exactly the sums that are meant. Pure.

Layouts are tried against the model of the ledger's arithmetic, as invoices are: what was given back line by line, with
and without tax in the prices; one line per tax; and at last one line per tax whose amount gives the tax, balanced by a
labelled adjustment. The last is what cents of VAT that were rounded in earlier credit notes need: under a ledger that
rounds once per rate the VAT in what is left is often no longer the VAT of that amount.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum, sums_by_tax
from consumer.domain.crediting import Given, TaxKey, joined, key_of, tax_within
from consumer.domain.ledger import InvoiceDraft, InvoiceLine, TaxRounding
from consumer.domain.money import ZERO, round_half_up

_HUNDRED = Decimal(100)
_SPLITS_MAX = 6  # lines that one sum is split into to meet a tax that was rounded on each line
ADJUSTED_UNITS_MAX = 60  # minor units that an amount is moved by to give its tax; at 2 % that is one unit of tax
BOTH_WAYS = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)


def ways_of(rounding: TaxRounding) -> Sequence[TaxRounding]:
    """Give the roundings under which a layout has to fit: both where the organisation's is unknown."""
    return (rounding,) if rounding in BOTH_WAYS else BOTH_WAYS


def credit_draft(
    header: InvoiceDraft,
    given: Sequence[Given],
    *,
    digits: int,
    rounding: TaxRounding,
    same_as: InvoiceDraft | None = None,
) -> InvoiceDraft | None:
    """Draft a credit note of exactly these sums; None where no layout gives them.

    ``header`` has all but lines; its adjustment label is used where there is an adjustment. ``same_as`` is the
    invoice's own draft where all of it is given back: its lines come to its figures by nature.
    """
    for candidate in _candidates(header, given, digits, rounding, same_as):
        if all(_fits(candidate, given, digits, way) for way in ways_of(rounding)):
            return candidate
    return _adjusted(header, given, digits)


def credited_sums(
    draft: InvoiceDraft, given: Sequence[Given], digits: int, rounding: TaxRounding
) -> tuple[TaxSum, ...]:
    """Give what a credit note stands for under each tax: what was meant; where no tax was said, what the ledger's is.

    An adjustment that balances a tax is no credit under a tax of its own.
    """
    found = {key_of(one): one for one in sums_by_tax(draft, digits, ways_of(rounding)[0])}
    return tuple(
        TaxSum(
            tax_id=one.key[0],
            rate=one.key[1],
            parts=one.key[2],
            gross=one.gross,
            tax=found[one.key].tax if one.tax is None else one.tax,
        )
        for one in joined(given)
        if one.gross or one.tax
    )


def tax_line(name: str, key: TaxKey, amount: Decimal) -> InvoiceLine:
    """Give one line of this amount under this tax."""
    tax_id, rate, parts = key
    return InvoiceLine(name=name, quantity=Decimal(1), rate=amount, tax_id=tax_id, tax_rate=rate, tax_parts=parts)


def tax_of(one: Given, digits: int) -> Decimal:
    """Give the tax of a thing given back: as it was said, else as the ledger computes it."""
    return tax_within(one.gross, one.key, digits) if one.tax is None else one.tax


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
    for things in (given, joined(given)):
        yield replace(header, tax_inclusive=True, lines=tuple(tax_line(one.name, one.key, one.gross) for one in things))
        nets = [(one, one.gross - tax_of(one, digits)) for one in things]
        yield replace(header, tax_inclusive=False, lines=tuple(tax_line(one.name, one.key, net) for one, net in nets))
    if rounding is TaxRounding.PER_LINE:
        split = [line for one in joined(given) for line in _split(one, digits)]
        yield replace(header, tax_inclusive=False, lines=tuple(split))


def _split(one: Given, digits: int) -> list[InvoiceLine]:
    """Split a sum into lines whose taxes, each rounded for itself, come to the tax that is wanted."""
    tax = tax_of(one, digits)
    net = one.gross - tax
    unit = Decimal(1).scaleb(-digits)
    rate = one.key[1]
    for count in range(1, _SPLITS_MAX):
        for cents in range(1, 100):
            piece = unit * cents
            rest = net - piece * count
            if rest <= 0:
                break
            each, last = (round_half_up(amount * rate / _HUNDRED, digits) for amount in (piece, rest))
            if count * each + last == tax:
                return [tax_line(one.name, one.key, amount) for amount in (rest, *[piece] * count)]
    return [tax_line(one.name, one.key, net)]


def _fits(draft: InvoiceDraft, given: Sequence[Given], digits: int, rounding: TaxRounding) -> bool:
    found = {key_of(one): one for one in sums_by_tax(draft, digits, rounding) if one.gross or one.tax}
    wanted = {one.key: one for one in joined(given) if one.gross or one.tax}
    if found.keys() != wanted.keys():
        return False
    return all(
        found[key].gross == one.gross and (one.tax is None or found[key].tax == one.tax) for key, one in wanted.items()
    )


def _adjusted(header: InvoiceDraft, given: Sequence[Given], digits: int) -> InvoiceDraft | None:
    """Give one line per tax, with tax in it, of the amount next to the wanted one that gives the wanted tax.

    One line is rounded alike under both settings of the ledger, so that it fits whatever the setting is.
    """
    lines, moved = [], ZERO
    for one in joined(given):
        off = _nearest(one, digits)
        if off is None:
            return None
        lines.append(tax_line(one.name, one.key, one.gross + off))
        moved += off
    label = header.adjustment_label if moved else ""
    return replace(header, tax_inclusive=True, lines=tuple(lines), adjustment=-moved, adjustment_label=label)


def _nearest(one: Given, digits: int) -> Decimal | None:
    unit = Decimal(1).scaleb(-digits)
    for units in range(ADJUSTED_UNITS_MAX + 1):
        for off in (unit * units, -unit * units):
            if one.tax is None or tax_within(one.gross + off, one.key, digits) == one.tax:
                return off
    return None
