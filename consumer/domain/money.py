"""Amounts: exact decimals, one rounding, and the splitting of a sum into parts that add up to it.

Amounts are ``Decimal`` in the currency of the order they belong to; a sum that leaves its order carries the currency
with it as ``Money``. Nothing here, and nothing that uses it, ever holds an amount as a float.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)

# ISO 4217: the minor units of every active currency that does not have two decimals.
_OTHER_DIGITS = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


class CurrencyMismatchError(ValueError):
    """Two amounts of unlike currencies were about to be added: a fault of the program, never of an order."""


def minor_digits(currency: str) -> int:
    """Tell how many decimals the currency (ISO 4217, three letters) has; two where nothing else is known of it."""
    return _OTHER_DIGITS.get(currency, 2)


def round_half_up(amount: Decimal, digits: int) -> Decimal:
    """Round to ``digits`` decimals, halves away from zero: the rounding of Zoho Books (seen: 1.00 at 7.5 % is 0.08)."""
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def round_half_down(amount: Decimal, digits: int) -> Decimal:
    """Round halves towards zero: never for a document, only to understand the figures of shops that do."""
    return amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_DOWN)


def minor_unit(currency: str) -> Decimal:
    """Give the smallest amount of the currency: 0.01 for EUR, 1 for JPY."""
    return Decimal(1).scaleb(-minor_digits(currency))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount with its currency, for sums over several orders."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise CurrencyMismatchError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.amount + other.amount, self.currency)


def split_by_largest_remainder(amount: Decimal, weights: Sequence[Decimal], digits: int) -> list[Decimal]:
    """Split an amount into parts in proportion to the weights, each of ``digits`` decimals, that add up to it exactly.

    The parts are cut towards zero, and the units that are left go to the largest remainders, the earlier part first
    where two are equal. Weights of nothing but zeros split evenly. An empty list of weights gives an empty list.

    Raises ValueError where the amount has more decimals than ``digits`` or a weight is negative.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError(f"weights must not be negative: {weights}")
    unit = Decimal(1).scaleb(-digits)
    units = amount / unit
    if units != units.to_integral_value():
        raise ValueError(f"{amount} has more than {digits} decimals")
    if not weights:
        return []
    return [part * unit for part in _split_units(int(units), weights)]


def _split_units(units: int, weights: Sequence[Decimal]) -> list[int]:
    total = sum(weights, ZERO)
    shares = [Decimal(1) / len(weights)] * len(weights) if total == 0 else [weight / total for weight in weights]
    sign = -1 if units < 0 else 1
    exact = [abs(units) * share for share in shares]
    parts = [int(value) for value in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: abs(units) - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]
