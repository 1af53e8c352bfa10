"""The data map: which columns hold data of people, why, and for how long; docs/privacy.md is made of it.

A test holds it against the real schema: every column that can hold text is listed, as personal or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalColumn:
    """Columns of one table that hold data of people. ``kept`` names the setting that says how long."""

    table: str
    columns: tuple[str, ...]
    fields: str
    why: str
    kept: str
    erased: str


PERSONAL: Final = (
    PersonalColumn(
        table="orders",
        columns=("content",),
        fields="customer, addresses, e-mail, phone, VAT number, remark, meta: the newest revision whole",
        why="to book, correct and credit the order",
        kept="BOOKED_RETENTION_PERSONAL_DAYS after the last event of a settled order; then only `layout` stays",
        erased="taken; `layout`, key, revision, hash and figures stay, and a mark",
    ),
    PersonalColumn(
        table="orders",
        columns=("head",),
        fields="the words of refunds",
        why="refunds add up over revisions",
        kept="as content; then without words",
        erased="without words",
    ),
    PersonalColumn(
        table="orders",
        columns=("wish_note", "asked_note", "answer"),
        fields="what staff wrote about the order",
        why="so that others know why",
        kept="as content",
        erased="taken",
    ),
    PersonalColumn(
        table="orders",
        columns=("wish_by", "asked_by"),
        fields="names of staff",
        why="who asked for it",
        kept="with the order's row",
        erased="stays: no data of the customer",
    ),
    PersonalColumn(
        table="events",
        columns=("value", "notes"),
        fields="the bytes that came, with all that the order holds",
        why="to tell what came in, and to find faults",
        kept="BOOKED_RETENTION_EVENTS_DAYS, then the day is dropped",
        erased="taken; that it came stays",
    ),
    PersonalColumn(
        table="rejected_events",
        columns=("record_key", "headers", "value", "message"),
        fields="the bytes that came and could not be an order",
        why="to be put in again after a fix",
        kept="BOOKED_RETENTION_REJECTED_DAYS; of an open message the row stays, without its bytes",
        erased="taken, found by a search in the bytes",
    ),
    PersonalColumn(
        table="exchanges",
        columns=("path", "request", "response"),
        fields="calls to the ledger with the contact and the document, without secrets",
        why="to prove what was sent and answered",
        kept="BOOKED_RETENTION_EXCHANGES_DAYS, then the day is dropped",
        erased="taken; that the call was made stays",
    ),
    PersonalColumn(
        table="intents",
        columns=("subject", "sought", "late_answer"),
        fields="name or e-mail by which a contact is found again after a lost answer",
        why="so that no contact and no invoice is made twice",
        kept="BOOKED_RETENTION_PERSONAL_DAYS after its end",
        erased="taken once it has ended",
    ),
    PersonalColumn(
        table="contacts",
        columns=("name", "name_key", "email_key", "tax_key", "contact"),
        fields="the ledger's contacts: name, e-mail, addresses, phone, VAT number",
        why="to find the customer without a call",
        kept="while the ledger has the contact, and BOOKED_RETENTION_EXCHANGES_DAYS more",
        erased="taken; the id stays, until the ledger has a newer change of it",
    ),
    PersonalColumn(
        table="contact_links",
        columns=("customer_key",),
        fields="e-mail, or the shop's id of the customer",
        why="which contact the customer is",
        kept="while the ledger has the contact",
        erased="removed",
    ),
    PersonalColumn(
        table="outbox",
        columns=("payload",),
        fields="none by itself; a reason may quote what the shop sent",
        why="to tell the shop",
        kept="BOOKED_RETENTION_OUTBOX_DAYS after it was sent",
        erased="removed where it mentions the customer and was sent",
    ),
    PersonalColumn(
        table="audit_log",
        columns=("actor", "details"),
        fields="names of staff, and their notes: write no customer's data there",
        why="who did what, and who looked at whose data",
        kept="BOOKED_RETENTION_AUDIT_DAYS",
        erased="stays: it only grows",
    ),
    PersonalColumn(
        table="tokens",
        columns=("connected_by",),
        fields="the name of who connected the ledger",
        why="whom to ask",
        kept="with the connection",
        erased="stays: no data of the customer",
    ),
    PersonalColumn(
        table="seen_invoices",
        columns=("invoice",),
        fields="ids and figures of invoices as the ledger lists them; the contact by its id",
        why="so that nothing is made twice after a restore",
        kept="for ever: ids and figures",
        erased="stays: neither name nor address",
    ),
    PersonalColumn(
        table="watch_put_off",
        columns=("invoice",),
        fields="as seen_invoices",
        why="to be judged once the order is settled",
        kept="until then",
        erased="stays: neither name nor address",
    ),
)

NOT_PERSONAL: Final[Mapping[str, frozenset[str]]] = {
    "alembic_version": frozenset({"version_num"}),
    "installation": frozenset({"name", "system_identifier"}),
    "connections": frozenset({"connection_id", "settings", "ledger_facts", "stopped_cause", "stopped_message"}),
    "tokens": frozenset({"connection_id", "client_id", "client_secret", "refresh_token", "access_token", "api_domain"}),
    "shops": frozenset({"shop_id", "connection_id", "revision_key", "settings"}),
    "orders": frozenset(
        {
            "shop_id",
            "order_id",
            "connection_id",
            "number",
            "content_hash",
            "currency",
            "wish",
            "state",
            "reason_code",
            "reason_message",
            "reason_fix",
            "group_key",
            "reference",
            "announced",
            "recorded",
            "asked",
            "layout",
            "erased_mark",
        }
    ),
    "documents": frozenset(
        {
            "connection_id",
            "shop_id",
            "order_id",
            "kind",
            "part",
            "reference",
            "unique_key",
            "ledger_id",
            "number",
            "status",
            "currency",
            "url",
            "written_digest",
            "details",
        }
    ),
    "intents": frozenset({"connection_id", "shop_id", "order_id", "operation", "digest", "resolution"}),
    "lanes": frozenset({"connection_id", "owner"}),
    "slots": frozenset({"connection_id", "purpose"}),
    "contacts": frozenset({"connection_id", "contact_id"}),
    "contact_links": frozenset({"connection_id", "shop_id", "contact_id"}),
    "decisions": frozenset({"shop_id", "order_id", "decision", "words", "figures", "actor"}),
    "events": frozenset({"topic", "shop_id", "order_id", "kind", "event_id", "verdict"}),
    "rejected_events": frozenset({"topic", "digest", "reason", "shop_id", "order_id", "state"}),
    "positions": frozenset({"topic", "last_checksum"}),
    "gaps": frozenset({"topic", "cause"}),
    "exchanges": frozenset({"connection_id", "shop_id", "order_id", "operation", "method", "outcome"}),
    "outbox": frozenset({"topic_kind", "record_key", "state", "error"}),
    "leases": frozenset({"name", "owner"}),
    "audit_log": frozenset({"action", "shop_id", "order_id"}),
    "seen_invoices": frozenset({"connection_id", "reference", "invoice_id"}),
    "replay_progress": frozenset({"topic"}),
    "replay_runs": frozenset({"details"}),
    "completeness": frozenset({"shop_id", "source", "currency"}),
    "completeness_missing": frozenset({"shop_id", "order_id", "source", "currency"}),
    "watch_put_off": frozenset({"connection_id", "ledger_id"}),
    "shop_readers": frozenset({"role_name", "shop_id"}),
    "reconcile_runs": frozenset({"connection_id", "stage"}),
    # Ids, dates and figures of the ledger's documents, and a contact by its id; dropped at the run's end.
    "reconcile_listed": frozenset({"kind", "ledger_id", "order_reference", "document"}),
    "reconcile_calls": frozenset({"connection_id"}),
    "reconcile_money": frozenset({"connection_id", "shop_id", "currency"}),
}
"""The other columns that can hold text, by table: ids, states, figures, hashes, settings, and secrets (sealed)."""

_FIGURES = {
    "documents": "what was made in the ledger; ids and figures, which the law keeps",
    "decisions": "what was decided and why; figures and hashes, which the law keeps",
    "completeness_missing": "orders told of and not recorded",
}


def why_of(table: str) -> str:
    """Say why a table's rows are kept, in one line."""
    reasons = dict.fromkeys(one.why for one in PERSONAL if one.table == table)
    return "; ".join(reasons) or _FIGURES.get(table, "")


def map_rows() -> list[tuple[str, str, str, str, str]]:
    """Give the map as the rows of a table: where, field, why, how long, what an erasure does."""
    return [
        (", ".join(f"`{one.table}.{column}`" for column in one.columns), one.fields, one.why, one.kept, one.erased)
        for one in PERSONAL
    ]
