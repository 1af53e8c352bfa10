"""What runs: asynchronous, over ports only."""
