"""Random refunds credited on a sent invoice, or taken off a draft, in both settings of an organisation; and counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from consumer.domain.arithmetic import TaxSum, sums_by_tax
from consumer.domain.credit_layout import credit_draft, credited_sums
from consumer.domain.crediting import UnclearError, check_within, given_of_refund, rest_of
from consumer.domain.folding import Folding, folded
from consumer.domain.ledger import InvoiceDraft, LedgerFacts, TaxRounding
from consumer.domain.mapping import Mapped
from consumer.domain.orders import Order, Refund
from consumer.domain.states import Reason, ReasonCode
from consumer.sources.own import to_order
from schemas.canonical import canonical
from tests.money.generator import make_order
from tests.money.organisation import Document, book, computed, facts
from tests.money.refunds import GivenBack, give_back

_UNCLEAR = ReasonCode.REFUND_UNCLEAR
ROUNDINGS = (TaxRounding.PER_RATE, TaxRounding.PER_LINE)
EXAMPLES_KEPT = 20
NOUGHT = Decimal(0)
_GROUPS = Decimal(-1)  # in place of the rates of groups' members


@dataclass(slots=True)
class Credited:
    """What came of many orders' refunds; ``wrong`` names those whose figures are not to the cent."""

    refunds: int = 0
    closed: int = 0  # invoices of which all was credited
    adjusted: int = 0  # credit notes with an adjustment
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def refuse(self, name: str, reason: Reason) -> None:
        """Count a refusal."""
        self.refused[reason.code.value] += 1
        self.examples = [*self.examples, f"{name}: {reason.message}"][:EXAMPLES_KEPT]

    def fault(self, words: str) -> None:
        """Note a figure that is not right."""
        self.wrong = [*self.wrong, words][:EXAMPLES_KEPT]

    @property
    def share_refused(self) -> Decimal:
        """Give the share of refunds that a person would have to deal with."""
        return Decimal(sum(self.refused.values())) / Decimal(self.refunds or 1)


@dataclass(slots=True)
class RefundTrial:
    """Refunds credited, and refunds taken off drafts."""

    credited: Credited = field(default_factory=Credited)
    folded: Credited = field(default_factory=Credited)


def run(seed: int, indexes: Iterable[int]) -> RefundTrial:
    """Try the orders of these numbers, each with refunds of its own."""
    known = {rounding: facts(rounding) for rounding in ROUNDINGS}
    trial = RefundTrial()
    for index in indexes:
        made = make_order(seed, index)
        if made.total <= 0:
            continue
        for rounding in ROUNDINGS:
            _try(trial, give_back(made, seed * 7_919 + index), index, rounding, known[rounding])
    return trial


def _try(trial: RefundTrial, case: GivenBack, index: int, rounding: TaxRounding, organisation: LedgerFacts) -> None:
    mapped = book(case.made.data, organisation)
    if not isinstance(mapped, Mapped):
        return
    order = to_order(canonical({**case.made.data, "refunds": list(case.refunds)}).content, "UTC")
    name = f"order {index} ({rounding.value})"
    _Crediting(trial.credited, mapped, order, rounding, case.made.digits, name).run()
    _fold(trial.folded, mapped, order, rounding, case.made.digits, name)


