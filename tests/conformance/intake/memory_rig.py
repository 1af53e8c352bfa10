"""The intake's stores in memory, as a rig for tests."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from consumer.adapters.memory.database import IntentRow, MemoryDatabase, OutboxEntry
from consumer.adapters.memory.figures import MemoryFiguresStore, MemoryHealthStore
from consumer.adapters.memory.intake import MemoryIntakeStore, MemoryOrderReader
from consumer.adapters.memory.outbox import MemoryOutboxStore
from consumer.adapters.memory.settings import MemorySettingsStore
from consumer.domain.orders import OrderKey
from consumer.domain.records import Document, DocumentKind
from consumer.domain.states import OrderState, Reason, ReasonCode, Wish
from consumer.ports.intake import IntakeStore, OrderReader, OutboxStore
from consumer.ports.settings import FiguresStore, HealthStore, SettingsStore
from tests.conformance.intake.rig import LONG_AGO, Seen, render


class MemoryRig:
    """The stores in memory."""

    def __init__(self) -> None:
        self.db = MemoryDatabase()
        self.intake: IntakeStore = MemoryIntakeStore(self.db, render_rejected=render)
        self.reader: OrderReader = MemoryOrderReader(self.db)
        self.outbox: OutboxStore = MemoryOutboxStore(self.db)
        self.settings: SettingsStore = MemorySettingsStore(self.db)
        self.figures: FiguresStore = MemoryFiguresStore(self.db)
        self.health: HealthStore = MemoryHealthStore()

    async def order(self, key: OrderKey) -> Seen:
        """See Rig."""
        row = self.db.orders[key]
        return Seen(
            state=row.state.value,
            reason=row.reason.code.value if row.reason else None,
            due=row.due_at is not None,
            change=row.change,
            connection_id=row.connection_id,
            paid=row.paid,
            cancelled=row.cancelled,
            content=row.head.content,
            version=row.head.revision.version,
            number=row.head.number,
            priority=row.priority,
            takes=row.takes,
            attempts=row.attempts,
        )

    async def verdicts(self) -> list[tuple[str, str]]:
        """See Rig."""
        return [(row["key"].order_id, row["verdict"]) for row in self.db.events]

    async def rejected(self) -> list[tuple[str, bytes | None, int]]:
        """See Rig."""
        kept = [row["rejected"] for row in self.db.rejected]
        return [(one.reason, one.value, one.size) for one in kept]

    async def messages(self) -> list[tuple[str, str, bytes, str]]:
        """See Rig."""
        return [(e.topic_kind, e.record_key, e.payload, e.state) for e in self.db.outbox.values()]

    async def gaps(self) -> list[tuple[str, int, int, int | None]]:
        """See Rig."""
        return [(gap.cause, gap.log, gap.from_offset, gap.to_offset) for gap in self.db.gaps]

    async def audit(self) -> list[tuple[str, str]]:
        """See Rig."""
        return [(row["actor"], row["action"]) for row in self.db.audit]

    async def put(self, key: OrderKey, state: OrderState, reason: ReasonCode | None = None, **columns: Any) -> None:
        """See Rig."""
        row = self.db.orders[key]
        row.state = state
        row.reason = None if reason is None else Reason(code=reason, message="")
        row.due_at = LONG_AGO if columns.pop("due", state is OrderState.DUE) else None
        if "wish" in columns:
            row.wish = Wish(columns.pop("wish"))
        for name, value in columns.items():
            setattr(row, name, value)

    async def age_changes(self, key: OrderKey, by: timedelta) -> None:
        """See Rig."""
        row = self.db.orders[key]
        assert row.changes_since is not None
        row.changes_since -= by

    async def add_document(self, key: OrderKey, connection_id: str, *, live: bool = True) -> None:
        """See Rig."""
        self.db.documents.setdefault(key, []).append(
            Document(
                connection_id=connection_id,
                kind=DocumentKind.INVOICE,
                ledger_id=f"L{key.order_id}",
                number="INV-1",
                status="draft",
                live=live,
                reference=key.order_id,
                total=Decimal(1),
                currency="EUR",
            )
        )

    async def add_intent(self, key: OrderKey, connection_id: str) -> None:
        """See Rig."""
        number = uuid4()
        self.db.intents[number] = IntentRow(
            intent_id=number,
            connection_id=connection_id,
            subject=f"order:{key}",
            key=key,
            operation="create_invoice",
            digest=b"d",
            sought={},
            epoch=1,
            change=1,
            slot=1,
            begun_at=LONG_AGO,
            deadline_at=LONG_AGO,
            settled_at=LONG_AGO,
        )

    async def lane(self, connection_id: str) -> tuple[bool, bool]:
        """See Rig."""
        lane = self.db.lanes[connection_id]
        return lane.next_due is not None, lane.look_first

    async def rest(self, connection_id: str) -> None:
        """See Rig."""
        self.db.lanes[connection_id].next_due = None

    async def free_at(self, connection_id: str) -> list[datetime]:
        """See Rig."""
        return sorted(free_at for free_at, _ in self.db.lanes[connection_id].slots)

    async def use_slots(self, connection_id: str, until: list[datetime]) -> None:
        """See Rig."""
        lane = self.db.lanes[connection_id]
        lane.slots = [(moment, moment) for moment in until] + lane.slots[len(until) :]

    async def add_message(self, key: str, payload: bytes = b"{}", sequence: int = 1) -> None:
        """See Rig."""
        number = max(self.db.outbox, default=0) + 1
        self.db.outbox[number] = OutboxEntry(
            id=number,
            topic_kind="invoice.synced",
            record_key=key,
            event_id=uuid4(),
            sequence=sequence,
            payload=payload,
            created_at=LONG_AGO,
        )

    async def pass_lease(self) -> None:
        """See Rig."""
        for name, (owner, epoch, _) in self.db.leases.items():
            self.db.leases[name] = (owner, epoch, LONG_AGO)
