"""Postgres behind the ports; the only place with SQL."""
