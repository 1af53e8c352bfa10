"""The slope tells a leak from noise: figures by hand."""

import pytest

from tests.chaos.slopes import Sample, Slope, slope_of


def samples(*points: tuple[float, float]) -> list[Sample]:
    """Values by their seconds."""
    return [Sample(seconds=seconds, values={"memory": value}) for seconds, value in points]


def test_what_grows_by_its_mean_in_an_hour_grows_by_all_of_it() -> None:
    """From 50 to 150 in an hour: 100 more, with a mean of 100, and no doubt about it."""
    slope = slope_of(samples((0, 50), (1800, 100), (3600, 150)), "memory")
    assert slope.per_hour == pytest.approx(1.0)
    assert slope.error == pytest.approx(0.0)
    assert slope.surely_beyond(0.01)


def test_what_swings_about_its_mean_does_not_grow() -> None:
    """Up and down by the same."""
    slope = slope_of(samples((0, 90), (60, 110), (120, 110), (180, 90)), "memory")
    assert slope.per_hour == pytest.approx(0.0)
    assert not slope.surely_beyond(0.01)


def test_one_percent_of_an_hour_is_told_in_ten_minutes() -> None:
    """From 600.0 to 601.0 in ten minutes is one percent an hour, of 600.5."""
    slope = slope_of(samples((0, 600), (300, 600.5), (600, 601)), "memory")
    assert slope.per_hour == pytest.approx(6 / 600.5)


def test_the_error_is_that_of_the_line() -> None:
    """1, 3, 2 after 0, 1, 2 hours: slope 1/2, squares of 3/2 over 2, so an error of the root of 3/4, of a mean of 2."""
    slope = slope_of(samples((0, 1), (3600, 3), (7200, 2)), "memory")
    assert slope.per_hour == pytest.approx(0.25)
    assert slope.error == pytest.approx(0.75**0.5 / 2)
    assert not slope.surely_beyond(0.01)


def test_what_was_never_measured_or_stands_at_nothing_has_no_slope() -> None:
    """No value, too few, and zero."""
    assert slope_of([], "memory") == Slope()
    assert slope_of(samples((0, 5), (60, 6)), "memory") == Slope()
    assert slope_of(samples((0, 0), (60, 0), (120, 0)), "memory") == Slope()
    assert slope_of(samples((0, 1), (60, 2), (120, 3)), "sockets") == Slope()
