"""Booked: paid orders of shops become correct invoices in a ledger."""
