"""Which parked orders the ledger's facts may help once they have changed."""

from dataclasses import replace

from consumer.domain.ledger import LedgerFacts
from consumer.domain.states import ReasonCode

HELPED_BY_TAXES = frozenset({ReasonCode.TAX_MISSING, ReasonCode.TAX_AMBIGUOUS, ReasonCode.TAX_WOULD_BE_LOST})
HELPED_BY_CURRENCIES = frozenset({ReasonCode.CURRENCY_MISSING})
HELPED_BY_ROUNDING = frozenset({ReasonCode.ROUNDING_UNKNOWN, ReasonCode.NO_EXACT_LAYOUT})


def helped_by(before: LedgerFacts | None, now: LedgerFacts) -> frozenset[ReasonCode]:
    """Give the reasons that a change of the facts may cure. The same facts read again cure nothing.

    Otherwise the orders that are parked for want of a tax would wake each other without end: each reads the facts anew.
    """
    if before is None:
        return HELPED_BY_TAXES | HELPED_BY_CURRENCIES | HELPED_BY_ROUNDING
    if replace(before, read_at=None) == replace(now, read_at=None):
        return frozenset()
    changed: frozenset[ReasonCode] = frozenset()
    if before.taxes != now.taxes or before.organization != now.organization:
        changed |= HELPED_BY_TAXES
    if before.currencies != now.currencies:
        changed |= HELPED_BY_CURRENCIES
    if before.rounding != now.rounding:
        changed |= HELPED_BY_ROUNDING
    return changed
