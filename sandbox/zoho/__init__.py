"""A stand-in for Zoho Books: a process of its own that speaks Zoho's API over a real socket.

It shares no code with Booked, so that both can be wrong only independently of each other. What it does is taken from
what is known about Zoho's API; what is not proved about Zoho is a switch (`sandbox/assumptions.toml`).
"""
