"""Orders that are parked for a closed period: nobody tells when it is opened again, so they are tried once a day."""

import structlog

from consumer.errors import DatabaseUnavailableError
from consumer.lifecycle import Service
from consumer.ports.people import PeopleStore

log = structlog.get_logger()

EVERY_SECONDS = 3600.0  # between looks
AFTER_SECONDS = 86_400.0  # since an order was last tried
ORDERS_MAX = 1000  # of one look; the next takes the rest


class ClosedPeriods(Service):
    """The service; two processes that look at once let each order go on once."""

    def __init__(self, people: PeopleStore, *, every_seconds: float = EVERY_SECONDS) -> None:
        super().__init__("closed-periods")
        self._people = people
        self._every_seconds = every_seconds

    async def _begin(self) -> None:
        self.spawn("retrying", self._retrying())
        self.started.set()

    async def _retrying(self) -> None:
        while not self.stopping.is_set():
            try:
                released = await self._people.retry_closed(older_than_seconds=AFTER_SECONDS, limit=ORDERS_MAX)
                if released:
                    log.info("closed_periods_retried", orders=released)
            except DatabaseUnavailableError as error:
                log.warning("closed_periods_wait_for_database", error=str(error))
            await self.nap(self._every_seconds)
