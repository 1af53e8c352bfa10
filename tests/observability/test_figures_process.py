"""`booked figures`, as a process: it tells how old the oldest order is while nobody books."""

import asyncio
import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.postgres import admin_connection
from sandbox.processes import Process, json_line
from tests.acceptance.conftest import installation
from tests.acceptance.installation import Installation, ask_health, metric
from tests.acceptance.waiting import until

__all__ = ["installation"]

pytestmark = pytest.mark.acceptance


def figures_process(installation: Installation, **environment: str) -> Process:
    """Make a `booked figures` process; start it with ``async with``."""
    return Process(
        name="figures",
        command=[sys.executable, "-m", "consumer", "figures"],
        log_file=installation.folder / "figures.log",
        environment={**installation.environment, **environment},
        ready=lambda process: json_line(process, "listens"),
        stop_timeout_seconds=40,
    )


async def _add_late_order(installation: Installation) -> None:
    async with admin_connection(installation.database_url) as connection:
        await connection.execute(
            """INSERT INTO orders (shop_id, order_id, head, state, paid, paid_moment, due_at)
               VALUES ('shop', '1', '{}', 'due', true, $1, clock_timestamp())""",
            datetime.now(UTC) - timedelta(hours=1),
        )


async def test_the_oldest_order_is_told_by_a_process_that_outlives_the_others(installation: Installation) -> None:
    """Without any `booked run` and without Kafka; it is alive and ready, and ends on SIGTERM."""
    await _add_late_order(installation)
    async with figures_process(installation, BOOKED_KAFKA_SERVERS="127.0.0.1:1") as figures:
        age = await until(
            lambda: metric(figures, "booked_oldest_unbooked_seconds"), lambda seconds: seconds > 0, what="the figures"
        )
        assert 3600 <= age < 3900
        await until(lambda: ask_health(figures, "/readyz"), lambda answer: answer[0] == 200, what="ready")
        assert json.loads((await ask_health(figures, "/livez"))[1]) == {"alive": True, "stuck": {}}
        # Its page is no sign of life of those that do the work.
        _, text = await ask_health(figures, "/metrics")
        assert "booked_tasks" not in text
        assert "booked_intake_lag" not in text
        os.kill(figures.pid, signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await figures.wait() == 0


async def test_without_a_database_it_lives_and_says_what_it_waits_for(
    installation: Installation, free_port: int
) -> None:
    """Its figures are missing then, and an alert is on that."""
    url = f"postgresql://nobody@127.0.0.1:{free_port}/none"
    async with figures_process(installation, BOOKED_DATABASE_URL=url) as figures:
        status, text = await ask_health(figures, "/readyz")
        assert status == 503
        assert "database" in json.loads(text)["missing"]
        assert (await ask_health(figures, "/livez"))[0] == 200
