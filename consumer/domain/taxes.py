"""Which tax of the organisation a line is booked under: by a published order with a tie-break, never by a default.

The order: the shop's own table first (its most specific row); then the active taxes of exactly the rate, and of these
1. the country, as the tax itself tells it (a tax of another country is never taken), then as its name says it;
2. the kind of what is sold (goods, service, digital, shipping), as the tax's name says it;
3. for rate 0 the cause (reverse charge, exempt, or neither), as the tax's name says it;
4. the shop's own name for the tax, equal, then contained.
What is still several then parks the order with the candidates. A step that no candidate passes is left out.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from consumer.domain.ledger import LedgerTax, TaxKind
from consumer.domain.money import ZERO
from consumer.domain.orders import LineKind, Order, Tax
from consumer.domain.settings import TaxOverride
from consumer.domain.states import Reason, ReasonCode
from consumer.domain.texts import plain

_HUNDRED = Decimal(100)
_RATE_TOLERANCE = Decimal("0.01")  # a ledger may round the rate of a group with a compound member
_CANDIDATES_SHOWN = 5
_KIND_WORDS = {
    "goods": ("goods", "product", "products", "merchandise"),
    LineKind.SERVICE.value: ("service", "services"),
    LineKind.DIGITAL.value: ("digital", "electronic", "download"),
    "shipping": ("shipping", "delivery", "freight", "postage"),
}
_CAUSE_WORDS = {
    "reverse_charge": ("reverse",),
    "exempt": ("exempt", "exempted", "exemption"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxWanted:
    """What the shop charges on one line. ``rates`` are percent, simple ones first and a compound one last."""

    rates: tuple[Decimal, ...]
    compound: bool = False
    names: tuple[str, ...] = ()
    kind: str = "goods"
    tax_class: str = ""
    country: str = ""
    cause: str = ""  # of rate 0: reverse_charge | exempt | nothing said

    @property
    def rate(self) -> Decimal:
        """Give the whole rate, in percent of the net."""
        if not self.compound:
            return sum(self.rates, ZERO)
        before = sum(self.rates[:-1], ZERO)
        return before + self.rates[-1] * (1 + before / _HUNDRED)

    @property
    def words(self) -> str:
        """Name the rate for people: ``22 %``, ``5 % + 8.5 %``."""
        return " + ".join(f"{plain(rate)} %" for rate in self.rates)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxChosen:
    """The ledger's tax for a line; ``tax_id`` None means that the line is booked without tax."""

    tax_id: str | None
    rate: Decimal = ZERO
    parts: tuple[Decimal, ...] = ()


NO_TAX = TaxChosen(tax_id=None)


def tax_country(order: Order) -> str:
    """Give the country whose tax is due: where it is sent, else where the buyer is billed; two letters or empty."""
    return (order.shipping_address.country or order.billing_address.country).strip().upper()


def wanted_tax(taxes: Sequence[Tax], *, kind: str, tax_class: str, country: str, cause: str) -> TaxWanted:
    """Gather the taxes of one line; rates of 0 beside others say nothing and are left out."""
    charged = sorted((tax for tax in taxes if tax.rate != 0), key=lambda tax: (tax.compound, tax.rate))
    return TaxWanted(
        rates=tuple(tax.rate for tax in charged) or (ZERO,),
        compound=len(charged) > 1 and charged[-1].compound,
        names=tuple(tax.name for tax in (charged or taxes) if tax.name),
        kind=kind,
        tax_class=tax_class,
        country=country,
        cause=cause,
    )


def match_tax(
    wanted: TaxWanted, taxes: Sequence[LedgerTax], overrides: Sequence[TaxOverride], *, is_told: bool = True
) -> TaxChosen | Reason:
    """Choose the ledger's tax; a Reason (TAX_MISSING, TAX_AMBIGUOUS, TAX_WOULD_BE_LOST) where none can be chosen.

    Where nothing is told of tax (``is_told``) only the shop's table names one: a rate of 0 is none that was said.
    """
    override = _override(wanted, overrides)
    if override is not None:
        return _by_override(wanted, override, taxes)
    if not is_told:
        return NO_TAX
    candidates = _of_rate(wanted, [tax for tax in taxes if tax.active])
    for step in _steps(wanted):
        if len(candidates) <= 1:
            break
        candidates = step(candidates)
    if len(candidates) > 1:
        return _ambiguous(wanted, candidates)
    if candidates:
        return _chosen(wanted, candidates[0])
    return NO_TAX if wanted.rate == 0 else _missing(wanted)


def _chosen(wanted: TaxWanted, tax: LedgerTax) -> TaxChosen:
    parts = wanted.rates if len(wanted.rates) > 1 else tax.parts
    return TaxChosen(tax_id=tax.tax_id, rate=tax.rate, parts=parts)


# ---- the shop's own table ------------------------------------------------------------------------------------------


def _override(wanted: TaxWanted, overrides: Sequence[TaxOverride]) -> TaxOverride | None:
    """Find the row that fits and says most; of equally specific rows the first in the table."""
    fitting = [row for row in overrides if _fits(wanted, row)]
    return max(fitting, key=_specificity, default=None)


def _fits(wanted: TaxWanted, row: TaxOverride) -> bool:
    return (
        row.country.upper() in ("", wanted.country)
        and row.tax_class in ("", wanted.tax_class)
        and (row.rate is None or row.rate == wanted.rate)
    )


