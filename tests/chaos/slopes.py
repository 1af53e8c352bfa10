"""Whether something grows: the slope of a line through its values, by least squares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was measured at one moment, in seconds since the beginning; what was away then is missing."""

    seconds: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """How much something grows in an hour, as a share of its mean, with the standard error of that."""

    per_hour: float = 0.0
    error: float = 0.0

    def surely_beyond(self, limit: float) -> bool:
        """Tell whether it grows by more than the limit, and not by chance: two standard errors away."""
        return self.per_hour - 2 * self.error > limit


def slope_of(samples: Sequence[Sample], name: str) -> Slope:
    """Give the slope of the line of least squares; none where there is nothing to tell it from."""
    points = [(sample.seconds, sample.values[name]) for sample in samples if name in sample.values]
    if len(points) < 3:
        return Slope()
    mean_seconds = sum(seconds for seconds, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((seconds - mean_seconds) ** 2 for seconds, _ in points)
    if spread == 0 or mean == 0:
        return Slope()
    slope = sum((seconds - mean_seconds) * (value - mean) for seconds, value in points) / spread
    rest = sum((value - mean - slope * (seconds - mean_seconds)) ** 2 for seconds, value in points)
    error = (rest / (len(points) - 2) / spread) ** 0.5
    return Slope(per_hour=slope * HOUR_SECONDS / mean, error=error * HOUR_SECONDS / mean)
