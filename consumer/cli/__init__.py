"""The booked command: parse, call one use case, report."""
