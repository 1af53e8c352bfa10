"""The relay: sends the outbox's rows to the broker, at least once, in the order of each key; one process at a time.

It works in rounds: take the oldest rows that wait, at most one of each key, send them all at once, mark what was
acknowledged. A round is pipelined over keys, and no two rows of one key are ever in flight. What is not acknowledged
is sent again, under the same event id. It never reads ``id > last``: a row may commit later than one with a higher id.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from consumer.errors import BrokerUnavailableError, DatabaseUnavailableError, FencedError, UnavailableError
from consumer.failpoints import failpoint
from consumer.lifecycle import Service
from consumer.ports.intake import Lease, OutboxRow, OutboxStore
from consumer.ports.messages import Message, MessageRefusedError, MessageSink
from consumer.ports.tracing import NO_TRACING, Tracing
from consumer.services.backoff import Backoff
from consumer.services.relay_report import RelayReport, SilentRelayReport
from consumer.services.tracing import begin_sending, carried, end_sending

CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """How much at once, and how long."""

    rows_max: int = 1000
    bytes_max: int = 8 * 1024 * 1024  # of payloads sent at once
    poll_seconds: float = 2.0  # a wake-up is a hint that may be lost; this is not
    lease_seconds: float = 15.0
    renew_seconds: float = 5.0
    candidate_seconds: float = 5.0  # between two tries for the lease, while another process has it


class Relay(Service):
    """The service. ``topics`` names the topic of each ``topic_kind``; ``owner`` is this process's name in the lease."""

    def __init__(
        self,
        *,
        store: OutboxStore,
        sink: MessageSink,
        topics: Mapping[str, str],
        owner: str,
        wake: asyncio.Event | None = None,
        report: RelayReport | None = None,
        limits: RelayLimits | None = None,
        tracing: Tracing = NO_TRACING,
    ) -> None:
        super().__init__("relay")
        self.wake = wake or asyncio.Event()  # set it when a row was written
        self._store = store
        self._sink = sink
        self._topics = topics
        self._owner = owner
        self._tracing = tracing
        self._report = report or SilentRelayReport()
        self._limits = limits or RelayLimits()
        self._lease: Lease | None = None
        self._renew_at = 0.0
        self._connected = False
        self._waits_for = ""

    async def _begin(self) -> None:
        self.spawn("sender", self._sending())

    async def _finish(self, deadline_seconds: float) -> None:  # noqa: ARG002 the base sets the deadline
        self.wake.set()  # the round in hand ends by itself; an idle loop must not sleep on

    async def _release(self) -> None:
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(UnavailableError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._store.give_back(lease)
        await self._sink.stop(0.5)

    async def _sending(self) -> None:
        beat = self.heartbeat("sender")
        backoff = Backoff()
        while not self.stopping.is_set():
            beat.beat()
            try:
                await self._step()
            except UnavailableError as error:
                self._waits_for = "database" if isinstance(error, DatabaseUnavailableError) else "broker"
                self._report.waiting(self._waits_for, error, backoff.attempts)
                await self.nap(backoff.next_seconds())
                continue
            except FencedError:
                self._lose()
                continue
            if backoff.attempts:
                self._report.going_on(self._waits_for)
            backoff.reset()

    async def _step(self) -> None:
        """Hold the lease, send one round, or wait for something to send."""
        if not self._connected:
            await self._sink.start(sorted(set(self._topics.values())))
            self._connected = True
            self.started.set()
        lease = await self._hold()
        if lease is None:
            await self.nap(self._limits.candidate_seconds)
            return
        # Cleared before the look: a row that is written after it sets the event again.
        self.wake.clear()
        rows = await self._store.waiting(lease, self._limits.rows_max, ())
        if not rows:
            await self._idle()
            return
        failpoint("messages_taken")
        began = monotonic()
        sent = await self._round(_within(rows, self._limits.bytes_max))
        self._report.sent(sent, monotonic() - began)

    async def _idle(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.poll_seconds):
                await self.wake.wait()

    async def _hold(self) -> Lease | None:
        if self._lease is not None and monotonic() < self._renew_at:
            return self._lease
        lease = await self._store.lease(self._owner, self._limits.lease_seconds)
        if (lease is None) != (self._lease is None):
            self._report.leading(leads=lease is not None)
        self._lease = lease
        self._renew_at = monotonic() + self._limits.renew_seconds
        return lease

    def _lose(self) -> None:
        self._lease = None
        self._report.leading(leads=False)

    async def _round(self, rows: Sequence[OutboxRow]) -> int:
        """Send these rows, none of a key that another has; mark, set aside; raise if the broker did not take some."""
        spans = begin_sending(self._tracing, rows)
        answers = await self._sink.send([self._message(row) for row in rows])
        end_sending(spans, answers)
        failpoint("messages_acknowledged")
        answered = list(zip(rows, answers, strict=True))
        sent = [row.id for row, answer in answered if answer is None]
        if sent:
            # Also after the lease has passed: they were sent, and the next one need not do it again.
            await self._insist_marked(sent)
        for row, answer in answered:
            if isinstance(answer, MessageRefusedError):
                await self._store.set_aside(row.id, str(answer))
                self._report.set_aside(row, str(answer))
        for answer in answers:
            if isinstance(answer, BrokerUnavailableError):
                raise answer
        return len(sent)

    async def _insist_marked(self, ids: Sequence[int]) -> None:
        """Mark, and try again while the database is away: what is sent and not marked would be sent again."""
        backoff = Backoff()
        while True:
            try:
                await self._store.mark_sent(ids)
            except UnavailableError as error:
                if self.stopping.is_set():
                    raise
                self._report.waiting("database", error, backoff.attempts)
                await self.nap(backoff.next_seconds())
            else:
                return

    def _message(self, row: OutboxRow) -> Message:
        topic = self._topics[row.topic_kind]
        trace = carried(row.payload)
        # Beside the attribute also as a header, where tools that know nothing of CloudEvents look for it.
        headers = (CONTENT_TYPE, ("traceparent", trace.encode())) if trace else (CONTENT_TYPE,)
        return Message(topic=topic, key=row.record_key.encode(), value=row.payload, headers=headers)


def _within(rows: Sequence[OutboxRow], bytes_max: int) -> Sequence[OutboxRow]:
    """Take as many as fit, at least one, and no second one of a key even if the store gave it."""
    taken: dict[str, OutboxRow] = {}
    size = 0
    for row in rows:
        size += len(row.payload)
        if taken and size > bytes_max:
            break
        taken.setdefault(row.record_key, row)
    return list(taken.values())
