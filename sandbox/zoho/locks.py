"""Which parts of the books are locked. The names in this answer are an assumption: see assumptions.toml."""

from typing import Any

from sandbox.zoho.calls import Answer, Call

_NAMES = {
    "described": ("transaction_lock_module", "transaction_lock_date", "transaction_lock_status"),
    "short": ("module", "lock_date", "status"),
}


def read_locks(call: Call) -> Answer:
    """GET /transactionlocks: the modules that are locked, each with the last day that is."""
    locked_until = call.organization.transaction_lock_date
    rows = [_row(call, "sales", locked_until, "enabled")] if locked_until else []
    # Purchases may be locked longer than sales, and a lock may be switched off: neither says anything of an invoice.
    rows += [_row(call, "purchase", "2099-12-31", "enabled"), _row(call, "sales", "2099-12-31", "disabled")]
    return Answer(body={"code": 0, "message": "success", "transaction_locks": rows})


def _row(call: Call, *values: str) -> dict[str, Any]:
    return dict(zip(_NAMES[call.switch("transaction_lock_names")], values, strict=True))
