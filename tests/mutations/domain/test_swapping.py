"""A mutant takes the original's place for everyone who holds the function, and nothing passes for one by mistake."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from consumer.domain import deciding, money
from consumer.domain.money import minor_digits, round_half_up
from tests.mutations.domain import swapping
from tests.mutations.domain.mutants import Mutant

TEXT = Path(money.__file__).read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Put back what a test has swapped: elsewhere that is left to the end of the process."""
    kept = [(function, function.__code__, function.__defaults__) for function in (round_half_up, minor_digits)]
    yield
    for function, code, defaults in kept:
        function.__code__, function.__defaults__ = code, defaults


def mutant(function: str, before: str, after: str, *, in_default: bool = False) -> Mutant:
    """Give a mutant of the module of amounts."""
    assert TEXT.count(before) == 1
    return Mutant(
        module="money",
        function=function,
        before=before,
        after=after,
        ordinal=1,
        line=1,
        last_line=1,
        function_lines=(1, 1),
        in_default=in_default,
        text=TEXT.replace(before, after),
    )


def test_who_imported_the_function_by_name_calls_the_mutant() -> None:
    """Three decimals where nothing else is known, through the name that this file imported before."""
    swapping.apply(mutant("minor_digits", "_OTHER_DIGITS.get(currency, 2)", "_OTHER_DIGITS.get(currency, 3)"))
    assert minor_digits("EUR") == 3


def test_other_functions_stay_as_they_are() -> None:
    """Only the one function is swapped."""
    before = round_half_up.__code__
    swapping.apply(mutant("minor_digits", "_OTHER_DIGITS.get(currency, 2)", "_OTHER_DIGITS.get(currency, 3)"))
    assert round_half_up.__code__ is before
    assert round_half_up(Decimal("0.075"), 2) == Decimal("0.08")


def test_a_text_that_is_no_python_is_no_mutant() -> None:
    """It would be killed by every test, and say nothing of any."""
    with pytest.raises(swapping.NotAMutantError, match="is no Python"):
        swapping.apply(mutant("minor_digits", "_OTHER_DIGITS.get(currency, 2)", "_OTHER_DIGITS.get(currency,, 2)"))


def test_a_change_that_compiles_to_what_was_there_is_no_mutant() -> None:
    """Brackets around a value change nothing."""
    with pytest.raises(swapping.NotAMutantError, match="compiles to what was there"):
        swapping.apply(mutant("minor_digits", "_OTHER_DIGITS.get(currency, 2)", "_OTHER_DIGITS.get(currency, (2))"))


def test_a_function_that_is_not_there_is_no_mutant() -> None:
    """Nothing is swapped by guess."""
    given = replace(mutant("minor_digits", "_OTHER_DIGITS.get(currency, 2)", "3"), function="major_digits")
    with pytest.raises(swapping.NotAMutantError, match="major_digits"):
        swapping.apply(given)


def test_a_package_itself_is_found_under_its_own_name() -> None:
    """Under ``__init__`` a second one would be imported, and the one that all others hold would stay sound."""
    text = Path(deciding.__file__).read_text(encoding="utf-8")
    before, after = "return park(_stops_the_process(record))", "return None"
    assert text.count(before) == 1
    given = replace(
        mutant("minor_digits", "_OTHER_DIGITS.get(currency, 2)", "3"),
        module="deciding/__init__",
        function="decide",
        text=text.replace(before, after),
    )
    kept = deciding.decide.__code__
    try:
        swapping.apply(given)
        assert deciding.decide.__code__ is not kept
    finally:
        deciding.decide.__code__ = kept
