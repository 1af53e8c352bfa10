"""The in-memory twins of the real adapters; they pass the same conformance suites."""
