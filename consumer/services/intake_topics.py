"""The topics that shops have for themselves: which of them are there, and when the source has to begin anew."""

from collections.abc import Callable, Collection

from consumer.ports.events import EventSource
from consumer.services.intake_report import IntakeReport


def no_topics() -> frozenset[str]:
    """Name none: for an installation whose shops all use the order topics."""
    return frozenset()


class ShopTopics:
    """``wanted`` names the shops' topics of the moment. One that is missing is said once, and keeps nothing waiting.

    ``following`` are those that the source was started with.
    """

    def __init__(self, *, source: EventSource, wanted: Callable[[], Collection[str]], report: IntakeReport) -> None:
        self._source = source
        self._wanted = wanted
        self._report = report
        self._missing: frozenset[str] = frozenset()
        self.following: frozenset[str] = frozenset()

    async def begin(self) -> frozenset[str]:
        """Give the topics to start the source with. Raises UnavailableError."""
        self.following = await self._there()
        return self.following

    async def outdated(self) -> bool:
        """Tell whether the source reads others than it should by now. Raises UnavailableError."""
        return await self._there() != self.following

    async def _there(self) -> frozenset[str]:
        wanted = frozenset(self._wanted())
        # Nobody is asked where nothing is wanted: most installations have the order topics only.
        there = await self._source.existing(wanted) if wanted else wanted
        missing = wanted - there
        if missing and missing != self._missing:
            named = ", ".join(sorted(missing))
            self._report.alarm("shop_topics_missing", None, f"create these topics, they are waited for: {named}")
        self._missing = missing
        return there
