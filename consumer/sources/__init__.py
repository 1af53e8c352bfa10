"""What shops send, read into the domain's orders: pure."""
