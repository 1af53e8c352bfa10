"""`make demo`: everything is started, a few hundred orders are booked, and what came of each is shown and judged."""
