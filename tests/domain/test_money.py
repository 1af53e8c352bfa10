"""Amounts: half up, the currency's own digits, sums of one currency, and parts that add up to their whole."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.money import (
    CurrencyMismatchError,
    Money,
    minor_digits,
    minor_unit,
    round_half_down,
    round_half_up,
    split_by_largest_remainder,
)

D = Decimal


@pytest.mark.parametrize(
    ("amount", "digits", "rounded"),
    [
        ("0.075", 2, "0.08"),
        ("0.0749", 2, "0.07"),
        ("-0.075", 2, "-0.08"),
        ("2.5", 0, "3"),
        ("-2.5", 0, "-3"),
        ("1.0005", 3, "1.001"),
        ("2.675", 2, "2.68"),
        ("0", 2, "0.00"),
    ],
)
def test_halves_go_away_from_zero(amount: str, digits: int, rounded: str) -> None:
    """As the ledger rounds; a float would make 2.67 of 2.675."""
    assert str(round_half_up(D(amount), digits)) == rounded


@pytest.mark.parametrize(
    ("currency", "digits", "unit"), [("EUR", 2, "0.01"), ("JPY", 0, "1"), ("KWD", 3, "0.001"), ("CLF", 4, "0.0001")]
)
def test_currencies_have_their_own_smallest_amount(currency: str, digits: int, unit: str) -> None:
    """ISO 4217."""
    assert (minor_digits(currency), str(minor_unit(currency))) == (digits, unit)


def test_two_currencies_are_never_added() -> None:
    """It is a fault of the program, and is loud."""
    assert Money(D("1.10"), "EUR") + Money(D("2.20"), "EUR") == Money(D("3.30"), "EUR")
    with pytest.raises(CurrencyMismatchError, match="EUR and USD"):
        _ = Money(D(1), "EUR") + Money(D(1), "USD")


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        ("10.00", ["1", "1", "1"], ["3.34", "3.33", "3.33"]),
        ("0.02", ["1", "1", "1"], ["0.01", "0.01", "0.00"]),
        ("-10.00", ["2", "1"], ["-6.67", "-3.33"]),
        ("5.00", ["0", "0"], ["2.50", "2.50"]),
        ("5.00", ["0", "1"], ["0.00", "5.00"]),
        ("1.00", [], []),
    ],
)
def test_a_sum_is_split_by_largest_remainder(amount: str, weights: list[str], parts: list[str]) -> None:
    """The earlier part first where two are equal."""
    assert split_by_largest_remainder(D(amount), [D(w) for w in weights], 2) == [D(part) for part in parts]


@pytest.mark.parametrize(("amount", "weights"), [("0.005", ["1"]), ("1.00", ["-1", "2"])])
def test_what_cannot_be_split_is_refused(amount: str, weights: list[str]) -> None:
    """Less than a minor unit, or a negative share."""
    with pytest.raises(ValueError, match=r"decimals|negative"):
        split_by_largest_remainder(D(amount), [D(w) for w in weights], 2)


@given(
    st.integers(-100_000, 100_000),
    st.lists(st.integers(0, 10_000), min_size=1, max_size=12),
    st.sampled_from([0, 2, 3]),
)
def test_parts_add_up_and_none_is_off_by_a_unit(units: int, weights: list[int], digits: int) -> None:
    """To the last minor unit, each within one unit of its exact share, and of the sum's sign."""
    unit = D(1).scaleb(-digits)
    amount, shares = units * unit, [D(w) for w in weights]
    parts = split_by_largest_remainder(amount, shares, digits)
    assert sum(parts) == amount
    total = sum(shares) or D(len(shares))
    for part, share in zip(parts, shares if sum(shares) else [D(1)] * len(shares), strict=True):
        assert abs(part - amount * share / total) < unit
        assert part * amount >= 0


@pytest.mark.parametrize(
    ("amount", "digits", "rounded"),
    [("0.075", 2, "0.07"), ("0.0751", 2, "0.08"), ("-0.075", 2, "-0.07"), ("2.5", 0, "2"), ("1.0005", 3, "1.000")],
)
def test_halves_go_towards_zero_where_a_shops_figures_are_read(amount: str, digits: int, rounded: str) -> None:
    """Only halves differ from the ledger's rounding."""
    assert str(round_half_down(D(amount), digits)) == rounded
