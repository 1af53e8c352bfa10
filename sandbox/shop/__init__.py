"""A demo shop: makes orders from a seed, publishes them, listens to what came of each, and keeps its own order list."""
