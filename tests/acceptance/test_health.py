"""Health, metrics, the way to stop, and what never stands in a log."""

import asyncio
import json
import re
import signal

import psutil
import pytest

from sandbox.postgres import admin_connection
from sandbox.processes import Process
from tests.acceptance.installation import CLIENT_SECRET, SHOP, Installation, ask_health, event, metric, order
from tests.acceptance.proof import orders_of_returning_customers, prove_nothing_lost_nothing_twice
from tests.acceptance.waiting import until
from tests.kafka_tools import publish, read_all

pytestmark = pytest.mark.acceptance

STOP_SECONDS = 25.0
MAILBOX = "canary.mailbox"
TOKEN = re.compile(r"\b1000\.[0-9a-f]{32}\.[0-9a-f]{32}\b")


async def test_health_and_metrics(installation: Installation) -> None:
    """Alive and ready while it works; the figures of events, bookings, calls and orders are those of the run."""
    await installation.apply()
    await installation.connect()
    async with installation.process() as booked:
        await until(lambda: ask_health(booked, "/readyz"), lambda answer: answer[0] == 200, what="ready")
        await installation.publish("paid", [order("H-1"), order("H-2", total="99.99")])
        await installation.synced(2)
        assert json.loads((await ask_health(booked, "/livez"))[1]) == {"alive": True, "stuck": {}}
        topic = installation.topics["order.paid"]
        assert await metric(booked, "booked_events_total", topic=topic, result="read") == 2
        assert await metric(booked, "booked_bookings_total", result="booked") == 1
        assert await metric(booked, "booked_bookings_total", result="parked") == 1
        assert await metric(booked, "booked_ledger_calls_total", operation="create_invoice", result="ok") == 1
        assert await metric(booked, "booked_batch_seconds_count") >= 1
        await until(lambda: metric(booked, "booked_messages_sent_total", result="sent"), lambda n: n == 2, what="sent")
        await until(lambda: metric(booked, "booked_orders", state="booked"), lambda n: n == 1, what="booked")
        await until(lambda: metric(booked, "booked_orders", state="parked"), lambda n: n == 1, what="parked")
        assert await metric(booked, "booked_intake_lag_records") == 0
        assert await metric(booked, "booked_outbox_rows", state="waiting") == 0
        assert await metric(booked, "booked_oldest_unbooked_seconds") == 0
        assert 0 < await metric(booked, "booked_daily_calls_left", connection="books") < 1_000_000
        assert 0 <= await metric(booked, "booked_token_age_seconds", connection="books") < 120
        code, printed = await installation.try_command("health", BOOKED_HTTP_PORT=await _port(booked))
        assert code == 0, printed


async def _port(process: Process) -> str:
    for line in process.log_since_start().splitlines():
        if '"listens"' in line:
            return str(json.loads(line)["listens"]).rpartition(":")[2]
    raise AssertionError("it does not say where it listens")


async def test_a_database_that_is_away_makes_it_not_ready_and_not_dead(
    installation: Installation, postgres_admin_url: str
) -> None:
    """/readyz names the database while it cannot be reached; /livez asks nobody; ready again by itself."""
    async with installation.process() as booked:
        await until(lambda: ask_health(booked, "/readyz"), lambda answer: answer[0] == 200, what="ready")
        name = installation.database_url.rpartition("/")[2]
        async with admin_connection(postgres_admin_url) as admin:
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
            await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
            not_ready = await until(lambda: ask_health(booked, "/readyz"), lambda answer: answer[0] == 503, what="away")
            assert "database" in not_ready[1]
            assert (await ask_health(booked, "/livez"))[0] == 200
            await admin.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
        await until(lambda: ask_health(booked, "/readyz"), lambda answer: answer[0] == 200, what="ready again")


