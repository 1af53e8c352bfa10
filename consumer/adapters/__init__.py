"""The outside world, one package per neighbour; they know ports and domain, never each other."""