@dataclass(slots=True)
class _Crediting:
    """One sent invoice and its refunds in turn."""

    trial: Credited
    mapped: Mapped
    order: Order
    rounding: TaxRounding
    digits: int
    name: str
    notes: list[tuple[TaxSum, ...]] = field(default_factory=list)
    total: Decimal = NOUGHT
    taxes: dict[Decimal, Decimal] = field(default_factory=dict)

    def run(self) -> None:
        """Credit them all, and judge by the stand-in's figures."""
        invoice = computed(self.mapped.draft, self.digits, self.rounding)
        for refund in self.order.refunds:
            self.trial.refunds += 1
            draft = self._draft(refund)
            if isinstance(draft, Reason):
                self.trial.refuse(f"{self.name} {refund.id}", draft)
                return
            self._judge(refund, computed(draft, self.digits, self.rounding), invoice)
            self.trial.adjusted += bool(draft.adjustment)
        self.trial.closed += 1
        if self.total != invoice.total or self._told(self.taxes) != self._told(invoice.tax_by_rate):
            self.trial.fault(f"{self.name}: credited {self.total} {self.taxes}, the invoice is {invoice}")

    def _draft(self, refund: Refund) -> InvoiceDraft | Reason:
        mapped, digits = self.mapped, self.digits
        whole = sums_by_tax(mapped.draft, digits, self.rounding)
        rest = rest_of(whole, self.notes)
        try:
            given = given_of_refund(self.order, refund, rest, label="Refund", digits=digits, whole=whole)
        except UnclearError as error:
            return error.reason
        beyond = check_within(self.order, refund.id, given, rest)
        if beyond is not None:
            return beyond
        header = replace(mapped.draft, lines=(), adjustment=NOUGHT, discount=NOUGHT, issued_on=date(2026, 3, 20))
        same_as = mapped.draft if refund.amount == mapped.expected.total else None
        draft = credit_draft(header, given, digits=digits, rounding=self.rounding, same_as=same_as)
        if draft is None:
            return Reason(code=_UNCLEAR, message=f"{refund} {given} of {rest}")
        self.notes.append(credited_sums(draft, given, digits, self.rounding))
        return draft

    def _judge(self, refund: Refund, found: Document, invoice: Document) -> None:
        """Each credit note is the refund to the cent, and no rate is credited beyond the invoice."""
        self.total += found.total
        for rate, tax in found.tax_by_rate.items():
            self.taxes[rate] = self.taxes.get(rate, NOUGHT) + tax
        if found.total != refund.amount:
            self.trial.fault(f"{self.name} {refund.id}: {found.total} is not {refund.amount}")
        credited, most = self._told(self.taxes), self._told(invoice.tax_by_rate)
        over = {rate: tax for rate, tax in credited.items() if tax > most.get(rate, NOUGHT)}
        if over:
            self.trial.fault(f"{self.name} {refund.id}: credited {over} beyond {most}")

    def _told(self, taxes: Mapping[Decimal, Decimal]) -> dict[Decimal, Decimal]:
        """Give VAT per rate where there is any; of groups, whose members are not known one by one, in sum."""
        groups = {part for line in self.mapped.draft.lines for part in line.tax_parts}
        told = {rate: tax for rate, tax in taxes.items() if tax and rate not in groups}
        of_groups = sum((tax for rate, tax in taxes.items() if rate in groups), NOUGHT)
        return {**told, _GROUPS: of_groups} if of_groups else told


def _fold(trial: Credited, mapped: Mapped, order: Order, rounding: TaxRounding, digits: int, name: str) -> None:
    """Take the refunds off the draft one more at a time: what is left is the order less them, to the cent."""
    left = computed(mapped.draft, digits, rounding).total
    way = Folding(label="Refund", adjustment_label="Rounding", digits=digits, rounding=rounding)
    for count in range(1, len(order.refunds) + 1):
        trial.refunds += 1
        taken = folded(mapped, order, order.refunds[:count], way)
        if isinstance(taken, Reason):
            trial.refuse(f"{name} {count}", taken)
            return
        left -= order.refunds[count - 1].amount
        if taken.expected.total != left:
            trial.fault(f"{name} {count}: {taken.expected.total} is to be left, not {left}")
        if not left:
            break
        found = computed(taken.draft, digits, rounding)
        expected = {row.rate: row.tax for row in taken.expected.tax_by_rate if row.tax}
        if found.total != left or found.tax_by_rate != expected:
            trial.fault(f"{name} {count}: {found} is not {left} {expected}")
    trial.closed += 1