async def test_sigterm_finishes_what_is_in_hand_and_hands_over(installation: Installation) -> None:
    """Told to stop in the middle of slow calls it ends with 0 within its deadline; its successor need not wait.

    Nothing is left uncertain: every call that was under way has its outcome recorded, so the next process goes on at
    once, without waiting for leases to expire or asking the ledger about doubts.
    """
    await installation.apply()
    await installation.connect()
    await installation.ledger.set_latency(0.2)
    orders = orders_of_returning_customers(60)
    async with installation.process(name="first") as first:
        await installation.publish("paid", orders)
        await installation.synced(5, state="booked")
        psutil.Process(first.pid).send_signal(signal.SIGTERM)
        code = await until_ended(first)
        assert code == 0, first.log_tail()
    async with installation.process(name="second") as second:
        organization_id = installation.organization.organization_id
        known = await installation.ledger.newest_request()

        async def resumed() -> int:
            return len(await installation.ledger.requests(since=known, organization_id=organization_id, limit=1))

        # Far less than the 15 seconds of a lease that was not given back.
        await until(resumed, lambda calls: calls > 0, what="the successor calls the ledger", timeout_seconds=8)
        await prove_nothing_lost_nothing_twice(installation, orders)
        assert second.running
    requests = await installation.ledger.requests(organization_id=organization_id, limit=10_000)
    assert not [r for r in requests if r["method"] == "GET" and "reference_number" in r["query"]], "it had doubts"


async def until_ended(process: Process) -> int:
    """Wait for the end of a process that was told to stop; fails when it takes longer than its own deadline."""
    async with asyncio.timeout(STOP_SECONDS):
        return await process.wait()


async def test_no_secret_and_no_person_in_a_log(installation: Installation) -> None:
    """Secrets stand in nothing that is printed, and no customer in a log, a metric or a rejection.

    The run has what tempts to print them: refusals by the ledger, an unreadable message, a token that is revoked; and
    it logs everything.
    """
    await installation.apply()
    await installation.connect()
    person = {"email": f"{MAILBOX}@shop.example", "name": "Canaria Person", "phone": "+39 06 5550123"}
    other = {"email": f"{MAILBOX}2@shop.example", "name": "Canaria Other"}
    ledger, organization_id = installation.ledger, installation.organization.organization_id
    refusal = {"code": 2, "message": f"Invalid value passed for {MAILBOX}@shop.example"}
    creates = {"method": "POST", "path_regex": "/(contacts|invoices)$", "organization_id": organization_id}
    await ledger.add_faults({"match": creates, "times": 2, "action": {"status": {"code": 400, "body": refusal}}})
    async with installation.process(BOOKED_LOG_LEVEL="debug") as booked:
        orders = [order("C-1", customer=other), order("C-2", customer=person), order("C-3", customer=person)]
        await installation.publish("paid", orders)
        broken = json.dumps(event("paid", order("C-4", customer=person))).encode()[:-9]
        await publish(installation.kafka_servers, installation.topics["order.paid"], b"shop/C-4", broken)
        await installation.synced(3)
        rejected = await read_all(installation.kafka_servers, installation.topics["order.rejected"], 1)
        revoked = {"path_regex": "/books/", "organization_id": organization_id}
        await ledger.add_faults({"match": revoked, "times": 1, "action": "revoked_token"})
        await installation.publish("paid", [order("C-5", customer=person)])
        await until(lambda: metric(booked, "booked_connection_stopped"), lambda n: n == 1, what="stopped")
        answered = (await ask_health(booked, "/metrics"))[1] + (await ask_health(booked, "/readyz"))[1]
        for_people = (await installation.try_command("doctor"))[1] + await installation.command("explain", SHOP, "C-2")
    written = await asyncio.to_thread(booked.log_file.read_text, encoding="utf-8")
    for_machines = written + answered + str([record.value for record in rejected])
    assert "connection_stopped" in written
    assert [word for word in (MAILBOX, "Canaria", "5550123") if word in for_machines] == []
    assert [s for s in (CLIENT_SECRET, installation.key.partition(":")[2]) if s in for_machines + for_people] == []
    assert TOKEN.findall(for_machines + for_people) == []
