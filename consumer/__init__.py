"""Booked: paid orders of shops become correct invoices in a ledger."""

__version__ = "0.1.0"