def _specificity(row: TaxOverride) -> int:
    return bool(row.country) + bool(row.tax_class) + (row.rate is not None)


def _by_override(wanted: TaxWanted, row: TaxOverride, taxes: Sequence[LedgerTax]) -> TaxChosen | Reason:
    tax = next((tax for tax in taxes if tax.tax_id == row.tax_id and tax.active), None)
    if tax is None:
        return _missing(wanted, f" The shop's tax table names tax {row.tax_id}, which the organisation does not have.")
    if tax.rate == 0 and wanted.rate != 0:
        return Reason(
            code=ReasonCode.TAX_WOULD_BE_LOST,
            message=f"The order charges {wanted.words} but the shop's tax table names tax {tax.tax_id} of 0 %.",
            fix="Correct that row of the shop's tax_overrides, or the tax in the shop.",
            group_key=f"tax_would_be_lost:{wanted.country}:{_rate_key(wanted)}",
        )
    if abs(tax.rate - wanted.rate) > (_RATE_TOLERANCE if wanted.compound else ZERO):
        return _missing(wanted, f" The shop's tax table names tax {tax.tax_id}, which has {plain(tax.rate)} %.")
    return _chosen(wanted, tax)


# ---- the organisation's taxes --------------------------------------------------------------------------------------


def _of_rate(wanted: TaxWanted, taxes: Sequence[LedgerTax]) -> list[LedgerTax]:
    """Find the taxes of exactly the rate, of the country or of none; a single tax before a compound before a group."""
    at_home = [tax for tax in taxes if not (tax.country and wanted.country and tax.country.upper() != wanted.country)]
    if len(wanted.rates) > 1:
        return [tax for tax in at_home if tax.kind is TaxKind.GROUP and _is_group_of(wanted, tax)]
    same = [tax for tax in at_home if tax.rate == wanted.rate]
    by_kind = ([tax for tax in same if tax.kind is kind] for kind in TaxKind)
    return next((found for found in by_kind if found), [])


def _is_group_of(wanted: TaxWanted, group: LedgerTax) -> bool:
    if group.parts and sorted(group.parts) != sorted(wanted.rates):
        return False
    return abs(group.rate - wanted.rate) <= (_RATE_TOLERANCE if wanted.compound else ZERO)


_Step = Callable[[list[LedgerTax]], list[LedgerTax]]


def _steps(wanted: TaxWanted) -> Iterable[_Step]:
    names = {name.casefold().strip() for name in wanted.names}
    yield _prefer(lambda tax: bool(wanted.country) and tax.country.upper() == wanted.country)
    yield _prefer(lambda tax: wanted.country in tax.name.split() if wanted.country else False)
    yield _by_words(_KIND_WORDS, wanted.kind)
    if wanted.rate == 0:
        yield _by_words(_CAUSE_WORDS, wanted.cause)
    yield _prefer(lambda tax: tax.name.casefold().strip() in names)
    yield _prefer(lambda tax: bool(names) and all(name in tax.name.casefold() for name in names))


def _prefer(passes: Callable[[LedgerTax], bool]) -> _Step:
    return lambda candidates: [tax for tax in candidates if passes(tax)] or candidates


def _by_words(words: dict[str, tuple[str, ...]], ours: str) -> _Step:
    """Prefer the taxes that name our kind; else those that name no kind at all."""
    others = {word for kind, names in words.items() if kind != ours for word in names}
    own = set(words.get(ours, ()))

    def step(candidates: list[LedgerTax]) -> list[LedgerTax]:
        told = {tax.tax_id: set(re.findall(r"\w+", tax.name.casefold())) for tax in candidates}
        named = [tax for tax in candidates if told[tax.tax_id] & own]
        neutral = [tax for tax in candidates if not told[tax.tax_id] & others]
        return named or neutral or candidates

    return step


# ---- what is said where none is chosen -----------------------------------------------------------------------------


def _rate_key(wanted: TaxWanted) -> str:
    return "+".join(plain(rate) for rate in wanted.rates)


def _place(wanted: TaxWanted) -> str:
    return f" for {wanted.country}" if wanted.country else ""


def _missing(wanted: TaxWanted, detail: str = "") -> Reason:
    several = len(wanted.rates) > 1
    make = f"a tax group of {wanted.words}" if several else f"an active tax of {wanted.words}"
    return Reason(
        code=ReasonCode.TAX_MISSING,
        message=f"The organisation has no tax of {wanted.words}{_place(wanted)}.{detail}",
        fix=f"Create {make}{_place(wanted)} in the ledger, or name one in the shop's tax_overrides.",
        group_key=f"tax_missing:{wanted.country}:{_rate_key(wanted)}",
    )


def _ambiguous(wanted: TaxWanted, candidates: Sequence[LedgerTax]) -> Reason:
    listed = ", ".join(f"{tax.name} ({tax.tax_id})" for tax in candidates[:_CANDIDATES_SHOWN])
    more = "" if len(candidates) <= _CANDIDATES_SHOWN else f" and {len(candidates) - _CANDIDATES_SHOWN} more"
    return Reason(
        code=ReasonCode.TAX_AMBIGUOUS,
        message=f"Several taxes of the organisation could be the {wanted.words}{_place(wanted)}: {listed}{more}.",
        fix="Name the right one in the shop's tax_overrides (country, rate, class, tax_id).",
        group_key=f"tax_ambiguous:{wanted.country}:{_rate_key(wanted)}",
    )
