"""Zoho Books behind the ports; the only place that knows its field names."""
