"""The retention as the settings have it."""

from consumer.bootstrap.parts import Stores
from consumer.config import Settings
from consumer.services.retention import DAYS_A_YEAR, Retention, Terms


def terms_of(settings: Settings) -> Terms:
    """Read how long each kind of data is kept."""
    return Terms(
        events_days=settings.retention_events_days,
        exchanges_days=settings.retention_exchanges_days,
        outbox_days=settings.retention_outbox_days,
        rejected_days=settings.retention_rejected_days,
        personal_days=settings.retention_personal_days,
        audit_days=settings.retention_audit_days,
        # Rounded up: a year that leaps must not end the term a day early.
        legal_days=int(settings.retention_legal_years * DAYS_A_YEAR) + 1,
    )


def retention_of(settings: Settings, stores: Stores, *, dry_run: bool) -> Retention:
    """Make one run of the retention."""
    return Retention(store=stores.retention, terms=terms_of(settings), dry_run=dry_run)
